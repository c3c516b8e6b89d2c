/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_PTHREAD_H
#define QNXHOST_PTHREAD_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sched.h>
#include <stdint.h>
#include <time.h>

/* The system says that these arguments cannot be NULL, on QNX they can. */
#pragma push_macro("__nonnull")
#undef __nonnull
#define __nonnull(parameters)
#include_next <pthread.h>
#pragma pop_macro("__nonnull")

/* Of a name, without its end. The host keeps 15 bytes. */
#define _NTO_THREAD_NAME_MAX 100

QNXHOST_BEGIN
/* thread may be NULL. */
int pthread_create(pthread_t *__restrict thread, const pthread_attr_t *__restrict attributes, void *(*routine)(void *),
		   void *__restrict argument) QNXHOST_LABEL_NTH(pthread_create);

/* Thread 0 is the caller. */
int pthread_setname_np(pthread_t thread, const char *name) QNXHOST_LABEL_NTH(pthread_setname_np);
int pthread_getname_np(pthread_t thread, char *name, size_t size) QNXHOST_LABEL_NTH(pthread_getname_np);

/* As SchedSet and SchedGet, with QNX's priorities. */
int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters) QNXHOST_LABEL_NTH(pthread_setschedparam);
int pthread_setschedprio(pthread_t thread, int priority) QNXHOST_LABEL_NTH(pthread_setschedprio);
int pthread_getschedparam(pthread_t thread, int *__restrict policy, struct sched_param *__restrict parameters)
	QNXHOST_LABEL_NTH(pthread_getschedparam);

/* end is a time of CLOCK_MONOTONIC. */
int pthread_mutex_timedlock_monotonic(pthread_mutex_t *mutex, const struct timespec *end);

/* end is a time of CLOCK_REALTIME. */
int pthread_timedjoin(pthread_t thread, void **value, const struct timespec *end);

/* One mutex for the process, and with it sleep until another thread wakes who sleeps on
   the same address. The time is relative. */
int pthread_sleepon_lock(void);
int pthread_sleepon_unlock(void);
int pthread_sleepon_wait(const volatile void *address);
int pthread_sleepon_timedwait(const volatile void *address, uint64_t nanoseconds);
int pthread_sleepon_signal(const volatile void *address);
int pthread_sleepon_broadcast(const volatile void *address);
QNXHOST_END

#endif
