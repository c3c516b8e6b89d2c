/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * QNX's union sigval and struct sigevent take the place of the system's, in
 * whatever order headers are included: the files of the C library that would
 * define them (bits/types/__sigval_t.h, bits/types/sigevent_t.h,
 * bits/sigevent-consts.h) are found in this directory first, and come here.
 *
 * union sigval keeps the system's size, so sigqueue and siginfo_t work as ever.
 * struct sigevent does not: what takes one is redirected (timer_create) or
 * refused at compile time (mq_notify, <aio.h>).
 */
#ifndef QNXHOST_SIGEVENT_H
#define QNXHOST_SIGEVENT_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <stdint.h>
#include <sys/types.h>

union sigval {
	int sival_int;
	void *sival_ptr;
	long sival_long;
};

/* Names under which the system's headers refer to the same types. */
typedef union sigval __sigval_t;

struct sigevent {
	int sigev_notify;
	union {
		int __sigev_signo;
		int __sigev_coid;
		int __sigev_id;
		void (*__sigev_notify_function)(union sigval);
		volatile unsigned *__sigev_addr;
		unsigned __sigev_handle;
	} __sigev_un1;
	union sigval sigev_value;
	union {
		struct {
			short __sigev_code;
			short __sigev_priority;
		} __st;
		pthread_attr_t *__sigev_notify_attributes;
		int __sigev_memop;
	} __sigev_un2;
};
typedef struct sigevent sigevent_t;

#define sigev_signo __sigev_un1.__sigev_signo
#define sigev_coid __sigev_un1.__sigev_coid
#define sigev_id __sigev_un1.__sigev_id
#define sigev_notify_function __sigev_un1.__sigev_notify_function
#define sigev_addr __sigev_un1.__sigev_addr
#define sigev_handle __sigev_un1.__sigev_handle
#define sigev_code __sigev_un2.__st.__sigev_code
#define sigev_priority __sigev_un2.__st.__sigev_priority
#define sigev_notify_attributes __sigev_un2.__sigev_notify_attributes
#define sigev_memop __sigev_un2.__sigev_memop

QNXHOST_SIZE(union sigval, 8);
QNXHOST_SIZE(struct sigevent, 32);
QNXHOST_AT(struct sigevent, sigev_notify, 0);
QNXHOST_AT(struct sigevent, sigev_coid, 8);
QNXHOST_AT(struct sigevent, sigev_value, 16);
QNXHOST_AT(struct sigevent, sigev_code, 24);
QNXHOST_AT(struct sigevent, sigev_priority, 26);

/* Kinds of notification, in sigev_notify; 0x80 says that the event is a 64-bit
   program's. Other bits may be set too: compare with SIGEV_GET_TYPE. */
#define SIGEV_NONE 0
#define SIGEV_SIGNAL 0x81
#define SIGEV_SIGNAL_CODE 0x82
#define SIGEV_SIGNAL_THREAD 0x83
#define SIGEV_PULSE 0x84
#define SIGEV_UNBLOCK 0x85
#define SIGEV_INTR 0x86
#define SIGEV_THREAD 0x87
#define SIGEV_MEMORY 0x88

#define SIGEV_TYPE_MASK 0xff
#define SIGEV_FLAG_CRITICAL 0x100   /* these two are for the scheduler, and have no effect */
#define SIGEV_FLAG_OVERDRIVE 0x200
#define SIGEV_FLAG_UPDATEABLE 0x400 /* the server may change the value */
#define SIGEV_FLAG_HANDLE 0x2000    /* registered: sigev_handle stands for the event */

