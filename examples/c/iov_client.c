/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Sends a message whose parts lie in different places, and gets the reply in parts.
 *
 *	iov_client [name]
 *
 * Prints:
 *
 *	11 bytes: HELLO THERE
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
	uint16_t bytes;
} head_t;

int main(int argc, char **argv)
{
	char text[] = "hello there", got[64] = "";
	head_t head, reply;
	iov_t siov[2], riov[2];
	int coid;

	coid = name_open(argc > 1 ? argv[1] : "iov", 0);
	if (coid == -1) {
		perror("name_open");
		return EXIT_FAILURE;
	}
	head.type = _IO_MAX + 1;
	head.bytes = sizeof text - 1;
	SETIOV(&siov[0], &head, sizeof head);
	SETIOV(&siov[1], text, head.bytes);
	SETIOV(&riov[0], &reply, sizeof reply);
	SETIOV(&riov[1], got, sizeof got - 1);
	if (MsgSendv(coid, siov, 2, riov, 2) == -1) {
		perror("MsgSendv");
		return EXIT_FAILURE;
	}
	printf("%d bytes: %s\n", reply.bytes, got);
	name_close(coid);
	return EXIT_SUCCESS;
}
