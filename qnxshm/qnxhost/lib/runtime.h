/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* The start of the Go runtime, which a constructor of the library begins, on a thread
   of its own. */
#ifndef QNXHOST_RUNTIME_H
#define QNXHOST_RUNTIME_H

#include <stdbool.h>

/* It has made its thread. */
extern bool qnxhost_runtime_begins __attribute__((visibility("hidden")));

/* Called by Go, when packages are ready. */
void qnxhost_runtime_began(void) __attribute__((visibility("hidden")));

#endif
