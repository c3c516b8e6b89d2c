/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Events that a server delivers to its clients. Pulses are sent in Go, signals and
   threads made here. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "face.h"

/* What SIGEV_THREAD means, of an event that was registered: elsewhere it has a number. */
struct thread_event {
	int number;
	void (*function)(union sigval);
	pthread_attr_t *attributes;
	sigset_t mask; /* of who has registered it */
	struct thread_event *next;
};

static struct thread_event *thread_events;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int add_thread_event(const struct sigevent *event)
{
	static int last;
	struct thread_event *t = malloc(sizeof *t);

	if (t == NULL)
		return -1;
	t->function = event->sigev_notify_function;
	t->attributes = event->sigev_notify_attributes;
	pthread_sigmask(SIG_SETMASK, NULL, &t->mask);
	pthread_mutex_lock(&lock);
	last = last == INT32_MAX ? 1 : last + 1;
	t->number = last;
	t->next = thread_events;
	thread_events = t;
	pthread_mutex_unlock(&lock);
	return t->number;
}

/* Called from Go, too. */
void qnxhost_forget_thread_event(int number)
{
	struct thread_event **p, *t;

	pthread_mutex_lock(&lock);
	for (p = &thread_events; (t = *p) && t->number != number; p = &t->next)
		;
	if (t)
		*p = t->next;
	pthread_mutex_unlock(&lock);
	free(t);
}

struct start {
	struct thread_event event;
	union sigval value;
};

static void *run(void *p)
{
	struct start start = *(struct start *)p;

	free(p);
	pthread_sigmask(SIG_SETMASK, &start.event.mask, NULL);
	start.event.function(start.value);
	return NULL;
}

static int make_thread(int number, union sigval value)
{
	struct start *start = malloc(sizeof *start);
	struct thread_event *t;
	pthread_attr_t detached;
	pthread_t thread;
	int error = EAGAIN;

	if (start == NULL)
		return EAGAIN;
	start->value = value;
	pthread_mutex_lock(&lock);
	for (t = thread_events; t && t->number != number; t = t->next)
		;
	if (t)
		start->event = *t;
	pthread_mutex_unlock(&lock);
	if (t == NULL) {
		error = EACCES; /* unregistered by now */
	} else if (start->event.attributes) {
		error = pthread_create(&thread, start->event.attributes, run, start);
	} else if ((error = pthread_attr_init(&detached)) == 0) {
		pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
		error = pthread_create(&thread, &detached, run, start);
		pthread_attr_destroy(&detached);
	}
	if (error)
		free(start);
	return error;
}

/* What the kernel takes of a siginfo_t that carries a value. */
struct queued_signal {
	int signo, error, code, pad;
	pid_t pid;
	uid_t uid;
	union sigval value;
	char rest[128 - 32];
};
QNXHOST_SIZE(struct queued_signal, 128);

static int make_signal(int kind, int signal, int code, union sigval value, int thread)
{
	struct queued_signal info = {.signo = signal, .code = code, .pid = getpid(), .uid = getuid(), .value = value};
	long result;

	/* Of other codes the kernel thinks that they are its own. Programs have those from
	   -128 to -64 on QNX. */
	if (code >= 0 || code == SI_TKILL)
		info.code = SI_QUEUE;
	if (kind == SIGEV_SIGNAL)
		result = kill(getpid(), signal);
	else if (kind == SIGEV_SIGNAL_THREAD && thread > 0)
		result = syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal, &info);
	else
		result = syscall(SYS_rt_sigqueueinfo, getpid(), signal, &info);
	return result == 0 ? 0 : errno;
}

/* Called from Go. */
int qnxhost_raise(int kind, int which, int code, long value, int thread)
{
	union sigval v = {.sival_long = value};

	return kind == SIGEV_THREAD ? make_thread(which, v) : make_signal(kind, which, code, v, thread);
}

/* What Go is told of an event. */
static struct qnxhost_event told(const struct sigevent *event)
{
	struct qnxhost_event e = {
		.notify = event->sigev_notify,
		.which = event->sigev_signo, /* or coid, or handle */
		.value = event->sigev_value.sival_long,
	};

	if (SIGEV_GET_TYPE(event) != SIGEV_THREAD) {
		e.code = event->sigev_code;
		e.priority = event->sigev_priority;
	}
	return e;
}

int MsgRegisterEvent_r(struct sigevent *event, int coid)
{
	QNXHOST_R_FORM;
	struct qnxhost_event e;
	int error, thread = 0;

	if (qnxhost_forked())
		return -ENOSYS;
	if (event == NULL)
		return -EFAULT;
	e = told(event);
	if (SIGEV_GET_TYPE(event) == SIGEV_THREAD && !(event->sigev_notify & SIGEV_FLAG_HANDLE)) {
		if (qnxhost_in_first_page((void *)event->sigev_notify_function))
			return -EINVAL;
		e.which = thread = add_thread_event(event);
		if (thread < 0)
			return -EAGAIN;
	}
	error = QNXHOST_CALL(qnxhost_go_register_event(&e, coid));
	if (error == 0) {
		event->sigev_notify = e.notify;
		event->sigev_notify_function = NULL; /* the rest of the union */
		event->sigev_handle = e.which;
	} else if (thread) {
		qnxhost_forget_thread_event(thread);
	}
	return -error;
}

int MsgUnregisterEvent_r(const struct sigevent *event)
{
	QNXHOST_R_FORM;
	struct qnxhost_event e;

	if (qnxhost_forked())
		return -ENOSYS;
	if (event == NULL)
		return -EFAULT;
	e = told(event);
	return -QNXHOST_CALL(qnxhost_go_unregister_event(&e));
}

static int deliver(qnxhost_rcvid_t rcvid, const struct sigevent *event, int check)
{
	QNXHOST_R_FORM;
	struct qnxhost_event e;

	if (qnxhost_forked())
		return -ENOSYS;
	if (event == NULL)
		return -EFAULT;
	e = told(event);
	return -QNXHOST_CALL(qnxhost_go_deliver_event(rcvid, &e, check));
}

int MsgDeliverEvent_r(qnxhost_rcvid_t rcvid, const struct sigevent *event)
{
	return deliver(rcvid, event, 0);
}

int MsgVerifyEvent_r(qnxhost_rcvid_t rcvid, const struct sigevent *event)
{
	return deliver(rcvid, event, 1);
}

int MsgRegisterEvent(struct sigevent *event, int coid)
{
	return qnxhost_result(-MsgRegisterEvent_r(event, coid));
}

int MsgUnregisterEvent(const struct sigevent *event)
{
	return qnxhost_result(-MsgUnregisterEvent_r(event));
}

int MsgDeliverEvent(qnxhost_rcvid_t rcvid, const struct sigevent *event)
{
	return qnxhost_result(-MsgDeliverEvent_r(rcvid, event));
}

int MsgVerifyEvent(qnxhost_rcvid_t rcvid, const struct sigevent *event)
{
	return qnxhost_result(-MsgVerifyEvent_r(rcvid, event));
}
