/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SYS_NETMGR_H
#define QNXHOST_SYS_NETMGR_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/types.h>

/* The only node there is, for ConnectAttach. */
#define ND_LOCAL_NODE 0

#endif
