/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Events. "server NAME" delivers what its clients send it, "client NAME" is such a
   client, "alone" is both. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>

#include "check.h"

#include <signal.h>
#include <sys/iomsg.h>
#include <sys/siginfo.h>
#include <time.h>

#if _NTO_VERSION < 800
typedef int rcvid_t; /* 7.1 has no name for it */
#endif

enum { DELIVER = 0x200, VERIFY, QUIT };
enum { WHEN_ANSWERED, WHILE_BLOCKED };

/* The status of the answer is the errno of what was asked for. */
struct request {
	uint16_t type, when;
	int32_t add; /* to the value of the event */
	struct sigevent event;
};

static void *serve(void *chid)
{
	struct request r;
	rcvid_t rcvid;

	while ((rcvid = MsgReceive(*(int *)chid, &r, sizeof r, NULL)) != -1) {
		if (rcvid == 0)
			continue;
		if (r.type == QUIT || r.type == _IO_CONNECT) {
			MsgReply(rcvid, 0, NULL, 0);
			if (r.type == QUIT)
				break;
		} else if (r.type == VERIFY) {
			MsgReply(rcvid, MsgVerifyEvent(rcvid, &r.event) == 0 ? 0 : errno, NULL, 0);
		} else if (r.type == DELIVER) {
			r.event.sigev_value.sival_long += r.add;
			if (r.when == WHEN_ANSWERED)
				MsgReply(rcvid, 0, NULL, 0);
			int error = MsgDeliverEvent(rcvid, &r.event) == 0 ? 0 : errno;
			if (r.when == WHILE_BLOCKED)
				MsgReply(rcvid, error, NULL, 0);
		} else {
			MsgError(rcvid, ENOSYS);
		}
	}
	return NULL;
}

static long ask(int coid, int type, const struct sigevent *event, int add)
{
	struct request r = {};

	r.type = (uint16_t)type;
	r.when = WHILE_BLOCKED;
	r.add = add;
	if (event)
		r.event = *event;
	return MsgSend(coid, &r, sizeof r, NULL, 0);
}

static void check_pulse(int chid, int code, long value)
{
	const uint64_t patience = 10 * 1000000000ULL;
	struct _pulse pulse;

	memset(&pulse, 0xff, sizeof pulse);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &patience, NULL);
	CHECK_EQUAL(MsgReceivePulse(chid, &pulse, sizeof pulse, NULL), 0);
	CHECK_EQUAL(pulse.code, code);
	CHECK_EQUAL(pulse.value.sival_long, value);
	CHECK(pulse.scoid > 0 && pulse.type == _PULSE_TYPE && pulse.subtype == _PULSE_SUBTYPE);
}

static void nothing_waits(int chid)
{
	struct _pulse pulse;

	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL);
	CHECK_ERRNO(MsgReceivePulse(chid, &pulse, sizeof pulse, NULL), ETIMEDOUT);
}

