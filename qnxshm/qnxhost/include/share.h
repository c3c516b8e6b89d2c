/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Modes of sharing a file. The host has no sopen. */
#ifndef QNXHOST_SHARE_H
#define QNXHOST_SHARE_H

#include <qnxhost/base.h>
#pragma GCC system_header

#define SH_COMPAT 0x00
#define SH_DENYRW 0x10
#define SH_DENYWR 0x20
#define SH_DENYRD 0x30
#define SH_DENYNO 0x40

#endif
