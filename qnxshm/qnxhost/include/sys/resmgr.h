/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* The types that servers get messages in. The host has no resource managers, so no
   resmgr_* functions. */
#ifndef QNXHOST_SYS_RESMGR_H
#define QNXHOST_SYS_RESMGR_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <sys/iomsg.h>
#include <sys/neutrino.h>

typedef struct _dispatch dispatch_t;
typedef struct _pulse io_pulse_t;

/* Of a resource manager's messages there is none. */
typedef union _resmgr_iomsgs {
	unsigned short type;
	io_pulse_t pulse;
} resmgr_iomsgs_t;

struct _extended_context;

typedef struct _resmgr_context {
#if _NTO_VERSION >= 800
	rcvid_t rcvid;
#else
	int rcvid; /* the lower half of what the library writes */
#endif
	struct _msg_info info;
	resmgr_iomsgs_t *msg;
	dispatch_t *dpp;
	int id;
	struct _extended_context *extra; /* NULL */
	size_t msg_max_size;
	long status;
	size_t offset;
	size_t size;
	iov_t iov[1];
} resmgr_context_t;

QNXHOST_AT(resmgr_context_t, rcvid, 0);
QNXHOST_AT(resmgr_context_t, info, 8);
QNXHOST_AT(resmgr_context_t, msg, 72);

#endif
