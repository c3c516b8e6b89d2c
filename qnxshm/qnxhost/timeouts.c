/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#define _GNU_SOURCE
#include <sys/neutrino.h>
#include <time.h>

#include "face.h"

static __thread struct qnxhost_timeout armed;

struct qnxhost_timeout qnxhost_take_timeout(void)
{
	struct qnxhost_timeout t = armed;

	armed.states = 0;
	return t;
}

void qnxhost_clear_timeout(const int *ignored)
{
	(void)ignored;
	armed.states = 0;
}

void qnxhost_end_r_form(const int *error)
{
	armed.states = 0;
	errno = *error;
}

bool qnxhost_timeout_armed(void)
{
	return armed.states != 0;
}

/* The time that is left until an absolute one. */
static uint64_t left_until(clockid_t id, uint64_t end)
{
	struct timespec t = {0, 0};
	uint64_t now;

	clock_gettime(qnxhost_system_clock(id), &t);
	now = timespec2nsec(&t);
	return end > now ? end - now : 0;
}

int TimerTimeout_r(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime)
{
	uint64_t ns = 0;

	if (qnxhost_forked())
		return -ENOSYS;
	if (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME && id != CLOCK_SOFTTIME)
		return -EINVAL;
	if (flags & TIMER_TOLERANCE)
		return 0; /* it is this one's tolerance that is told, and the host keeps to the time */
	if (notify && SIGEV_GET_TYPE(notify) != SIGEV_UNBLOCK)
		return -ENOSYS;
	if (ntime)
		ns = flags & TIMER_ABSTIME ? left_until(id, *ntime) : *ntime;
	if (otime)
		*otime = armed.states ? (uint64_t)armed.nanoseconds : 0;
	armed.states = flags;
	armed.nanoseconds = ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
	return 0;
}

int TimerTimeout(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime)
{
	return qnxhost_result(-TimerTimeout_r(id, flags, notify, ntime, otime));
}
