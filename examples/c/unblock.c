/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A client that does not want to wait any more, and a server that is asked about it.
 *
 * Prints:
 *
 *	server: the client wants to go
 *	client: EINTR
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>

static int chid;

static void *server(void *arg)
{
	struct _pulse pulse;
	int rcvid;

	rcvid = MsgReceive(chid, NULL, 0, NULL);
	if (rcvid == -1 || MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == -1) {
		perror("MsgReceive");
		exit(EXIT_FAILURE);
	}
	if (pulse.code == _PULSE_CODE_UNBLOCK && pulse.value.sival_int == rcvid)
		printf("server: the client wants to go\n");
	MsgError(rcvid, EINTR);
	return arg;
}

int main(void)
{
	const uint64_t patience = 50 * 1000000ULL;
	pthread_t thread;
	int coid, error;

	chid = ChannelCreate(_NTO_CHF_UNBLOCK);
	coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	if (chid == -1 || coid == -1) {
		perror("ChannelCreate, ConnectAttach");
		return EXIT_FAILURE;
	}
	pthread_create(&thread, NULL, server, NULL);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_REPLY, NULL, &patience, NULL);
	error = MsgSend(coid, NULL, 0, NULL, 0) == -1 ? errno : EOK;
	pthread_join(thread, NULL);
	printf("client: %s\n", error == EINTR ? "EINTR" : strerror(error));
	return EXIT_SUCCESS;
}
