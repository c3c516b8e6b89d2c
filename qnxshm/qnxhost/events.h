/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What the system's timers and message queues take instead of QNX's struct sigevent. */
#ifndef QNXHOST_EVENTS_H
#define QNXHOST_EVENTS_H

#include <sys/siginfo.h>

struct system_sigevent {
	union sigval value;
	int signo;
	int notify;
	union {
		int tid;
		struct {
			void (*function)(union sigval);
			pthread_attr_t *attributes;
		} thread;
		int rest[12];
	} to;
};

/* Fills in what the system can do of itself: 0, or ENOTSUP. */
int qnxhost_system_event(const struct sigevent *event, struct system_sigevent *systems);

#endif
