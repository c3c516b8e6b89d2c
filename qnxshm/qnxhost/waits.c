/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Waits of QNX's threads that the system has under another name, or not at all. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "face.h"

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return qnxhost_nanoseconds(&t);
}

/* With a time of CLOCK_REALTIME, which may be set meanwhile: only the end is exact. */
static int timedlock(pthread_mutex_t *mutex, const struct timespec *end)
{
	struct timespec then;
	int64_t left;
	int error;

	do {
		left = qnxhost_nanoseconds(end) - now(CLOCK_MONOTONIC);
		nsec2timespec(&then, (uint64_t)(now(CLOCK_REALTIME) + (left > 0 ? left : 0)));
		error = pthread_mutex_timedlock(mutex, &then);
	} while (error == ETIMEDOUT && left > 0);
	return error;
}

/* ThreadSanitizer knows of the one call, and in some versions not of the other. */
int pthread_mutex_timedlock_monotonic(pthread_mutex_t *mutex, const struct timespec *end)
{
	extern void __tsan_init(void) __attribute__((weak));

	if (__tsan_init && end->tv_sec >= 0 && end->tv_nsec >= 0 && end->tv_nsec < 1000000000)
		return timedlock(mutex, end);
	return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, end);
}

int pthread_timedjoin(pthread_t thread, void **value, const struct timespec *end)
{
	return pthread_timedjoin_np(thread, value, end);
}

/* Threads that sleep on an address, in the order in which they came. */
struct sleeper {
	const volatile void *address;
	pthread_cond_t woken;
	bool awake;
	struct sleeper *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sleeper *sleepers; /* with the lock */
static __thread bool locked;

int pthread_sleepon_lock(void)
{
	int error = locked ? EDEADLK : pthread_mutex_lock(&lock);

	if (error == 0)
		locked = true;
	return error;
}

int pthread_sleepon_unlock(void)
{
	if (!locked)
		return EPERM;
	locked = false;
	return pthread_mutex_unlock(&lock);
}

static void wake(const volatile void *address, bool all)
{
	struct sleeper **p = &sleepers, *s;

	while ((s = *p)) {
		if (s->address != address) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		s->awake = true;
		pthread_cond_signal(&s->woken);
		if (!all)
			return;
	}
}

/* Who is cancelled has the lock again, and hands on what has woken it. */
static void leave(void *sleeper)
{
	struct sleeper *s = sleeper, **p;

	if (s->awake) {
		wake(s->address, false);
	} else {
		for (p = &sleepers; *p != s; p = &(*p)->next)
			;
		*p = s->next;
	}
	pthread_cond_destroy(&s->woken);
}

static void prepare(struct sleeper *s)
{
	struct sleeper **p;
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (p = &sleepers; *p; p = &(*p)->next)
		;
	*p = s;
}

static int sleep_on(const volatile void *address, const struct timespec *end)
{
	struct sleeper s = {.address = address};
	int error = 0;

	if (!locked)
		return EPERM;
	prepare(&s);
	pthread_cleanup_push(leave, &s);
	while (!s.awake && error == 0)
		error = end ? pthread_cond_timedwait(&s.woken, &lock, end) : pthread_cond_wait(&s.woken, &lock);
	pthread_cleanup_pop(0);
	if (s.awake) {
		pthread_cond_destroy(&s.woken);
		return 0;
	}
	leave(&s);
	return error;
}

int pthread_sleepon_wait(const volatile void *address)
{
	return sleep_on(address, NULL);
}

int pthread_sleepon_timedwait(const volatile void *address, uint64_t nanoseconds)
{
	struct timespec now, end;
	uint64_t at;

	clock_gettime(CLOCK_MONOTONIC, &now);
	at = (uint64_t)qnxhost_nanoseconds(&now);
	nsec2timespec(&end, nanoseconds > INT64_MAX - at ? INT64_MAX : at + nanoseconds);
	return sleep_on(address, &end);
}

static int wake_locked(const volatile void *address, bool all)
{
	const bool had = locked;
	int error = had ? 0 : pthread_sleepon_lock();

	if (error)
		return error;
	wake(address, all);
	return had ? 0 : pthread_sleepon_unlock();
}

int pthread_sleepon_signal(const volatile void *address)
{
	return wake_locked(address, false);
}

int pthread_sleepon_broadcast(const volatile void *address)
{
	return wake_locked(address, true);
}
