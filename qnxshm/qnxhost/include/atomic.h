/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Set, clr and toggle are of bits. Those with value in their name return what was there. */
#ifndef QNXHOST_ATOMIC_H
#define QNXHOST_ATOMIC_H

#include <qnxhost/base.h>
#pragma GCC system_header

QNXHOST_BEGIN
static __inline__ unsigned atomic_add_value(volatile unsigned *at, unsigned n) { return __atomic_fetch_add(at, n, __ATOMIC_SEQ_CST); }
static __inline__ unsigned atomic_sub_value(volatile unsigned *at, unsigned n) { return __atomic_fetch_sub(at, n, __ATOMIC_SEQ_CST); }
static __inline__ unsigned atomic_set_value(volatile unsigned *at, unsigned bits) { return __atomic_fetch_or(at, bits, __ATOMIC_SEQ_CST); }
static __inline__ unsigned atomic_clr_value(volatile unsigned *at, unsigned bits) { return __atomic_fetch_and(at, ~bits, __ATOMIC_SEQ_CST); }
static __inline__ unsigned atomic_toggle_value(volatile unsigned *at, unsigned bits) { return __atomic_fetch_xor(at, bits, __ATOMIC_SEQ_CST); }
static __inline__ void atomic_add(volatile unsigned *at, unsigned n) { (void)atomic_add_value(at, n); }
static __inline__ void atomic_sub(volatile unsigned *at, unsigned n) { (void)atomic_sub_value(at, n); }
static __inline__ void atomic_set(volatile unsigned *at, unsigned bits) { (void)atomic_set_value(at, bits); }
static __inline__ void atomic_clr(volatile unsigned *at, unsigned bits) { (void)atomic_clr_value(at, bits); }
static __inline__ void atomic_toggle(volatile unsigned *at, unsigned bits) { (void)atomic_toggle_value(at, bits); }
QNXHOST_END

#endif
