/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A server that answers later, in another order: it keeps the rcvids.
 *
 * Prints:
 *
 *	all wait
 *	client 3 was answered
 *	client 2 was answered
 *	client 1 was answered
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/neutrino.h>

#define N 3

static int chid, coid;

static void *client(void *arg)
{
	int *number = arg;

	if (MsgSend(coid, number, sizeof *number, NULL, 0) != EOK)
		perror("MsgSend");
	printf("client %d was answered\n", *number);
	return NULL;
}

int main(void)
{
	pthread_t threads[N + 1];
	int numbers[N + 1], rcvids[N + 1], number, rcvid, i;

	chid = ChannelCreate(0);
	coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	if (chid == -1 || coid == -1) {
		perror("ChannelCreate, ConnectAttach");
		return EXIT_FAILURE;
	}
	for (i = 1; i <= N; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, client, &numbers[i]);
	}
	for (i = 1; i <= N; i++) {
		rcvid = MsgReceive(chid, &number, sizeof number, NULL);
		if (rcvid == -1) {
			perror("MsgReceive");
			return EXIT_FAILURE;
		}
		rcvids[number] = rcvid;
	}
	printf("all wait\n");
	for (i = N; i >= 1; i--) {
		MsgReply(rcvids[i], EOK, NULL, 0);
		pthread_join(threads[i], NULL);
	}
	return EXIT_SUCCESS;
}
