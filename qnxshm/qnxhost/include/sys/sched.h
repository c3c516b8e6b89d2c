/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SYS_SCHED_H
#define QNXHOST_SYS_SCHED_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sched.h>

#endif
