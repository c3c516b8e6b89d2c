/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* The rules of the ledger that only programs in C can meet, each with a function by the
   rule's id. They are C and C++, for 7.1 and 8.0. */
#ifndef RULES_H
#define RULES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "check.h"

struct rule {
	const char *id;
	void (*holds)(void);
};

/* Each ends with an empty one. */
extern const struct rule timeout_rules[], channel_rules[], death_rules[], answer_rules[], wait_rules[], event_rules[], dispatch_rules[];

#define MS 1000000ULL

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Receives, for so long: the id, or -1. */
static inline int receive_for(int chid, void *b, size_t n, uint64_t ns)
{
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL);
	return (int)MsgReceive(chid, b, n, NULL);
}

/* The id of a message that comes soon. */
static inline int message_of(int chid)
{
	char b[100];
	int rcvid;

	MUST((rcvid = receive_for(chid, b, sizeof b, 20000 * MS)) > 0);
	return rcvid;
}

static inline struct _pulse pulse_of(int chid)
{
	struct _pulse p;

	memset(&p, 0, sizeof p);
	MUST(receive_for(chid, &p, sizeof p, 20000 * MS) == 0);
	return p;
}

#define NOTHING_COMES(chid) \
	do { \
		char nothing_[100]; \
		CHECK_ERRNO(receive_for(chid, nothing_, sizeof nothing_, 50 * MS), ETIMEDOUT); \
	} while (0)

/* A client is a thread in MsgSend, with a timeout for some states. */
struct sender {
	int coid;
	unsigned states;
	uint64_t ns;
	int priority; /* 0: as it is */
	long status;
	int error;
	double ended;
	atomic_int tid;
	atomic_bool back;
	pthread_t thread;
};

static inline void *sender_thread(void *p)
{
	struct sender *s = (struct sender *)p;

	if (s->priority)
		setprio(0, s->priority);
	s->tid = (int)syscall(SYS_gettid);
	if (s->states)
		TimerTimeout(CLOCK_MONOTONIC, s->states, NULL, s->ns ? &s->ns : NULL, NULL);
	errno = 0;
	s->status = MsgSend(s->coid, "q", 1, NULL, 0);
	s->error = errno;
	s->ended = now();
	s->back = true;
	return NULL;
}

static inline void start_sender(struct sender *s, int coid, unsigned states, uint64_t ns)
{
	s->coid = coid;
	s->states = states;
	s->ns = ns;
	s->tid = 0;
	s->back = false;
	s->thread = thread(sender_thread, s);
}

/* Reports whether a thread sleeps in a call that waits, with its message sent. */
static inline bool is_asleep(const atomic_int *tid)
{
	char path[60], line[100];
	bool asleep;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)*tid);
	f = *tid ? fopen(path, "r") : NULL;
	asleep = f && fgets(line, sizeof line, f) && atoi(line) == SYS_ppoll;
	if (f)
		fclose(f);
	return asleep;
}

static inline void until_asleep(const atomic_int *tid)
{
	while (!is_asleep(tid))
		delay(1);
}

/* Receives the message of a client with a timeout, which may be over before. */
static inline int receive_from(struct sender *s, int chid, int coid, unsigned states, uint64_t ns)
{
	char b[100];
	int rcvid;

	for (;;) {
		start_sender(s, coid, states, ns);
		do
			rcvid = receive_for(chid, b, sizeof b, 5 * MS);
		while (rcvid == -1 && !s->back);
		if (rcvid > 0)
			return rcvid;
		join(s->thread);
	}
}

/* The client comes back with a status. */
static inline void answered(struct sender *s, int rcvid, long status)
{
	CHECK(MsgReply(rcvid, status, NULL, 0) == 0);
	join(s->thread);
	CHECK_EQUAL(s->status, status);
}

/* The client comes back with an errno. */
static inline void failed(struct sender *s, int error)
{
	join(s->thread);
	CHECK_EQUAL(s->status, -1);
	if (s->error != error) {
		faults++;
		fprintf(stderr, "MsgSend failed with %s, not %s\n", errno_name(s->error), errno_name(error));
	}
}

#endif
