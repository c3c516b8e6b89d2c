/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#include <sys/resource.h>

#include "face.h"

/* The system's own, which has no number for the limit that only QNX has. */
extern int system_getrlimit(int, struct rlimit *) __asm__("getrlimit");
extern int system_setrlimit(int, const struct rlimit *) __asm__("setrlimit");
extern int system_prlimit(pid_t, int, const struct rlimit *, struct rlimit *) __asm__("prlimit");

int qnxhost_getrlimit(int resource, struct rlimit *limit)
{
	return resource == RLIMIT_SHM_HANDLES_NP ? qnxhost_result(EINVAL) : system_getrlimit(resource, limit);
}

int qnxhost_setrlimit(int resource, const struct rlimit *limit)
{
	return resource == RLIMIT_SHM_HANDLES_NP ? qnxhost_result(EINVAL) : system_setrlimit(resource, limit);
}

int qnxhost_prlimit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	return resource == RLIMIT_SHM_HANDLES_NP ? qnxhost_result(EINVAL) : system_prlimit(pid, resource, limit, old);
}
