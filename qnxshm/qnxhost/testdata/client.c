/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Asks a server for shared memory and prints the text in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_HELLO 0x200

static int fail(const char *call)
{
	perror(call);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "qnxshm-example";
	uint16_t type = _IO_CONNECT;
	shm_handle_t handle;
	struct stat st;
	char *memory;
	int coid, fd;

	coid = name_open(name, 0);
	if (coid == -1)
		return fail("name_open");

	/* What a target may send of its own accord. */
	if (MsgSend(coid, &type, sizeof type, NULL, 0) != EOK)
		return fail("_IO_CONNECT");
	type = _IO_DUP;
	if (MsgSend(coid, &type, sizeof type, NULL, 0) != -1 || errno != ENOSYS)
		return fail("_IO_DUP");

	type = TYPE_HELLO;
	if (MsgSend(coid, &type, sizeof type, &handle, sizeof handle) == -1)
		return fail("MsgSend");
	fd = shm_open_handle(handle, O_RDONLY);
	if (fd == -1)
		return fail("shm_open_handle");
	if (fstat(fd, &st) == -1 || st.st_size != __PAGESIZE)
		return fail("fstat");
	memory = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return fail("mmap");
	close(fd);
	printf("client %d: %s\n", getpid(), memory);
	if (shm_open_handle(handle, O_RDONLY) != -1 || errno != ESRCH)
		return fail("shm_open_handle, once more");
	munmap(memory, st.st_size);
	name_close(coid);
	return EXIT_SUCCESS;
}
