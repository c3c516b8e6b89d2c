/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * QNX headers for Linux.
 *
 *	gcc -I qnxshm/qnxhost/include prog.c libqnxhost.so
 *
 * Every header of the C library includes <features.h> before anything else, and
 * this directory is searched first. So whichever header a program includes first,
 * with whichever -std, the choices below are made before it matters.
 *
 * What a program may test or set:
 *
 *	__QNXHOST__                  1: these headers, not a target's
 *	_NTO_VERSION                 800, or 710 with -D_NTO_VERSION=710: hides what
 *	                             only QNX OS 8.0 has
 *	-D__QNX__=800 -D__QNXNTO__   for programs that ask "is this QNX?"; never set
 *	                             here, because much other code asks that too and
 *	                             would then expect all of QNX. Release 7.1 is
 *	                             plain -D__QNX__ -D__QNXNTO__, as its compiler has it
 *	-DQNXHOST_SHM_HANDLE_BITS=32 a 32-bit shm_handle_t, for tests (<sys/mman.h>)
 *	-DQNXHOST_RLIM_INFINITY=...  another RLIM_INFINITY, for tests (<sys/resource.h>)
 *
 * Numbers are QNX's, except where the system's own calls must understand them
 * too: errno, O_*, signals, clock ids and the TIMER_* flags keep the system's.
 */
#ifndef QNXHOST_FEATURES_H
#define QNXHOST_FEATURES_H

#pragma GCC system_header

/* QNX compilers show everything unless told otherwise. _GNU_SOURCE would show
   more, but it also changes what strerror_r and basename mean. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#ifndef _LARGEFILE64_SOURCE
#define _LARGEFILE64_SOURCE 1
#endif

#include_next <features.h>

/* With 64 bits it changes nothing but the names that functions are linked by, and a
   function can have one of those only. */
#undef __USE_FILE_OFFSET64

#ifndef __GLIBC__
#error "qnxhost: these headers stand on glibc's"
#endif
#if !defined __LP64__
#error "qnxhost: 64-bit systems only, as QNX OS 8.0"
#endif

#define __QNXHOST__ 1

#endif
