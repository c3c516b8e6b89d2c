/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Counts together with counter_server.
 *
 *	counter_client [name]
 *
 * Prints:
 *
 *	the size is sealed: EPERM
 *	has counted 10000
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#include "counter.h"

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	uint16_t type = COUNTER_GET;
	shm_handle_t handle;
	counter_t *counter;
	int coid, fd, i;

	coid = name_open(argc > 1 ? argv[1] : "counter", 0);
	if (coid == -1)
		die("name_open");
	if (MsgSend(coid, &type, sizeof type, &handle, sizeof handle) == -1)
		die("MsgSend");
	fd = shm_open_handle(handle, O_RDWR);
	if (fd == -1)
		die("shm_open_handle");
	if (ftruncate(fd, 0) == -1)
		printf("the size is sealed: %s\n", errno == EPERM ? "EPERM" : strerror(errno));
	counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counter == MAP_FAILED)
		die("mmap");
	close(fd);
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&counter->mutex);
		counter->count++;
		pthread_mutex_unlock(&counter->mutex);
	}
	printf("has counted %d\n", ROUNDS);
	munmap(counter, sizeof *counter);
	type = COUNTER_DONE;
	if (MsgSend(coid, &type, sizeof type, NULL, 0) == -1)
		die("MsgSend");
	name_close(coid);
	return EXIT_SUCCESS;
}
