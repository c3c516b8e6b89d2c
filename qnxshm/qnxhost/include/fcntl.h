/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* O_* keep the system's numbers. */
#ifndef QNXHOST_FCNTL_H
#define QNXHOST_FCNTL_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <fcntl.h>

/* For shm_open only. QNX's own number is the system's O_NOATIME. */
#define O_ANON 0x10000000

#endif
