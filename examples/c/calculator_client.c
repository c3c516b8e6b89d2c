/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Asks calculator_server: replies, a status, and errors that the server chose.
 *
 *	calculator_client [name]
 *
 * Prints:
 *
 *	19 + 23 = 42
 *	17 / 5 = 3, rest 2
 *	1 / 0: EDOM
 *	another type: ENOSYS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/neutrino.h>

#include "calculator.h"

static int coid;

static long ask(uint16_t type, int a, int b, calc_reply_t *reply)
{
	calc_request_t request;

	memset(&request, 0, sizeof request);
	request.type = type;
	request.a = a;
	request.b = b;
	return MsgSend(coid, &request, sizeof request, reply, sizeof *reply);
}

int main(int argc, char **argv)
{
	calc_reply_t reply;
	long status;

	coid = name_open(argc > 1 ? argv[1] : "calculator", 0);
	if (coid == -1) {
		perror("name_open");
		return EXIT_FAILURE;
	}
	if (ask(CALC_ADD, 19, 23, &reply) == -1) {
		perror("MsgSend");
		return EXIT_FAILURE;
	}
	printf("19 + 23 = %d\n", (int)reply.result);
	status = ask(CALC_DIVIDE, 17, 5, &reply);
	printf("17 / 5 = %d, rest %ld\n", (int)reply.result, status);
	if (ask(CALC_DIVIDE, 1, 0, &reply) == -1)
		printf("1 / 0: %s\n", errno == EDOM ? "EDOM" : strerror(errno));
	if (ask(CALC_STOP, 0, 0, &reply) == -1)
		printf("another type: %s\n", errno == ENOSYS ? "ENOSYS" : strerror(errno));
	name_close(coid);
	return EXIT_SUCCESS;
}
