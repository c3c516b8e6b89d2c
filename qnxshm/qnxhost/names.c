/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <time.h>

#include "_cgo_export.h"
#include "face.h"

/* A dispatch is no more than its channel here: one that a program has made and
   given to dispatch_create_channel, or one made for a name. */
struct _dispatch {
	int chid;
};

dispatch_t *dispatch_create_channel(int chid, unsigned flags)
{
	dispatch_t *dpp;

	if (qnxhost_forked() || flags != 0) {
		errno = qnxhost_forked() ? ENOSYS : EINVAL;
		return NULL;
	}
	dpp = malloc(sizeof *dpp);
	if (dpp)
		dpp->chid = chid;
	return dpp;
}

dispatch_t *dispatch_create(void)
{
	dispatch_t *dpp;
	int chid = ChannelCreate(_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT | _NTO_CHF_COID_DISCONNECT);

	if (chid == -1)
		return NULL;
	dpp = dispatch_create_channel(chid, 0);
	if (dpp == NULL)
		ChannelDestroy(chid);
	return dpp;
}

int dispatch_destroy(dispatch_t *dpp)
{
	if (qnxhost_forked())
		return qnxhost_result(ENOSYS);
	if (dpp == NULL)
		return qnxhost_result(EINVAL);
	ChannelDestroy(dpp->chid); /* may be gone already */
	free(dpp);
	return 0;
}

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

unsigned delay(unsigned milliseconds)
{
	struct timespec t = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000}, left = {0, 0};

	if (nanosleep(&t, &left) == 0)
		return 0;
	return (unsigned)(left.tv_sec * 1000 + left.tv_nsec / 1000000);
}
