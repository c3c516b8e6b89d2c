/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A timeout ends a call in the states that it is for, and in no other. */
#include "rules.h"

static void send_unreceived(void)
{
	int chid = channel(0), coid = attach(chid);
	struct sender s = {};
	double began = now();

	start_sender(&s, coid, _NTO_TIMEOUT_SEND, 20 * MS);
	failed(&s, ETIMEDOUT);
	CHECK(s.ended - began >= 0.019);
	NOTHING_COMES(chid);
}

static void send_received(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};

	rcvid = receive_from(&s, chid, coid, _NTO_TIMEOUT_SEND, 50 * MS);
	delay(100);
	CHECK(!s.back);
	answered(&s, rcvid, 7);
}

static void reply_unreceived(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};
	double received;

	start_sender(&s, coid, _NTO_TIMEOUT_REPLY, 300 * MS);
	until_asleep(&s.tid);
	delay(400);
	CHECK(!s.back);
	rcvid = message_of(chid);
	received = now();
	if (MsgReply(rcvid, 8, NULL, 0) == -1)
		CHECK(errno == ESRCH && now() - received > 0.25); /* this thread did not run for so long */
	join(s.thread);
	CHECK(s.status == 8 || (s.error == ETIMEDOUT && s.ended - received > 0.25));
}

static void reply_received(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};
	double received;

	start_sender(&s, coid, _NTO_TIMEOUT_REPLY, 50 * MS);
	until_asleep(&s.tid);
	delay(100);
	rcvid = message_of(chid);
	received = now();
	failed(&s, ETIMEDOUT);
	CHECK(s.ended - received >= 0.040);
	CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
}

static void reply_unblock(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK), coid = attach(chid), rcvid;
	struct sender s = {};
	struct _pulse p;

	start_sender(&s, coid, _NTO_TIMEOUT_REPLY, 50 * MS);
	rcvid = message_of(chid);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, _PULSE_CODE_UNBLOCK);
	CHECK_EQUAL(p.value.sival_int, rcvid);
	CHECK(!s.back);
	answered(&s, rcvid, 9);
}

static void reply_restart(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};

	rcvid = receive_from(&s, chid, coid, _NTO_TIMEOUT_REPLY, 300 * MS);
	delay(50); /* until the time has begun */
	if (MsgError(rcvid, ERESTART) == -1)
		return failed(&s, ETIMEDOUT); /* this thread did not run for so long */
	delay(400);
	CHECK(!s.back);
	rcvid = message_of(chid);
	if (MsgReply(rcvid, 6, NULL, 0) == -1)
		return failed(&s, ETIMEDOUT);
	join(s.thread);
	CHECK_EQUAL(s.status, 6);
}

static void reply_null(void)
{
	int chid = channel(0), coid = attach(chid);
	struct sender s = {};

	start_sender(&s, coid, _NTO_TIMEOUT_REPLY, 0);
	until_asleep(&s.tid);
	message_of(chid);
	failed(&s, ETIMEDOUT);
}

static void other_state(void)
{
	int chid = channel(0), coid = attach(chid);
	struct sender s = {};

	start_sender(&s, coid, _NTO_TIMEOUT_RECEIVE, MS);
	until_asleep(&s.tid);
	delay(50);
	CHECK(!s.back);
	answered(&s, message_of(chid), 1);
}

/* Waits as long as it takes for a message, which is answered. */
static void waits_for_good(int chid, int coid)
{
	struct sender s = {};
	char b[100];

	s.coid = coid;
	start_sender(&s, coid, 0, 0);
	MUST(MsgReply((int)MsgReceive(chid, b, sizeof b, NULL), 2, NULL, 0) == 0);
	join(s.thread);
	CHECK_EQUAL(s.status, 2);
}

struct late_client {
	int coid, after;
};

static void *late_client(void *p)
{
	const struct late_client *c = (const struct late_client *)p;

	delay((unsigned)c->after);
	CHECK_EQUAL(MsgSend(c->coid, "q", 1, NULL, 0), 2);
	return NULL;
}

/* The call after one with a timeout of 1 ms waits for longer. */
static void once(void)
{
	int chid = channel(0);
	struct late_client c = {attach(chid), 100};
	pthread_t t;
	char b[100];

	CHECK_ERRNO(receive_for(chid, b, sizeof b, MS), ETIMEDOUT);
	t = thread(late_client, &c);
	MUST(MsgReply((int)MsgReceive(chid, b, sizeof b, NULL), 2, NULL, 0) == 0);
	join(t);
}

