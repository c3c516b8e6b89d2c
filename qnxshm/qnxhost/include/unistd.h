/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_UNISTD_H
#define QNXHOST_UNISTD_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <unistd.h>

QNXHOST_BEGIN
/* Sleeps for milliseconds; returns those left when a signal ended it. */
unsigned delay(unsigned milliseconds);

/* A descriptor got from a subrange handle has a size of its own. */
int qnxhost_ftruncate(int fd, off_t length);
QNXHOST_END

#undef ftruncate
#undef ftruncate64
#define ftruncate qnxhost_ftruncate
#define ftruncate64 qnxhost_ftruncate

#endif
