/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_PROCESS_H
#define QNXHOST_PROCESS_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/types.h>
#include <unistd.h>

/* For spawnl and its like, which the host has not. */
#define P_WAIT 0
#define P_NOWAIT 1
#define P_OVERLAY 2
#define P_NOWAITO 3

QNXHOST_BEGIN
/* The system's number of a thread, which is that of the process for the first one. */
pid_t gettid(void) __THROW;
QNXHOST_END

#endif