static void ready(void)
{
	int chid = channel(0);
	struct late_client c = {attach(chid), 100};
	struct _pulse p;
	pthread_t t;
	char b[100];

	CHECK(MsgSendPulse(c.coid, -1, 1, 1) == 0);
	CHECK_EQUAL(receive_for(chid, &p, sizeof p, MS), 0);
	t = thread(late_client, &c);
	MUST(MsgReply((int)MsgReceive(chid, b, sizeof b, NULL), 2, NULL, 0) == 0);
	join(t);
}

/* Sends a pulse to a thread whenever that has begun to wait again, and sleeps. */
struct waker {
	int coid;
	atomic_int tid, waits; /* how often, negative: no more */
};

static void *wake(void *p)
{
	struct waker *w = (struct waker *)p;
	int woken = 0, waits;

	while ((waits = w->waits) >= 0)
		if (waits == woken || !is_asleep(&w->tid)) {
			delay(1);
		} else {
			woken = waits;
			CHECK(MsgSendPulse(w->coid, -1, 1, 0) == 0);
		}
	return NULL;
}

static void arm_at_once(void)
{
	CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL) == 0);
}

/* 0 when a pulse has come, or the errno. */
static int wait_for_pulse(struct waker *w, int chid)
{
	struct _pulse p;

	w->waits++;
	return -MsgReceivePulse_r(chid, &p, sizeof p, NULL);
}

