/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#include "face.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_bool forked;

static void in_child(void)
{
	forked = true;
}

/* Go makes its threads with the mask that its first thread was made with. That
   happens in a constructor too: this one, being earlier, blocks what belongs to
   the program, and the last one gives the mask back. Faults stay, they cannot
   be blocked. */
static sigset_t programs_mask;

static void all_but_faults(sigset_t *set)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

	sigfillset(set);
	for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(set, faults[i]);
}

__attribute__((constructor(101))) static void block_programs_signals(void)
{
	sigset_t set;

	all_but_faults(&set);
	pthread_sigmask(SIG_BLOCK, &set, &programs_mask);
	pthread_atfork(NULL, NULL, in_child);
}

__attribute__((constructor(65535))) static void unblock_programs_signals(void)
{
	pthread_sigmask(SIG_SETMASK, &programs_mask, NULL);
}

bool qnxhost_enter(struct qnxhost_call *call)
{
	sigset_t set;

	if (forked)
		return false;
	all_but_faults(&set);
	pthread_sigmask(SIG_BLOCK, &set, &call->mask);
	return true;
}

void qnxhost_leave(struct qnxhost_call *call)
{
	int error = errno;

	pthread_sigmask(SIG_SETMASK, &call->mask, NULL);
	errno = error;
}
