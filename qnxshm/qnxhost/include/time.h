/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Timers take QNX's struct sigevent, so that one can deliver a pulse. */
#ifndef QNXHOST_TIME_H
#define QNXHOST_TIME_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <time.h>

struct sigevent;

QNXHOST_BEGIN
int qnxhost_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer);
int qnxhost_timer_delete(timer_t timer);
int qnxhost_timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *old);
int qnxhost_timer_gettime(timer_t timer, struct itimerspec *value);
int qnxhost_timer_getoverrun(timer_t timer);
QNXHOST_END

#define CLOCK_SOFTTIME CLOCK_REALTIME_COARSE

/* For TimerTimeout and timer_settime: the time is how much later the end may come. */
#define TIMER_TOLERANCE 0x40000000

#define timer_create qnxhost_timer_create
#define timer_delete qnxhost_timer_delete
#define timer_settime qnxhost_timer_settime
#define timer_gettime qnxhost_timer_gettime
#define timer_getoverrun qnxhost_timer_getoverrun

#endif
