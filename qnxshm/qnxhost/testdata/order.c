/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Threads that order what they do by messages and pulses only. ThreadSanitizer is to
   see that; "race" is a fault that it is to find all the same. */
#define _GNU_SOURCE
#include "check.h"

static int chid, request, answer, told, raced;

static void *server(void *p)
{
	struct _pulse pulse;
	rcvid_t rcvid;
	int *where;

	MUST((rcvid = MsgReceive(chid, &where, sizeof where, NULL)) > 0);
	answer = *where + 1;
	MUST(MsgReply(rcvid, EOK, NULL, 0) == 0);
	MUST(MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == 0);
	++*(int *)pulse.value.sival_ptr;
	MUST((rcvid = MsgReceive(chid, &where, sizeof where, NULL)) > 0);
	told++;
	MUST(MsgError(rcvid, EPERM) == 0);
	return p;
}

static void in_order(void)
{
	int *where = &request;
	int coid;

	chid = channel(0);
	coid = attach(chid);
	pthread_t t = thread(server, NULL);
	request = 41;
	CHECK_EQUAL(MsgSend(coid, &where, sizeof where, NULL, 0), 0);
	CHECK_EQUAL(answer, 42);
	told = 6;
	CHECK_EQUAL(MsgSendPulsePtr(coid, 10, 1, &told), 0);
	CHECK_ERRNO(MsgSend(coid, &where, sizeof where, NULL, 0), EPERM);
	CHECK_EQUAL(told, 8);
	join(t);
}

static void *racer(void *p)
{
	raced++;
	return p;
}

static void race(void)
{
	pthread_t a, b;

	channel(0);
	a = thread(racer, NULL);
	b = thread(racer, NULL);
	join(a);
	join(b);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "race") == 0)
		race();
	else
		in_order();
	return result();
}
