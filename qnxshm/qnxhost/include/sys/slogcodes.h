/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Codes of slogf. */
#ifndef QNXHOST_SYS_SLOGCODES_H
#define QNXHOST_SYS_SLOGCODES_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/slog.h>

/* For programs of one's own. */
#define _SLOGC_TEST 10000
#define _SLOGC_PRIVATE_START 10000
#define _SLOGC_PRIVATE_END 19999

#endif
