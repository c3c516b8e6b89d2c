/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What is received, in which order, and what answers mean. */
#include "rules.h"

#include <sys/resource.h>

/* Both are kept in an int, as most programs do. */
static void int_ids(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK), coid = attach(chid), rcvid, of_pulse;
	struct sender s = {};
	struct _pulse p;

	rcvid = receive_from(&s, chid, coid, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, 50 * MS);
	CHECK(rcvid > 0);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, _PULSE_CODE_UNBLOCK);
	of_pulse = p.value.sival_int;
	CHECK_EQUAL(of_pulse, rcvid);
	answered(&s, of_pulse, 3);
}

static void small_buffer(void)
{
	int chid = channel(0), coid = attach(chid);
	struct _pulse p;
	iov_t parts[2];
	char b[8];

	for (int i = 0; i < 4; i++)
		CHECK(MsgSendPulse(coid, -1, i, 0) == 0);
	SETIOV(&parts[0], b, 4);
	SETIOV(&parts[1], b + 4, 4);
	CHECK_ERRNO(receive_for(chid, b, sizeof b, 1000 * MS), EFAULT);
	CHECK_ERRNO(MsgReceivePulse(chid, &p, sizeof p - 1, NULL), EFAULT);
	CHECK_ERRNO(MsgReceivev(chid, parts, 2, NULL), EFAULT);
	CHECK_EQUAL(pulse_of(chid).code, 3);
	NOTHING_COMES(chid);
}

static void pulse_leaves_info(void)
{
	int chid = channel(0), coid = attach(chid);
	struct _msg_info info, before;
	struct _pulse p;

	memset(&info, 0x55, sizeof info);
	before = info;
	for (int i = 0; i < 2; i++)
		CHECK(MsgSendPulse(coid, -1, 1, 0) == 0);
	CHECK_EQUAL(MsgReceive(chid, &p, sizeof p, &info), 0);
	CHECK_EQUAL(MsgReceivePulse(chid, &p, sizeof p, &info), 0);
	CHECK(memcmp(&info, &before, sizeof info) == 0);
}

static void pulses_only(void)
{
	int chid = channel(0), coid = attach(chid);
	const uint64_t soon = 20 * MS;
	struct sender s = {};
	struct _pulse p;

	start_sender(&s, coid, 0, 0);
	until_asleep(&s.tid);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &soon, NULL);
	CHECK_ERRNO(MsgReceivePulse(chid, &p, sizeof p, NULL), ETIMEDOUT);
	CHECK(MsgSendPulse(coid, 1, 5, 0) == 0);
	CHECK_EQUAL(MsgReceivePulse(chid, &p, sizeof p, NULL), 0);
	CHECK_EQUAL(p.code, 5);
	CHECK(!s.back);
	answered(&s, message_of(chid), 3);
}

static void receive_no_parts(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};
	struct _msg_info info;
	char b[4];
	iov_t empty;

	SETIOV(&empty, b, 0);
	start_sender(&s, coid, 0, 0);
	MUST((rcvid = (int)MsgReceivev(chid, &empty, 1, &info)) > 0);
	CHECK(info.msglen == 0 && info.srcmsglen == 1);
	answered(&s, rcvid, 1);
	start_sender(&s, coid, 0, 0);
	MUST((rcvid = (int)MsgReceivev(chid, NULL, 0, NULL)) > 0);
	answered(&s, rcvid, 2);
}

