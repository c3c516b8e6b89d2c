/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Gives every client a page of shared memory, with a text in it, until Ctrl-C (SIGINT)
 * ends it. Speaks what the example programs in Go speak.
 *
 *	server [name]
 *
 * Prints, with a client:
 *
 *	server *: serving as "*"
 *	server *: a client is gone
 *	server *: stopped
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define TYPE_HELLO 0x200

typedef union {
	uint16_t type;
	struct _pulse pulse;
} message_t;

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static void hello(int rcvid, const struct _msg_info *info)
{
	shm_handle_t handle;
	char *memory;
	int fd;

	fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
	if (fd == -1) {
		MsgError(rcvid, errno);
		return;
	}
	if (ftruncate(fd, __PAGESIZE) == -1) {
		MsgError(rcvid, errno);
		close(fd);
		return;
	}
	memory = mmap(NULL, __PAGESIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		MsgError(rcvid, errno);
		close(fd);
		return;
	}
	snprintf(memory, __PAGESIZE, "Hello from %d", getpid());
	if (shm_create_handle(fd, info->pid, O_RDWR, &handle, 0) == -1)
		MsgError(rcvid, errno);
	else
		MsgReply(rcvid, EOK, &handle, sizeof handle);
	munmap(memory, __PAGESIZE);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "qnxshm-example";
	struct sigaction action = {.sa_handler = on_signal};
	struct _msg_info info;
	name_attach_t *attach;
	message_t msg;
	int rcvid;

	sigaction(SIGINT, &action, NULL);
	attach = name_attach(NULL, name, 0);
	if (attach == NULL) {
		perror("name_attach");
		return EXIT_FAILURE;
	}
	printf("server %d: serving as \"%s\"\n", getpid(), name);
	fflush(stdout);

	while (!stop) {
		rcvid = MsgReceive(attach->chid, &msg, sizeof msg, &info);
		if (rcvid == -1) {
			if (errno == EINTR)
				continue;
			perror("MsgReceive");
			break;
		}
		if (rcvid == 0) {
			switch (msg.pulse.code) {
			case _PULSE_CODE_DISCONNECT:
				ConnectDetach(msg.pulse.scoid);
				printf("server %d: a client is gone\n", getpid());
				fflush(stdout);
				break;
			case _PULSE_CODE_UNBLOCK:
				MsgError(msg.pulse.value.sival_long, EINTR);
				break;
			default:
				printf("server %d: pulse %d\n", getpid(), msg.pulse.code);
			}
			continue;
		}
		if (msg.type == _IO_CONNECT) {
			MsgReply(rcvid, EOK, NULL, 0);
			continue;
		}
		if (msg.type > _IO_BASE && msg.type <= _IO_MAX) {
			MsgError(rcvid, ENOSYS);
			continue;
		}
		if (msg.type == TYPE_HELLO)
			hello(rcvid, &info);
		else
			MsgError(rcvid, ENOSYS);
	}
	name_detach(attach, 0);
	printf("server %d: stopped\n", getpid());
	return EXIT_SUCCESS;
}
