/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Where QNX programs look for names of sysconf and confstr. */
#ifndef QNXHOST_CONFNAME_H
#define QNXHOST_CONFNAME_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <unistd.h>

#endif
