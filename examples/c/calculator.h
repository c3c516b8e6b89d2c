/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What calculator_server and its clients say to each other. */
#ifndef CALCULATOR_H
#define CALCULATOR_H

#include <stdint.h>
#include <sys/iomsg.h>

#define CALC_ADD (_IO_MAX + 1)
#define CALC_DIVIDE (_IO_MAX + 2)
#define CALC_STOP (_IO_MAX + 3)

typedef struct {
	uint16_t type;
	int32_t a, b;
} calc_request_t;

typedef struct {
	int32_t result;
} calc_reply_t;

#endif
