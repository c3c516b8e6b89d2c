/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What loop_server and loop_client say to each other. */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>

#define LOOP_SET (_IO_MAX + 1)
#define LOOP_GET (_IO_MAX + 2)
#define LOOP_STOP (_PULSE_CODE_MINAVAIL + 5)

typedef struct {
	uint16_t type;
	int32_t value;
} loop_request_t;

#endif
