/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * errno values keep the system's numbers, because strerror and perror must know
 * them. Those that only QNX has carry QNX's numbers, all above the system's.
 * Two pairs differ on QNX and are equal here: ENOTSUP and EOPNOTSUPP, EDEADLK
 * and EDEADLOCK.
 */
#ifndef QNXHOST_ERRNO_H
#define QNXHOST_ERRNO_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <errno.h>

#define EOK 0
#define EBADRPC 272
#define ERPCMISMATCH 273
#define EPROGUNAVAIL 274
#define EPROGMISMATCH 275
#define EPROCUNAVAIL 276
#define ENOREMOTE 300
#define ENONDP 301
#define EBADFSYS 302
#define EMORE 309
#define ECTRLTERM 310
#define ENOLIC 311
#define ESRVRFAULT 312
#define EENDIAN 313
#define ESECTYPEINVAL 314

#endif
