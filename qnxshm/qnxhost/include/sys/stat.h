/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A descriptor got from a subrange handle has a size of its own. */
#ifndef QNXHOST_SYS_STAT_H
#define QNXHOST_SYS_STAT_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <sys/stat.h>

QNXHOST_BEGIN
int qnxhost_fstat(int fd, struct stat *st);
QNXHOST_END

#undef fstat
#undef fstat64
#define fstat qnxhost_fstat

#endif
