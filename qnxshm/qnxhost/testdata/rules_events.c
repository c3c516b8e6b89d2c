/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Events that a server delivers to its client, a thread of this process. */
#include "rules.h"

#include <sys/siginfo.h>

/* Delivers the events that are sent to it. The status is the errno. */
static void *deliver_all(void *chid)
{
	struct sigevent event;
	rcvid_t rcvid;

	while ((rcvid = MsgReceive(*(int *)chid, &event, sizeof event, NULL)) > 0)
		MsgReply(rcvid, MsgDeliverEvent(rcvid, &event) == 0 ? 0 : errno, NULL, 0);
	return NULL;
}

/* A server, a connection to it, and a channel of the client. */
static int server, coid, own, self;

static void begin(void)
{
	server = channel(0);
	coid = attach(server);
	own = channel(0);
	self = attach(own);
	thread(deliver_all, &server);
}

static long ask(const struct sigevent *event)
{
	return MsgSend(coid, event, sizeof *event, NULL, 0);
}

static void gets_pulse(long value)
{
	struct _pulse p = pulse_of(own);

	CHECK_EQUAL(p.code, 5);
	CHECK_EQUAL(p.value.sival_long, value);
}

static void pulse_event(struct sigevent *event)
{
	SIGEV_PULSE_INIT(event, self, SIGEV_PULSE_PRIO_INHERIT, 5, 4711);
}

static void as_it_is(void)
{
	struct sigevent event;

	begin();
	pulse_event(&event);
	CHECK_EQUAL(ask(&event), 0);
	gets_pulse(4711);
	SIGEV_NONE_INIT(&event);
	CHECK_EQUAL(ask(&event), 0);
	NOTHING_COMES(own);
}

static void to_itself(void)
{
	struct sigevent event;

	begin();
	pulse_event(&event);
	CHECK(MsgDeliverEvent(0, &event) == 0);
	gets_pulse(4711);
}

static void registered_only(void)
{
	struct sigevent event, registered;

	begin();
	MUST(ConnectFlags(0, coid, _NTO_COF_REG_EVENTS, _NTO_COF_REG_EVENTS) != -1);
	pulse_event(&event);
	registered = event;
	MUST(MsgRegisterEvent(&registered, coid) == 0);
	CHECK_EQUAL(ask(&event), EACCES);
	CHECK_EQUAL(ask(&registered), 0);
	gets_pulse(4711);
	NOTHING_COMES(own);
}

static void no_event(void)
{
	struct sigevent event, registered;

	begin();
	MUST(ConnectFlags(0, coid, _NTO_COF_NOEVENT, _NTO_COF_NOEVENT) != -1);
	pulse_event(&event);
	registered = event;
	MUST(MsgRegisterEvent(&registered, coid) == 0);
	CHECK_EQUAL(ask(&event), EACCES);
	CHECK_EQUAL(ask(&registered), EACCES);
	NOTHING_COMES(own);
}

static void block(int signal, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, signal);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void gets_signal(const sigset_t *set, siginfo_t *info)
{
	const struct timespec patience = {20, 0};

	CHECK(sigtimedwait(set, info, &patience) != -1);
}

static void signal_event(void)
{
	struct sigevent event;
	siginfo_t info;
	sigset_t set;

	block(SIGUSR1, &set); /* in all threads of this program that begin from here on */
	begin();
	SIGEV_SIGNAL_INIT(&event, SIGUSR1);
	CHECK_EQUAL(ask(&event), 0);
	gets_signal(&set, &info);
	CHECK_EQUAL(info.si_signo, SIGUSR1);
}

static void signal_code(void)
{
	struct sigevent event;
	siginfo_t info;
	sigset_t set;

	block(SIGRTMIN + 3, &set);
	begin();
	SIGEV_SIGNAL_CODE_INIT(&event, SIGRTMIN + 3, 4711, -100);
	CHECK_EQUAL(ask(&event), 0);
	gets_signal(&set, &info);
	CHECK(info.si_code == -100 && info.si_value.sival_ptr == (void *)4711);
}

static void signal_thread(void)
{
	struct sigevent event;
	siginfo_t info;
	sigset_t set;

	block(SIGRTMIN + 3, &set);
	begin();
	SIGEV_SIGNAL_THREAD_INIT(&event, SIGRTMIN + 3, 815, -101);
	for (int i = 0; i < 20; i++) {
		CHECK_EQUAL(ask(&event), 0); /* another thread may have it else */
		gets_signal(&set, &info);
		CHECK(info.si_code == -101 && info.si_value.sival_ptr == (void *)815);
	}
}

static atomic_int threads_value;
static pthread_t first_thread;

static void in_thread(union sigval value)
{
	CHECK(!pthread_equal(pthread_self(), first_thread));
	threads_value = value.sival_int;
}

static void thread_event(void)
{
	struct sigevent event;

	begin();
	first_thread = pthread_self();
	SIGEV_THREAD_INIT(&event, in_thread, 100, NULL);
	MUST(MsgRegisterEvent(&event, coid) == 0);
	CHECK_EQUAL(ask(&event), 0);
	for (double end = now() + 20; threads_value != 100 && now() < end;)
		delay(1);
	CHECK_EQUAL(threads_value, 100);
}

static void thread_unregistered(void)
{
	struct sigevent event;

	begin();
	SIGEV_THREAD_INIT(&event, in_thread, 100, NULL);
	CHECK_EQUAL(ask(&event), EINVAL);
	CHECK_EQUAL(threads_value, 0);
}

const struct rule event_rules[] = {
	{"event/as-it-is", as_it_is},
	{"event/to-itself", to_itself},
	{"event/registered-only", registered_only},
	{"event/no-event", no_event},
	{"event/signal", signal_event},
	{"event/signal-code", signal_code},
	{"event/signal-thread", signal_thread},
	{"event/new-thread", thread_event},
	{"event/new-thread-unasked", thread_unregistered},
	{NULL, NULL},
};
