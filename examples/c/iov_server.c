/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Receives the head of a message, then reads the rest to where it belongs, and answers
 * in two parts.
 *
 *	iov_server [name]
 *
 * Prints, with iov_client:
 *
 *	ready
 *	head: 11 bytes follow
 *	body: hello there
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>

typedef struct {
	uint16_t type;
	uint16_t bytes; /* that follow */
} head_t;

typedef union {
	struct _pulse pulse;
	head_t head;
} message_t;

static void answer(int rcvid, head_t head)
{
	char body[64];
	iov_t iov[2];

	printf("head: %d bytes follow\n", head.bytes);
	if (head.bytes >= sizeof body) {
		MsgError(rcvid, EMSGSIZE);
		return;
	}
	if (MsgRead(rcvid, body, head.bytes, sizeof head) != head.bytes) {
		MsgError(rcvid, EBADMSG);
		return;
	}
	body[head.bytes] = '\0';
	printf("body: %s\n", body);
	SETIOV(&iov[0], &head, sizeof head);
	SETIOV(&iov[1], "HELLO THERE", head.bytes);
	MsgReplyv(rcvid, EOK, iov, 2);
}

int main(int argc, char **argv)
{
	name_attach_t *attach;
	message_t msg;
	int rcvid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	attach = name_attach(NULL, argc > 1 ? argv[1] : "iov", 0);
	if (attach == NULL) {
		perror("name_attach");
		return EXIT_FAILURE;
	}
	printf("ready\n");
	for (;;) {
		rcvid = MsgReceive(attach->chid, &msg, sizeof msg, NULL);
		if (rcvid == -1) {
			perror("MsgReceive");
			return EXIT_FAILURE;
		}
		if (rcvid == 0 && msg.pulse.code == _PULSE_CODE_DISCONNECT)
			break;
		if (rcvid > 0 && msg.head.type == _IO_CONNECT)
			MsgReply(rcvid, EOK, NULL, 0);
		else if (rcvid > 0)
			answer(rcvid, msg.head);
	}
	name_detach(attach, 0);
	return EXIT_SUCCESS;
}
