/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SCHED_H
#define QNXHOST_SCHED_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <sched.h>

/* Nothing lends a thread another priority: it has the one that it was given. */
#define sched_curpriority sched_priority

QNXHOST_BEGIN
int getprio(pid_t pid);
int setprio(pid_t pid, int priority);

/* The system's, with its priorities. The library learns of what they change. */
int sched_setscheduler(pid_t tid, int policy, const struct sched_param *parameters) QNXHOST_LABEL_NTH(sched_setscheduler);
int sched_setparam(pid_t tid, const struct sched_param *parameters) QNXHOST_LABEL_NTH(sched_setparam);
QNXHOST_END

#endif
