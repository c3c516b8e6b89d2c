/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SYS_NETMGR_H
#define QNXHOST_SYS_NETMGR_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/types.h>

/* The only node there is, for ConnectAttach. */
#define ND_LOCAL_NODE 0

/* 0 if they are the same. */
#define ND_NODE_CMP(a, b) ((a) == (b) ? 0 : (a) < (b) ? -1 : 1)

#endif
