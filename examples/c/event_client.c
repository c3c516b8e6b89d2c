/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Lets event_server tell it by a pulse on a channel of its own. The event is registered
 * first, so that no other server can deliver it.
 *
 *	event_client [name]
 *
 * Prints:
 *
 *	the server will tell
 *	told: 99
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/neutrino.h>

#include "event.h"

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	event_request_t request;
	struct _pulse pulse;
	int server, chid, self;

	server = name_open(argc > 1 ? argv[1] : "event", 0);
	if (server == -1)
		die("name_open");
	chid = ChannelCreate(_NTO_CHF_PRIVATE);
	self = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	if (chid == -1 || self == -1)
		die("ChannelCreate, ConnectAttach");

	memset(&request, 0, sizeof request);
	request.type = EVENT_NOTIFY;
	SIGEV_PULSE_INIT(&request.event, self, SIGEV_PULSE_PRIO_INHERIT, CODE_READY, 99);
	if (MsgRegisterEvent(&request.event, server) == -1)
		die("MsgRegisterEvent");
	if (MsgSend(server, &request, sizeof request, NULL, 0) == -1)
		die("MsgSend");
	printf("the server will tell\n");
	if (MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == -1)
		die("MsgReceivePulse");
	if (pulse.code == CODE_READY)
		printf("told: %d\n", pulse.value.sival_int);
	MsgUnregisterEvent(&request.event);
	name_close(server);
	return EXIT_SUCCESS;
}
