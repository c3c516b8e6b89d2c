/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_MQUEUE_H
#define QNXHOST_MQUEUE_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <mqueue.h>

/* Always 0: the system does not tell how many wait. */
#define mq_sendwait __pad[0]
#define mq_recvwait __pad[1]

QNXHOST_BEGIN
int mq_notify(mqd_t queue, const struct sigevent *event) QNXHOST_LABEL_NTH(mq_notify);
QNXHOST_END

#endif
