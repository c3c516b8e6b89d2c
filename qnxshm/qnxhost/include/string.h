/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_STRING_H
#define QNXHOST_STRING_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include_next <string.h>

#if !__GLIBC_PREREQ(2, 38)
QNXHOST_BEGIN
static __inline__ size_t qnxhost_strlcpy(char *to, const char *from, size_t size)
{
	size_t length = strlen(from);

	if (size > 0) {
		size_t n = length < size ? length : size - 1;
		memcpy(to, from, n);
		to[n] = '\0';
	}
	return length;
}

static __inline__ size_t qnxhost_strlcat(char *to, const char *from, size_t size)
{
	size_t length = strnlen(to, size);

	return length + qnxhost_strlcpy(to + length, from, size - length);
}
QNXHOST_END
#define strlcpy qnxhost_strlcpy
#define strlcat qnxhost_strlcat
#endif

#endif
