/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "dispatch.h"
#include "face.h"

/* What name_attach has given out. */
struct attachment {
	name_attach_t public; /* first: programs have its address */
	uintptr_t name;
	struct attachment *next;
};

static struct attachment *attachments;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags)
{
	struct attachment *a;
	int error;

	if (path == NULL || (flags & ~NAME_FLAG_ATTACH_GLOBAL) != 0) {
		errno = EINVAL;
		return NULL;
	}
	if (flags & NAME_FLAG_ATTACH_GLOBAL) { /* there is no network */
		errno = ENOSYS;
		return NULL;
	}
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	a->public.dpp = dpp ? dpp : dispatch_create();
	if (a->public.dpp == NULL) {
		free(a);
		return NULL;
	}
	a->public.chid = a->public.dpp->chid;
	error = QNXHOST_CALL(qnxhost_go_name_attach((char *)path, a->public.chid, &a->name));
	if (error) {
		if (dpp == NULL)
			dispatch_destroy(a->public.dpp);
		free(a);
		errno = error;
		return NULL;
	}
	pthread_mutex_lock(&lock);
	a->next = attachments;
	attachments = a;
	pthread_mutex_unlock(&lock);
	return &a->public;
}

int name_detach(name_attach_t *attach, unsigned flags)
{
	struct attachment **p, *a;
	int error;

	if (qnxhost_forked()) /* perhaps while another thread had the lock */
		return qnxhost_result(ENOSYS);
	if (flags & ~NAME_FLAG_DETACH_SAVEDPP)
		return qnxhost_result(EINVAL);
	pthread_mutex_lock(&lock);
	for (p = &attachments; *p && &(*p)->public != attach; p = &(*p)->next)
		;
	a = *p;
	if (a)
		*p = a->next;
	pthread_mutex_unlock(&lock);
	if (a == NULL)
		return qnxhost_result(EINVAL);
	error = QNXHOST_CALL((qnxhost_go_name_detach(a->name), 0));
	if (!(flags & NAME_FLAG_DETACH_SAVEDPP))
		dispatch_destroy(a->public.dpp);
	free(a);
	return qnxhost_result(error);
}

int name_open(const char *name, int flags)
{
	int coid = -1, error;

	if (name == NULL || flags != 0)
		return qnxhost_result(EINVAL);
	error = QNXHOST_CALL(qnxhost_go_name_open((char *)name, &coid));
	return error ? qnxhost_result(error) : coid;
}

int name_close(int coid)
{
	return ConnectDetach(coid);
}

/* On QNX names are files, and connections descriptors. */

static const char names_directory[] = "/dev/name/local/";

static int open_file(const char *path, int oflag, mode_t mode)
{
	extern int system_open(const char *, int, ...) __asm__("open");

	return system_open(path, oflag, mode);
}

int open(const char *path, int oflag, ...)
{
	mode_t mode = 0;
	va_list arguments;

	if (oflag & O_CREAT || (oflag & O_TMPFILE) == O_TMPFILE) {
		va_start(arguments, oflag);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
	}
	if (qnxhost_in_first_page(path) || strncmp(path, names_directory, sizeof names_directory - 1) != 0)
		return open_file(path, oflag, mode);
	return name_open(path + sizeof names_directory - 1, 0);
}

int close(int fd)
{
	extern int system_close(int) __asm__("close");

	if (fd < 0 || !((unsigned)fd & _NTO_SIDE_CHANNEL))
		return system_close(fd);
	return ConnectDetach(fd) == 0 ? 0 : qnxhost_result(EBADF);
}

unsigned delay(unsigned milliseconds)
{
	struct timespec t = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000}, left = {0, 0};

	if (nanosleep(&t, &left) == 0)
		return 0;
	return (unsigned)(left.tv_sec * 1000 + left.tv_nsec / 1000000);
}
