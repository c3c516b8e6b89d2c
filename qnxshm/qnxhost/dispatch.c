/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Dispatching: who receives from a channel hands each message and pulse to the function
 * that is attached for it. Channels and messages themselves are those of every program.
 */

#include <stdlib.h>

#include "dispatch.h"
#include "face.h"

/* The room for a message that nobody has asked more for. */
#define LEAST_ROOM 512

static dispatch_t *make(int chid)
{
	dispatch_t *dpp = calloc(1, sizeof *dpp);

	if (dpp == NULL || (dpp->waits = qnxhost_make_waits()) == NULL) {
		free(dpp);
		return NULL;
	}
	dpp->chid = chid;
	dpp->coid = dpp->unblock_code = -1;
	dpp->msg_max_size = LEAST_ROOM;
	pthread_mutex_init(&dpp->begin, NULL);
	pthread_mutex_init(&dpp->lock, NULL);
	return dpp;
}

dispatch_t *dispatch_create_channel(int chid, unsigned flags)
{
	dispatch_t *dpp;
	bool own = chid == -1;

	if (qnxhost_forked() || (flags & ~DISPATCH_FLAG_NOLOCK) != 0) {
		errno = qnxhost_forked() ? ENOSYS : EINVAL;
		return NULL;
	}
	if (own && (chid = ChannelCreate(_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT | _NTO_CHF_COID_DISCONNECT)) == -1)
		return NULL;
	dpp = make(chid);
	if (dpp == NULL && own)
		ChannelDestroy(chid);
	return dpp;
}

dispatch_t *dispatch_create(void)
{
	return dispatch_create_channel(-1, 0);
}

int dispatch_destroy(dispatch_t *dpp)
{
	struct handler *h;

	if (qnxhost_forked())
		return qnxhost_result(ENOSYS);
	if (dpp == NULL)
		return qnxhost_result(EINVAL);
	qnxhost_end_selector(dpp->selector);
	ChannelDestroy_r(dpp->chid); /* may be gone already */
	if (dpp->coid != -1)
		ConnectDetach_r(dpp->coid);
	while ((h = dpp->handlers)) {
		dpp->handlers = h->next;
		free(h);
	}
	free(dpp->standard);
	qnxhost_release_waits(dpp->waits);
	pthread_mutex_destroy(&dpp->begin);
	pthread_mutex_destroy(&dpp->lock);
	free(dpp);
	return 0;
}

/* The handler of a message's type or a pulse's code, with the lock. */
static struct handler **find(dispatch_t *dpp, bool pulses, int low, int high)
{
	struct handler **p;

	for (p = &dpp->handlers; *p; p = &(*p)->next)
		if ((*p)->pulses == pulses && (*p)->low <= high && low <= (*p)->high)
			break;
	return p;
}

/* Chooses a code that is free, from the end that programs do not begin at: -1 if none. */
static int free_code(dispatch_t *dpp)
{
	int code = _PULSE_CODE_MAXAVAIL;

	while (code >= _PULSE_CODE_MINAVAIL && *find(dpp, true, code, code))
		code--;
	return code;
}

static int attach_locked(dispatch_t *dpp, struct handler *h, unsigned flags)
{
	if (flags & MSG_FLAG_ALLOC_PULSE && (h->low = h->high = free_code(dpp)) == -1)
		return EAGAIN;
	if (flags & MSG_FLAG_DEFAULT_FUNC) {
		if (dpp->standard)
			return EINVAL;
		dpp->standard = h;
		return 0;
	}
	if (*find(dpp, h->pulses, h->low, h->high))
		return EINVAL;
	h->next = dpp->handlers;
	dpp->handlers = h;
	return 0;
}

/* Returns an errno. *low may be chosen here. */
static int attach(dispatch_t *dpp, unsigned flags, int *low, int high, message_function *function, void *handle)
{
	const unsigned pulses = MSG_FLAG_TYPE_PULSE | MSG_FLAG_ALLOC_PULSE;
	struct handler *h;
	int error;

	if (dpp == NULL || function == NULL || *low > high)
		return EINVAL;
	h = malloc(sizeof *h);
	if (h == NULL)
		return ENOMEM;
	*h = (struct handler){.pulses = flags & pulses, .low = *low, .high = high, .function = function, .handle = handle};
	pthread_mutex_lock(&dpp->lock);
	error = attach_locked(dpp, h, flags);
	*low = h->low;
	pthread_mutex_unlock(&dpp->lock);
	if (error)
		free(h);
	return error;
}

