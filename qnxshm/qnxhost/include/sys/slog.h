/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* The log is standard error. */
#ifndef QNXHOST_SYS_SLOG_H
#define QNXHOST_SYS_SLOG_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <stdarg.h>

#define _SLOG_SHUTDOWN 0
#define _SLOG_CRITICAL 1
#define _SLOG_ERROR 2
#define _SLOG_WARNING 3
#define _SLOG_NOTICE 4
#define _SLOG_INFO 5
#define _SLOG_DEBUG1 6
#define _SLOG_DEBUG2 7

#define _SLOG_SETCODE(major, minor) ((major) | ((minor) << 20))
#define _SLOG_GETMAJOR(code) ((code) & 0xfffff)
#define _SLOG_GETMINOR(code) (((code) >> 20) & 0xfff)

QNXHOST_BEGIN
int slogf(int code, int severity, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
int vslogf(int code, int severity, const char *format, va_list arguments) __attribute__((__format__(__printf__, 3, 0)));
QNXHOST_END

#endif
