// Messages of 64 bytes by the C face of the host, as a program for QNX is written.
//
//   cface server NAME    answers every message with its own bytes
//   cface client NAME    sends
//
// They are driven as the baseline is.

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void ready(void)
{
	printf("{\"ID\":0}\n");
	fflush(stdout);
}

// until_told ends the process at the end of standard input.
static void *until_told(void *unused)
{
	char byte;
	(void)unused;
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}

static void server(const char *name)
{
	union {
		struct _pulse pulse;
		char bytes[MESSAGE];
	} message;
	pthread_t waits;
	name_attach_t *attached = name_attach(NULL, name, 0);
	if (!attached)
		die("name_attach");
	if ((errno = pthread_create(&waits, NULL, until_told, NULL)))
		die("pthread_create");
	ready();
	for (;;) {
		rcvid_t rcvid = MsgReceive(attached->chid, &message, sizeof message, NULL);
		if (rcvid == -1)
			die("MsgReceive");
		if (rcvid == 0) {
			if (message.pulse.code == _PULSE_CODE_DISCONNECT)
				ConnectDetach(message.pulse.scoid);
		} else if (MsgReply(rcvid, EOK, &message, sizeof message) == -1) {
			die("MsgReply");
		}
	}
}

static void client(const char *name)
{
	char message[MESSAGE] = {0}, reply[MESSAGE];
	int id;
	long n;
	int coid = name_open(name, 0);
	if (coid == -1)
		die("name_open");
	ready();
	/* Requests and answers are those of package testproc. */
	while (scanf(" {\"ID\":%d,\"Name\":\"run\",\"Args\":[%ld]}", &id, &n) == 2) {
		long long start = now();
		while (n-- > 0)
			if (MsgSend(coid, message, sizeof message, reply, sizeof reply) == -1)
				die("MsgSend");
		printf("{\"ID\":%d,\"Values\":[{\"NS\":%lld}]}\n", id, now() - start);
		fflush(stdout);
	}
	name_close(coid);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server")) {
		server(argv[2]);
	} else if (argc == 3 && !strcmp(argv[1], "client")) {
		client(argv[2]);
	} else {
		fprintf(stderr, "usage: cface server|client NAME\n");
		return 2;
	}
	return 0;
}