static void pulses(int coid)
{
	int chid = channel(0), self = attach(chid);
	struct sigevent event, registered, second;
	struct request r = {};

	r.type = DELIVER;
	r.when = WHEN_ANSWERED;
	/* As it is. */
	SIGEV_PULSE_INIT(&event, self, SIGEV_PULSE_PRIO_INHERIT, 5, 4711);
	CHECK_EQUAL(ask(coid, VERIFY, &event, 0), 0);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 1), 0);
	check_pulse(chid, 5, 4712);
	CHECK(MsgVerifyEvent(0, &event) == 0 && MsgDeliverEvent(0, &event) == 0);
	check_pulse(chid, 5, 4711);

	/* Registered: the server cannot change anything. */
	registered = event;
	MUST(MsgRegisterEvent(&registered, coid) == 0);
	CHECK((registered.sigev_notify & SIGEV_FLAG_HANDLE) && SIGEV_GET_TYPE(&registered) == SIGEV_PULSE);
	CHECK_ERRNO(MsgRegisterEvent(&registered, coid), EINVAL);
	CHECK_EQUAL(ask(coid, VERIFY, &registered, 0), 0);
	CHECK_EQUAL(ask(coid, DELIVER, &registered, 1), 0);
	check_pulse(chid, 5, 4711);
	r.event = registered;
	for (int i = 0; i < 3; i++) { /* after the answer, which it may come before */
		CHECK_EQUAL(MsgSend(coid, &r, sizeof r, NULL, 0), 0);
		check_pulse(chid, 5, 4711);
	}

	/* Updateable: it can change the value. */
	second = event;
	SIGEV_MAKE_UPDATEABLE(&second);
	MUST(MsgRegisterEvent(&second, -1) == 0);
	CHECK_EQUAL(ask(coid, DELIVER, &second, 1), 0);
	check_pulse(chid, 5, 4712);

	/* Unregistered, it is nothing any more. */
	CHECK(MsgUnregisterEvent(&registered) == 0);
	CHECK_ERRNO(MsgUnregisterEvent(&registered), ESRCH);
	CHECK_ERRNO(MsgUnregisterEvent(&event), ESRCH);
	CHECK_EQUAL(ask(coid, DELIVER, &registered, 0), EACCES);
	CHECK_EQUAL(ask(coid, VERIFY, &registered, 0), EACCES);
	CHECK_ERRNO(MsgDeliverEvent(0, &registered), EACCES);
	CHECK(MsgUnregisterEvent(&second) == 0);

	/* For another server. */
	registered = event;
	MUST(MsgRegisterEvent(&registered, self) == 0);
	CHECK_EQUAL(ask(coid, DELIVER, &registered, 0), EACCES);
	CHECK(MsgUnregisterEvent(&registered) == 0);
	registered = event;
	CHECK(MsgRegisterEvent(&registered, SYSMGR_COID) == 0);
	CHECK_EQUAL(ask(coid, DELIVER, &registered, 0), EACCES);
	CHECK(MsgUnregisterEvent(&registered) == 0);
	CHECK_ERRNO(MsgRegisterEvent(&event, 9999), EBADF);

	/* A connection that takes registered events only, or none. */
	registered = event;
	MUST(MsgRegisterEvent(&registered, coid) == 0);
	MUST(ConnectFlags(0, coid, _NTO_COF_REG_EVENTS, _NTO_COF_REG_EVENTS) != -1);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), EACCES);
	CHECK_EQUAL(ask(coid, VERIFY, &event, 0), EACCES);
	CHECK_EQUAL(ask(coid, DELIVER, &registered, 0), 0);
	check_pulse(chid, 5, 4711);
	MUST(ConnectFlags(0, coid, _NTO_COF_NOEVENT, _NTO_COF_NOEVENT) != -1);
	CHECK_EQUAL(ask(coid, DELIVER, &registered, 0), EACCES);
	MUST(ConnectFlags(0, coid, _NTO_COF_REG_EVENTS | _NTO_COF_NOEVENT, 0) != -1);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), 0);
	check_pulse(chid, 5, 4711);
	CHECK(MsgUnregisterEvent(&registered) == 0);

	/* None. */
	SIGEV_NONE_INIT(&event);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), 0);
	SIGEV_PULSE_INIT(&event, 9999, 10, 1, 0);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), ESRCH);
	CHECK_EQUAL(ask(coid, VERIFY, &event, 0), ESRCH);
	CHECK_ERRNO(MsgVerifyEvent(0, &event), ESRCH);
	SIGEV_PULSE_INIT(&event, self, 300, 1, 0);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), EINVAL);
	event.sigev_notify = 0x99;
	CHECK_EQUAL(ask(coid, VERIFY, &event, 0), EINVAL);
	CHECK_ERRNO(MsgRegisterEvent(&event, coid), EINVAL);
	nothing_waits(chid);
	ChannelDestroy(chid);
	SIGEV_PULSE_INIT(&event, self, 10, 1, 0);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), EBADF);
	ConnectDetach(self);
}

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	(void)signal;
	caught++;
}