#define CLEARS(call) \
	do { \
		arm_at_once(); \
		(void)(call); \
		int error_ = wait_for_pulse(&waker, chid); \
		if (error_) { \
			faults++; \
			fprintf(stderr, "after %s: %s\n", #call, errno_name(error_)); \
		} \
	} while (0)

#define BOTH_CLEAR(name, arguments) \
	do { \
		CLEARS(name arguments); \
		CLEARS(name##_r arguments); \
	} while (0)

/* Every kernel call there is: TestKernelCallsClearTimeouts compares with the headers. Most
   of these fail, some of them before anything has been done. */
static void cleared(void)
{
	const struct nto_channel_config pool = {};
	struct waker waker = {};
	struct _clockperiod period;
	struct _clockadjust adjust;
	struct _sched_info sched;
	struct sched_param parameters;
	struct _itimer time = {};
	struct itimerspec value = {};
	struct sigevent event;
	uint64_t t;
	timer_t timer;
	iov_t iov;
	int chid = channel(0), none = 1 << 20;
	pthread_t waking;
	char b[8];

	SETIOV(&iov, b, sizeof b);
	SIGEV_NONE_INIT(&event);
	waker.coid = attach(chid);
	waker.tid = (int)syscall(SYS_gettid);
	waking = thread(wake, &waker);

	BOTH_CLEAR(ChannelCreate, (0));
	BOTH_CLEAR(ChannelCreate, (~0U));
	CLEARS(ChannelCreatePulsePool(0, &pool));
	CLEARS(ChannelCreatePulsePool(0, NULL));
	BOTH_CLEAR(ChannelDestroy, (-1));
	BOTH_CLEAR(ConnectAttach, (0, 0, chid, _NTO_SIDE_CHANNEL, 0));
	BOTH_CLEAR(ConnectAttach, (7, 0, chid, _NTO_SIDE_CHANNEL, 0));
	BOTH_CLEAR(ConnectAttach, (0, 0, chid, 5, 0));
	BOTH_CLEAR(ConnectDetach, (none));
	BOTH_CLEAR(ConnectDetach, (SYSMGR_COID));
	BOTH_CLEAR(ConnectFlags, (0, none, 0, 0));
	BOTH_CLEAR(ConnectFlags, (-1, none, 0, 0));
	BOTH_CLEAR(ConnectServerInfo, (0, none, NULL));
	BOTH_CLEAR(ConnectServerInfo, (-1, none, NULL));
	BOTH_CLEAR(ConnectClientInfo, (none, NULL, 0));
	BOTH_CLEAR(ConnectClientInfo, (none, NULL, -1));
	CLEARS(ConnectClientInfoExt(none, NULL, 0));

	BOTH_CLEAR(MsgSend, (none, b, 1, b, 1));
	BOTH_CLEAR(MsgSend, (none, NULL, 1, b, 1));
	BOTH_CLEAR(MsgSendnc, (none, NULL, 1, b, 1));
	BOTH_CLEAR(MsgSendsv, (none, b, 1, NULL, 1));
	BOTH_CLEAR(MsgSendsvnc, (none, b, 1, NULL, 1));
	BOTH_CLEAR(MsgSendvs, (none, NULL, 1, b, 1));
	BOTH_CLEAR(MsgSendvsnc, (none, NULL, 1, b, 1));
	BOTH_CLEAR(MsgSendv, (none, NULL, 1, &iov, 1));
	BOTH_CLEAR(MsgSendvnc, (none, NULL, 1, &iov, 1));
	BOTH_CLEAR(MsgReceive, (chid, NULL, 1, NULL));
	BOTH_CLEAR(MsgReceivev, (chid, NULL, 1, NULL));
	BOTH_CLEAR(MsgReceivePulse, (chid, NULL, 1, NULL));
	BOTH_CLEAR(MsgReceivePulsev, (chid, NULL, 1, NULL));
	BOTH_CLEAR(MsgReply, (none, 0, b, 1));
	BOTH_CLEAR(MsgReply, (none, 0, NULL, 1));
	BOTH_CLEAR(MsgReplyv, (none, 0, NULL, 1));
	BOTH_CLEAR(MsgError, (none, EPERM));
	BOTH_CLEAR(MsgRead, (none, NULL, 1, 0));
	BOTH_CLEAR(MsgReadv, (none, NULL, 1, 0));
	BOTH_CLEAR(MsgWrite, (none, NULL, 1, 0));
	BOTH_CLEAR(MsgWritev, (none, NULL, 1, 0));
	BOTH_CLEAR(MsgInfo, (none, NULL));
	BOTH_CLEAR(MsgSendPulse, (none, -1, 1, 1));
	BOTH_CLEAR(MsgSendPulsePtr, (none, -1, 1, NULL));
	BOTH_CLEAR(MsgRegisterEvent, (NULL, none));
	BOTH_CLEAR(MsgUnregisterEvent, (NULL));
	BOTH_CLEAR(MsgDeliverEvent, (none, NULL));
	BOTH_CLEAR(MsgVerifyEvent, (none, NULL));

	BOTH_CLEAR(TimerCreate, (CLOCK_MONOTONIC, &event));
	BOTH_CLEAR(TimerCreate, (-1, &event));
	BOTH_CLEAR(TimerDestroy, (none));
	BOTH_CLEAR(TimerSettime, (none, 0, &time, NULL));
	BOTH_CLEAR(TimerInfo, (0, none, 0, NULL));
	BOTH_CLEAR(TimerInfo, (-1, none, 0, NULL));
	CLEARS(timer_create(CLOCK_MONOTONIC, &event, &timer));
	CLEARS(timer_create(CLOCK_MONOTONIC, &event, NULL));
	CLEARS(timer_settime(none, 0, &value, NULL));
	CLEARS(timer_gettime(none, &value));
	CLEARS(timer_getoverrun(none));
	CLEARS(timer_delete(none));

	BOTH_CLEAR(ClockTime, (CLOCK_MONOTONIC, NULL, &t));
	BOTH_CLEAR(ClockTime, (-1, NULL, &t));
	BOTH_CLEAR(ClockAdjust, (CLOCK_REALTIME, NULL, &adjust));
	BOTH_CLEAR(ClockAdjust, (-1, NULL, &adjust));
	BOTH_CLEAR(ClockPeriod, (CLOCK_REALTIME, NULL, &period, 0));
	BOTH_CLEAR(ClockPeriod, (-1, NULL, &period, 0));
	BOTH_CLEAR(ClockId, (0, 0));
	BOTH_CLEAR(ClockId, (-1, 0));
	BOTH_CLEAR(SchedGet, (0, 0, &parameters));
	BOTH_CLEAR(SchedGet, (-1, 0, &parameters));
	BOTH_CLEAR(SchedSet, (0, 0, SCHED_OTHER, NULL));
	BOTH_CLEAR(SchedSet, (-1, 0, SCHED_OTHER, NULL));
	BOTH_CLEAR(SchedInfo, (0, SCHED_RR, &sched));
	BOTH_CLEAR(SchedInfo, (-1, SCHED_RR, &sched));
	BOTH_CLEAR(SchedYield, ());
	BOTH_CLEAR(ThreadCtl, (_NTO_TCTL_NAME, NULL));
	BOTH_CLEAR(ThreadCtl, (_NTO_TCTL_IO, NULL));
	CLEARS(getprio(0));
	CLEARS(setprio(0, 10));

	/* This one is none. */
	arm_at_once();
	ClockCycles();
	CHECK_EQUAL(wait_for_pulse(&waker, chid), ETIMEDOUT);
	waker.waits = -1;
	join(waking);
}

static void tolerance(void)
{
	int chid = channel(0), coid = attach(chid);
	const uint64_t ns = 20 * MS, allowed = 5 * MS;
	double began = now();

	CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, NULL, &ns, NULL) == 0);
	CHECK(TimerTimeout(CLOCK_MONOTONIC, TIMER_TOLERANCE, NULL, &allowed, NULL) == 0);
	CHECK_ERRNO(MsgSend(coid, "q", 1, NULL, 0), ETIMEDOUT);
	CHECK(now() - began >= 0.019);
	/* alone it is no timeout */
	CHECK(TimerTimeout(CLOCK_REALTIME, TIMER_TOLERANCE, NULL, &allowed, NULL) == 0);
	waits_for_good(chid, coid);
}

