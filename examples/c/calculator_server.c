/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A server with a name, in the usual form: one loop, pulses apart, messages by type.
 *
 *	calculator_server [name]
 *
 * Prints, with calculator_client:
 *
 *	ready
 *	a client has gone
 *	stopped
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/neutrino.h>

#include "calculator.h"

typedef union {
	struct _pulse pulse;
	calc_request_t request;
} message_t;

static void answer(int rcvid, const calc_request_t *request)
{
	calc_reply_t reply;

	switch (request->type) {
	case CALC_ADD:
		reply.result = request->a + request->b;
		MsgReply(rcvid, EOK, &reply, sizeof reply);
		break;
	case CALC_DIVIDE:
		if (request->b == 0) {
			MsgError(rcvid, EDOM);
			break;
		}
		reply.result = request->a / request->b;
		MsgReply(rcvid, request->a % request->b, &reply, sizeof reply); /* the rest as status */
		break;
	case _IO_CONNECT: /* may come from name_open */
		MsgReply(rcvid, EOK, NULL, 0);
		break;
	default:
		MsgError(rcvid, ENOSYS);
	}
}

int main(int argc, char **argv)
{
	name_attach_t *attach;
	message_t msg;
	int rcvid, stop = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	attach = name_attach(NULL, argc > 1 ? argv[1] : "calculator", 0);
	if (attach == NULL) {
		perror("name_attach");
		return EXIT_FAILURE;
	}
	printf("ready\n");
	while (!stop) {
		rcvid = MsgReceive(attach->chid, &msg, sizeof msg, NULL);
		if (rcvid == -1) {
			perror("MsgReceive");
			return EXIT_FAILURE;
		}
		if (rcvid == 0) {
			if (msg.pulse.code == _PULSE_CODE_DISCONNECT) {
				ConnectDetach(msg.pulse.scoid);
				printf("a client has gone\n");
				stop = 1;
			}
		} else {
			answer(rcvid, &msg.request);
		}
	}
	name_detach(attach, 0);
	printf("stopped\n");
	return EXIT_SUCCESS;
}
