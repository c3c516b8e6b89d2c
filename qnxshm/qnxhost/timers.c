/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Timers that send a pulse are kept in Go, the others are the system's. */

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "events.h"
#include "face.h"

#define SECOND 1000000000

/* The system's own, whose timers are addresses. */
extern int system_create(clockid_t, struct system_sigevent *, void **) __asm__("timer_create");
extern int system_delete(void *) __asm__("timer_delete");
extern int system_settime(void *, int, const struct itimerspec *, struct itimerspec *) __asm__("timer_settime");
extern int system_gettime(void *, struct itimerspec *) __asm__("timer_gettime");
extern int system_getoverrun(void *) __asm__("timer_getoverrun");

struct timer {
	timer_t id;
	uintptr_t pulse; /* 0: the system's */
	void *system;
	clockid_t clock;
	struct sigevent event;
	struct _itimer set; /* the time when it expires, 0 unless it was set, and the interval */
	bool absolute;
	bool made; /* else it has a number only */
	int users; /* threads in a call with it */
	struct timer *next;
};

static struct timer *timers; /* in order of id */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unused = PTHREAD_COND_INITIALIZER;

static struct timer **find(timer_t id)
{
	struct timer **p;

	for (p = &timers; *p && (*p)->id < id; p = &(*p)->next)
		;
	return p;
}

/* begin returns NULL, with the errno, unless id is a timer, or the first one from there
   on is wanted. Until end it stays one. */
static struct timer *begin(timer_t id, bool or_next, int *error)
{
	struct timer *t;

	*error = qnxhost_forked() ? ENOSYS : 0;
	if (*error)
		return NULL;
	pthread_mutex_lock(&lock);
	for (t = *find(id); t && !t->made && or_next; t = t->next)
		;
	if (t && t->made && (t->id == id || or_next)) {
		t->users++;
	} else {
		t = NULL;
		*error = EINVAL;
	}
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

/* Gives the timer the lowest id that is free. */
static void add(struct timer *t)
{
	struct timer **p;

	t->id = 1;
	pthread_mutex_lock(&lock);
	for (p = &timers; *p && (*p)->id == t->id; p = &(*p)->next)
		t->id++;
	t->next = *p;
	*p = t;
	pthread_mutex_unlock(&lock);
}

static struct timer *take(timer_t id)
{
	const int cancel = qnxhost_hold_cancel();
	struct timer **p, *t;

	pthread_mutex_lock(&lock);
	p = find(id);
	t = *p && (*p)->id == id && (*p)->made ? *p : NULL;
	if (t) {
		*p = t->next;
		while (t->users > 0)
			pthread_cond_wait(&unused, &lock);
	}
	pthread_mutex_unlock(&lock);
	qnxhost_release_cancel(cancel);
	return t;
}

/* From now on it is a timer, or it never was one. */
static void begin_or_forget(struct timer *t, bool made)
{
	pthread_mutex_lock(&lock);
	t->made = made;
	if (!made)
		*find(t->id) = t->next;
	pthread_mutex_unlock(&lock);
	if (!made)
		free(t);
}

static int make(struct timer *t)
{
	struct system_sigevent systems;
	int error;

	if (SIGEV_GET_TYPE(&t->event) == SIGEV_PULSE) {
		if (t->clock != CLOCK_MONOTONIC && t->clock != CLOCK_REALTIME)
			return EINVAL;
		return QNXHOST_CALL(qnxhost_go_timer_create(t->event.sigev_coid, t->event.sigev_priority, t->event.sigev_code,
							   t->event.sigev_value.sival_long, &t->pulse));
	}
	error = qnxhost_system_event(&t->event, &systems);
	if (error)
		return error;
	return system_create(t->clock, &systems, &t->system) == 0 ? 0 : errno;
}

static int create(clockid_t clock, const struct sigevent *event, timer_t *id)
{
	struct timer *t;
	int error;

	if (qnxhost_forked())
		return ENOSYS;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return EAGAIN;
	t->clock = qnxhost_system_clock(clock);
	add(t);
	if (event)
		t->event = *event;
	else
		SIGEV_SIGNAL_INIT(&t->event, SIGALRM), t->event.sigev_value.sival_int = t->id;
	*id = t->id;
	error = make(t);
	begin_or_forget(t, error == 0);
	return error;
}

static int delete(timer_t id)
{
	struct timer *t;
	int error = 0;

	if (qnxhost_forked()) /* perhaps while another thread had the lock */
		return ENOSYS;
	t = take(id);
	if (t == NULL)
		return EINVAL;
	if (t->pulse)
		error = QNXHOST_CALL((qnxhost_go_timer_delete(t->pulse), 0));
	else if (system_delete(t->system) != 0)
		error = errno;
	free(t);
	return error;
}

int64_t qnxhost_nanoseconds(const struct timespec *t)
{
	if (t->tv_sec > INT64_MAX / SECOND - 1)
		return INT64_MAX;
	return t->tv_sec * SECOND + t->tv_nsec;
}

static struct timespec time_of(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / SECOND), (long)(ns % SECOND)};

	return t;
}

