/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#define _GNU_SOURCE
#include <process.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "face.h"

static int start(int mode, const char *file, char *const argv[], char *const envp[], bool search)
{
	char *const *environment = envp ? envp : environ;
	int error, status;
	pid_t pid;

	if (file == NULL || argv == NULL || mode < P_WAIT || mode > P_NOWAITO)
		return qnxhost_result(EINVAL);
	if (mode == P_OVERLAY)
		return search ? execvpe(file, argv, environment) : execve(file, argv, environment);
	error = search ? posix_spawnp(&pid, file, NULL, NULL, argv, environment) : posix_spawn(&pid, file, NULL, NULL, argv, environment);
	if (error)
		return qnxhost_result(error);
	if (mode != P_WAIT)
		return pid;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return status;
}

int spawnv(int mode, const char *path, char *const argv[])
{
	return start(mode, path, argv, NULL, false);
}

int spawnve(int mode, const char *path, char *const argv[], char *const envp[])
{
	return start(mode, path, argv, envp, false);
}

int spawnvp(int mode, const char *file, char *const argv[])
{
	return start(mode, file, argv, NULL, true);
}

int spawnvpe(int mode, const char *file, char *const argv[], char *const envp[])
{
	return start(mode, file, argv, envp, true);
}

/* The forms with arguments one by one, of which the first is known. */
static int start_listed(int mode, const char *file, const char *arg0, va_list arguments, bool search, bool environment)
{
	va_list again;
	char **argv, **envp = NULL;
	size_t n = 1;
	int result, error;

	va_copy(again, arguments);
	while (arg0 && va_arg(again, char *))
		n++;
	va_end(again);
	argv = calloc(n + 1, sizeof *argv);
	if (argv == NULL)
		return -1;
	argv[0] = (char *)arg0;
	for (size_t i = 1; i < n; i++)
		argv[i] = va_arg(arguments, char *);
	if (arg0)
		va_arg(arguments, char *); /* the NULL */
	if (environment)
		envp = va_arg(arguments, char **);
	result = start(mode, file, argv, envp, search);
	error = errno;
	free(argv);
	errno = error;
	return result;
}

#define LISTED(name, search, environment) \
	int name(int mode, const char *file, const char *arg0, ...) \
	{ \
		va_list arguments; \
		int result; \
		va_start(arguments, arg0); \
		result = start_listed(mode, file, arg0, arguments, search, environment); \
		va_end(arguments); \
		return result; \
	}

LISTED(spawnl, false, false)
LISTED(spawnle, false, true)
LISTED(spawnlp, true, false)
LISTED(spawnlpe, true, true)
