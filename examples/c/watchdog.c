/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A thread that must report in time, and one that watches it: MsgReceive with a
 * timeout. It reports twice, then no more.
 *
 * Prints:
 *
 *	alive, 1
 *	alive, 2
 *	no report in time
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>

#define CODE_ALIVE (_PULSE_CODE_MINAVAIL + 2)

static int chid;

static void *worker(void *arg)
{
	int coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);

	MsgSendPulse(coid, -1, CODE_ALIVE, 1);
	MsgSendPulse(coid, -1, CODE_ALIVE, 2);
	ConnectDetach(coid);
	return arg;
}

int main(void)
{
	const uint64_t patience = 2000 * 1000000ULL; /* nanoseconds */
	struct _pulse pulse;
	pthread_t thread;

	chid = ChannelCreate(0);
	if (chid == -1) {
		perror("ChannelCreate");
		return EXIT_FAILURE;
	}
	if ((errno = pthread_create(&thread, NULL, worker, NULL)) != EOK) {
		perror("pthread_create");
		return EXIT_FAILURE;
	}
	for (;;) {
		/* For the next call only. */
		TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &patience, NULL);
		if (MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == -1)
			break;
		printf("alive, %d\n", pulse.value.sival_int);
	}
	printf("%s\n", errno == ETIMEDOUT ? "no report in time" : strerror(errno));
	pthread_join(thread, NULL);
	ChannelDestroy(chid);
	return EXIT_SUCCESS;
}
