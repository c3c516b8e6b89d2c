/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Works on a frame of another process, which it does not trust to leave it there:
   it guards what it reads. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define TYPE_BUFFER 0x200
#define TYPE_WAIT 0x201

#define FRAME_SIZE (64 * 1024)
#define WORDS (FRAME_SIZE / sizeof(uint64_t))

static sigjmp_buf gone; /* of the thread that reads */

static void on_fault(int signal)
{
	siglongjmp(gone, signal);
}

/* Reads the frame again and again until it is gone, and returns the signal that
   told so; 0 if it has seen what it must not. */
static void *read_frames(void *p)
{
	volatile uint64_t *frame = p;
	int signal = sigsetjmp(gone, 1);

	if (signal == 0)
		while (frame[WORDS - 1] == 1)
			;
	return (void *)(intptr_t)signal;
}

static bool writes(volatile uint64_t *word)
{
	if (sigsetjmp(gone, 1) != 0)
		return false;
	*word = 3;
	return true;
}

static int fail(const char *call)
{
	perror(call);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "camera";
	struct sigaction action = {.sa_handler = on_fault};
	uint16_t type = TYPE_BUFFER;
	volatile uint64_t *frame;
	shm_handle_t handle, unused;
	pthread_t reader;
	void *signal;
	int coid;

	/* 8.0 says SIGSEGV, 7.1 does not say */
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	coid = name_open(name, 0);
	if (coid == -1)
		return fail("name_open");
	if (MsgSend(coid, &type, sizeof type, &handle, sizeof handle) == -1 || MsgSend(coid, &type, sizeof type, &unused, sizeof unused) == -1)
		return fail("MsgSend");

	/* 5. no descriptor, only memory, once */
	if (shm_open_handle(handle, O_RDONLY) != -1 || errno != EACCES)
		return fail("shm_open_handle");
	frame = mmap_handle(NULL, FRAME_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
	if (frame == MAP_FAILED)
		return fail("mmap_handle");
	if (mmap_handle(NULL, FRAME_SIZE, PROT_READ, MAP_SHARED, handle, 0) != MAP_FAILED || errno != ESRCH)
		return fail("mmap_handle, once more");

	/* 6. */
	if (frame[0] != 1 || frame[WORDS - 1] != 1)
		return fail("the frame");
	frame[0] = getpid();

	/* 7. and 8. happen over there */
	if ((errno = pthread_create(&reader, NULL, read_frames, (void *)frame)) != EOK)
		return fail("pthread_create");
	type = TYPE_WAIT;
	if (MsgSend(coid, &type, sizeof type, NULL, 0) == -1)
		return fail("MsgSend");
	pthread_join(reader, &signal);
	if (signal == NULL || writes(frame))
		return fail("the frame after the revocation");
	if (mmap_handle(NULL, FRAME_SIZE, PROT_READ, MAP_SHARED, unused, 0) != MAP_FAILED || errno != ESRCH)
		return fail("mmap_handle of an unused handle");
	if (munmap((void *)frame, FRAME_SIZE) == -1)
		return fail("munmap");
	printf("consumer %d: cut off by signal %d\n", getpid(), (int)(intptr_t)signal);
	name_close(coid);
	return EXIT_SUCCESS;
}
