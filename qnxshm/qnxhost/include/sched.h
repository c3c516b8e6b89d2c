/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SCHED_H
#define QNXHOST_SCHED_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <sched.h>

/* The host has no priorities: a thread has the one that it was given. */
#define sched_curpriority sched_priority

QNXHOST_BEGIN
int getprio(pid_t pid);
int setprio(pid_t pid, int priority);
QNXHOST_END

#endif
