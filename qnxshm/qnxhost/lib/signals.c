/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Signals belong to the program that has loaded the library. No thread of the Go
 * runtime may take one: sigwait would miss it, and a handler would run on a stack
 * that is too small for it.
 *
 * Go makes its threads with the mask that its first thread was made with, in a
 * constructor. The constructor before that blocks everything, the one after it
 * gives the program its mask back.
 *
 * A few signals the runtime unblocks all the same, in each thread that it makes
 * or takes in: SIGURG, with which it interrupts its own threads, and SIGSTKFLT,
 * SIGCHLD, SIGPROF and SIGRTMIN. One of them is the key: sent to the thread
 * beforehand, while it is blocked, it is delivered at that moment, and its handler
 * blocks them all again. The key is SIGURG, which does no harm should the program
 * reset all signals just then; SIGSTKFLT, which nobody uses, if the program
 * handles SIGURG itself.
 *
 * A signal that ends a process does so as soon as it is sent, if only one thread is
 * found open then, although the key is about to close that. So those of them for which
 * the program has no handler get one, which does what they mean without.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime.h"

#define HIDDEN __attribute__((visibility("hidden")))

void qnxhost_guard_thread(void) HIDDEN;

static sigset_t programs_mask, all_but_faults;
static struct sigaction runtimes; /* SIGURG */

static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static int (*action_of)(int, const struct sigaction *, struct sigaction *);

/* Of the same name in a library that comes before the system's: a sanitizer's, say. */
static void find_systems(void)
{
	/* Who watches threads must hear of the runtime's: it is to be theirs. */
	*(void **)&create = dlsym(RTLD_DEFAULT, "pthread_create");
	/* Who watches signals may run handlers later, with a copy of the context, in
	   which no mask can be changed: it is to be the system's. */
	*(void **)&action_of = dlsym(RTLD_NEXT, "sigaction");
}

static void block_again(int signal, siginfo_t *info, void *context)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t *mask = &((ucontext_t *)context)->uc_sigmask;

	if (info->si_code == SI_QUEUE && info->si_pid == getpid() && info->si_value.sival_ptr == &all_but_faults) {
		/* The kernel's, which has no more than one word; and no function, for a
		   sanitizer would watch what it does to this stack, where others run later. */
		mask->__val[0] |= all_but_faults.__val[0];
	} else if (signal != SIGURG) { /* what it means to a program without us */
		action_of(signal, &standard, NULL);
		pthread_kill(pthread_self(), signal);
	} else if (runtimes.sa_flags & SA_SIGINFO) {
		runtimes.sa_sigaction(signal, info, context);
	}
}

static bool handled_here(int signal)
{
	struct sigaction now;

	return action_of(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == block_again;
}

void qnxhost_guard_thread(void)
{
	static const int keys[] = {SIGURG, SIGSTKFLT};
	const union sigval value = {.sival_ptr = &all_but_faults};
	sigset_t key;

	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
		if (handled_here(keys[i])) {
			sigemptyset(&key);
			sigaddset(&key, keys[i]);
			pthread_sigmask(SIG_BLOCK, &key, NULL);
			pthread_sigqueue(pthread_self(), keys[i], value);
			return;
		}
}

struct start {
	void *(*routine)(void *);
	void *argument;
};

static void *guarded(void *p)
{
	struct start start = *(struct start *)p;

	free(p);
	qnxhost_guard_thread();
	return start.routine(start.argument);
}

static void handle(void)
{
	const int fatal[] = {SIGSTKFLT, SIGPROF, SIGRTMIN};
	struct sigaction action = {.sa_sigaction = block_again, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	struct sigaction old;

	sigfillset(&action.sa_mask); /* or others that wait are delivered before the handler has run */
	action_of(SIGURG, &action, &runtimes);
	for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++)
		if (action_of(fatal[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL)
			action_of(fatal[i], &action, NULL);
}

bool qnxhost_runtime_begins;

static void begin(void)
{
	handle();
	qnxhost_runtime_begins = true;
}

/* Inside the library only: every thread of the runtime is made by this. It has
   its handlers when it makes the first. */
HIDDEN int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
			  void *(*routine)(void *), void *restrict argument)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct start *start = malloc(sizeof *start);
	int error;

	if (start == NULL)
		return EAGAIN;
	pthread_once(&once, begin);
	*start = (struct start){routine, argument};
	error = create(thread, attributes, guarded, start);
	if (error)
		free(start);
	return error;
}

__attribute__((constructor(101))) static void block_programs_signals(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	sigset_t all;

	find_systems();
	sigfillset(&all);
	all_but_faults = all;
	for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&all_but_faults, faults[i]);
	pthread_sigmask(SIG_BLOCK, &all, &programs_mask);
}

__attribute__((constructor(65535))) static void unblock_programs_signals(void)
{
	pthread_sigmask(SIG_SETMASK, &programs_mask, NULL);
}
