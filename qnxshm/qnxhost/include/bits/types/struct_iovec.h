/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* In place of the C library's file of this name: QNX's has a second name for the
   address of what is only read. */
#ifndef __iovec_defined
#define __iovec_defined 1

#include <features.h>
#pragma GCC system_header

#define __need_size_t
#include <stddef.h>

struct iovec {
	__extension__ union {
		void *iov_base;
		const void *iov_base_const;
	};
	size_t iov_len;
};

#endif
