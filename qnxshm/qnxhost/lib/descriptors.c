/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Descriptors, and the limit of them, belong to the program that has loaded the
 * library.
 *
 * The Go runtime makes two for its poller, which take the lowest free numbers: a
 * program that closes all it has not opened itself, as daemons do, would close them,
 * and the runtime ends the process. So the poller is made when the runtime starts,
 * while all numbers are taken that could be a program's.
 *
 * Package os raises the limit. Programs, and what they start, are to find that which
 * they were given: it is put back before the program's main begins.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime.h"

enum {
	FIRST_HIGH = 512, /* as internal/linux has it */
	STARTS_WITH = 64  /* more than the runtime opens while it starts */
};

static struct rlimit programs;
static bool changed;
static bool taken[FIRST_HIGH];
static sem_t began;

static void give_back(void)
{
	for (int fd = 0; fd < FIRST_HIGH; fd++)
		if (taken[fd]) {
			close(fd);
			taken[fd] = false;
		}
}

__attribute__((constructor(101))) static void take_low_descriptors(void)
{
	struct rlimit raised;
	int fd;

	sem_init(&began, 0, 0);
	if (getrlimit(RLIMIT_NOFILE, &programs) == -1)
		return;
	changed = true;
	raised = programs;
	if (raised.rlim_cur < FIRST_HIGH + STARTS_WITH)
		raised.rlim_cur = FIRST_HIGH + STARTS_WITH;
	if (raised.rlim_cur > raised.rlim_max || setrlimit(RLIMIT_NOFILE, &raised) == -1)
		return;
	fd = eventfd(0, EFD_CLOEXEC);
	while (fd >= 0 && fd < FIRST_HIGH) {
		taken[fd] = true;
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	if (fd >= 0)
		close(fd);
	else
		give_back();
}

void qnxhost_runtime_began(void)
{
	give_back();
	if (changed)
		setrlimit(RLIMIT_NOFILE, &programs);
	sem_post(&began);
}

__attribute__((constructor(65535))) static void wait_for_runtime(void)
{
	if (qnxhost_runtime_begins)
		while (sem_wait(&began) == -1 && errno == EINTR)
			;
}
