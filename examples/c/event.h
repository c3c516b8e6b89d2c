/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What event_server and event_client say to each other. */
#ifndef EVENT_H
#define EVENT_H

#include <signal.h>
#include <stdint.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>

#define EVENT_NOTIFY (_IO_MAX + 1) /* deliver this event when there is something */

#define CODE_READY (_PULSE_CODE_MINAVAIL + 3)

typedef struct {
	uint16_t type;
	struct sigevent event;
} event_request_t;

#endif