#define SIGEV_GET_TYPE(event) ((event)->sigev_notify & SIGEV_TYPE_MASK)
#define SIGEV_MAKE_UPDATEABLE(event) ((event)->sigev_notify |= SIGEV_FLAG_UPDATEABLE)
#define SIGEV_CLEAR_UPDATEABLE(event) ((event)->sigev_notify &= ~SIGEV_FLAG_UPDATEABLE)
#define SIGEV_SET_TYPE(event, type) ((event)->sigev_notify = ((event)->sigev_notify & ~SIGEV_TYPE_MASK) | (type))
#define SIGEV_MAKE_CRITICAL(event) ((event)->sigev_notify |= SIGEV_FLAG_CRITICAL)
#define SIGEV_CLEAR_CRITICAL(event) ((event)->sigev_notify &= ~SIGEV_FLAG_CRITICAL)
#define SIGEV_MAKE_OVERDRIVE(event) ((event)->sigev_notify |= SIGEV_FLAG_OVERDRIVE)
#define SIGEV_CLEAR_OVERDRIVE(event) ((event)->sigev_notify &= ~SIGEV_FLAG_OVERDRIVE)

#define SIGEV_PULSE_PRIO_INHERIT (-1)

/* A value may be given as an integer or as a pointer. */
#define QNXHOST_SIVAL(value) ((void *)(uintptr_t)(value))

#define SIGEV_NONE_INIT(event) ((event)->sigev_notify = SIGEV_NONE)
#define SIGEV_UNBLOCK_INIT(event) ((event)->sigev_notify = SIGEV_UNBLOCK)
#define SIGEV_INTR_INIT(event) ((event)->sigev_notify = SIGEV_INTR)
#define SIGEV_SIGNAL_INIT(event, signal) \
	((event)->sigev_notify = SIGEV_SIGNAL, \
	 (event)->sigev_signo = (signal))
#define SIGEV_SIGNAL_VALUE_INIT(event, signal, value) \
	((event)->sigev_notify = SIGEV_SIGNAL, \
	 (event)->sigev_signo = (signal), \
	 (event)->sigev_value.sival_ptr = QNXHOST_SIVAL(value))
#define SIGEV_SIGNAL_VALUE_PTR_INIT(event, signal, value) \
	SIGEV_SIGNAL_VALUE_INIT(event, signal, value)
#define SIGEV_SIGNAL_VALUE_INT_INIT(event, signal, value) \
	SIGEV_SIGNAL_VALUE_INIT(event, signal, (int)(value))
#define SIGEV_SIGNAL_CODE_INIT(event, signal, value, code) \
	((event)->sigev_notify = SIGEV_SIGNAL_CODE, \
	 (event)->sigev_signo = (signal), \
	 (event)->sigev_value.sival_ptr = QNXHOST_SIVAL(value), \
	 (event)->sigev_code = (short)(code))
#define SIGEV_SIGNAL_CODE_PTR_INIT(event, signal, value, code) \
	SIGEV_SIGNAL_CODE_INIT(event, signal, value, code)
#define SIGEV_SIGNAL_CODE_INT_INIT(event, signal, value, code) \
	SIGEV_SIGNAL_CODE_INIT(event, signal, (int)(value), code)
#define SIGEV_SIGNAL_THREAD_INIT(event, signal, value, code) \
	((event)->sigev_notify = SIGEV_SIGNAL_THREAD, \
	 (event)->sigev_signo = (signal), \
	 (event)->sigev_value.sival_ptr = QNXHOST_SIVAL(value), \
	 (event)->sigev_code = (short)(code))
#define SIGEV_PULSE_INIT(event, coid, priority, code, value) \
	((event)->sigev_notify = SIGEV_PULSE, \
	 (event)->sigev_coid = (coid), \
	 (event)->sigev_value.sival_ptr = QNXHOST_SIVAL(value), \
	 (event)->sigev_code = (short)(code), \
	 (event)->sigev_priority = (short)(priority))
#define SIGEV_PULSE_PTR_INIT(event, coid, priority, code, value) \
	SIGEV_PULSE_INIT(event, coid, priority, code, value)
#define SIGEV_PULSE_INT_INIT(event, coid, priority, code, value) \
	SIGEV_PULSE_INIT(event, coid, priority, code, (int)(value))
#define SIGEV_THREAD_INIT(event, function, value, attributes) \
	((event)->sigev_notify = SIGEV_THREAD, \
	 (event)->sigev_notify_function = (function), \
	 (event)->sigev_value.sival_ptr = QNXHOST_SIVAL(value), \
	 (event)->sigev_notify_attributes = (attributes))

#endif
