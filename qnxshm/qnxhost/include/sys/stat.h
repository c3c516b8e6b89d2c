/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A descriptor got from a subrange handle has a size of its own. */
#ifndef QNXHOST_SYS_STAT_H
#define QNXHOST_SYS_STAT_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <sys/stat.h>

#if !__GLIBC_PREREQ(2, 33)
#error "qnxhost: fstat of a glibc before 2.33 is an inline function"
#endif

QNXHOST_BEGIN
int fstat(int fd, struct stat *st) QNXHOST_LABEL_NTH(fstat);
int fstat64(int fd, struct stat64 *st) QNXHOST_LABEL_NTH(fstat);
QNXHOST_END

#endif
