/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Tells a client by the client's own event that there is something, without a
 * connection to it.
 *
 *	event_server [name]
 *
 * Prints, with event_client:
 *
 *	ready
 *	will tell
 *	told
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/neutrino.h>

#include "event.h"

typedef union {
	struct _pulse pulse;
	event_request_t request;
} message_t;

int main(int argc, char **argv)
{
	name_attach_t *attach;
	message_t msg;
	int rcvid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	attach = name_attach(NULL, argc > 1 ? argv[1] : "event", 0);
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
		if (rcvid == 0)
			continue;
		switch (msg.request.type) {
		case _IO_CONNECT:
			MsgReply(rcvid, EOK, NULL, 0);
			break;
		case EVENT_NOTIFY:
			printf("will tell\n");
			MsgReply(rcvid, EOK, NULL, 0);
			/* Later: the rcvid still names the client. */
			if (MsgDeliverEvent(rcvid, &msg.request.event) == -1) {
				perror("MsgDeliverEvent");
				return EXIT_FAILURE;
			}
			printf("told\n");
			break;
		default:
			MsgError(rcvid, ENOSYS);
		}
	}
	name_detach(attach, 0);
	return EXIT_SUCCESS;
}
