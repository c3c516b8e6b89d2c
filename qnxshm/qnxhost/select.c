/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Descriptors that a dispatch waits for. A thread of each dispatch that has some polls
 * them, and sends the dispatch a pulse for one that is ready. That is not polled again
 * before its function has returned, or was left.
 */

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dispatch.h"
#include "face.h"

typedef int select_function(select_context_t *ctp, int fd, unsigned flags, void *handle);

enum { MOST = 256 };

struct entry {
	int fd;
	unsigned long attached; /* tells it from another one of the same descriptor */
	unsigned flags;
	bool armed, again;
	short ready;
	select_function *function;
	void *handle;
};

struct selector {
	dispatch_t *dpp;
	pthread_t thread;
	pthread_mutex_t lock;
	int wake; /* an eventfd: what follows has changed */
	bool ending;
	_Atomic int code;
	unsigned long attached; /* counts */
	unsigned count;
	struct entry entries[MOST];
};

static void wake(struct selector *s)
{
	const int cancel = qnxhost_hold_cancel();

	eventfd_write(s->wake, 1);
	qnxhost_release_cancel(cancel);
}

static struct entry *find(struct selector *s, int fd)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->entries[i].fd == fd)
			return &s->entries[i];
	return NULL;
}

static short events_of(unsigned flags)
{
	return (short)((flags & SELECT_FLAG_READ ? POLLIN : 0) | (flags & SELECT_FLAG_WRITE ? POLLOUT : 0) |
		       (flags & SELECT_FLAG_EXCEPT ? POLLPRI : 0));
}

/* An error or an end is for who reads to see, or writes. */
static unsigned flags_of(unsigned wanted, short events)
{
	unsigned flags = 0;

	if (events & (POLLERR | POLLHUP | POLLNVAL))
		events |= events_of(wanted);
	if (events & POLLIN)
		flags |= SELECT_FLAG_READ;
	if (events & POLLOUT)
		flags |= SELECT_FLAG_WRITE;
	if (events & POLLPRI)
		flags |= SELECT_FLAG_EXCEPT;
	return flags & wanted;
}

/* What a function is called for. */
struct called {
	struct selector *selector;
	int fd;
	unsigned long attached;
};

/* It has returned, or was left by an exception or the end of its thread. */
static void rearm(void *p)
{
	const struct called *called = p;
	struct selector *s = called->selector;
	struct entry *e;

	pthread_mutex_lock(&s->lock);
	e = find(s, called->fd);
	if (e && e->attached == called->attached) {
		e->ready = 0;
		e->armed = e->again;
	}
	pthread_mutex_unlock(&s->lock);
	wake(s);
}

/* The handler of the pulses, which name the descriptor. */
static int call(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	struct selector *s = ((dispatch_t *)handle)->selector;
	const int fd = ctp->msg->pulse.value.sival_int;
	select_context_t context = {.dpp = handle, .fd = fd};
	struct called called = {.selector = s, .fd = fd};
	struct entry *found, entry = {0};

	(void)code, (void)flags;
	pthread_mutex_lock(&s->lock);
	found = find(s, fd);
	if (found)
		entry = *found;
	pthread_mutex_unlock(&s->lock);
	if (found == NULL || !entry.ready)
		return 0; /* detached meanwhile */
	context.flags = (int)flags_of(entry.flags, entry.ready);
	called.attached = entry.attached;
	pthread_cleanup_push(rearm, &called);
	entry.function(&context, fd, (unsigned)context.flags, entry.handle);
	pthread_cleanup_pop(1);
	return 0;
}

/* Marks those that are ready, and returns how many descriptors pulses are for. */
static unsigned ready(struct selector *s, const struct pollfd *polled, unsigned n, int *fds)
{
	unsigned count = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 1; i < n; i++) {
		struct entry *e = polled[i].revents ? find(s, polled[i].fd) : NULL;

		if (e && e->armed) {
			e->armed = false;
			e->ready = polled[i].revents;
			fds[count++] = e->fd;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return count;
}

/* When there is no room for a pulse there will be soon. */
static void poll_again(struct selector *s, int fd)
{
	struct entry *e;

	delay(1);
	pthread_mutex_lock(&s->lock);
	e = find(s, fd);
	if (e)
		e->armed = true;
	pthread_mutex_unlock(&s->lock);
}

static void *poll_all(void *p)
{
	struct selector *s = p;
	struct pollfd polled[MOST + 1];
	int fds[MOST];
	eventfd_t ignored;
	unsigned n;

	for (;;) {
		polled[0] = (struct pollfd){s->wake, POLLIN, 0};
		pthread_mutex_lock(&s->lock);
		if (s->ending) {
			pthread_mutex_unlock(&s->lock);
			return NULL;
		}
		n = 1;
		for (unsigned i = 0; i < s->count; i++)
			if (s->entries[i].armed)
				polled[n++] = (struct pollfd){s->entries[i].fd, events_of(s->entries[i].flags), 0};
		pthread_mutex_unlock(&s->lock);
		if (poll(polled, n, -1) <= 0)
			continue;
		if (polled[0].revents)
			eventfd_read(s->wake, &ignored);
		n = ready(s, polled, n, fds);
		for (unsigned i = 0; i < n; i++) {
			int error = qnxhost_pulse_self(s->dpp, &s->code, call, fds[i]);

			if (error == EAGAIN)
				poll_again(s, fds[i]);
			else if (error)
				return NULL; /* the channel has gone */
		}
	}
}

/* Where the library's other descriptors are: the low ones are the program's to count and
   to close. */
static int high(int fd)
{
	enum { FIRST_HIGH = 512 };
	const int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_HIGH);

	if (moved == -1)
		return fd; /* the limit is lower */
	close(fd);
	return moved;
}

