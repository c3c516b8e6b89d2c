/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* How a wait ends that is not answered: by a signal, by cancellation, and when the
   connection is detached. */
#include "rules.h"

static void on_signal(int signal)
{
	(void)signal;
}

static void catch_signal(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, NULL);
}

struct receiver {
	int chid;
	atomic_int tid;
};

static void *receiver_thread(void *p)
{
	struct receiver *r = (struct receiver *)p;
	char b[100];

	r->tid = (int)syscall(SYS_gettid);
	CHECK_ERRNO(MsgReceive(r->chid, b, sizeof b, NULL), EINTR);
	return NULL;
}

static void interrupted_receive(void)
{
	struct receiver r = {};
	pthread_t t;

	catch_signal();
	r.chid = channel(0);
	t = thread(receiver_thread, &r);
	until_asleep(&r.tid);
	pthread_kill(t, SIGUSR1);
	join(t);
}

static void interrupted_unreceived(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK), coid = attach(chid);
	struct sender s = {};

	catch_signal();
	start_sender(&s, coid, 0, 0);
	until_asleep(&s.tid);
	pthread_kill(s.thread, SIGUSR1);
	failed(&s, EINTR);
	NOTHING_COMES(chid); /* neither the message nor a pulse */
}

static void interrupted_received(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};

	catch_signal();
	start_sender(&s, coid, 0, 0);
	rcvid = message_of(chid);
	until_asleep(&s.tid);
	pthread_kill(s.thread, SIGUSR1);
	failed(&s, EINTR);
	CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
}

/* A client that a signal wants to interrupt, and the server has to let go. */
static int interrupted_staying(struct sender *s, int chid)
{
	int coid = attach(chid), rcvid;
	struct _pulse p;

	catch_signal();
	start_sender(s, coid, 0, 0);
	rcvid = message_of(chid);
	until_asleep(&s->tid);
	pthread_kill(s->thread, SIGUSR1);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, _PULSE_CODE_UNBLOCK);
	CHECK_EQUAL(p.value.sival_int, rcvid);
	CHECK(!s->back);
	return rcvid;
}

static void interrupted_unblock(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK);
	struct sender s = {};

	answered(&s, interrupted_staying(&s, chid), 5);
}

static void interrupted_let_go(void)
{
	struct sender s = {};

	CHECK(MsgError(interrupted_staying(&s, channel(_NTO_CHF_UNBLOCK)), -1) == 0);
	failed(&s, EINTR);
}

static void cancelled_send(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};

	/* before it was received */
	start_sender(&s, coid, 0, 0);
	until_asleep(&s.tid);
	pthread_cancel(s.thread);
	CHECK(join(s.thread) == PTHREAD_CANCELED);
	NOTHING_COMES(chid);
	/* and after */
	start_sender(&s, coid, 0, 0);
	rcvid = message_of(chid);
	pthread_cancel(s.thread);
	CHECK(join(s.thread) == PTHREAD_CANCELED);
	CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
}

static void *nc_thread(void *p)
{
	struct sender *s = (struct sender *)p;

	s->tid = (int)syscall(SYS_gettid);
	s->status = MsgSendnc(s->coid, "q", 1, NULL, 0);
	s->back = true;
	pthread_testcancel();
	return NULL;
}

static void uncancelled_send(void)
{
	int chid = channel(0);
	struct sender s = {};

	s.coid = attach(chid);
	s.thread = thread(nc_thread, &s);
	until_asleep(&s.tid);
	pthread_cancel(s.thread);
	delay(50);
	CHECK(!s.back);
	MUST(MsgReply(message_of(chid), 4, NULL, 0) == 0);
	CHECK(join(s.thread) == PTHREAD_CANCELED);
	CHECK_EQUAL(s.status, 4);
	CHECK(s.back);
}

/* ConnectDetach with a thread that is blocked on the connection returns at once. */
static void detached_unreceived(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT), coid = attach(chid), other = attach(chid);
	struct sender s = {};

	start_sender(&s, coid, 0, 0);
	until_asleep(&s.tid);
	CHECK(ConnectDetach(coid) == 0);
	CHECK_ERRNO(ConnectDetach(coid), EINVAL);
	CHECK_ERRNO(MsgSend(coid, "q", 1, NULL, 0), EBADF);
	failed(&s, EBADF);
	NOTHING_COMES(chid);
	CHECK(ConnectDetach(other) == 0);
	CHECK_EQUAL(pulse_of(chid).code, _PULSE_CODE_DISCONNECT);
	NOTHING_COMES(chid);
}

static void detached_received(void)
{
	int chid = channel(_NTO_CHF_DISCONNECT), coid = attach(chid), rcvid;
	struct sender s = {};

	start_sender(&s, coid, 0, 0);
	rcvid = message_of(chid);
	CHECK(ConnectDetach(coid) == 0);
	failed(&s, EBADF);
	CHECK_EQUAL(pulse_of(chid).code, _PULSE_CODE_DISCONNECT);
	CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
	NOTHING_COMES(chid);
}

static void detached_unblock(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK), coid = attach(chid), rcvid;
	struct sender s = {};
	struct _pulse p;

	start_sender(&s, coid, 0, 0);
	rcvid = message_of(chid);
	CHECK(ConnectDetach(coid) == 0);
	CHECK_ERRNO(ConnectDetach(coid), EINVAL);
	CHECK_ERRNO(MsgSend(coid, "q", 1, NULL, 0), EBADF);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, _PULSE_CODE_UNBLOCK);
	CHECK_EQUAL(p.value.sival_int, rcvid);
	CHECK(!s.back);
	answered(&s, rcvid, 4);
	NOTHING_COMES(chid);
}

const struct rule wait_rules[] = {
	{"signal/receive", interrupted_receive},
	{"signal/send-blocked", interrupted_unreceived},
	{"signal/reply-blocked", interrupted_received},
	{"signal/unblock", interrupted_unblock},
	{"signal/let-go", interrupted_let_go},
	{"cancel/send", cancelled_send},
	{"cancel/nc-forms", uncancelled_send},
	{"detach/send-blocked", detached_unreceived},
	{"detach/reply-blocked", detached_received},
	{"detach/unblock", detached_unblock},
	{NULL, NULL},
};
