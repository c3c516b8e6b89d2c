/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* For programs that check many things: each fault is one line, and the exit
   status tells whether there were any. Define _GNU_SOURCE first. */
#ifndef CHECK_H
#define CHECK_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __cplusplus
#include <atomic>
using std::atomic_bool;
using std::atomic_int;
#else
#include <stdatomic.h>
#endif

#if _NTO_VERSION < 800
typedef int rcvid_t; /* a program for 7.1 has none */
#endif

static atomic_int faults;

static inline const char *errno_name(int error)
{
	const char *name = strerrorname_np(error);

	switch (error) {
	case 0:
		return "EOK";
	case ENOREMOTE:
		return "ENOREMOTE";
	case ESRVRFAULT:
		return "ESRVRFAULT";
	}
	return name ? name : "another errno";
}

/* Tells errno too, which says something when the condition is about a call. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			int error_ = errno; \
			faults++; \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, errno_name(error_)); \
		} \
	} while (0)

#define CHECK_EQUAL(got, want) \
	do { \
		errno = 0; \
		long got_ = (long)(got), want_ = (long)(want); \
		if (got_ != want_) { \
			int error_ = errno; \
			faults++; \
			fprintf(stderr, "%s:%d: %s is %ld, not %s = %ld (%s)\n", __FILE__, __LINE__, #got, got_, #want, want_, errno_name(error_)); \
		} \
	} while (0)

/* call returns -1, or NULL, and errno */
#define CHECK_ERRNO(call, want) \
	do { \
		errno = 0; \
		long got_ = (long)(call); \
		int error_ = errno; \
		if ((got_ != -1 && got_ != 0) || error_ != (want)) { \
			faults++; \
			fprintf(stderr, "%s:%d: %s is %ld with %s, not %s\n", __FILE__, __LINE__, #call, got_, errno_name(error_), #want); \
		} \
	} while (0)

/* What the rest cannot do without. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, errno_name(errno)); \
			exit(2); \
		} \
	} while (0)

static inline int result(void)
{
	if (faults)
		fprintf(stderr, "%d faults\n", (int)faults);
	return faults ? 1 : 0;
}

/* How many entries a directory has. */
static inline int count_in(const char *dir)
{
	struct dirent *e;
	int n = 0;
	DIR *d;

	MUST(d = opendir(dir));
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static inline pthread_t thread(void *(*function)(void *), void *argument)
{
	pthread_t t;

	MUST((errno = pthread_create(&t, NULL, function, argument)) == 0);
	return t;
}

static inline void *join(pthread_t t)
{
	void *value = NULL;

	MUST((errno = pthread_join(t, &value)) == 0);
	return value;
}

static inline int channel(unsigned flags)
{
	int chid;

	MUST((chid = ChannelCreate(flags)) != -1);
	return chid;
}

static inline int attach(int chid)
{
	int coid;

	MUST((coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0)) != -1);
	return coid;
}

/* A client is a thread in MsgSend. */
struct client {
	int coid;
	const char *msg;
	size_t bytes;
	char *reply;
	size_t room;
	const uint64_t *timeout; /* of both states */
	long status;
	int error;
	atomic_bool back;
	pthread_t thread;
};

static inline void *client_thread(void *p)
{
	struct client *c = (struct client *)p;

	if (c->timeout)
		TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, NULL, c->timeout, NULL);
	errno = 0;
	c->status = MsgSend(c->coid, c->msg, c->bytes, c->reply, c->room);
	c->error = errno;
	c->back = true;
	return NULL;
}

static inline void start_client(struct client *c)
{
	c->back = false;
	c->thread = thread(client_thread, c);
}

#endif
