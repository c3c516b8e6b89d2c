/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Lets another process work on a frame, and takes it back while that is at it: the
   eight steps of "Putting it all together". Speaks what examples/securebuffer does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define TYPE_BUFFER 0x200 /* the reply is a handle */
#define TYPE_WAIT 0x201 /* the reply comes when the frame was taken back */

#define FRAME_SIZE (64 * 1024)
#define WORDS (FRAME_SIZE / sizeof(uint64_t))

typedef union {
	uint16_t type;
	struct _pulse pulse;
} message_t;

static int fail(const char *call)
{
	perror(call);
	return EXIT_FAILURE;
}

static void fill(volatile uint64_t *frame, uint64_t number)
{
	for (size_t i = 0; i < WORDS; i++)
		frame[i] = number;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "camera";
	volatile uint64_t *frame;
	struct _msg_info info;
	name_attach_t *attach;
	shm_handle_t handle;
	uint64_t word;
	message_t msg;
	rcvid_t rcvid;
	int fd;

	/* 1. an object that nobody else can find */
	fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
	if (fd == -1)
		return fail("shm_open");

	/* 2. with memory, to be taken back, and settled */
	if (shm_ctl(fd, SHMCTL_ANON, 0, FRAME_SIZE) == -1)
		return fail("shm_ctl, SHMCTL_ANON");
	if (shm_ctl(fd, SHMCTL_REVOCABLE | SHMCTL_SEAL, 0, 0) == -1)
		return fail("shm_ctl, SHMCTL_REVOCABLE | SHMCTL_SEAL");
	if (ftruncate(fd, 0) != -1 || errno != EPERM)
		return fail("ftruncate of a sealed object");
	frame = mmap(NULL, FRAME_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (frame == MAP_FAILED)
		return fail("mmap");
	fill(frame, 1);

	attach = name_attach(NULL, name, 0);
	if (attach == NULL)
		return fail("name_attach");
	printf("producer %d: serving as \"%s\"\n", getpid(), name);
	fflush(stdout);

	for (;;) {
		rcvid = MsgReceive(attach->chid, &msg, sizeof msg, &info);
		if (rcvid == -1)
			return fail("MsgReceive");
		if (rcvid == 0) {
			if (msg.pulse.code != _PULSE_CODE_DISCONNECT)
				continue;
			ConnectDetach(msg.pulse.scoid);
			break;
		}
		switch (msg.type) {
		case _IO_CONNECT:
			MsgReply(rcvid, EOK, NULL, 0);
			break;
		case TYPE_BUFFER:
			/* 3. and 4. a handle that the client can only map, sent to it */
			if (shm_create_handle(fd, info.pid, O_RDWR, &handle, SHM_CREATE_HANDLE_OPT_NOFD) == -1)
				return fail("shm_create_handle");
			MsgReply(rcvid, EOK, &handle, sizeof handle);
			break;
		case TYPE_WAIT:
			/* 7. it has had it long enough, although it works on it */
			word = frame[0];
			/* 8. */
			if (shm_revoke(fd, info.pid) == -1)
				return fail("shm_revoke");
			if (frame[0] != word || frame[WORDS - 1] != 1)
				return fail("the frame after the revocation");
			fill(frame, 2);
			printf("producer %d: took the frame back, in which %d had left %llu\n", getpid(), info.pid, (unsigned long long)word);
			fflush(stdout);
			MsgReply(rcvid, EOK, NULL, 0);
			break;
		default:
			MsgError(rcvid, ENOSYS);
		}
	}
	if (frame[0] != 2 || frame[WORDS - 1] != 2)
		return fail("the frame in the end");
	name_detach(attach, 0);
	munmap((void *)frame, FRAME_SIZE);
	close(fd);
	return EXIT_SUCCESS;
}
