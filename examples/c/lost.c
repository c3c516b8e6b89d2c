/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A pulse tells a client that a server has gone, before it sends again.
 *
 * Prints:
 *
 *	the server of the connection has gone
 *	MsgSend: EBADF
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>

static int server_chid;

static void *end_server(void *arg)
{
	ChannelDestroy(server_chid);
	return arg;
}

int main(void)
{
	struct _pulse pulse;
	pthread_t thread;
	int chid, coid;

	/* The process gets the pulse on any channel that asks for it. */
	chid = ChannelCreate(_NTO_CHF_COID_DISCONNECT);
	server_chid = ChannelCreate(0);
	coid = ConnectAttach(0, 0, server_chid, _NTO_SIDE_CHANNEL, 0);
	if (chid == -1 || server_chid == -1 || coid == -1) {
		perror("ChannelCreate, ConnectAttach");
		return EXIT_FAILURE;
	}
	pthread_create(&thread, NULL, end_server, NULL);
	if (MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == -1) {
		perror("MsgReceivePulse");
		return EXIT_FAILURE;
	}
	pthread_join(thread, NULL);
	if (pulse.code == _PULSE_CODE_COIDDEATH && pulse.value.sival_int == coid)
		printf("the server of the connection has gone\n");
	if (MsgSend(coid, NULL, 0, NULL, 0) == -1)
		printf("MsgSend: %s\n", errno == EBADF ? "EBADF" : strerror(errno));
	ConnectDetach(coid);
	return EXIT_SUCCESS;
}
