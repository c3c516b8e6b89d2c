/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Timers that send a pulse are kept in Go, the others are the system's. */

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/neutrino.h>
#include <time.h>

#include "_cgo_export.h"
#include "face.h"

#undef timer_create
#undef timer_delete
#undef timer_settime
#undef timer_gettime
#undef timer_getoverrun

/* What the system's timer_create takes. */
struct system_sigevent {
	union sigval value;
	int signo;
	int notify;
	int rest[12];
};
enum { SYSTEM_SIGEV_SIGNAL, SYSTEM_SIGEV_NONE };
extern int system_timer_create(clockid_t, struct system_sigevent *, timer_t *) __asm__("timer_create");

/* Programs have the address of one as their timer_t. */
struct timer {
	uintptr_t pulse; /* 0: the system's */
	timer_t system;
	clockid_t clock;
	int users; /* threads in a call with it */
	struct timer *next;
};

static struct timer *timers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unused = PTHREAD_COND_INITIALIZER;

static struct timer **find(timer_t id)
{
	struct timer **p;

	for (p = &timers; *p && *p != id; p = &(*p)->next)
		;
	return p;
}

/* begin returns NULL, with errno, unless id is a timer. Until end it stays one. */
static struct timer *begin(timer_t id)
{
	struct timer *t;

	if (qnxhost_forked()) {
		errno = ENOSYS;
		return NULL;
	}
	pthread_mutex_lock(&lock);
	t = *find(id);
	if (t)
		t->users++;
	else
		errno = EINVAL;
	pthread_mutex_unlock(&lock);
	return t;
}

static void end(struct timer *t)
{
	pthread_mutex_lock(&lock);
	if (--t->users == 0)
		pthread_cond_broadcast(&unused);
	pthread_mutex_unlock(&lock);
}

static int create(struct timer *t, const struct sigevent *event)
{
	struct system_sigevent e = {.signo = SIGALRM, .notify = SYSTEM_SIGEV_SIGNAL, .value.sival_ptr = t};

	switch (event ? SIGEV_GET_TYPE(event) : SIGEV_SIGNAL) {
	case SIGEV_PULSE:
		if (t->clock != CLOCK_MONOTONIC && t->clock != CLOCK_REALTIME)
			return EINVAL;
		return QNXHOST_CALL(qnxhost_go_timer_create(event->sigev_coid, event->sigev_priority, event->sigev_code,
							   event->sigev_value.sival_long, &t->pulse));
	case SIGEV_NONE:
		e.notify = SYSTEM_SIGEV_NONE;
		break;
	case SIGEV_SIGNAL:
		if (event) {
			e.signo = event->sigev_signo;
			e.value = event->sigev_value;
		}
		break;
	default:
		return ENOSYS;
	}
	return system_timer_create(t->clock, &e, &t->system) == 0 ? 0 : errno;
}

int qnxhost_timer_create(clockid_t clock, struct sigevent *event, timer_t *id)
{
	struct timer *t;
	int error;

	if (qnxhost_forked())
		return qnxhost_result(ENOSYS);
	if (id == NULL)
		return qnxhost_result(EFAULT);
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return qnxhost_result(EAGAIN);
	t->clock = clock == CLOCK_SOFTTIME ? CLOCK_REALTIME : clock;
	error = create(t, event);
	if (error) {
		free(t);
		return qnxhost_result(error);
	}
	pthread_mutex_lock(&lock);
	t->next = timers;
	timers = t;
	pthread_mutex_unlock(&lock);
	*id = t;
	return 0;
}

int qnxhost_timer_delete(timer_t id)
{
	struct timer **p, *t;
	int error = 0;

	if (qnxhost_forked())
		return qnxhost_result(ENOSYS);
	pthread_mutex_lock(&lock);
	p = find(id);
	t = *p;
	if (t == NULL) {
		pthread_mutex_unlock(&lock);
		return qnxhost_result(EINVAL);
	}
	*p = t->next;
	while (t->users > 0)
		pthread_cond_wait(&unused, &lock);
	pthread_mutex_unlock(&lock);
	if (t->pulse)
		error = QNXHOST_CALL((qnxhost_go_timer_delete(t->pulse), 0));
	else if (timer_delete(t->system) != 0)
		error = errno;
	free(t);
	return qnxhost_result(error);
}

static int64_t nanoseconds(const struct timespec *t)
{
	if (t->tv_sec > INT64_MAX / 1000000000 - 1)
		return INT64_MAX;
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

static struct timespec time_of(int64_t ns)
{
	struct timespec t = {ns / 1000000000, ns % 1000000000};

	return t;
}

static int valid(const struct timespec *t)
{
	return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}

static int get_pulse(struct timer *t, struct itimerspec *value)
{
	int64_t left = 0, interval = 0;
	int error = QNXHOST_CALL((qnxhost_go_timer_get(t->pulse, &left, &interval), 0));

	value->it_value = time_of(left);
	value->it_interval = time_of(interval);
	return error;
}

static int set_pulse(struct timer *t, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	int64_t first = nanoseconds(&value->it_value);
	struct timespec now;
	int error = 0;

	if (!valid(&value->it_value) || !valid(&value->it_interval))
		return EINVAL;
	if (old)
		error = get_pulse(t, old);
	if (first != 0 && (flags & TIMER_ABSTIME)) {
		clock_gettime(t->clock, &now);
		first -= nanoseconds(&now);
		if (first <= 0)
			first = 1; /* 0 would stop it */
	}
	return error ? error : QNXHOST_CALL((qnxhost_go_timer_set(t->pulse, first, nanoseconds(&value->it_interval)), 0));
}

int qnxhost_timer_settime(timer_t id, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct timer *t = begin(id);
	int result;

	if (t == NULL)
		return -1;
	if (value == NULL)
		result = qnxhost_result(EFAULT);
	else if (flags & TIMER_TOLERANCE)
		result = 0; /* the timer keeps to its time */
	else if (t->pulse)
		result = qnxhost_result(set_pulse(t, flags, value, old));
	else
		result = timer_settime(t->system, flags, value, old);
	end(t);
	return result;
}

int qnxhost_timer_gettime(timer_t id, struct itimerspec *value)
{
	struct timer *t = begin(id);
	int result;

	if (t == NULL)
		return -1;
	if (value == NULL)
		result = qnxhost_result(EFAULT);
	else if (t->pulse)
		result = qnxhost_result(get_pulse(t, value));
	else
		result = timer_gettime(t->system, value);
	end(t);
	return result;
}

int qnxhost_timer_getoverrun(timer_t id)
{
	struct timer *t = begin(id);
	int result = 0, error = 0;

	if (t == NULL)
		return -1;
	if (t->pulse)
		error = QNXHOST_CALL((result = qnxhost_go_timer_overrun(t->pulse), 0));
	else
		result = timer_getoverrun(t->system);
	end(t);
	return error ? qnxhost_result(error) : result;
}
