/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What counter_server and counter_client share: memory, by handle. */
#ifndef COUNTER_H
#define COUNTER_H

#include <pthread.h>
#include <sys/iomsg.h>

#define COUNTER_GET (_IO_MAX + 1) /* the reply is a handle */
#define COUNTER_DONE (_IO_MAX + 2)

#define ROUNDS 10000

typedef struct {
	pthread_mutex_t mutex; /* PTHREAD_PROCESS_SHARED */
	long count;
} counter_t;

#endif
