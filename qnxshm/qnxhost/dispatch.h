/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What the C files about dispatching share. */
#ifndef QNXHOST_DISPATCH_H
#define QNXHOST_DISPATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/dispatch.h>

typedef int message_function(message_context_t *ctp, int code, unsigned flags, void *handle);

/* A range of messages' types, or of pulses' codes. */
struct handler {
	bool pulses;
	int low, high;
	message_function *function;
	void *handle;
	struct handler *next;
};

struct selector;

/* What contexts share with their dispatch, and keep when it has been destroyed: a loop may
   still wait. */
struct waits;

struct waits *qnxhost_make_waits(void);
void qnxhost_release_waits(struct waits *waits);

struct _dispatch {
	int chid;
	struct waits *waits;
	pthread_mutex_t begin;      /* of what is made when it is needed */
	int coid;                   /* to itself, or -1 */
	struct selector *selector;
	_Atomic int unblock_code;   /* of the pulse of dispatch_unblock, or -1 */
	pthread_mutex_t lock;       /* of what follows; taken after the other one */
	size_t msg_max_size;
	unsigned nparts_max;
	struct handler *handlers, *standard;
};

/* Sends a pulse to the dispatch itself, whose code it is given the first time: 0 or an
   errno. */
int qnxhost_pulse_self(dispatch_t *dpp, _Atomic int *code, message_function *function, long value);

/* Ends what select_attach has begun. */
void qnxhost_end_selector(struct selector *selector);

#endif
