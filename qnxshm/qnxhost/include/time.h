/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Timers take QNX's struct sigevent, so that one can deliver a pulse. */
#ifndef QNXHOST_TIME_H
#define QNXHOST_TIME_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <time.h>

#include <stdint.h>

struct sigevent;

/* As CLOCK_REALTIME. The number is that of another clock of the system's, which tells
   the same time: QNX's is the system's CLOCK_MONOTONIC. */
#define CLOCK_SOFTTIME CLOCK_REALTIME_COARSE

/* The host's own numbers, next to the system's TIMER_ABSTIME. */
#define TIMER_TOLERANCE 0x40000000
#define TIMER_PRECISE 0x20000000

QNXHOST_BEGIN
int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer) QNXHOST_LABEL_NTH(timer_create);
int timer_delete(timer_t timer) QNXHOST_LABEL_NTH(timer_delete);
int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *old) QNXHOST_LABEL_NTH(timer_settime);
int timer_gettime(timer_t timer, struct itimerspec *value) QNXHOST_LABEL_NTH(timer_gettime);
int timer_getoverrun(timer_t timer) QNXHOST_LABEL_NTH(timer_getoverrun);

/* As TimerTimeout, with a struct timespec. */
int timer_timeout(clockid_t id, int flags, const struct sigevent *notify, const struct timespec *ntime, struct timespec *otime);
int timer_timeout_r(clockid_t id, int flags, const struct sigevent *notify, const struct timespec *ntime, struct timespec *otime);

void nsec2timespec(struct timespec *time, uint64_t nanoseconds);
uint64_t timespec2nsec(const struct timespec *time);

/* Let time pass without sleeping. */
int nanospin(const struct timespec *time);
int nanospin_ns(unsigned long nanoseconds);
QNXHOST_END

#endif
