/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Limits keep the system's numbers; the one that only QNX has lies far above. */
#ifndef QNXHOST_SYS_RESOURCE_H
#define QNXHOST_SYS_RESOURCE_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/types.h>
#include_next <sys/resource.h>

/* QNX's is not the largest number, for tests. */
#ifdef QNXHOST_RLIM_INFINITY
#undef RLIM_INFINITY
#define RLIM_INFINITY QNXHOST_RLIM_INFINITY
#endif

#if _NTO_VERSION >= 800
#define RLIMIT_SHM_HANDLES_NP (0x10000 + 15)
#endif

QNXHOST_BEGIN
int qnxhost_getrlimit(int resource, struct rlimit *limit);
int qnxhost_setrlimit(int resource, const struct rlimit *limit);
int qnxhost_prlimit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old);
QNXHOST_END

#undef getrlimit
#undef setrlimit
#undef prlimit
#define getrlimit qnxhost_getrlimit
#define setrlimit qnxhost_setrlimit
#define prlimit qnxhost_prlimit

#endif
