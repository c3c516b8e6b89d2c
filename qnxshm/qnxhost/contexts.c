/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * The contexts of a dispatch: threads wait with them for what is to be handled, until
 * they are unblocked or the dispatch's timeout ends.
 */

#include <stddef.h>
#include <stdlib.h>

#include "dispatch.h"
#include "face.h"

/* A context that programs know by the address of its public part, and what is behind
   that: parts, and the message. */
struct context {
	int chid;
	struct waits *waits;
	bool waiting;         /* with the lock of waits, as what follows */
	unsigned unblocks;    /* for this one, whose pulses are on their way */
	unsigned passed_on;   /* how often others have got one of these while it did not wait */
	struct context *next;
	size_t msg_max_size;
	dispatch_context_t public;
};

struct waits {
	pthread_mutex_t lock; /* of what follows */
	unsigned users;
	int64_t nanoseconds;  /* the timeout, or -1 */
	unsigned stale;       /* pulses of unblocks that need them no more */
	struct context *contexts;
};

struct waits *qnxhost_make_waits(void)
{
	struct waits *w = calloc(1, sizeof *w);

	if (w) {
		pthread_mutex_init(&w->lock, NULL);
		w->users = 1;
		w->nanoseconds = -1;
	}
	return w;
}

void qnxhost_release_waits(struct waits *w)
{
	bool last;

	pthread_mutex_lock(&w->lock);
	last = --w->users == 0;
	pthread_mutex_unlock(&w->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static struct context *context_of(dispatch_context_t *ctp)
{
	return (struct context *)((char *)ctp - offsetof(struct context, public));
}

dispatch_context_t *dispatch_context_alloc(dispatch_t *dpp)
{
	struct context *c;
	dispatch_context_t *public;
	size_t parts, room;

	if (dpp == NULL) {
		errno = EINVAL;
		return NULL;
	}
	pthread_mutex_lock(&dpp->lock);
	parts = dpp->nparts_max;
	room = dpp->msg_max_size;
	pthread_mutex_unlock(&dpp->lock);
	if (parts > (SIZE_MAX / 2 - sizeof *c) / sizeof(iov_t) || room > SIZE_MAX / 2) {
		errno = ENOMEM;
		return NULL;
	}
	c = calloc(1, sizeof *c + parts * sizeof(iov_t) + room);
	if (c == NULL)
		return NULL;
	c->chid = dpp->chid;
	c->msg_max_size = room;
	c->waits = dpp->waits;
	pthread_mutex_lock(&c->waits->lock);
	c->waits->users++;
	c->next = c->waits->contexts;
	c->waits->contexts = c;
	pthread_mutex_unlock(&c->waits->lock);
	public = &c->public;
	public->message_context.dpp = dpp;
	public->message_context.msg_max_size = room;
	public->message_context.msg = (resmgr_iomsgs_t *)((char *)(c + 1) + parts * sizeof(iov_t));
	return public;
}

void dispatch_context_free(dispatch_context_t *ctp)
{
	struct context *c, **p;
	struct waits *w;

	if (ctp == NULL)
		return;
	c = context_of(ctp);
	w = c->waits;
	pthread_mutex_lock(&w->lock);
	for (p = &w->contexts; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	w->stale += c->unblocks;
	pthread_mutex_unlock(&w->lock);
	qnxhost_release_waits(w);
	free(c);
}

int dispatch_timeout(dispatch_t *dpp, struct timespec *reltime)
{
	if (dpp == NULL || (reltime && (reltime->tv_sec < 0 || reltime->tv_nsec < 0 || reltime->tv_nsec > 999999999)))
		return qnxhost_result(EINVAL);
	pthread_mutex_lock(&dpp->waits->lock);
	dpp->waits->nanoseconds = reltime ? qnxhost_nanoseconds(reltime) : -1;
	pthread_mutex_unlock(&dpp->waits->lock);
	return 0;
}

/* Begins a wait, unless the context has been unblocked already. Its timeout is that of
   the dispatch, or negative: one that the program has armed itself goes before it. */
static bool begin(struct context *c, int64_t *timeout)
{
	struct waits *w = c->waits;
	bool may;

	pthread_mutex_lock(&w->lock);
	may = c->unblocks == 0;
	if (may) {
		c->waiting = true;
	} else {
		c->unblocks--;
		c->passed_on = 0;
		w->stale++;
	}
	*timeout = qnxhost_timeout_armed() ? -1 : w->nanoseconds;
	pthread_mutex_unlock(&w->lock);
	return may;
}

static void end(void *p)
{
	struct context *c = p;

	pthread_mutex_lock(&c->waits->lock);
	c->waiting = false;
	pthread_mutex_unlock(&c->waits->lock);
}

enum outcome { ITS_OWN, ANOTHERS, NOBODYS };

/* Whose is a pulse that this context has got? Of one that does not wait any thread may
   take it, but not at once: its thread may be about to wait. */
static enum outcome whose(struct context *c)
{
	const unsigned patience = 100; /* milliseconds, as receive delays */
	struct waits *w = c->waits;
	enum outcome outcome = NOBODYS;
	struct context *idle = NULL, *other;

	pthread_mutex_lock(&w->lock);
	for (other = w->contexts; other && outcome == NOBODYS; other = other->next) {
		if (other->unblocks && other != c && other->waiting && c->unblocks == 0)
			outcome = ANOTHERS;
		else if (other->unblocks && !other->waiting)
			idle = other;
	}
	if (c->unblocks)
		idle = c;
	if (w->stale > 0 && idle != c) {
		w->stale--;
		outcome = NOBODYS;
	} else if (outcome == NOBODYS && idle && idle != c && idle->passed_on < patience) {
		idle->passed_on++;
		outcome = ANOTHERS;
	} else if (outcome == NOBODYS && idle) {
		idle->unblocks--;
		idle->passed_on = 0;
		outcome = ITS_OWN;
	}
	pthread_mutex_unlock(&w->lock);
	return outcome;
}

static int nothing(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	(void)ctp, (void)code, (void)flags, (void)handle;
	return 0;
}

void dispatch_unblock(dispatch_context_t *ctp)
{
	struct context *c = context_of(ctp);
	dispatch_t *dpp = ctp->message_context.dpp;

	pthread_mutex_lock(&c->waits->lock);
	c->unblocks++;
	pthread_mutex_unlock(&c->waits->lock);
	if (qnxhost_pulse_self(dpp, &dpp->unblock_code, nothing, 0) == 0)
		return;
	pthread_mutex_lock(&c->waits->lock);
	if (c->unblocks)
		c->unblocks--;
	pthread_mutex_unlock(&c->waits->lock);
}

/* Receives: a negative errno, EINTR for who is unblocked. */
static qnxhost_rcvid_t receive(struct context *c, int64_t timeout)
{
	message_context_t *m = &c->public.message_context;
	const uint64_t ns = timeout < 0 ? 0 : (uint64_t)timeout;
	qnxhost_rcvid_t rcvid;

	for (;;) {
		if (timeout >= 0)
			TimerTimeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL);
		m->msg->type = 0; /* for a message that has none */
		rcvid = MsgReceive_r(c->chid, m->msg, c->msg_max_size, &m->info);
		if (rcvid != 0 || m->dpp->unblock_code == -1 || m->msg->pulse.code != m->dpp->unblock_code)
			return rcvid;
		switch (whose(c)) {
		case ITS_OWN:
			return -EINTR;
		case ANOTHERS: /* which waits, or soon will, while this one does not */
			qnxhost_pulse_self(m->dpp, &m->dpp->unblock_code, nothing, 0);
			delay(1);
			break;
		case NOBODYS:
			break;
		}
	}
}

dispatch_context_t *dispatch_block(dispatch_context_t *ctp)
{
	struct context *c = context_of(ctp);
	qnxhost_rcvid_t rcvid = -EINTR;
	int64_t timeout;

	if (begin(c, &timeout)) {
		pthread_cleanup_push(end, c); /* it may be cancelled */
		rcvid = receive(c, timeout);
		pthread_cleanup_pop(1);
	}
	if (rcvid == -ETIMEDOUT && timeout >= 0)
		rcvid = -1;
	else if (rcvid < 0) {
		errno = (int)-rcvid;
		return NULL;
	}
	ctp->message_context.rcvid = rcvid;
	return ctp;
}
