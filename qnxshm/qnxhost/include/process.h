/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Where QNX programs look for getpid. */
#ifndef QNXHOST_PROCESS_H
#define QNXHOST_PROCESS_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/types.h>
#include <unistd.h>

#endif
