/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Counts together with another process, under a mutex in the memory that they share.
 *
 *	counter_server [name]
 *
 * Prints, with counter_client:
 *
 *	ready
 *	both have counted to 20000
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#include "counter.h"

typedef union {
	uint16_t type;
	struct _pulse pulse;
} message_t;

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

static counter_t *create(int *fd)
{
	pthread_mutexattr_t shared;
	counter_t *counter;

	*fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
	if (*fd == -1)
		die("shm_open");
	/* Memory, and a size that nobody can change any more. */
	if (shm_ctl(*fd, SHMCTL_ANON | SHMCTL_SEAL, 0, sizeof *counter) == -1)
		die("shm_ctl");
	counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (counter == MAP_FAILED)
		die("mmap");
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&counter->mutex, &shared);
	pthread_mutexattr_destroy(&shared);
	return counter;
}

static void count(counter_t *counter)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&counter->mutex);
		counter->count++;
		pthread_mutex_unlock(&counter->mutex);
	}
}

int main(int argc, char **argv)
{
	struct _msg_info info;
	name_attach_t *attach;
	counter_t *counter;
	shm_handle_t handle;
	message_t msg;
	int rcvid, fd, done = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	counter = create(&fd);
	attach = name_attach(NULL, argc > 1 ? argv[1] : "counter", 0);
	if (attach == NULL)
		die("name_attach");
	printf("ready\n");
	while (!done) {
		rcvid = MsgReceive(attach->chid, &msg, sizeof msg, &info);
		if (rcvid == -1)
			die("MsgReceive");
		if (rcvid == 0)
			continue;
		switch (msg.type) {
		case _IO_CONNECT:
			MsgReply(rcvid, EOK, NULL, 0);
			break;
		case COUNTER_GET:
			if (shm_create_handle(fd, info.pid, O_RDWR, &handle, 0) == -1) {
				MsgError(rcvid, errno);
				break;
			}
			MsgReply(rcvid, EOK, &handle, sizeof handle);
			count(counter);
			break;
		case COUNTER_DONE:
			MsgReply(rcvid, EOK, NULL, 0);
			done = 1;
			break;
		default:
			MsgError(rcvid, ENOSYS);
		}
	}
	printf("both have counted to %ld\n", counter->count);
	pthread_mutex_destroy(&counter->mutex);
	munmap(counter, sizeof *counter);
	close(fd);
	name_detach(attach, 0);
	return EXIT_SUCCESS;
}
