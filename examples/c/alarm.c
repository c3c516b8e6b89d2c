/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A timer of the kernel's own calls, which has a function run in a thread.
 *
 * Prints:
 *
 *	called with 9
 *	no such timer: EINVAL
 */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>

static sem_t called;

static void on_time(union sigval value)
{
	printf("called with %d\n", value.sival_int);
	sem_post(&called);
}

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

int main(void)
{
	struct sigevent event;
	struct _itimer once;
	union sigval nine;
	int id;

	sem_init(&called, 0, 0);
	memset(&nine, 0, sizeof nine);
	nine.sival_int = 9;
	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = on_time;
	event.sigev_value = nine;
	id = TimerCreate(CLOCK_MONOTONIC, &event);
	if (id == -1)
		die("TimerCreate");
	once.nsec = 20 * 1000000;
	once.interval_nsec = 0;
	if (TimerSettime(id, 0, &once, NULL) == -1)
		die("TimerSettime");
	sem_wait(&called);
	if (TimerDestroy(id) == -1)
		die("TimerDestroy");
	if (TimerDestroy(id) == -1)
		printf("no such timer: %s\n", errno == EINVAL ? "EINVAL" : strerror(errno));
	return EXIT_SUCCESS;
}
