/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Ends without an answer to a client that waits.
 *
 *	death_server [name]
 *
 * Prints, with death_client:
 *
 *	ready
 *	a request, and the end
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	name_attach_t *attach;
	union {
		uint16_t type;
		struct _pulse pulse;
	} msg;
	int rcvid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	attach = name_attach(NULL, argc > 1 ? argv[1] : "death", 0);
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
		if (rcvid > 0 && msg.type != _IO_CONNECT)
			break;
		if (rcvid > 0)
			MsgReply(rcvid, EOK, NULL, 0);
	}
	printf("a request, and the end\n");
	_exit(EXIT_SUCCESS);
}
