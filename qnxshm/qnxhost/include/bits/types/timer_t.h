/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* In place of the C library's file of this name: on QNX a timer_t is an int. */
#ifndef __timer_t_defined
#define __timer_t_defined 1

#pragma GCC system_header

typedef int timer_t;

#endif
