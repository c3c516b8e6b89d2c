/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* The version of these headers and the library, not of QNX. */
#ifndef QNXHOST_VERSION_H
#define QNXHOST_VERSION_H

#define QNXHOST_VERSION_MAJOR 0
#define QNXHOST_VERSION_MINOR 1
#define QNXHOST_VERSION_PATCH 0

#endif
