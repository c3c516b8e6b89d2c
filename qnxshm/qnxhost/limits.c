/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "face.h"

/* The system's own, which has no number for the limit that only QNX has. */
extern int system_getrlimit(int, struct rlimit *) __asm__("getrlimit");
extern int system_setrlimit(int, const struct rlimit *) __asm__("setrlimit");
extern int system_prlimit(pid_t, int, const struct rlimit *, struct rlimit *) __asm__("prlimit");

int qnxhost_getrlimit(int resource, struct rlimit *limit)
{
	uint64_t cur = 0, max = 0;
	int error;

	if (resource != RLIMIT_SHM_HANDLES_NP)
		return system_getrlimit(resource, limit);
	error = limit ? QNXHOST_CALL(qnxhost_go_handle_limit(&cur, &max)) : EFAULT;
	if (error == 0) {
		limit->rlim_cur = cur;
		limit->rlim_max = max;
	}
	return qnxhost_result(error);
}

int qnxhost_setrlimit(int resource, const struct rlimit *limit)
{
	if (resource != RLIMIT_SHM_HANDLES_NP)
		return system_setrlimit(resource, limit);
	if (limit == NULL)
		return qnxhost_result(EFAULT);
	return qnxhost_result(QNXHOST_CALL(qnxhost_go_set_handle_limit(limit->rlim_cur, limit->rlim_max)));
}

/* Each process keeps its own limit: that of another one is out of reach. */
int qnxhost_prlimit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	struct rlimit was;

	if (resource != RLIMIT_SHM_HANDLES_NP)
		return system_prlimit(pid, resource, limit, old);
	if (pid != 0 && pid != getpid())
		return qnxhost_result(pid < 0 || (kill(pid, 0) == -1 && errno == ESRCH) ? ESRCH : ENOSYS);
	if (qnxhost_getrlimit(resource, &was) == -1 || (limit && qnxhost_setrlimit(resource, limit) == -1))
		return -1;
	if (old)
		*old = was;
	return 0;
}