static void soft_time(void)
{
	int chid = channel(0);
	uint64_t ns = 20 * MS;
	double began = now();
	char b[100];

	CHECK(TimerTimeout(CLOCK_SOFTTIME, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL) == 0);
	CHECK_ERRNO(MsgReceive(chid, b, sizeof b, NULL), ETIMEDOUT);
	CHECK(now() - began >= 0.019);
}

static void absolute(void)
{
	int chid = channel(0);
	struct timespec t;
	uint64_t end;
	char b[100];

	clock_gettime(CLOCK_REALTIME, &t);
	end = timespec2nsec(&t) + 30 * MS;
	CHECK(TimerTimeout(CLOCK_REALTIME, _NTO_TIMEOUT_RECEIVE | TIMER_ABSTIME, NULL, &end, NULL) == 0);
	CHECK_ERRNO(MsgReceive(chid, b, sizeof b, NULL), ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &t);
	CHECK(timespec2nsec(&t) + MS >= end);
	/* one that is over */
	CHECK(TimerTimeout(CLOCK_REALTIME, _NTO_TIMEOUT_RECEIVE | TIMER_ABSTIME, NULL, &end, NULL) == 0);
	CHECK_ERRNO(MsgReceive(chid, b, sizeof b, NULL), ETIMEDOUT);
}

static void no_clock(void)
{
	const uint64_t ns = MS;

	CHECK_ERRNO(TimerTimeout((clockid_t)-1, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL), EINVAL);
	CHECK_ERRNO(TimerTimeout((clockid_t)12345, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL), EINVAL);
}

static void other_event(void)
{
	const uint64_t ns = MS;
	struct sigevent event;

	SIGEV_UNBLOCK_INIT(&event);
	CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &event, &ns, NULL) == 0);
	SIGEV_PULSE_INIT(&event, 1, -1, 1, 1);
	CHECK_ERRNO(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &event, &ns, NULL), ENOSYS);
	SIGEV_SIGNAL_INIT(&event, SIGUSR1);
	CHECK_ERRNO(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &event, &ns, NULL), ENOSYS);
}

const struct rule timeout_rules[] = {
	{"timeout/send-unreceived", send_unreceived},
	{"timeout/send-received", send_received},
	{"timeout/reply-unreceived", reply_unreceived},
	{"timeout/reply-received", reply_received},
	{"timeout/reply-unblock", reply_unblock},
	{"timeout/reply-restart", reply_restart},
	{"timeout/reply-null", reply_null},
	{"timeout/other-state", other_state},
	{"timeout/once", once},
	{"timeout/ready", ready},
	{"timeout/cleared", cleared},
	{"timeout/tolerance", tolerance},
	{"timeout/soft-time", soft_time},
	{"timeout/absolute", absolute},
	{"timeout/no-clock", no_clock},
	{"timeout/other-event", other_event},
	{NULL, NULL},
};
