/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* QNX's logs: lines of standard error. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/slog.h>
#include <sys/slog2.h>

#include "face.h"

static const char *const severities[] = {"shutdown", "critical", "error", "warning", "notice", "info", "debug1", "debug2"};

/* One line, whatever ends the text. */
static int line(const char *from, unsigned severity, unsigned code, const char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == '\n')
		length--;
	return fprintf(stderr, "%s %s %#x: %.*s\n", from, severities[severity & 7], code, (int)length, text) < 0 ? -1 : (int)length;
}

static int formatted(const char *from, unsigned severity, unsigned code, const char *format, va_list arguments)
{
	char *text = NULL;
	int n;

	if (format == NULL || vasprintf(&text, format, arguments) == -1)
		return qnxhost_result(format ? ENOMEM : EINVAL);
	n = line(from, severity, code, text);
	free(text);
	return n;
}

int vslogf(int code, int severity, const char *format, va_list arguments)
{
	return formatted("slog", (unsigned)severity, (unsigned)code, format, arguments);
}

int slogf(int code, int severity, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vslogf(code, severity, format, arguments);
	va_end(arguments);
	return n;
}

/* Buffers live as long as the process: programs keep their addresses. */
struct qnxhost_slog2_buffer {
	char name[64];
	_Atomic uint8_t verbosity;
};

static struct qnxhost_slog2_buffer nameless = {"slog2", SLOG2_INFO};
static _Atomic slog2_buffer_t standard = &nameless;

static slog2_buffer_t or_default(slog2_buffer_t buffer)
{
	return buffer ? buffer : standard;
}

int slog2_register(const slog2_buffer_set_config_t *config, slog2_buffer_t *buffers, uint32_t flags)
{
	(void)flags;
	if (config == NULL || buffers == NULL || config->buffer_set_name == NULL || config->num_buffers < 1 ||
	    config->num_buffers > SLOG2_MAX_BUFFERS)
		return qnxhost_result(EINVAL);
	for (int i = 0; i < config->num_buffers; i++) {
		const char *name = config->buffer_config[i].buffer_name;

		buffers[i] = calloc(1, sizeof **buffers);
		if (buffers[i] == NULL)
			return qnxhost_result(ENOMEM);
		snprintf(buffers[i]->name, sizeof buffers[i]->name, "%s%s%s", config->buffer_set_name, name ? "." : "", name ? name : "");
		buffers[i]->verbosity = config->verbosity_level;
	}
	return 0;
}

int slog2_reset(void)
{
	standard = &nameless;
	return 0;
}

slog2_buffer_t slog2_set_default_buffer(slog2_buffer_t buffer)
{
	slog2_buffer_t was = standard;

	standard = buffer ? buffer : &nameless;
	return was == &nameless ? NULL : was;
}

int slog2_set_verbosity(slog2_buffer_t buffer, uint8_t verbosity)
{
	if (verbosity > SLOG2_DEBUG2)
		return qnxhost_result(EINVAL);
	or_default(buffer)->verbosity = verbosity;
	return 0;
}

uint8_t slog2_get_verbosity(slog2_buffer_t buffer)
{
	return or_default(buffer)->verbosity;
}

int slog2c(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *text)
{
	buffer = or_default(buffer);
	if (text == NULL || severity > SLOG2_DEBUG2)
		return qnxhost_result(EINVAL);
	if (severity > buffer->verbosity)
		return 0;
	return line(buffer->name, severity, code, text) < 0 ? -1 : 0;
}

int vslog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format, va_list arguments)
{
	buffer = or_default(buffer);
	if (severity > SLOG2_DEBUG2)
		return qnxhost_result(EINVAL);
	if (severity > buffer->verbosity)
		return 0;
	return formatted(buffer->name, severity, code, format, arguments) < 0 ? -1 : 0;
}

int slog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = vslog2f(buffer, code, severity, format, arguments);
	va_end(arguments);
	return result;
}
