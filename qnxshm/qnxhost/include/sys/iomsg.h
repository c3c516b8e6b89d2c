/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Types of the messages that a resource manager gets. A server that has only a
   name gets few of them, but must answer those it does not know. */
#ifndef QNXHOST_SYS_IOMSG_H
#define QNXHOST_SYS_IOMSG_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <stdint.h>
#include <sys/types.h>

#define _IO_BASE 0x100
#define _IO_CONNECT 0x100
#define _IO_DUP 0x115
#define _IO_CLOSE 0x116
#define _IO_MAX 0x1ff /* a program's own types lie above */

/* Subtype of _IO_CONNECT. */
#define _IO_CONNECT_OPEN 2

/* What select_attach waits for. */
#define _NOTIFY_COND_INPUT 0x10000000
#define _NOTIFY_COND_OUTPUT 0x20000000
#define _NOTIFY_COND_OBAND 0x40000000

#endif
