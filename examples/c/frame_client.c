/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Paints a frame that frame_server has lent, and touches it once more when it was taken
 * back.
 *
 *	frame_client [name]
 *
 * Prints:
 *
 *	no descriptor: EACCES
 *	painted
 *	gone
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define FRAME_LEND (_IO_MAX + 1)
#define FRAME_BACK (_IO_MAX + 2)

static sigjmp_buf fault;

static void on_fault(int signal)
{
	siglongjmp(fault, signal);
}

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	volatile unsigned char *frame;
	uint16_t type = FRAME_LEND;
	struct sigaction action;
	shm_handle_t handle;
	int coid, i;

	coid = name_open(argc > 1 ? argv[1] : "frame", 0);
	if (coid == -1)
		die("name_open");
	if (MsgSend(coid, &type, sizeof type, &handle, sizeof handle) == -1)
		die("MsgSend");
	if (shm_open_handle(handle, O_RDWR) == -1)
		printf("no descriptor: %s\n", errno == EACCES ? "EACCES" : strerror(errno));
	frame = mmap_handle(NULL, __PAGESIZE, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
	if (frame == MAP_FAILED)
		die("mmap_handle");
	for (i = 0; i < __PAGESIZE; i++)
		frame[i] = 7;
	printf("painted\n");

	type = FRAME_BACK;
	if (MsgSend(coid, &type, sizeof type, NULL, 0) == -1)
		die("MsgSend");
	memset(&action, 0, sizeof action);
	action.sa_handler = on_fault;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(fault, 1) == 0)
		printf("still there: %d\n", frame[0]);
	else
		printf("gone\n");
	munmap((void *)frame, __PAGESIZE);
	name_close(coid);
	return EXIT_SUCCESS;
}