/* A pulse of priority -1 is of the thread's own, which is 10 at first. */
static void own_pulse(void)
{
	const int sent[] = {9, -1, 10, 11}, got[] = {3, 1, 2, 0};
	int chid = channel(0), coid = attach(chid);

	for (int i = 0; i < 4; i++)
		CHECK(MsgSendPulse(coid, sent[i], i, 0) == 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(pulse_of(chid).code, got[i]);
	CHECK_EQUAL(setprio(0, 20), 10);
	CHECK(MsgSendPulse(coid, 19, 1, 0) == 0 && MsgSendPulse(coid, -1, 2, 0) == 0 && MsgSendPulse(coid, 21, 3, 0) == 0);
	for (int i = 3; i > 0; i--)
		CHECK_EQUAL(pulse_of(chid).code, i);
}

static void own_message(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender low = {}, high = {};
	struct _msg_info info;
	char b[100];

	start_sender(&low, coid, 0, 0);
	until_asleep(&low.tid);
	high.priority = 20;
	start_sender(&high, coid, 0, 0);
	until_asleep(&high.tid);
	CHECK(MsgSendPulse(coid, 19, 1, 0) == 0 && MsgSendPulse(coid, 21, 2, 0) == 0);
	CHECK_EQUAL(pulse_of(chid).code, 2);
	MUST((rcvid = (int)MsgReceive(chid, b, sizeof b, &info)) > 0);
	CHECK_EQUAL(info.priority, 20);
	answered(&high, rcvid, 1);
	CHECK_EQUAL(pulse_of(chid).code, 1);
	MUST((rcvid = (int)MsgReceive(chid, b, sizeof b, &info)) > 0);
	CHECK_EQUAL(info.priority, 10);
	answered(&low, rcvid, 2);
}

/* A server tells its clients the priority that their messages have. */
static int asked;

static void *tell_priority(void *p)
{
	struct _msg_info info;
	char b[10];
	int rcvid;

	while ((rcvid = (int)MsgReceive(*(int *)p, b, sizeof b, &info)) > 0)
		MsgReply(rcvid, info.priority, NULL, 0);
	return NULL;
}

/* All tell the same of the calling thread, whose messages and pulses have that priority. */
#define HAS(policy, priority) has(__LINE__, policy, priority)

static void has(int line, int policy, int priority)
{
	int chid = channel(_NTO_CHF_PRIVATE), coid = attach(chid), policy_of_pthread = -1, before = faults;
	struct sched_param parameters = {}, of_pthread = {};

	CHECK_EQUAL(SchedGet(0, 0, &parameters), policy);
	CHECK_EQUAL(parameters.sched_priority, priority);
	CHECK_EQUAL(parameters.sched_curpriority, priority);
	CHECK_EQUAL(SchedGet(getpid(), (int)syscall(SYS_gettid), NULL), policy);
	CHECK_EQUAL(getprio(0), priority);
	CHECK_EQUAL(pthread_getschedparam(pthread_self(), &policy_of_pthread, &of_pthread), 0);
	CHECK_EQUAL(policy_of_pthread, policy);
	CHECK_EQUAL(of_pthread.sched_priority, priority);
	CHECK_EQUAL(MsgSend(asked, "q", 1, NULL, 0), priority);
	CHECK(MsgSendPulse(coid, priority - 1, 1, 0) == 0 && MsgSendPulse(coid, -1, 2, 0) == 0 && MsgSendPulse(coid, priority + 1, 3, 0) == 0);
	for (int i = 3; i > 0; i--)
		CHECK_EQUAL(pulse_of(chid).code, i);
	CHECK(ConnectDetach(coid) == 0 && ChannelDestroy(chid) == 0);
	if (faults > before)
		fprintf(stderr, "in line %d\n", line);
}

static struct sched_param of(int priority)
{
	struct sched_param p = {};

	p.sched_priority = priority;
	return p;
}

static void *has_rr_20(void *ignored)
{
	HAS(SCHED_RR, 20);
	return ignored;
}

static void *has_rr_200(void *ignored)
{
	HAS(SCHED_RR, 200);
	return ignored;
}

/* Another thread changes its priority, after each pulse. */
struct changed {
	int chid;
	atomic_int tid;
	atomic_bool told;
};

static void *is_changed(void *p)
{
	struct changed *c = (struct changed *)p;

	HAS(SCHED_RR, 200);
	c->tid = (int)syscall(SYS_gettid);
	pulse_of(c->chid);
	HAS(SCHED_FIFO, 140);
	c->told = true;
	pulse_of(c->chid);
	HAS(SCHED_FIFO, 41);
	return NULL;
}

static void change_other(void)
{
	const struct sched_param to = of(140);
	struct changed c = {};
	struct sched_param got = {};
	int coid, policy = -1;
	pthread_t t;

	c.chid = channel(0);
	coid = attach(c.chid);
	t = thread(is_changed, &c);
	while (c.tid == 0)
		delay(1);
	CHECK(SchedSet(0, c.tid, SCHED_FIFO, &to) == 0 && MsgSendPulse(coid, -1, 1, 0) == 0);
	while (!c.told)
		delay(1);
	CHECK_EQUAL(SchedGet(0, c.tid, &got), SCHED_FIFO);
	CHECK_EQUAL(got.sched_priority, 140);
	CHECK_EQUAL(pthread_setschedprio(t, 41), 0);
	CHECK_EQUAL(pthread_getschedparam(t, &policy, &got), 0);
	CHECK(policy == SCHED_FIFO && got.sched_priority == 41);
	CHECK(MsgSendPulse(coid, -1, 1, 0) == 0);
	join(t);
}

static void *set_all_ways(void *ignored)
{
	const struct sched_param p150 = of(150), p30 = of(30), p12 = of(12), p33 = of(33), p20 = of(20), p0 = of(0), p256 = of(256);
	pthread_attr_t attr;
	pthread_t t;

	HAS(SCHED_OTHER, 10);
	CHECK(SchedSet(0, 0, SCHED_RR, &p150) == 0);
	HAS(SCHED_RR, 150);
	CHECK_EQUAL(setprio(0, 33), 150);
	HAS(SCHED_RR, 33);
	CHECK(SchedSet(0, 0, SCHED_FIFO, &p30) == 0);
	HAS(SCHED_FIFO, 30);
	CHECK_EQUAL(setprio(0, 150), 30);
	HAS(SCHED_FIFO, 150);
	CHECK(SchedSet(0, 0, SCHED_OTHER, &p12) == 0);
	HAS(SCHED_OTHER, 12);
	CHECK_ERRNO(SchedSet(0, 0, SCHED_RR, &p0), EINVAL);
	CHECK_ERRNO(SchedSet(0, 0, SCHED_RR, &p256), EINVAL);
	CHECK_ERRNO(SchedSet(0, 0, 77, &p30), EINVAL);
	HAS(SCHED_OTHER, 12);
	CHECK_EQUAL(pthread_setschedparam(pthread_self(), SCHED_RR, &p33), 0);
	HAS(SCHED_RR, 33);
	CHECK_EQUAL(pthread_setschedprio(pthread_self(), 256), EINVAL);
	CHECK_EQUAL(pthread_setschedparam(pthread_self(), SCHED_RR, &p0), EINVAL);
	HAS(SCHED_RR, 33);
	CHECK_EQUAL(pthread_setschedprio(pthread_self(), 200), 0);
	HAS(SCHED_RR, 200);

	join(thread(has_rr_200, NULL));
	change_other();
	MUST(pthread_attr_init(&attr) == 0 && pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED) == 0);
	MUST(pthread_attr_setschedpolicy(&attr, SCHED_RR) == 0 && pthread_attr_setschedparam(&attr, &p20) == 0);
	MUST((errno = pthread_create(&t, &attr, has_rr_20, NULL)) == 0);
	join(t);
	pthread_attr_destroy(&attr);

	CHECK_EQUAL(sched_setscheduler(0, SCHED_OTHER, &p0), 0); /* the system's: for it no thread has 200 */
	HAS(SCHED_OTHER, 10);
	return ignored;
}

