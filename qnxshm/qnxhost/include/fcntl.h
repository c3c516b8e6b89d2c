/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* O_* keep the system's numbers. */
#ifndef QNXHOST_FCNTL_H
#define QNXHOST_FCNTL_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/types.h>

/* Fortified, open would be an inline function that calls the system's. */
#pragma push_macro("__USE_FORTIFY_LEVEL")
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#include_next <fcntl.h>
#pragma pop_macro("__USE_FORTIFY_LEVEL")

/* For shm_open only. QNX's own number is the system's O_NOATIME. */
#define O_ANON 0x10000000

QNXHOST_BEGIN
/* Below /dev/name/local there are names: they are opened as by name_open. */
int open(const char *path, int oflag, ...) QNXHOST_LABEL(open);
int open64(const char *path, int oflag, ...) QNXHOST_LABEL(open);
QNXHOST_END

#endif
