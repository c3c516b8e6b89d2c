/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_MQUEUE_H
#define QNXHOST_MQUEUE_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <mqueue.h>

/* The system would misread the event. */
#define mq_notify \
	_Pragma("GCC error \"qnxhost: no mq_notify: struct sigevent is QNX's here, the system's message queues take their own\"") mq_notify

#endif
