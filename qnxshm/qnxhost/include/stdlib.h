/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#include <qnxhost/base.h>
#pragma GCC system_header

/* More than once: the system's gives one of its types alone when asked. */
#include_next <stdlib.h>

#ifndef QNXHOST_STDLIB_H
#define QNXHOST_STDLIB_H

QNXHOST_BEGIN
/* Text of a number with a radix from 2 to 36, and its end: room must be enough. */
char *itoa(int value, char *text, int radix);
char *utoa(unsigned value, char *text, int radix);
char *ltoa(long value, char *text, int radix);
char *ultoa(unsigned long value, char *text, int radix);
QNXHOST_END

#endif
