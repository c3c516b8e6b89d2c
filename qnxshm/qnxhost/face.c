/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#include "face.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_bool forked;
static sigset_t all_but_faults;

static void in_child(void)
{
	forked = true;
}

__attribute__((constructor(101))) static void begin(void)
{
	/* A fault that is blocked ends the process. */
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

	sigfillset(&all_but_faults);
	for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&all_but_faults, faults[i]);
	pthread_atfork(NULL, NULL, in_child);
}

bool qnxhost_forked(void)
{
	return forked;
}

bool qnxhost_enter(struct qnxhost_call *call)
{
	static __thread bool guarded;

	if (forked)
		return false;
	qnxhost_take_timeout();
	call->error = errno;
	if (qnxhost_release)
		qnxhost_release();
	call->cancel = qnxhost_hold_cancel();
	pthread_sigmask(SIG_BLOCK, &all_but_faults, &call->mask);
	if (!guarded && qnxhost_guard_thread) {
		guarded = true;
		qnxhost_guard_thread();
	}
	return true;
}

void qnxhost_leave(struct qnxhost_call *call)
{
	pthread_sigmask(SIG_SETMASK, &call->mask, NULL);
	qnxhost_release_cancel(call->cancel);
	if (qnxhost_acquire)
		qnxhost_acquire();
	errno = call->error; /* the _r forms do not touch it */
}
