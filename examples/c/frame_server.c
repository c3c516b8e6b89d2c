/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Lends a frame to a client and takes it back, whatever the client does.
 *
 *	frame_server [name]
 *
 * Prints, with frame_client:
 *
 *	ready
 *	lent
 *	taken back: the client had painted it 7
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define FRAME_LEND (_IO_MAX + 1)
#define FRAME_BACK (_IO_MAX + 2)

typedef union {
	uint16_t type;
	struct _pulse pulse;
} message_t;

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct _msg_info info;
	name_attach_t *attach;
	unsigned char *frame;
	shm_handle_t handle;
	message_t msg;
	int rcvid, fd, back = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
	if (fd == -1)
		die("shm_open");
	if (shm_ctl(fd, SHMCTL_ANON | SHMCTL_REVOCABLE | SHMCTL_SEAL, 0, __PAGESIZE) == -1)
		die("shm_ctl");
	frame = mmap(NULL, __PAGESIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (frame == MAP_FAILED)
		die("mmap");
	attach = name_attach(NULL, argc > 1 ? argv[1] : "frame", 0);
	if (attach == NULL)
		die("name_attach");
	printf("ready\n");
	while (!back) {
		rcvid = MsgReceive(attach->chid, &msg, sizeof msg, &info);
		if (rcvid == -1)
			die("MsgReceive");
		if (rcvid == 0)
			continue;
		switch (msg.type) {
		case _IO_CONNECT:
			MsgReply(rcvid, EOK, NULL, 0);
			break;
		case FRAME_LEND:
			/* It can be mapped, and no descriptor can be kept of it. */
			if (shm_create_handle(fd, info.pid, O_RDWR, &handle, SHM_CREATE_HANDLE_OPT_NOFD) == -1)
				die("shm_create_handle");
			printf("lent\n");
			MsgReply(rcvid, EOK, &handle, sizeof handle);
			break;
		case FRAME_BACK:
			if (shm_revoke(fd, info.pid) == -1)
				die("shm_revoke");
			printf("taken back: the client had painted it %d\n", frame[__PAGESIZE - 1]);
			MsgReply(rcvid, EOK, NULL, 0);
			back = 1;
			break;
		default:
			MsgError(rcvid, ENOSYS);
		}
	}
	munmap(frame, __PAGESIZE);
	close(fd);
	name_detach(attach, 0);
	return EXIT_SUCCESS;
}
