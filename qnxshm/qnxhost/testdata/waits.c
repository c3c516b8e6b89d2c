/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Waits of QNX's threads: with a time of the monotonic clock, and on an address. */
#define _GNU_SOURCE
#include "check.h"

#include <time.h>

static const uint64_t second = 1000000000;

static struct timespec after(clockid_t clock, int64_t nanoseconds)
{
	struct timespec t;

	clock_gettime(clock, &t);
	nsec2timespec(&t, (uint64_t)((int64_t)timespec2nsec(&t) + nanoseconds));
	return t;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *lock_in_vain(void *p)
{
	struct timespec end = after(CLOCK_MONOTONIC, 20 * 1000 * 1000), past = after(CLOCK_MONOTONIC, -(int64_t)second);

	(void)p;
	CHECK_EQUAL(pthread_mutex_timedlock_monotonic(&mutex, &end), ETIMEDOUT);
	CHECK_EQUAL(pthread_mutex_timedlock_monotonic(&mutex, &past), ETIMEDOUT);
	end = after(CLOCK_MONOTONIC, 0);
	CHECK(timespec2nsec(&end) - timespec2nsec(&past) >= second + 20 * 1000 * 1000);
	return NULL;
}

static void mutexes(void)
{
	struct timespec end = after(CLOCK_MONOTONIC, 100 * (int64_t)second);

	CHECK_EQUAL(pthread_mutex_timedlock_monotonic(&mutex, &end), 0);
	join(thread(lock_in_vain, NULL));
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	end = after(CLOCK_MONOTONIC, -(int64_t)second);
	CHECK_EQUAL(pthread_mutex_timedlock_monotonic(&mutex, &end), 0); /* need not wait */
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
}

enum { SLEEPERS = 4 };

static int first, second_address, asleep, order[SLEEPERS], woken;

static void *sleep_on_first(void *p)
{
	int number = *(int *)p;

	CHECK_EQUAL(pthread_sleepon_lock(), 0);
	asleep++;
	CHECK_EQUAL(pthread_sleepon_wait(&first), 0);
	order[woken++] = number;
	CHECK_EQUAL(pthread_sleepon_signal(&second_address), 0);
	CHECK_EQUAL(pthread_sleepon_unlock(), 0);
	return NULL;
}

/* With the lock. */
static void wait_until(const int *count, int is)
{
	while (*count < is)
		if (count == &woken)
			CHECK_EQUAL(pthread_sleepon_timedwait(&second_address, 50 * second), 0);
		else
			CHECK_EQUAL(pthread_sleepon_timedwait(&asleep, 1000 * 1000), ETIMEDOUT);
}

static void addresses(void)
{
	pthread_t threads[SLEEPERS];
	int numbers[SLEEPERS];

	CHECK_EQUAL(pthread_sleepon_lock(), 0);
	for (int i = 0; i < SLEEPERS; i++) {
		numbers[i] = i;
		threads[i] = thread(sleep_on_first, &numbers[i]);
		wait_until(&asleep, i + 1);
	}
	CHECK_EQUAL(pthread_sleepon_signal(&second_address), 0); /* nobody's */
	CHECK_EQUAL(woken, 0);
	CHECK_EQUAL(pthread_sleepon_signal(&first), 0);
	wait_until(&woken, 1);
	CHECK_EQUAL(pthread_sleepon_timedwait(&second_address, 20 * 1000 * 1000), ETIMEDOUT);
	CHECK_EQUAL(woken, 1);
	CHECK_EQUAL(order[0], 0);
	CHECK_EQUAL(pthread_sleepon_broadcast(&first), 0);
	while (woken < SLEEPERS)
		wait_until(&woken, woken + 1);
	CHECK_EQUAL(pthread_sleepon_unlock(), 0);
	for (int i = 0; i < SLEEPERS; i++)
		join(threads[i]);
}

static void misuse(void)
{
	CHECK_EQUAL(pthread_sleepon_unlock(), EPERM);
	CHECK_EQUAL(pthread_sleepon_wait(&first), EPERM);
	CHECK_EQUAL(pthread_sleepon_timedwait(&first, 0), EPERM);
	CHECK_EQUAL(pthread_sleepon_signal(&first), 0); /* need not have it */
	CHECK_EQUAL(pthread_sleepon_lock(), 0);
	CHECK_EQUAL(pthread_sleepon_lock(), EDEADLK);
	CHECK_EQUAL(pthread_sleepon_timedwait(&first, 0), ETIMEDOUT);
	CHECK_EQUAL(pthread_sleepon_unlock(), 0);
}

static void unlock(void *p)
{
	(void)p;
	CHECK_EQUAL(pthread_sleepon_unlock(), 0);
}

static void *cancelled(void *p)
{
	CHECK_EQUAL(pthread_sleepon_lock(), 0);
	pthread_cleanup_push(unlock, NULL);
	asleep++;
	CHECK_EQUAL(pthread_sleepon_wait(p), 0);
	CHECK_EQUAL(pthread_sleepon_signal(p), 0); /* not before it had woken: it is to hand that on itself */
	pthread_testcancel();
	pthread_cleanup_pop(1);
	return NULL;
}

/* Who is cancelled while it sleeps has the lock, and takes no other's signal. */
static void cancellation(void)
{
	pthread_t one, other;
	int number = 7;

	asleep = woken = 0;
	CHECK_EQUAL(pthread_sleepon_lock(), 0);
	one = thread(cancelled, &first);
	wait_until(&asleep, 1);
	other = thread(sleep_on_first, &number);
	wait_until(&asleep, 2);
	CHECK_EQUAL(pthread_sleepon_signal(&first), 0); /* is for who is cancelled now */
	CHECK_EQUAL(pthread_cancel(one), 0);
	CHECK_EQUAL(pthread_sleepon_unlock(), 0);
	CHECK(join(one) == PTHREAD_CANCELED);
	join(other);
	CHECK_EQUAL(order[0], number);
}

static void *stay(void *p)
{
	pthread_barrier_wait(p);
	return p;
}

static void joining(void)
{
	struct timespec past = after(CLOCK_REALTIME, -(int64_t)second), end = after(CLOCK_REALTIME, 100 * (int64_t)second);
	pthread_barrier_t barrier;
	void *value = NULL;
	pthread_t t;

	MUST(pthread_barrier_init(&barrier, NULL, 2) == 0);
	t = thread(stay, &barrier);
	CHECK_EQUAL(pthread_timedjoin(t, &value, &past), ETIMEDOUT);
	pthread_barrier_wait(&barrier);
	CHECK_EQUAL(pthread_timedjoin(t, &value, &end), 0);
	CHECK(value == &barrier);
	pthread_barrier_destroy(&barrier);
}

int main(void)
{
	mutexes();
	misuse();
	addresses();
	cancellation();
	joining();
	return result();
}
