/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What servers without resource managers use of dispatching, and of timers. */
#include "rules.h"

#include <sys/iofunc.h>

static void own_channel(void)
{
	dispatch_t *dpp;
	int coid;

	MUST(dpp = dispatch_create_channel(-1, 0));
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	CHECK(MsgSendPulse(coid, -1, 1, 1) == 0);
	CHECK(dispatch_destroy(dpp) == 0);
	CHECK_ERRNO(MsgSendPulse(coid, -1, 1, 1), EBADF);
}

static int seen;

static int on_pulse(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	CHECK_EQUAL(flags, 0);
	CHECK(ctp->rcvid == 0 && ctp->msg->pulse.code == code && handle == &seen);
	seen = ctp->msg->pulse.value.sival_int;
	return 0;
}

/* A pulse goes to the function that is attached for its code. */
static void pulse_attached(void)
{
	dispatch_t *dpp;
	dispatch_context_t *ctp;
	int coid, code;

	MUST(dpp = dispatch_create_channel(-1, 0));
	MUST((code = pulse_attach(dpp, MSG_FLAG_ALLOC_PULSE, 0, on_pulse, &seen)) != -1);
	CHECK(code >= _PULSE_CODE_MINAVAIL && code <= _PULSE_CODE_MAXAVAIL);
	MUST(ctp = dispatch_context_alloc(dpp));
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	CHECK(MsgSendPulse(coid, -1, code, 77) == 0);
	MUST(ctp = dispatch_block(ctp));
	CHECK(dispatch_handler(ctp) != -1);
	CHECK_EQUAL(seen, 77);
	dispatch_context_free(ctp);
	CHECK(dispatch_destroy(dpp) == 0);
}

static int on_descriptor(select_context_t *ctp, int fd, unsigned flags, void *handle)
{
	(void)ctp, (void)fd, (void)flags, (void)handle;
	return 0;
}

static void select_twice(void)
{
	dispatch_t *dpp;
	int p[2];

	MUST((dpp = dispatch_create_channel(-1, 0)) && pipe(p) == 0);
	CHECK(select_attach(dpp, NULL, p[0], SELECT_FLAG_READ, on_descriptor, NULL) == 0);
	CHECK_ERRNO(select_attach(dpp, NULL, p[0], SELECT_FLAG_READ, on_descriptor, NULL), EBUSY);
	CHECK(dispatch_destroy(dpp) == 0);
}

static void timer_pulse(void)
{
	int chid = channel(0), coid = attach(chid), timer;
	struct sigevent event;
	struct _itimer it;

	SIGEV_PULSE_INIT(&event, coid, -1, 7, 9);
	MUST((timer = TimerCreate(CLOCK_MONOTONIC, &event)) != -1);
	memset(&it, 0, sizeof it);
	it.nsec = 5 * MS;
	CHECK(TimerSettime(timer, 0, &it, NULL) == 0);
	struct _pulse p = pulse_of(chid);
	CHECK(p.code == 7 && p.value.sival_int == 9);
	NOTHING_COMES(chid);
	CHECK(TimerDestroy(timer) == 0);
	CHECK_ERRNO(TimerSettime(timer, 0, &it, NULL), EINVAL);
}

const struct rule dispatch_rules[] = {
	{"dispatch/own-channel", own_channel},
	{"dispatch/pulse", pulse_attached},
	{"dispatch/select-twice", select_twice},
	{"dispatch/timer", timer_pulse},
	{NULL, NULL},
};
