/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Three threads receive on one channel, and three clients wait for all of them: none is
 * answered before the last has come.
 *
 * Prints:
 *
 *	3 clients were answered, by 3 threads
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/neutrino.h>

#define N 3

static int chid, coid;
static pthread_barrier_t all_have_one;

static void *server(void *arg)
{
	int *served = arg, rcvid;

	rcvid = MsgReceive(chid, NULL, 0, NULL);
	if (rcvid <= 0)
		return NULL;
	++*served;
	pthread_barrier_wait(&all_have_one);
	MsgReply(rcvid, EOK, NULL, 0);
	return NULL;
}

static void *client(void *arg)
{
	int *answered = arg;

	*answered = MsgSend(coid, NULL, 0, NULL, 0) == EOK;
	return NULL;
}

int main(void)
{
	pthread_t servers[N], clients[N];
	int served[N] = {0}, answered[N] = {0}, threads = 0, count = 0, i;

	chid = ChannelCreate(0);
	coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	if (chid == -1 || coid == -1) {
		perror("ChannelCreate, ConnectAttach");
		return EXIT_FAILURE;
	}
	pthread_barrier_init(&all_have_one, NULL, N);
	for (i = 0; i < N; i++) {
		pthread_create(&servers[i], NULL, server, &served[i]);
		pthread_create(&clients[i], NULL, client, &answered[i]);
	}
	for (i = 0; i < N; i++) {
		pthread_join(servers[i], NULL);
		pthread_join(clients[i], NULL);
		threads += served[i];
		count += answered[i];
	}
	pthread_barrier_destroy(&all_have_one);
	printf("%d clients were answered, by %d threads\n", count, threads);
	return EXIT_SUCCESS;
}
