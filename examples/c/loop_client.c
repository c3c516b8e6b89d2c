/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Asks loop_server, then stops it by a pulse.
 *
 *	loop_client [name]
 *
 * Prints:
 *
 *	the value is 7
 *	what nobody handles: ENOSYS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>

#include "loop.h"

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	loop_request_t request;
	int coid, value = 0;

	coid = name_open(argc > 1 ? argv[1] : "loop", 0);
	if (coid == -1)
		die("name_open");
	memset(&request, 0, sizeof request);
	request.type = LOOP_SET;
	request.value = 7;
	if (MsgSend(coid, &request, sizeof request, NULL, 0) == -1)
		die("MsgSend");
	request.type = LOOP_GET;
	if (MsgSend(coid, &request, sizeof request, &value, sizeof value) == -1)
		die("MsgSend");
	printf("the value is %d\n", value);
	request.type = _IO_MAX + 100;
	if (MsgSend(coid, &request, sizeof request, NULL, 0) == -1)
		printf("what nobody handles: %s\n", errno == ENOSYS ? "ENOSYS" : strerror(errno));
	if (MsgSendPulse(coid, SIGEV_PULSE_PRIO_INHERIT, LOOP_STOP, 0) == -1)
		die("MsgSendPulse");
	name_close(coid);
	return EXIT_SUCCESS;
}
