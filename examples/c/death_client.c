/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Waits for the answer of a server that ends.
 *
 *	death_client [name]
 *
 * Prints:
 *
 *	MsgSend: ESRCH
 *	again: EBADF
 *	name_open: ENOENT
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "death";
	uint16_t type = _IO_MAX + 1;
	int coid;

	coid = name_open(name, 0);
	if (coid == -1) {
		perror("name_open");
		return EXIT_FAILURE;
	}
	if (MsgSend(coid, &type, sizeof type, NULL, 0) == -1)
		printf("MsgSend: %s\n", errno == ESRCH ? "ESRCH" : strerror(errno));
	if (MsgSend(coid, &type, sizeof type, NULL, 0) == -1)
		printf("again: %s\n", errno == EBADF ? "EBADF" : strerror(errno));
	name_close(coid);
	if (name_open(name, 0) == -1)
		printf("name_open: %s\n", errno == ENOENT ? "ENOENT" : strerror(errno));
	return EXIT_SUCCESS;
}
