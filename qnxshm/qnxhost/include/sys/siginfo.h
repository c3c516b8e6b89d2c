/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Where QNX programs look for struct sigevent and siginfo_t. */
#ifndef QNXHOST_SYS_SIGINFO_H
#define QNXHOST_SYS_SIGINFO_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <qnxhost/sigevent.h>
#include <signal.h>

#endif
