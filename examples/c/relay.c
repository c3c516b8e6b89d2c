/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A server that is a client of another one: the request goes on, the answer comes back.
 *
 * Prints:
 *
 *	1 became 20
 *	the second server ends
 *	1: ESRCH
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>

struct hop {
	int chid, next; /* the coid of the next one, or -1 */
};

static int connect_to(int chid)
{
	int coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);

	if (coid == -1) {
		perror("ConnectAttach");
		exit(EXIT_FAILURE);
	}
	return coid;
}

/* Serves until its channel is gone. */
static void *serve(void *arg)
{
	struct hop *hop = arg;
	int value, rcvid;

	while ((rcvid = MsgReceive(hop->chid, &value, sizeof value, NULL)) != -1) {
		if (hop->next == -1)
			value *= 10;
		else if (MsgSend(hop->next, &value, sizeof value, &value, sizeof value) == -1) {
			MsgError(rcvid, errno == EBADF ? ESRCH : errno);
			continue;
		} else
			value *= 2;
		MsgReply(rcvid, EOK, &value, sizeof value);
	}
	return NULL;
}

int main(void)
{
	struct hop first, second;
	pthread_t threads[2];
	int coid, value = 1;

	second.chid = ChannelCreate(0);
	second.next = -1;
	first.chid = ChannelCreate(0);
	first.next = connect_to(second.chid);
	coid = connect_to(first.chid);
	pthread_create(&threads[0], NULL, serve, &first);
	pthread_create(&threads[1], NULL, serve, &second);

	if (MsgSend(coid, &value, sizeof value, &value, sizeof value) == -1) {
		perror("MsgSend");
		return EXIT_FAILURE;
	}
	printf("1 became %d\n", value);
	ChannelDestroy(second.chid);
	pthread_join(threads[1], NULL);
	printf("the second server ends\n");
	if (MsgSend(coid, &value, sizeof value, NULL, 0) == -1)
		printf("1: %s\n", errno == ESRCH ? "ESRCH" : strerror(errno));
	ChannelDestroy(first.chid);
	pthread_join(threads[0], NULL);
	return EXIT_SUCCESS;
}