static int valid(const struct timespec *t)
{
	return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < SECOND;
}

static int64_t now(clockid_t clock)
{
	struct timespec t = {0, 0};

	clock_gettime(clock, &t);
	return qnxhost_nanoseconds(&t);
}

static int get(struct timer *t, struct itimerspec *value)
{
	int64_t left = 0, interval = 0;
	int error;

	if (!t->pulse)
		return system_gettime(t->system, value) == 0 ? 0 : errno;
	error = QNXHOST_CALL((qnxhost_go_timer_get(t->pulse, &left, &interval), 0));
	value->it_value = time_of((uint64_t)left);
	value->it_interval = time_of((uint64_t)interval);
	return error;
}

static int set_pulse(struct timer *t, bool absolute, const struct itimerspec *value, struct itimerspec *old)
{
	int64_t first = qnxhost_nanoseconds(&value->it_value);
	int error = 0;

	if (old)
		error = get(t, old);
	if (first != 0 && absolute) {
		first -= now(t->clock);
		if (first <= 0)
			first = 1; /* 0 would stop it */
	}
	return error ? error : QNXHOST_CALL((qnxhost_go_timer_set(t->pulse, first, qnxhost_nanoseconds(&value->it_interval)), 0));
}

/* How exact a timer is cannot be chosen: they all are. */
static int set(struct timer *t, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	bool absolute = flags & TIMER_ABSTIME;
	int64_t first = qnxhost_nanoseconds(&value->it_value);
	int error;

	if (flags & TIMER_TOLERANCE)
		return 0;
	if (!valid(&value->it_value) || !valid(&value->it_interval))
		return EINVAL;
	if (t->pulse)
		error = set_pulse(t, absolute, value, old);
	else
		error = system_settime(t->system, absolute ? TIMER_ABSTIME : 0, value, old) == 0 ? 0 : errno;
	if (error == 0) {
		t->set.nsec = (uint64_t)(first == 0 || absolute ? first : first + now(t->clock));
		t->set.interval_nsec = (uint64_t)qnxhost_nanoseconds(&value->it_interval);
		t->absolute = absolute;
	}
	return error;
}

static int overrun(struct timer *t, int *times)
{
	if (t->pulse)
		return QNXHOST_CALL((*times = qnxhost_go_timer_overrun(t->pulse), 0));
	*times = system_getoverrun(t->system);
	return *times == -1 ? errno : 0;
}

int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict id)
{
	QNXHOST_KERNEL_CALL;

	return qnxhost_result(id ? create(clock, event, id) : EFAULT);
}

int timer_delete(timer_t id)
{
	QNXHOST_KERNEL_CALL;

	return qnxhost_result(delete(id));
}

