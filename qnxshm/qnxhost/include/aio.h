/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* struct aiocb contains a struct sigevent: the system would misread all of it. */
#error "qnxhost: no <aio.h>: struct sigevent is QNX's here, the system's asynchronous I/O takes its own"
