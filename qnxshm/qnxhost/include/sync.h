/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Where QNX programs look for mutexes and their like. */
#ifndef QNXHOST_SYNC_H
#define QNXHOST_SYNC_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <pthread.h>
#include <semaphore.h>

#endif
