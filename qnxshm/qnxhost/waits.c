/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Waits of QNX's threads that the system has under another name, or not at all. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "face.h"

int pthread_mutex_timedlock_monotonic(pthread_mutex_t *mutex, const struct timespec *end)
{
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
