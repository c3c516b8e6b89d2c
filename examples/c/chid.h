/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Where chid_server is. */
#ifndef CHID_H
#define CHID_H

#include <sys/types.h>

typedef struct {
	pid_t pid;
	int chid;
} place_t;

#endif
