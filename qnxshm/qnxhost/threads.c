/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Threads of QNX: what its calls allow and the system's do not. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <process.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "face.h"

/* The program's: a sanitizer has its own, and the library's is for the Go runtime. */
static int (*programs_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static void find_create(void)
{
	*(void **)&programs_create = dlsym(RTLD_DEFAULT, "pthread_create");
}

/* Without the right to use them, the policy and priority of attributes are not the system's. */
static int create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument)
{
	int error = programs_create(thread, attributes, routine, argument), inherit;
	pthread_attr_t inheriting;

	if (error != EPERM || attributes == NULL || pthread_attr_getinheritsched(attributes, &inherit) != 0 ||
	    inherit != PTHREAD_EXPLICIT_SCHED)
		return error;
	inheriting = *attributes; /* what it points to stays that of the first */
	pthread_attr_setinheritsched(&inheriting, PTHREAD_INHERIT_SCHED);
	return programs_create(thread, &inheriting, routine, argument);
}

int qnxhost_create_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_t ignored;

	pthread_once(&once, find_create);
	return create(thread ? thread : &ignored, attributes, routine, argument);
}

/* A thread has a value of this key until it ends, however it does. */
static pthread_key_t alive;
static bool has_key;
static atomic_bool deaths_wanted;

void qnxhost_want_thread_deaths(void)
{
	deaths_wanted = true;
}

static void tell_death(void *ignored)
{
	(void)ignored;
	if (deaths_wanted)
		QNXHOST_CALL((qnxhost_go_thread_died(gettid(), qnxhost_priority()), 0));
}

static void watch_this(void)
{
	if (has_key)
		pthread_setspecific(alive, &alive);
}

/* The first thread is not made. */
__attribute__((constructor)) static void watch_threads(void)
{
	has_key = pthread_key_create(&alive, tell_death) == 0;
	watch_this();
}

struct start {
	void *(*routine)(void *);
	void *argument;
	int schedule;
};

static void *run_watched(void *p)
{
	struct start s = *(struct start *)p;

	free(p);
	qnxhost_set_schedule(s.schedule);
	watch_this();
	return s.routine(s.argument);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*routine)(void *), void *restrict argument)
{
	struct start *s = malloc(sizeof *s);
	int error = EAGAIN;

	if (s == NULL)
		return error;
	*s = (struct start){routine, argument, qnxhost_schedule_for(attributes)};
	error = qnxhost_create_thread(thread, attributes, run_watched, s);
	if (error)
		free(s);
	return error;
}

extern int system_setname(pthread_t, const char *) __asm__("pthread_setname_np");
extern int system_getname(pthread_t, char *, size_t) __asm__("pthread_getname_np");

int pthread_setname_np(pthread_t thread, const char *name)
{
	char systems[16]; /* no name may be longer */

	if (name && strlen(name) > _NTO_THREAD_NAME_MAX)
		return E2BIG;
	snprintf(systems, sizeof systems, "%s", name ? name : "");
	return system_setname(thread ? thread : pthread_self(), systems);
}

int pthread_getname_np(pthread_t thread, char *name, size_t size)
{
	char systems[16];
	int error;

	if (name == NULL)
		return EINVAL;
	error = system_getname(thread ? thread : pthread_self(), systems, sizeof systems);
	if (error == 0 && strlen(systems) >= size)
		error = E2BIG;
	if (error == 0)
		strcpy(name, systems);
	return error;
}

/* Processors that the calling thread may run on, in QNX's masks. */
static int set_runmask(const unsigned *mask, unsigned words)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned i = 0; i < words * 32 && i < CPU_SETSIZE; i++)
		if (RMSK_ISSET(i, mask))
			CPU_SET(i, &set);
	return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

static int get_runmask(unsigned *mask, unsigned words)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == -1)
		return -errno;
	for (unsigned i = 0; i < words * 32; i++)
		if (i < CPU_SETSIZE && CPU_ISSET(i, &set))
			RMSK_SET(i, mask);
		else
			RMSK_CLR(i, mask);
	return 0;
}

/* data is the number of words, then the mask of the thread, then that of those it
   makes: the system has one for both. */
static int exchange_runmasks(unsigned *data)
{
	const unsigned words = data[0];
	unsigned mask[CPU_SETSIZE / 32] = {0};
	unsigned *running = data + 1, *inherited = data + 1 + words;
	bool set = false;
	int error;

	if (words == 0 || words > CPU_SETSIZE / 32)
		return -EINVAL;
	for (unsigned i = 0; i < words; i++) {
		mask[i] = running[i];
		set |= mask[i] != 0;
	}
	error = get_runmask(running, words);
	memcpy(inherited, running, words * sizeof *running);
	return error == 0 && set ? set_runmask(mask, words) : error;
}

static int name_thread(struct _thread_name *data)
{
	char was[16] = "", to[_NTO_THREAD_NAME_MAX + 1];
	int error;

	if (data->new_name_len > _NTO_THREAD_NAME_MAX || data->name_buf_len < 0)
		return -EINVAL;
	if (data->new_name_len > 0)
		memcpy(to, data->name_buf, (size_t)data->new_name_len);
	if (data->new_name_len >= 0)
		to[data->new_name_len] = '\0';
	error = pthread_getname_np(0, was, sizeof was);
	if (error == 0 && data->name_buf_len > 0)
		snprintf(data->name_buf, (size_t)data->name_buf_len, "%s", was);
	if (error == 0 && data->new_name_len >= 0)
		error = pthread_setname_np(0, to);
	return -error;
}

int ThreadCtl_r(int command, void *data)
{
	QNXHOST_R_FORM;
	unsigned mask = (unsigned)(uintptr_t)data;
	int error;

	switch (command) {
	case _NTO_TCTL_RUNMASK:
		return set_runmask(&mask, 1);
	case _NTO_TCTL_RUNMASK_GET_AND_SET:
		if (data == NULL)
			return -EFAULT;
		mask = *(unsigned *)data;
		error = get_runmask(data, 1);
		return error == 0 && mask != 0 ? set_runmask(&mask, 1) : error;
	case _NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT:
		return data ? exchange_runmasks(data) : -EFAULT;
	case _NTO_TCTL_NAME:
		return data ? name_thread(data) : -EFAULT;
	default:
		return -ENOTSUP;
	}
}
QNXHOST_PLAIN(int, ThreadCtl, (int command, void *data), (command, data))
