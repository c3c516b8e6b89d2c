/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What is received, in which order, and what answers mean. */
#include "rules.h"

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
	char b[10];

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
	{"send/error-below", below},
	{"send/r-forms", r_forms},
	{NULL, NULL},
};
