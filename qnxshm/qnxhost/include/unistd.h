/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_UNISTD_H
#define QNXHOST_UNISTD_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <unistd.h>

QNXHOST_BEGIN
/* Sleeps for milliseconds; returns those left when a signal ended it. */
unsigned delay(unsigned milliseconds);

/* Of a connection, as ConnectDetach. */
int close(int fd) QNXHOST_LABEL(close);

/* A descriptor got from a subrange handle has a size of its own. */
int ftruncate(int fd, off_t length) QNXHOST_LABEL_NTH(ftruncate);
int ftruncate64(int fd, off64_t length) QNXHOST_LABEL_NTH(ftruncate);
QNXHOST_END

#endif