int timer_settime(timer_t id, int flags, const struct itimerspec *restrict value, struct itimerspec *restrict old)
{
	QNXHOST_KERNEL_CALL;
	int error;
	struct timer *t = begin(id, false, &error);

	if (t) {
		error = value ? set(t, flags, value, old) : EFAULT;
		end(t);
	}
	return qnxhost_result(error);
}

int timer_gettime(timer_t id, struct itimerspec *value)
{
	QNXHOST_KERNEL_CALL;
	int error;
	struct timer *t = begin(id, false, &error);

	if (t) {
		error = value ? get(t, value) : EFAULT;
		end(t);
	}
	return qnxhost_result(error);
}

int timer_getoverrun(timer_t id)
{
	QNXHOST_KERNEL_CALL;
	int error, times = 0;
	struct timer *t = begin(id, false, &error);

	if (t) {
		error = overrun(t, &times);
		end(t);
	}
	return error ? qnxhost_result(error) : times;
}

/* The kernel's calls, in nanoseconds. */

int TimerCreate_r(clockid_t clock, const struct sigevent *event)
{
	QNXHOST_R_FORM;
	timer_t id = 0;
	int error = create(clock, event, &id);

	return error ? -error : id;
}
QNXHOST_PLAIN(int, TimerCreate, (clockid_t clock, const struct sigevent *event), (clock, event))

int TimerDestroy_r(timer_t id)
{
	QNXHOST_R_FORM;

	return -delete(id);
}
QNXHOST_PLAIN(int, TimerDestroy, (timer_t id), (id))

static struct _itimer itimer_of(const struct itimerspec *value)
{
	struct _itimer t = {(uint64_t)qnxhost_nanoseconds(&value->it_value), (uint64_t)qnxhost_nanoseconds(&value->it_interval)};

	return t;
}

int TimerSettime_r(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime)
{
	QNXHOST_R_FORM;
	struct itimerspec value, old = {{0, 0}, {0, 0}};
	int error;
	struct timer *t = begin(id, false, &error);

	if (t == NULL)
		return -error;
	if (itime) {
		value.it_value = time_of(itime->nsec);
		value.it_interval = time_of(itime->interval_nsec);
		error = set(t, flags, &value, &old);
	} else {
		error = EFAULT;
	}
	end(t);
	if (error == 0 && oitime)
		*oitime = itimer_of(&old);
	return -error;
}
QNXHOST_PLAIN(int, TimerSettime, (timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime), (id, flags, itime, oitime))

static int describe(struct timer *t, struct _timer_info *info)
{
	struct itimerspec left;
	int times = 0, error = get(t, &left);

	if (error == 0)
		error = overrun(t, &times);
	if (error)
		return error;
	*info = (struct _timer_info){.itime = t->set, .otime = itimer_of(&left), .notify = t->event.sigev_notify,
		.clockid = t->clock, .overruns = (uint32_t)times, .event = t->event};
	if (info->otime.nsec != 0)
		info->flags |= _NTO_TI_ACTIVE;
	if (t->absolute)
		info->flags |= _NTO_TI_ABSOLUTE;
	if (t->clock == CLOCK_REALTIME)
		info->flags |= _NTO_TI_TOD_BASED;
	return 0;
}

int TimerInfo_r(pid_t pid, timer_t id, int flags, struct _timer_info *info)
{
	QNXHOST_R_FORM;
	int error;
	struct timer *t;

	if (pid != 0 && pid != getpid())
		return pid < 0 || (kill(pid, 0) == -1 && errno == ESRCH) ? -ESRCH : -EPERM;
	t = begin(id, flags & _NTO_TIMER_SEARCH, &error);
	if (t == NULL)
		return -error;
	id = t->id;
	error = info ? describe(t, info) : 0;
	end(t);
	return error ? -error : id;
}
QNXHOST_PLAIN(int, TimerInfo, (pid_t pid, timer_t id, int flags, struct _timer_info *info), (pid, id, flags, info))
