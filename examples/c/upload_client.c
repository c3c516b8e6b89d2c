/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Lets upload_server read memory of its own: a handle for the server, read-only.
 *
 *	upload_client [name]
 *
 * Prints:
 *
 *	the sum is 500500
 *	the handle is used up: ESRCH
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define COUNT 1000

typedef struct {
	uint16_t type;
	shm_handle_t handle;
} upload_t;

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct _server_info info;
	upload_t upload;
	int coid, fd, i, *numbers;
	long sum;

	coid = name_open(argc > 1 ? argv[1] : "upload", 0);
	if (coid == -1)
		die("name_open");
	if (ConnectServerInfo(0, coid, &info) == -1)
		die("ConnectServerInfo");

	fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
	if (fd == -1 || ftruncate(fd, COUNT * sizeof *numbers) == -1)
		die("shm_open");
	numbers = mmap(NULL, COUNT * sizeof *numbers, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (numbers == MAP_FAILED)
		die("mmap");
	for (i = 0; i < COUNT; i++)
		numbers[i] = i + 1;

	memset(&upload, 0, sizeof upload);
	upload.type = _IO_MAX + 1;
	if (shm_create_handle(fd, info.pid, O_RDONLY, &upload.handle, 0) == -1)
		die("shm_create_handle");
	close(fd);
	if (MsgSend(coid, &upload, sizeof upload, &sum, sizeof sum) == -1)
		die("MsgSend");
	printf("the sum is %ld\n", sum);
	/* Had the server not opened it, this would be its end. */
	if (shm_delete_handle(upload.handle) == -1)
		printf("the handle is used up: %s\n", errno == ESRCH ? "ESRCH" : strerror(errno));
	munmap(numbers, COUNT * sizeof *numbers);
	name_close(coid);
	return EXIT_SUCCESS;
}
