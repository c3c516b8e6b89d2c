/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Clocks of QNX, as far as the system's can stand for them. */

#define _GNU_SOURCE
#include <process.h>
#include <sys/neutrino.h>
#include <sys/syspage.h>
#include <time.h>
#include <unistd.h>

#include "face.h"

#define SECOND 1000000000ULL

/* What a target has unless it was told otherwise. */
#define DEFAULT_TICK 1000000

static _Atomic uint32_t tick = DEFAULT_TICK;

clockid_t qnxhost_system_clock(clockid_t id)
{
	return id == CLOCK_SOFTTIME ? CLOCK_REALTIME : id;
}

int ClockTime_r(clockid_t id, const uint64_t *set, uint64_t *old)
{
	QNXHOST_R_FORM;
	struct timespec t;

	if (clock_gettime(qnxhost_system_clock(id), &t) == -1)
		return -errno;
	if (old)
		*old = (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
	if (set) {
		t.tv_sec = (time_t)(*set / SECOND);
		t.tv_nsec = (long)(*set % SECOND);
		if (clock_settime(qnxhost_system_clock(id), &t) == -1)
			return -errno;
	}
	return 0;
}
QNXHOST_PLAIN(int, ClockTime, (clockid_t id, const uint64_t *set, uint64_t *old), (id, set, old))

/* The system's clock is not bent for a program. */
int ClockAdjust_r(clockid_t id, const struct _clockadjust *set, struct _clockadjust *old)
{
	QNXHOST_R_FORM;

	if (id != CLOCK_REALTIME)
		return -EINVAL;
	if (old)
		*old = (struct _clockadjust){0, 0};
	return set && set->tick_count ? -ENOTSUP : 0;
}
QNXHOST_PLAIN(int, ClockAdjust, (clockid_t id, const struct _clockadjust *set, struct _clockadjust *old), (id, set, old))

/* There is no tick: what is set is told again, and timers are finer than any. */
int ClockPeriod_r(clockid_t id, const struct _clockperiod *set, struct _clockperiod *old, int reserved)
{
	QNXHOST_R_FORM;

	if (id != CLOCK_REALTIME || reserved != 0)
		return -EINVAL;
	if (old)
		*old = (struct _clockperiod){tick, 0};
	if (set && set->nsec == 0)
		return -EINVAL;
	if (set)
		tick = set->nsec;
	return 0;
}
QNXHOST_PLAIN(int, ClockPeriod, (clockid_t id, const struct _clockperiod *set, struct _clockperiod *old, int reserved),
	      (id, set, old, reserved))

/* The system's ids of other clocks are negative, as errors are. */
int ClockId_r(pid_t pid, int tid)
{
	QNXHOST_R_FORM;

	if (pid != 0 && pid != getpid())
		return kill(pid, 0) == -1 && errno == ESRCH ? -ESRCH : -ENOTSUP;
	if (tid == 0)
		return CLOCK_PROCESS_CPUTIME_ID;
	return tid == gettid() ? CLOCK_THREAD_CPUTIME_ID : -ENOTSUP;
}
QNXHOST_PLAIN(int, ClockId, (pid_t pid, int tid), (pid, tid))

uint64_t ClockCycles(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static struct syspage_entry page = {.qtime = {.cycles_per_sec = SECOND, .nsec_inc = DEFAULT_TICK}};
struct syspage_entry *_syspage_ptr = &page;

__attribute__((constructor(102))) static void fill_page(void)
{
	struct timespec since_boot;

	page.num_cpu = (uint16_t)sysconf(_SC_NPROCESSORS_ONLN);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	page.qtime.boot_time = (uint32_t)(time(NULL) - since_boot.tv_sec);
}

void nsec2timespec(struct timespec *time, uint64_t nanoseconds)
{
	time->tv_sec = (time_t)(nanoseconds / SECOND);
	time->tv_nsec = (long)(nanoseconds % SECOND);
}

uint64_t timespec2nsec(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * SECOND + (uint64_t)time->tv_nsec;
}

int timer_timeout_r(clockid_t id, int flags, const struct sigevent *notify, const struct timespec *ntime, struct timespec *otime)
{
	uint64_t to = ntime ? timespec2nsec(ntime) : 0, was = 0;
	int error = TimerTimeout_r(id, (unsigned)flags, notify, ntime ? &to : NULL, otime ? &was : NULL);

	if (error == 0 && otime)
		nsec2timespec(otime, was);
	return error;
}
QNXHOST_PLAIN(int, timer_timeout, (clockid_t id, int flags, const struct sigevent *notify, const struct timespec *ntime, struct timespec *otime),
	      (id, flags, notify, ntime, otime))

int nanospin_ns(unsigned long nanoseconds)
{
	const uint64_t start = ClockCycles();

	while (ClockCycles() - start < nanoseconds)
		;
	return 0;
}

int nanospin(const struct timespec *time)
{
	return nanospin_ns(timespec2nsec(time));
}
