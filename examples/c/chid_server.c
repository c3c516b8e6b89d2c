/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Tells its pid and chid in named shared memory, instead of a name.
 *
 *	chid_server [name]
 *
 * Prints, with chid_client:
 *
 *	ready
 *	asked by the process that says so
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#include "chid.h"

int main(int argc, char **argv)
{
	char name[64];
	struct _msg_info info;
	place_t *place;
	pid_t sender;
	int chid, rcvid, fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(name, sizeof name, "/%s", argc > 1 ? argv[1] : "chid");
	chid = ChannelCreate(0);
	if (chid == -1) {
		perror("ChannelCreate");
		return EXIT_FAILURE;
	}
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd == -1 || ftruncate(fd, sizeof *place) == -1) {
		perror(name);
		return EXIT_FAILURE;
	}
	place = mmap(NULL, sizeof *place, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (place == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	close(fd);
	place->pid = getpid();
	place->chid = chid;
	printf("ready\n");

	rcvid = MsgReceive(chid, &sender, sizeof sender, &info);
	if (rcvid == -1) {
		perror("MsgReceive");
		return EXIT_FAILURE;
	}
	printf("asked by %s\n", info.pid == sender ? "the process that says so" : "another process");
	MsgReply(rcvid, EOK, NULL, 0);
	munmap(place, sizeof *place);
	shm_unlink(name);
	ChannelDestroy(chid);
	return EXIT_SUCCESS;
}
