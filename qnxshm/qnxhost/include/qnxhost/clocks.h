/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Part of <sys/neutrino.h>: timers, clocks, threads and their scheduling. */
#ifndef QNXHOST_CLOCKS_H
#define QNXHOST_CLOCKS_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <pthread.h>
#include <qnxhost/sigevent.h>
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* In nanoseconds. */
struct _itimer {
	uint64_t nsec;
	uint64_t interval_nsec;
};

struct _timer_info {
	struct _itimer itime; /* as it was set, with the time when it expires */
	struct _itimer otime; /* what is left */
	uint32_t flags;
	int32_t tid;
	int32_t notify;
	clockid_t clockid;
	uint32_t overruns;
	struct sigevent event;
};

struct _clockadjust {
	uint32_t tick_count;
	int32_t tick_nsec_inc;
};

struct _clockperiod {
	uint32_t nsec;
	int32_t fract;
};

struct _sched_info {
	int priority_min;
	int priority_max;
	uint64_t interval;
	int priority_priv;
	int reserved[11];
};

struct _thread_name {
	int new_name_len; /* negative: the name stays */
	int name_buf_len;
	char name_buf[1];
};

QNXHOST_SIZE(struct _itimer, 16);
QNXHOST_SIZE(struct _clockperiod, 8);
QNXHOST_SIZE(struct _clockadjust, 8);
QNXHOST_AT(struct _timer_info, flags, 32);
QNXHOST_AT(struct _timer_info, event, 56);
QNXHOST_AT(struct _thread_name, name_buf, 8);

#define _NTO_TIMER_SEARCH 0x1
#define _NTO_TIMER_RESET_OVERRUNS 0x2

#define _NTO_TI_ACTIVE 0x1U
#define _NTO_TI_ABSOLUTE 0x2U
#define _NTO_TI_EXPIRED 0x4U
#define _NTO_TI_TOD_BASED 0x8U
#define _NTO_TI_TARGET_PROCESS 0x10U
#define _NTO_TI_PRECISE 0x40U
#define _NTO_TI_TOLERANT 0x80U

#define _NTO_TCTL_IO_PRIV 1
#define _NTO_TCTL_THREADS_HOLD 2
#define _NTO_TCTL_THREADS_CONT 3
#define _NTO_TCTL_RUNMASK 4
#define _NTO_TCTL_ALIGN_FAULT 5
#define _NTO_TCTL_RUNMASK_GET_AND_SET 6
#define _NTO_TCTL_PERFCOUNT 7
#define _NTO_TCTL_ONE_THREAD_HOLD 8
#define _NTO_TCTL_ONE_THREAD_CONT 9
#define _NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT 10
#define _NTO_TCTL_NAME 11
#define _NTO_TCTL_RCM_GET_AND_SET 12
#define _NTO_TCTL_SHR_MUTEX 13
#define _NTO_TCTL_IO 14
#define _NTO_TCTL_LOW_LATENCY 16
#define _NTO_TCTL_IO_LEVEL 19

/* Masks of processors. */
#define RMSK_SIZE(processors) (((processors) - 1) / 32 + 1)
#define RMSK_SET(processor, mask) ((mask)[(processor) / 32] |= 1U << ((processor) % 32))
#define RMSK_CLR(processor, mask) ((mask)[(processor) / 32] &= ~(1U << ((processor) % 32)))
#define RMSK_ISSET(processor, mask) ((mask)[(processor) / 32] & (1U << ((processor) % 32)))

QNXHOST_BEGIN

int TimerCreate(clockid_t id, const struct sigevent *event);
int TimerCreate_r(clockid_t id, const struct sigevent *event);
int TimerDestroy(timer_t id);
int TimerDestroy_r(timer_t id);
int TimerSettime(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime);
int TimerSettime_r(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime);
int TimerInfo(pid_t pid, timer_t id, int flags, struct _timer_info *info);
int TimerInfo_r(pid_t pid, timer_t id, int flags, struct _timer_info *info);

int ClockTime(clockid_t id, const uint64_t *set, uint64_t *old);
int ClockTime_r(clockid_t id, const uint64_t *set, uint64_t *old);
int ClockAdjust(clockid_t id, const struct _clockadjust *set, struct _clockadjust *old);
int ClockAdjust_r(clockid_t id, const struct _clockadjust *set, struct _clockadjust *old);
int ClockPeriod(clockid_t id, const struct _clockperiod *set, struct _clockperiod *old, int reserved);
int ClockPeriod_r(clockid_t id, const struct _clockperiod *set, struct _clockperiod *old, int reserved);
int ClockId(pid_t pid, int tid);
int ClockId_r(pid_t pid, int tid);
uint64_t ClockCycles(void);

int SchedGet(pid_t pid, int tid, struct sched_param *parameters);
int SchedGet_r(pid_t pid, int tid, struct sched_param *parameters);
int SchedSet(pid_t pid, int tid, int policy, const struct sched_param *parameters);
int SchedSet_r(pid_t pid, int tid, int policy, const struct sched_param *parameters);
int SchedInfo(pid_t pid, int policy, struct _sched_info *info);
int SchedInfo_r(pid_t pid, int policy, struct _sched_info *info);
int SchedYield(void);
int SchedYield_r(void);

int ThreadCtl(int command, void *data);
int ThreadCtl_r(int command, void *data);

QNXHOST_END

#endif
