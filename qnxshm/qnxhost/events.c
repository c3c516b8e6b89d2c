/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#define _GNU_SOURCE
#include <mqueue.h>
#include <process.h>
#include <sys/neutrino.h>

#include "events.h"
#include "face.h"

enum { SYSTEM_SIGNAL, SYSTEM_NONE, SYSTEM_THREAD, SYSTEM_THREAD_ID = 4 };

_Static_assert(sizeof(struct system_sigevent) == 64, "the system's struct sigevent");

int qnxhost_system_event(const struct sigevent *event, struct system_sigevent *systems)
{
	*systems = (struct system_sigevent){.value = event->sigev_value, .signo = event->sigev_signo};
	switch (SIGEV_GET_TYPE(event)) {
	case SIGEV_NONE:
		systems->notify = SYSTEM_NONE;
		return 0;
	case SIGEV_SIGNAL:
	case SIGEV_SIGNAL_CODE: /* the code is the system's */
		systems->notify = SYSTEM_SIGNAL;
		return 0;
	case SIGEV_SIGNAL_THREAD:
		systems->notify = SYSTEM_THREAD_ID;
		systems->to.tid = gettid();
		return 0;
	case SIGEV_THREAD:
		if (event->sigev_notify_function == NULL)
			return EINVAL;
		systems->signo = 0;
		systems->notify = SYSTEM_THREAD;
		systems->to.thread.function = event->sigev_notify_function;
		systems->to.thread.attributes = event->sigev_notify_attributes;
		return 0;
	}
	return ENOTSUP;
}

/* No pulses: the queue would have to be watched. */
int mq_notify(mqd_t queue, const struct sigevent *event)
{
	extern int system_mq_notify(mqd_t, const struct system_sigevent *) __asm__("mq_notify");
	struct system_sigevent systems;
	int error = event ? qnxhost_system_event(event, &systems) : 0;

	if (error == 0 && event && systems.notify == SYSTEM_THREAD_ID)
		error = ENOTSUP;
	return error ? qnxhost_result(error) : system_mq_notify(queue, event ? &systems : NULL);
}
