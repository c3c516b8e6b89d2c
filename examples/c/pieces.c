/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A server reads a message in two pieces, and writes the reply in pieces before it lets
 * the client go.
 *
 * Prints:
 *
 *	server: 4 bytes of 10, then 6
 *	client: ABCDEFGHIJ
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/neutrino.h>

static int chid;

static void *server(void *arg)
{
	struct _msg_info info;
	char text[11];
	long rest;
	int rcvid, i;

	rcvid = MsgReceive(chid, text, 4, &info);
	rest = MsgRead(rcvid, text + 4, 6, 4);
	if (rcvid == -1 || rest == -1) {
		perror("MsgReceive, MsgRead");
		exit(EXIT_FAILURE);
	}
	printf("server: %d bytes of %d, then %ld\n", (int)info.msglen, (int)info.srcmsglen, rest);
	for (i = 0; i < 10; i++)
		text[i] = (char)(text[i] - 'a' + 'A');
	MsgWrite(rcvid, text + 5, 5, 5);
	MsgWrite(rcvid, text, 5, 0);
	MsgReply(rcvid, EOK, NULL, 0);
	return arg;
}

int main(void)
{
	char text[11] = "abcdefghij";
	pthread_t thread;
	int coid;

	/* Ask for the whole length, not only for what is received. */
	chid = ChannelCreate(_NTO_CHF_SENDER_LEN);
	coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	if (chid == -1 || coid == -1) {
		perror("ChannelCreate, ConnectAttach");
		return EXIT_FAILURE;
	}
	pthread_create(&thread, NULL, server, NULL);
	if (MsgSend(coid, text, 10, text, 10) == -1) {
		perror("MsgSend");
		return EXIT_FAILURE;
	}
	pthread_join(thread, NULL);
	printf("client: %s\n", text);
	return EXIT_SUCCESS;
}
