/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <semaphore.h>
#include <time.h>

#define MS 1000000L

static int chid, coid;

static struct itimerspec spec(long first, long interval)
{
	struct itimerspec s = {.it_value.tv_nsec = first, .it_interval.tv_nsec = interval};

	return s;
}

/* The code of the next pulse, or -1 when none has come after ms. */
static int next(unsigned ms, struct _pulse *p)
{
	const uint64_t ns = ms * 1000000ULL;

	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL);
	return MsgReceivePulse(chid, p, sizeof *p, NULL) == 0 ? p->code : -1;
}

static void pulses(clockid_t clock)
{
	struct itimerspec s = spec(5 * MS, 0), left;
	struct timespec start, end;
	struct sigevent event;
	struct _pulse p;
	timer_t timer;

	SIGEV_PULSE_INIT(&event, coid, SIGEV_PULSE_PRIO_INHERIT, 7, 0x123456789aL);
	MUST(timer_create(clock, &event, &timer) == 0);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
	/* once */
	clock_gettime(clock, &start);
	CHECK(timer_settime(timer, 0, &s, NULL) == 0);
	CHECK_EQUAL(next(10000, &p), 7);
	clock_gettime(clock, &end);
	CHECK((end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec >= 5 * MS);
	CHECK_EQUAL(p.value.sival_long, 0x123456789aL);
	CHECK_EQUAL(next(20, &p), -1);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
	/* again and again */
	s = spec(1, 2 * MS);
	CHECK(timer_settime(timer, 0, &s, NULL) == 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQUAL(next(10000, &p), 7);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK(left.it_interval.tv_nsec == 2 * MS && left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 2 * MS);
	CHECK_EQUAL(timer_getoverrun(timer), 0);
	/* stopped */
	s = spec(0, 0);
	CHECK(timer_settime(timer, 0, &s, &left) == 0);
	CHECK(left.it_interval.tv_nsec == 2 * MS);
	while (next(20, &p) == 7) /* those that were sent before */
		;
	CHECK_EQUAL(next(10, &p), -1);
	/* at a time, also one that has passed */
	clock_gettime(clock, &s.it_value);
	CHECK(timer_settime(timer, TIMER_ABSTIME, &s, NULL) == 0);
	CHECK_EQUAL(next(10000, &p), 7);
	clock_gettime(clock, &s.it_value);
	s.it_value.tv_sec += 1000;
	CHECK(timer_settime(timer, TIMER_ABSTIME, &s, NULL) == 0);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK(left.it_value.tv_sec >= 990 && left.it_value.tv_sec <= 1000);
	/* deleted while it runs */
	s = spec(1, MS);
	CHECK(timer_settime(timer, 0, &s, NULL) == 0);
	CHECK_EQUAL(next(10000, &p), 7);
	CHECK(timer_delete(timer) == 0);
	while (next(0, &p) == 7)
		;
	CHECK_EQUAL(next(10, &p), -1);
	CHECK_ERRNO(timer_settime(timer, 0, &s, NULL), EINVAL);
	CHECK_ERRNO(timer_gettime(timer, &left), EINVAL);
	CHECK_ERRNO(timer_getoverrun(timer), EINVAL);
	CHECK_ERRNO(timer_delete(timer), EINVAL);
}

static volatile sig_atomic_t got, value;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	got = signal;
	value = info->si_value.sival_int;
}

static void others(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	struct itimerspec s = spec(MS, 0), left;
	struct sigevent event;
	struct _pulse p;
	timer_t timer;

	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	SIGEV_SIGNAL_INIT(&event, SIGUSR2);
	event.sigev_value.sival_int = 33;
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &s, NULL) == 0);
	/* It ends a call. */
	while (got == 0)
		if (next(10000, &p) == -1)
			CHECK(errno == EINTR || errno == 0);
	CHECK(got == SIGUSR2 && value == 33);
	CHECK_EQUAL(timer_getoverrun(timer), 0);
	CHECK(timer_delete(timer) == 0);

	MUST(timer_create(CLOCK_REALTIME, NULL, &timer) == 0);
	CHECK(timer_settime(timer, 0, &s, NULL) == 0);
	while (got != SIGALRM)
		delay(1000);
	CHECK(timer_delete(timer) == 0);

	SIGEV_NONE_INIT(&event);
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	s = spec(500 * MS, 0);
	CHECK(timer_settime(timer, 0, &s, NULL) == 0);
	CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_nsec > 0);
	CHECK_ERRNO(timer_settime(timer, 0, NULL, NULL), EFAULT);
	CHECK(timer_delete(timer) == 0);

	SIGEV_INTR_INIT(&event);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), ENOTSUP);
	SIGEV_UNBLOCK_INIT(&event);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), ENOTSUP);
	SIGEV_THREAD_INIT(&event, NULL, 0, NULL);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	SIGEV_PULSE_INIT(&event, 99, -1, 1, 1);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	SIGEV_PULSE_INIT(&event, coid, -1, 1000, 1);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	SIGEV_PULSE_INIT(&event, coid, -1, 1, 1);
	CHECK_ERRNO(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer), EINVAL);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, NULL), EFAULT);
	CHECK_ERRNO(timer_delete(0), EINVAL);
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	s.it_value.tv_nsec = 1000000000;
	CHECK_ERRNO(timer_settime(timer, 0, &s, NULL), EINVAL);
	s = spec(1, -1);
	CHECK_ERRNO(timer_settime(timer, 0, &s, NULL), EINVAL);
	CHECK(timer_delete(timer) == 0);
}

