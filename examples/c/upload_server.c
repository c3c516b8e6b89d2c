/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Sums up what a client has in its memory: here the client makes the handle.
 *
 *	upload_server [name]
 *
 * Prints, with upload_client:
 *
 *	ready
 *	may not write: EACCES
 *	the sum is 500500
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
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	uint16_t type;
	shm_handle_t handle;
} upload_t;

typedef union {
	struct _pulse pulse;
	upload_t upload;
} message_t;

static int sum_up(shm_handle_t handle, long *sum)
{
	struct stat st;
	int *numbers;
	size_t i;
	int fd;

	if (shm_open_handle(handle, O_RDWR) == -1)
		printf("may not write: %s\n", errno == EACCES ? "EACCES" : strerror(errno));
	fd = shm_open_handle(handle, O_RDONLY);
	if (fd == -1)
		return errno;
	if (fstat(fd, &st) == -1) { /* not more than there is */
		close(fd);
		return errno;
	}
	numbers = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (numbers == MAP_FAILED)
		return errno;
	*sum = 0;
	for (i = 0; i < (size_t)st.st_size / sizeof *numbers; i++)
		*sum += numbers[i];
	munmap(numbers, (size_t)st.st_size);
	return EOK;
}

int main(int argc, char **argv)
{
	name_attach_t *attach;
	message_t msg;
	long sum;
	int rcvid, error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	attach = name_attach(NULL, argc > 1 ? argv[1] : "upload", 0);
	if (attach == NULL) {
		perror("name_attach");
		return EXIT_FAILURE;
	}
	printf("ready\n");
	for (;;) {
		rcvid = MsgReceive(attach->chid, &msg, sizeof msg, NULL);
		if (rcvid == -1) {
			perror("MsgReceive");
			return EXIT_FAILURE;
		}
		if (rcvid == 0 && msg.pulse.code == _PULSE_CODE_DISCONNECT)
			break;
		if (rcvid == 0)
			continue;
		if (msg.upload.type == _IO_CONNECT) {
			MsgReply(rcvid, EOK, NULL, 0);
			continue;
		}
		error = sum_up(msg.upload.handle, &sum);
		if (error != EOK) {
			MsgError(rcvid, error);
			continue;
		}
		printf("the sum is %ld\n", sum);
		MsgReply(rcvid, EOK, &sum, sizeof sum);
	}
	name_detach(attach, 0);
	return EXIT_SUCCESS;
}
