/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* QNX programs include this before <sys/dispatch.h>. The host has no resource
   managers, so no iofunc_* functions. */
#ifndef QNXHOST_SYS_IOFUNC_H
#define QNXHOST_SYS_IOFUNC_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <sys/stat.h>

#endif