/* As that, without the right to real-time policies. */
static void *set_without_right(void *ignored)
{
	struct { uint32_t version; int pid; } head = {0x20080522, 0};
	struct { uint32_t effective, permitted, inheritable; } sets[2] = {};
	const uint32_t nice = 1U << 23;
	const struct rlimit none = {0, 0};
	struct sched_param p1 = of(1);

	MUST(syscall(SYS_capget, &head, sets) == 0);
	sets[0].effective &= ~nice;
	sets[0].permitted &= ~nice;
	sets[0].inheritable &= ~nice;
	MUST(syscall(SYS_capset, &head, sets) == 0 && setrlimit(RLIMIT_RTPRIO, &none) == 0);
	MUST(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &p1) == -1 && errno == EPERM);
	return set_all_ways(ignored);
}

static void set_any_way(void)
{
	int chid = channel(_NTO_CHF_PRIVATE);
	pthread_t server = thread(tell_priority, &chid);

	asked = attach(chid);
	join(thread(set_all_ways, NULL));
	join(thread(set_without_right, NULL));
	MUST(ChannelDestroy(chid) == 0);
	join(server);
}

static void below(void)
{
	int chid = channel(0), coid = attach(chid), rcvid;
	struct sender s = {};

	start_sender(&s, coid, 0, 0);
	rcvid = message_of(chid);
	CHECK_ERRNO(MsgError(rcvid, -2), EINVAL);
	CHECK_ERRNO(MsgError(rcvid, -1000), EINVAL);
	CHECK(!s.back);
	answered(&s, rcvid, 6);
}