static int detach(dispatch_t *dpp, bool pulses, int low, int high)
{
	struct handler **p, *h;

	if (dpp == NULL)
		return qnxhost_result(EINVAL);
	pthread_mutex_lock(&dpp->lock);
	p = find(dpp, pulses, low, high);
	h = *p;
	if (h && (h->low != low || h->high != high))
		h = NULL;
	if (h)
		*p = h->next;
	pthread_mutex_unlock(&dpp->lock);
	free(h);
	return qnxhost_result(h ? 0 : EINVAL);
}

int message_attach(dispatch_t *dpp, message_attr_t *attr, int low, int high, message_function *function, void *handle)
{
	const unsigned flags = attr ? attr->flags : 0;
	int error = attach(dpp, flags, &low, high, function, handle);

	if (error == 0 && attr) {
		pthread_mutex_lock(&dpp->lock);
		if (attr->msg_max_size > dpp->msg_max_size)
			dpp->msg_max_size = attr->msg_max_size;
		if (attr->nparts_max > dpp->nparts_max)
			dpp->nparts_max = attr->nparts_max;
		pthread_mutex_unlock(&dpp->lock);
	}
	if (error)
		return qnxhost_result(error);
	return flags & MSG_FLAG_ALLOC_PULSE ? low : 0;
}

int message_detach(dispatch_t *dpp, int low, int high, int flags)
{
	return detach(dpp, flags & MSG_FLAG_TYPE_PULSE, low, high);
}

int pulse_attach(dispatch_t *dpp, int flags, int code, message_function *function, void *handle)
{
	int error = EINVAL;

	if (flags & MSG_FLAG_ALLOC_PULSE || (code >= INT8_MIN && code <= INT8_MAX))
		error = attach(dpp, (unsigned)flags | MSG_FLAG_TYPE_PULSE, &code, code, function, handle);
	return error ? qnxhost_result(error) : code;
}

int pulse_detach(dispatch_t *dpp, int code, int flags)
{
	(void)flags;
	return detach(dpp, true, code, code);
}

int message_connect(dispatch_t *dpp, int flags)
{
	if (dpp == NULL || (flags & ~MSG_FLAG_SIDE_CHANNEL) != 0)
		return qnxhost_result(EINVAL);
	return ConnectAttach(0, 0, dpp->chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC);
}

int qnxhost_pulse_self(dispatch_t *dpp, _Atomic int *code, message_function *function, long value)
{
	int error = 0, own = *code;

	pthread_mutex_lock(&dpp->begin);
	if (dpp->coid == -1 && (dpp->coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) == -1)
		error = errno;
	if (error == 0 && *code == -1) {
		error = attach(dpp, MSG_FLAG_TYPE_PULSE | MSG_FLAG_ALLOC_PULSE, &own, own, function, dpp);
		if (error == 0)
			*code = own;
	}
	pthread_mutex_unlock(&dpp->begin);
	return error ? error : -MsgSendPulse_r(dpp->coid, SIGEV_PULSE_PRIO_INHERIT, *code, value);
}

/* What nobody has asked for: a message is refused, and a client that has gone is let go. */
static int unhandled(message_context_t *ctp)
{
	if (ctp->rcvid != 0)
		MsgError_r(ctp->rcvid, ENOSYS);
	else if (ctp->msg->pulse.code == _PULSE_CODE_DISCONNECT)
		ConnectDetach_r(ctp->msg->pulse.scoid);
	return qnxhost_result(ctp->rcvid ? ENOSYS : 0);
}

int dispatch_handler(dispatch_context_t *ctp)
{
	message_context_t *m = &ctp->message_context;
	const bool pulse = m->rcvid == 0;
	const int code = pulse ? m->msg->pulse.code : m->msg->type;
	struct handler h = {0}, *found;

	if (m->rcvid == -1)
		return 0;
	pthread_mutex_lock(&m->dpp->lock);
	found = *find(m->dpp, pulse, code, code);
	if (found == NULL && (!pulse || code >= 0))
		found = m->dpp->standard;
	if (found)
		h = *found;
	pthread_mutex_unlock(&m->dpp->lock);
	if (h.function == NULL)
		return unhandled(m);
	h.function(m, code, 0, h.handle);
	return 0;
}
