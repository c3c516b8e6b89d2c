/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Asks a server for shared memory and prints the text in it.
 *
 *	client [name]
 *
 * Prints:
 *
 *	client *: Hello from *
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_HELLO 0x200

static int fail(const char *call)
{
	fprintf(stderr, "%s: %s\n", call, strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "qnxshm-example";
	uint16_t type = TYPE_HELLO;
	shm_handle_t handle;
	struct stat st;
	char *memory;
	int coid, fd;

	coid = name_open(name, 0);
	if (coid == -1)
		return fail("name_open");
	if (MsgSend(coid, &type, sizeof type, &handle, sizeof handle) == -1)
		return fail("MsgSend");
	name_close(coid);

	/* The handle opens once, in this process only. */
	fd = shm_open_handle(handle, O_RDONLY);
	if (fd == -1)
		return fail("shm_open_handle");
	if (fstat(fd, &st) == -1)
		return fail("fstat");
	memory = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return fail("mmap");
	close(fd);
	printf("client %d: %s\n", getpid(), memory);
	munmap(memory, st.st_size);
	return EXIT_SUCCESS;
}
