/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Finds chid_server by its pid and chid, which are in named shared memory.
 *
 *	chid_client [name]
 *
 * Prints:
 *
 *	answered by the process that was asked
 *	ConnectAttach to no channel: ESRCH
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/netmgr.h>
#include <sys/neutrino.h>
#include <unistd.h>

#include "chid.h"

int main(int argc, char **argv)
{
	char name[64];
	struct _server_info info;
	place_t *place;
	pid_t me = getpid();
	int coid, fd;

	snprintf(name, sizeof name, "/%s", argc > 1 ? argv[1] : "chid");
	fd = shm_open(name, O_RDONLY, 0);
	if (fd == -1) {
		perror(name);
		return EXIT_FAILURE;
	}
	place = mmap(NULL, sizeof *place, PROT_READ, MAP_SHARED, fd, 0);
	if (place == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	close(fd);
	coid = ConnectAttach(ND_LOCAL_NODE, place->pid, place->chid, _NTO_SIDE_CHANNEL, 0);
	if (coid == -1) {
		perror("ConnectAttach");
		return EXIT_FAILURE;
	}
	if (ConnectServerInfo(0, coid, &info) == -1 || MsgSend(coid, &me, sizeof me, NULL, 0) == -1) {
		perror("MsgSend");
		return EXIT_FAILURE;
	}
	printf("answered by %s\n", info.pid == place->pid ? "the process that was asked" : "another process");
	ConnectDetach(coid);
	if (ConnectAttach(0, 0, 1000, _NTO_SIDE_CHANNEL, 0) == -1)
		printf("ConnectAttach to no channel: %s\n", errno == ESRCH ? "ESRCH" : strerror(errno));
	return EXIT_SUCCESS;
}
