/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A dispatch loop: functions for ranges of message types and for pulse codes.
 *
 *	loop_server [name]
 *
 * Prints, with loop_client:
 *
 *	ready
 *	set to 7
 *	asked
 *	told to stop
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/neutrino.h>

#include "loop.h"

static int value, stop;

static int on_set(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	const loop_request_t *request = (const loop_request_t *)ctp->msg;

	(void)code;
	(void)flags;
	*(int *)handle = request->value;
	printf("set to %d\n", request->value);
	MsgReply(ctp->rcvid, EOK, NULL, 0);
	return 0;
}

static int on_get(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	(void)code;
	(void)flags;
	printf("asked\n");
	MsgReply(ctp->rcvid, EOK, handle, sizeof value);
	return 0;
}

static int on_stop(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	(void)ctp;
	(void)code;
	(void)flags;
	(void)handle;
	printf("told to stop\n");
	stop = 1;
	return 0;
}

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	dispatch_t *dpp;
	dispatch_context_t *ctp, *got;
	name_attach_t *attach;

	setvbuf(stdout, NULL, _IOLBF, 0);
	dpp = dispatch_create_channel(-1, 0);
	if (dpp == NULL)
		die("dispatch_create_channel");
	if (message_attach(dpp, NULL, LOOP_SET, LOOP_SET, on_set, &value) == -1 ||
	    message_attach(dpp, NULL, LOOP_GET, LOOP_GET, on_get, &value) == -1)
		die("message_attach");
	if (pulse_attach(dpp, 0, LOOP_STOP, on_stop, NULL) == -1)
		die("pulse_attach");
	attach = name_attach(dpp, argc > 1 ? argv[1] : "loop", 0);
	if (attach == NULL)
		die("name_attach");
	ctp = dispatch_context_alloc(dpp);
	if (ctp == NULL)
		die("dispatch_context_alloc");
	printf("ready\n");
	while (!stop) {
		got = dispatch_block(ctp);
		if (got == NULL)
			die("dispatch_block");
		ctp = got;
		dispatch_handler(ctp);
	}
	dispatch_context_free(ctp);
	name_detach(attach, 0);
	return EXIT_SUCCESS;
}