/* The forms whose names end in _r. */
static void r_forms(void)
{
	int chid = channel(0);
	struct _pulse p;
	struct _itimer its = {1, 0};
	struct _timer_info info;
	struct sigevent event;
	uint64_t now = 0;
	char b[10];

	SIGEV_NONE_INIT(&event);
	errno = EXDEV;
	CHECK(MsgSend_r(-1, b, 1, b, 1) == -EBADF && errno == EXDEV);
	CHECK(MsgSendPulse_r(-1, -1, 1, 1) == -EBADF && errno == EXDEV);
	CHECK(MsgReceive_r(-1, b, sizeof b, NULL) == -ESRCH && errno == EXDEV);
	CHECK(MsgReceivePulse_r(-1, &p, sizeof p, NULL) == -ESRCH && errno == EXDEV);
	CHECK(MsgReply_r(77, 0, NULL, 0) == -ESRCH && errno == EXDEV);
	CHECK(MsgError_r(77, EPERM) == -ESRCH && errno == EXDEV);
	CHECK(ChannelDestroy_r(-1) == -EINVAL && errno == EXDEV);
	CHECK(ConnectAttach_r(0, 0, -1, _NTO_SIDE_CHANNEL, 0) == -ESRCH && errno == EXDEV);
	CHECK(ConnectDetach_r(-1) == -EINVAL && errno == EXDEV);
	CHECK(ConnectFlags_r(0, -1, 0, 0) == -EBADF && errno == EXDEV);
	CHECK(ConnectServerInfo_r(0, -1, NULL) < 0 && errno == EXDEV);
	CHECK(ConnectClientInfo_r(-1, NULL, 0) < 0 && errno == EXDEV);
	CHECK(MsgDeliverEvent_r(77, NULL) == -EFAULT && errno == EXDEV);
	CHECK(ClockTime_r((clockid_t)1000, NULL, &now) == -EINVAL && errno == EXDEV);
	CHECK(ClockTime_r(CLOCK_MONOTONIC, &now, NULL) == -EINVAL && errno == EXDEV);
	CHECK(ClockId_r(1 << 30, 0) == -ESRCH && errno == EXDEV);
	CHECK(ClockId_r(0, 1 << 30) < 0 && errno == EXDEV);
	CHECK(TimerCreate_r((clockid_t)1000, &event) == -EINVAL && errno == EXDEV);
	CHECK(TimerSettime_r((timer_t)1, 0, &its, NULL) == -EINVAL && errno == EXDEV);
	CHECK(TimerInfo_r(1 << 30, (timer_t)1, 0, &info) == -ESRCH && errno == EXDEV);
	CHECK(TimerDestroy_r((timer_t)1) == -EINVAL && errno == EXDEV);
	CHECK(ThreadCtl_r(-1, NULL) < 0 && errno == EXDEV);
	CHECK(ThreadCtl_r(_NTO_TCTL_RUNMASK, (void *)0) < 0 && errno == EXDEV);
	CHECK(SchedGet_r(1 << 30, 0, NULL) < 0 && errno == EXDEV);
	CHECK(TimerTimeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL) == 0 && errno == EXDEV);
	CHECK(MsgReceive_r(chid, b, sizeof b, NULL) == -ETIMEDOUT && errno == EXDEV);
}

const struct rule answer_rules[] = {
	{"receive/int-ids", int_ids},
	{"receive/small-buffer", small_buffer},
	{"receive/pulse-leaves-info", pulse_leaves_info},
	{"receive/pulses-only", pulses_only},
	{"pieces/receive-empty", receive_no_parts},
	{"priority/own-pulse", own_pulse},
	{"priority/own-message", own_message},
	{"priority/set", set_any_way},
	{"send/error-below", below},
	{"send/r-forms", r_forms},
	{NULL, NULL},
};
