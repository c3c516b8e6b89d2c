/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What channels are told of the end of servers and of threads. */
#include "rules.h"

#include <sys/siginfo.h>

/* The channel of a name tells of connections whose server is gone, like any that asks. */
static void death_at_named(void)
{
	int chid = channel(0), coid = attach(chid), second = attach(chid), plain = channel(0);
	char name[60];
	name_attach_t *a;

	snprintf(name, sizeof name, "rules-%d", (int)getpid());
	MUST(a = name_attach(NULL, name, 0));
	ChannelDestroy(chid);
	for (int i = 0; i < 2; i++) {
		struct _pulse p = pulse_of(a->chid);

		CHECK_EQUAL(p.code, _PULSE_CODE_COIDDEATH);
		CHECK(p.value.sival_int == coid || p.value.sival_int == second);
	}
	NOTHING_COMES(a->chid);
	NOTHING_COMES(plain);
	name_detach(a, 0);
}

static void dead_stays(void)
{
	int chid = channel(0), coid = attach(chid), asked = channel(_NTO_CHF_COID_DISCONNECT), next;
	struct _server_info info;

	ChannelDestroy(chid);
	CHECK_EQUAL(pulse_of(asked).value.sival_int, coid);
	next = attach(asked);
	CHECK(next != coid);
	CHECK_EQUAL(ConnectServerInfo(0, coid, &info), coid);
	CHECK_ERRNO(MsgSend(coid, "q", 1, NULL, 0), EBADF);
	CHECK(ConnectDetach(coid) == 0);
	CHECK_EQUAL(attach(asked), coid);
	NOTHING_COMES(asked);
}

static void *ends_at_once(void *tid)
{
	setprio(0, 20);
	*(atomic_int *)tid = (int)syscall(SYS_gettid);
	return NULL;
}

static void *exits(void *tid)
{
	ends_at_once(tid);
	pthread_exit(tid);
}

static void *waits(void *tid)
{
	struct _pulse p;

	ends_at_once(tid);
	MsgReceive(channel(0), &p, sizeof p, NULL);
	return NULL;
}

static atomic_int events_tid;

static void of_event(union sigval value)
{
	(void)value;
	events_tid = (int)syscall(SYS_gettid);
}

/* So are threads that the library makes for the program. */
static void threads_of_events(int chid)
{
	struct sigevent event;
	struct _pulse p;

	SIGEV_THREAD_INIT(&event, of_event, 1, NULL);
	MUST(MsgRegisterEvent(&event, -1) == 0 && MsgDeliverEvent(0, &event) == 0);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, _PULSE_CODE_THREADDEATH);
	CHECK_EQUAL(p.value.sival_int, events_tid);
}

static void thread_death(void)
{
	void *(*const ends[])(void *) = {ends_at_once, exits, waits};
	int chid = channel(_NTO_CHF_THREAD_DEATH), coid = attach(chid);

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		atomic_int tid = {0};
		pthread_t t = thread(ends[i], &tid);
		struct _pulse p;

		if (ends[i] == waits) {
			until_asleep(&tid);
			pthread_cancel(t);
		}
		p = pulse_of(chid); /* before it is joined */
		CHECK_EQUAL(p.code, _PULSE_CODE_THREADDEATH);
		CHECK_EQUAL(p.value.sival_int, tid);
		join(t);
	}
	threads_of_events(chid);
	/* it has the priority of the thread */
	atomic_int tid = {0};
	CHECK(MsgSendPulse(coid, 19, 1, 0) == 0 && MsgSendPulse(coid, 21, 2, 0) == 0);
	join(thread(ends_at_once, &tid));
	CHECK_EQUAL(pulse_of(chid).code, 2);
	CHECK_EQUAL(pulse_of(chid).code, _PULSE_CODE_THREADDEATH);
	CHECK_EQUAL(pulse_of(chid).code, 1);
	NOTHING_COMES(chid);
}

static void *first_has_ended(void *chid)
{
	struct _pulse p = pulse_of(*(int *)chid);

	CHECK_EQUAL(p.code, _PULSE_CODE_THREADDEATH);
	CHECK_EQUAL(p.value.sival_int, getpid());
	exit(result());
}

static void first_thread_death(void)
{
	static int chid;

	chid = channel(_NTO_CHF_THREAD_DEATH);
	thread(first_has_ended, &chid);
	pthread_exit(NULL);
}

static void thread_death_unasked(void)
{
	int asked = channel(_NTO_CHF_THREAD_DEATH), plain = channel(_NTO_CHF_DISCONNECT | _NTO_CHF_COID_DISCONNECT);
	atomic_int tid = {0};

	join(thread(ends_at_once, &tid));
	CHECK_EQUAL(pulse_of(asked).value.sival_int, tid);
	NOTHING_COMES(plain);
}

const struct rule death_rules[] = {
	{"death/named", death_at_named},
	{"death/stays", dead_stays},
	{"death/thread", thread_death},
	{"death/main", first_thread_death},
	{"death/thread-unasked", thread_death_unasked},
	{NULL, NULL},
};
