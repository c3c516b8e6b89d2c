/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* QNX's own names of integers. */
#ifndef QNXHOST_SYS_PLATFORM_H
#define QNXHOST_SYS_PLATFORM_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <stddef.h>
#include <stdint.h>

typedef int8_t _Int8t;
typedef uint8_t _Uint8t;
typedef int16_t _Int16t;
typedef uint16_t _Uint16t;
typedef int32_t _Int32t;
typedef uint32_t _Uint32t;
typedef int64_t _Int64t;
typedef uint64_t _Uint64t;
typedef intptr_t _Intptrt;
typedef uintptr_t _Uintptrt;
typedef size_t _Sizet;
typedef ptrdiff_t _Ssizet;

#endif