static struct selector *begin(dispatch_t *dpp)
{
	struct selector *s = calloc(1, sizeof *s);
	sigset_t all, mask;
	int error;

	if (s == NULL)
		return NULL;
	s->dpp = dpp;
	s->code = -1;
	pthread_mutex_init(&s->lock, NULL);
	s->wake = eventfd(0, EFD_CLOEXEC);
	if (s->wake != -1)
		s->wake = high(s->wake);
	sigfillset(&all); /* signals are for the program's threads */
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	error = s->wake == -1 ? errno : qnxhost_create_thread(&s->thread, NULL, poll_all, s);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (error == 0)
		return s;
	if (s->wake != -1)
		close(s->wake);
	free(s);
	errno = error;
	return NULL;
}

void qnxhost_end_selector(struct selector *s)
{
	int cancel;

	if (s == NULL)
		return;
	cancel = qnxhost_hold_cancel();
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_mutex_unlock(&s->lock);
	wake(s);
	pthread_join(s->thread, NULL);
	close(s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
	qnxhost_release_cancel(cancel);
}

static struct selector *selector_of(dispatch_t *dpp)
{
	const int cancel = qnxhost_hold_cancel();

	pthread_mutex_lock(&dpp->begin);
	if (dpp->selector == NULL)
		dpp->selector = begin(dpp);
	pthread_mutex_unlock(&dpp->begin);
	qnxhost_release_cancel(cancel);
	return dpp->selector;
}

int select_attach(void *dispatch, select_attr_t *attr, int fd, unsigned flags, select_function *function, void *handle)
{
	const unsigned conditions = SELECT_FLAG_READ | SELECT_FLAG_WRITE | SELECT_FLAG_EXCEPT;
	const unsigned how = attr ? attr->flags | flags : flags;
	struct selector *s;
	int error = 0;

	if (dispatch == NULL || function == NULL || (flags & conditions) == 0)
		return qnxhost_result(EINVAL);
	if (fcntl(fd, F_GETFD) == -1)
		return -1;
	s = selector_of(dispatch);
	if (s == NULL)
		return -1;
	pthread_mutex_lock(&s->lock);
	if (find(s, fd))
		error = EBUSY;
	else if (s->count == MOST)
		error = ENOMEM;
	else
		s->entries[s->count++] = (struct entry){.fd = fd, .attached = ++s->attached, .flags = flags & conditions, .armed = true,
			.again = !(how & SELECT_FLAG_NOREARM), .function = function, .handle = handle};
	pthread_mutex_unlock(&s->lock);
	wake(s);
	return qnxhost_result(error);
}

int select_detach(void *dispatch, int fd)
{
	struct selector *s = dispatch ? ((dispatch_t *)dispatch)->selector : NULL;
	struct entry *e;

	if (s == NULL)
		return qnxhost_result(EINVAL);
	pthread_mutex_lock(&s->lock);
	e = find(s, fd);
	if (e)
		*e = s->entries[--s->count];
	pthread_mutex_unlock(&s->lock);
	wake(s);
	return qnxhost_result(e ? 0 : EINVAL);
}

int select_query(select_context_t *ctp, int *fd, unsigned *flags, select_function **function, void **handle)
{
	struct selector *s = ((dispatch_t *)ctp->dpp)->selector;
	struct entry *e, entry;

	pthread_mutex_lock(&s->lock);
	e = find(s, ctp->fd);
	if (e)
		entry = *e;
	pthread_mutex_unlock(&s->lock);
	if (e == NULL)
		return qnxhost_result(EINVAL);
	if (fd)
		*fd = ctp->fd;
	if (flags)
		*flags = (unsigned)ctp->flags;
	if (function)
		*function = entry.function;
	if (handle)
		*handle = entry.handle;
	return 0;
}