static void signals(int coid)
{
	const struct timespec patience = {10, 0};
	struct sigevent event;
	siginfo_t info;
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set); /* see main */
	SIGEV_SIGNAL_INIT(&event, SIGUSR1);
	CHECK_EQUAL(ask(coid, VERIFY, &event, 0), 0);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), 0);
	CHECK_EQUAL(sigtimedwait(&set, &info, &patience), SIGUSR1);
	CHECK(info.si_code == SI_USER && info.si_pid == getpid());

	SIGEV_SIGNAL_CODE_INIT(&event, SIGRTMIN + 3, 4711, -100);
	MUST(MsgRegisterEvent(&event, coid) == 0);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), 0);
	CHECK_EQUAL(sigtimedwait(&set, &info, &patience), SIGRTMIN + 3);
	CHECK(info.si_code == -100 && info.si_value.sival_ptr == (void *)4711);
	CHECK(MsgUnregisterEvent(&event) == 0);

	SIGEV_SIGNAL_THREAD_INIT(&event, SIGRTMIN + 3, 815, -101); /* for this very thread */
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), 0);
	CHECK_EQUAL(sigtimedwait(&set, &info, &patience), SIGRTMIN + 3);
	CHECK(info.si_code == -101 && info.si_value.sival_ptr == (void *)815);

	struct sigaction action = {};
	action.sa_handler = on_signal;
	sigaction(SIGUSR2, &action, NULL);
	SIGEV_SIGNAL_INIT(&event, SIGUSR2);
	CHECK(ask(coid, DELIVER, &event, 0) == 0 || errno == EINTR); /* the answer may be as fast */
	CHECK_EQUAL(caught, 1);

	SIGEV_SIGNAL_INIT(&event, 1000);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), EINVAL);
}

static atomic_int threads_value;
static pthread_t threads_main;

static void in_thread(union sigval value)
{
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	CHECK(!pthread_equal(pthread_self(), threads_main) && sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGTERM) == 0);
	threads_value = value.sival_int;
}

static void threads(int coid)
{
	struct sigevent event;

	threads_main = pthread_self();
	SIGEV_THREAD_INIT(&event, in_thread, 100, NULL);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), EINVAL); /* not at a stranger's word */
	SIGEV_MAKE_UPDATEABLE(&event);
	MUST(MsgRegisterEvent(&event, coid) == 0);
	for (int i = 1; i <= 20; i++) {
		CHECK_EQUAL(ask(coid, DELIVER, &event, i), 0);
		while (threads_value != 100 + i && !faults)
			delay(1);
	}
	CHECK(MsgUnregisterEvent(&event) == 0);
	CHECK_EQUAL(ask(coid, DELIVER, &event, 0), EACCES);
}

/* What was registered for a connection goes with it, whoever unregisters it or not. */
static void threads_leave_nothing(int chid)
{
	size_t before = 0;

	threads_main = pthread_self();
	for (int i = 0; i < 3000; i++) {
		struct sigevent event;
		int coid = attach(chid);

		SIGEV_THREAD_INIT(&event, in_thread, 100, NULL);
		MUST(MsgRegisterEvent(&event, coid) == 0);
		ConnectDetach(coid);
		if (i % 2)
			CHECK_ERRNO(MsgUnregisterEvent(&event), ESRCH);
		if (i == 1000)
			before = mallinfo2().uordblks;
	}
	CHECK(mallinfo2().uordblks < before + 10000);
}

static void clients_checks(int coid)
{
	signals(coid);
	pulses(coid);
	threads(coid);
	CHECK_EQUAL(ask(coid, QUIT, NULL, 0), 0);
}

static void alone(void)
{
	struct sigevent event;
	int chid = channel(0), coid = attach(chid);
	pthread_t server = thread(serve, &chid);

	clients_checks(coid);
	join(server);
	SIGEV_NONE_INIT(&event);
	CHECK_ERRNO(MsgDeliverEvent(77, &event), ESRCH);
	CHECK_ERRNO(MsgVerifyEvent(77, &event), ESRCH);
	ConnectDetach(coid);
	threads_leave_nothing(chid);
	ChannelDestroy(chid);
}

int main(int argc, char **argv)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 3);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (argc > 2 && strcmp(argv[1], "server") == 0) {
		name_attach_t *attached = name_attach(NULL, argv[2], 0);
		MUST(attached);
		printf("serving\n");
		fflush(stdout);
		serve(&attached->chid);
	} else if (argc > 2) {
		int coid = name_open(argv[2], 0);
		MUST(coid != -1);
		clients_checks(coid);
	} else {
		alone();
	}
	return result();
}