/* A server that is away gets as many pulses as can wait, and the rest is told. */
static void overrun(void)
{
	struct itimerspec s = spec(1, 1000);
	struct sigevent event;
	struct _pulse p;
	timer_t timer;

	SIGEV_PULSE_INIT(&event, coid, -1, 9, 0);
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &s, NULL) == 0);
	for (int i = 0; i < 5000 && timer_getoverrun(timer) == 0; i++)
		delay(1);
	CHECK(timer_getoverrun(timer) > 0);
	CHECK(timer_delete(timer) == 0);
	while (next(0, &p) == 9)
		;
}

static void invalid(void)
{
	const int priorities[] = {-2, 256};
	struct sigevent event;
	timer_t timer;

	for (int i = 0; i < 2; i++) {
		SIGEV_PULSE_INIT(&event, coid, priorities[i], 9, 0);
		CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	}
}

/* A timeout until a time, instead of for one. */
static void absolute(clockid_t clock)
{
	struct timespec now;
	uint64_t end, after;
	char buf[sizeof(struct _pulse)];

	alarm(60);
	clock_gettime(clock, &now);
	end = timespec2nsec(&now) + 20000000;
	TimerTimeout(clock, _NTO_TIMEOUT_RECEIVE | TIMER_ABSTIME, NULL, &end, NULL);
	CHECK_ERRNO(MsgReceive(chid, buf, sizeof buf, NULL), ETIMEDOUT);
	clock_gettime(clock, &now);
	after = timespec2nsec(&now);
	CHECK(after >= end);
	TimerTimeout(clock, _NTO_TIMEOUT_RECEIVE | TIMER_ABSTIME, NULL, &end, NULL); /* in the past */
	CHECK_ERRNO(MsgReceive(chid, buf, sizeof buf, NULL), ETIMEDOUT);
	alarm(0);
}

static timer_t being_made;

/* The system's own, in the place of which the library finds this one: somebody uses a
   number that is a timer's in a moment. */
int system_create(clockid_t clock, void *event, void **timer) __asm__("timer_create");
int system_create(clockid_t clock, void *event, void **timer)
{
	int (*create)(clockid_t, void *, void **);
	const struct itimerspec off = spec(0, 0);
	struct itimerspec is;

	*(void **)&create = dlsym(RTLD_NEXT, "timer_create");
	if (being_made) {
		CHECK_ERRNO(timer_settime(being_made, 0, &off, NULL), EINVAL);
		CHECK_ERRNO(timer_gettime(being_made, &is), EINVAL);
		CHECK_ERRNO(TimerInfo(0, being_made, _NTO_TIMER_SEARCH, NULL), EINVAL);
	}
	return create(clock, event, timer);
}

/* A timer is none before it is made: the system would take it for its first one. */
static void unmade(void)
{
	struct itimerspec on = {.it_value.tv_sec = 1000}, is;
	struct sigevent none;
	timer_t first, second;

	SIGEV_NONE_INIT(&none);
	MUST(timer_create(CLOCK_MONOTONIC, &none, &first) == 0 && timer_settime(first, 0, &on, NULL) == 0);
	being_made = first + 1;
	MUST(timer_create(CLOCK_MONOTONIC, &none, &second) == 0);
	CHECK_EQUAL(second, being_made);
	being_made = 0;
	CHECK(timer_gettime(first, &is) == 0 && is.it_value.tv_sec > 900);
	CHECK(timer_delete(second) == 0 && timer_delete(first) == 0);
}

int main(void)
{
	unmade();
	chid = channel(0);
	coid = attach(chid);
	pulses(CLOCK_MONOTONIC);
	pulses(CLOCK_REALTIME);
	others();
	overrun();
	invalid();
	absolute(CLOCK_MONOTONIC);
	absolute(CLOCK_REALTIME);
	return result();
}
