/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Threads whose ids nobody keeps, and what is asked of one.
 *
 * Prints:
 *
 *	both have run
 *	this one is called main
 *	a delay of 20 ms took as long
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

static sem_t ran;

static void *run(void *arg)
{
	sem_post(&ran);
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	struct timespec before, after;
	char name[_NTO_THREAD_NAME_MAX];
	int i;

	sem_init(&ran, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (i = 0; i < 2; i++)
		if ((errno = pthread_create(NULL, &attr, run, NULL)) != EOK) {
			perror("pthread_create");
			return EXIT_FAILURE;
		}
	pthread_attr_destroy(&attr);
	for (i = 0; i < 2; i++)
		sem_wait(&ran);
	printf("both have run\n");

	pthread_setname_np(0, "main");
	if ((errno = pthread_getname_np(pthread_self(), name, sizeof name)) != EOK) {
		perror("pthread_getname_np");
		return EXIT_FAILURE;
	}
	printf("this one is called %s\n", name);

	clock_gettime(CLOCK_MONOTONIC, &before);
	delay(20);
	clock_gettime(CLOCK_MONOTONIC, &after);
	i = (int)((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
	printf("a delay of 20 ms took %s\n", i >= 20 ? "as long" : "less");
	return EXIT_SUCCESS;
}
