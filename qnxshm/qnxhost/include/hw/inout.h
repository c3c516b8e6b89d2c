/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A program that uses these does not compile. */
#ifndef QNXHOST_HW_INOUT_H
#define QNXHOST_HW_INOUT_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <stdint.h>

#define QNXHOST_NO_PORTS __attribute__((__error__("qnxhost: the host gives no access to ports of devices")))

QNXHOST_BEGIN
uint8_t in8(uintptr_t port) QNXHOST_NO_PORTS;
uint16_t in16(uintptr_t port) QNXHOST_NO_PORTS;
uint32_t in32(uintptr_t port) QNXHOST_NO_PORTS;
void out8(uintptr_t port, uint8_t value) QNXHOST_NO_PORTS;
void out16(uintptr_t port, uint16_t value) QNXHOST_NO_PORTS;
void out32(uintptr_t port, uint32_t value) QNXHOST_NO_PORTS;
QNXHOST_END

#endif
