/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* The log is standard error. */
#ifndef QNXHOST_SYS_SLOG2_H
#define QNXHOST_SYS_SLOG2_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <stdarg.h>
#include <stdint.h>

#define SLOG2_SHUTDOWN 0
#define SLOG2_CRITICAL 1
#define SLOG2_ERROR 2
#define SLOG2_WARNING 3
#define SLOG2_NOTICE 4
#define SLOG2_INFO 5
#define SLOG2_DEBUG1 6
#define SLOG2_DEBUG2 7

#define SLOG2_MAX_BUFFERS 4

typedef struct qnxhost_slog2_buffer *slog2_buffer_t;

typedef struct {
	const char *buffer_name;
	int num_pages;
} slog2_buffer_config_t;

typedef struct {
	int num_buffers;
	const char *buffer_set_name;
	uint8_t verbosity_level;
	slog2_buffer_config_t buffer_config[SLOG2_MAX_BUFFERS];
	uint32_t max_retries;
} slog2_buffer_set_config_t;

QNXHOST_BEGIN

/* Buffers only have a name and a verbosity. NULL is the default one. */
int slog2_register(const slog2_buffer_set_config_t *config, slog2_buffer_t *buffers, uint32_t flags);
int slog2_reset(void);
slog2_buffer_t slog2_set_default_buffer(slog2_buffer_t buffer);
int slog2_set_verbosity(slog2_buffer_t buffer, uint8_t verbosity);
uint8_t slog2_get_verbosity(slog2_buffer_t buffer);
int slog2c(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *text);
int slog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format, ...) __attribute__((__format__(__printf__, 4, 5)));
int vslog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format, va_list arguments)
	__attribute__((__format__(__printf__, 4, 0)));

QNXHOST_END

#endif
