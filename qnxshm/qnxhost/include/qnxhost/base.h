/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What several of these headers need: the release, assertions, a few names. */
#ifndef QNXHOST_BASE_H
#define QNXHOST_BASE_H

#include <features.h>
#pragma GCC system_header

/* __QNX__ is 800 or more on 8.0 and 1 before that. */
#ifndef _NTO_VERSION
#if defined __QNX__ && __QNX__ + 0 < 800
#define _NTO_VERSION 710
#else
#define _NTO_VERSION 800
#endif
#endif

#ifdef __cplusplus
#define QNXHOST_ASSERT(condition, text) static_assert(condition, text)
#define QNXHOST_BEGIN extern "C" {
#define QNXHOST_END }
#else
#define QNXHOST_ASSERT(condition, text) _Static_assert(condition, text)
#define QNXHOST_BEGIN
#define QNXHOST_END
#endif

/* After the declaration of a function: programs that use its name get the library's
   function, in all they do with it. A macro would do so to members of C++ classes,
   and to headers that come later, too. */
#define QNXHOST_LABEL(name) __asm__("qnxhost_" #name)

/* The same for those that throw no exception. */
#ifdef __cplusplus
#define QNXHOST_LABEL_NTH(name) __THROW QNXHOST_LABEL(name)
#else
#define QNXHOST_LABEL_NTH(name) QNXHOST_LABEL(name)
#endif

/* For layouts that cross a process or language border. */
#define QNXHOST_SIZE(type, bytes) \
	QNXHOST_ASSERT(sizeof(type) == (bytes), "size of " #type)
#define QNXHOST_AT(type, member, bytes) \
	QNXHOST_ASSERT(__builtin_offsetof(type, member) == (bytes), "offset of " #member)

#ifndef NOFD
#define NOFD (-1)
#endif

#endif
