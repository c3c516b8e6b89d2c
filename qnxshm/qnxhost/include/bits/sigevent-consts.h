/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* In place of the C library's file of this name; see there why. */
#include <qnxhost/sigevent.h>
