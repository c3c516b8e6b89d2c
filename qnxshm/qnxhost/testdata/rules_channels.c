/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What flags, numbers and names of channels and connections mean. */
#include "rules.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void channel_flags(void)
{
	const unsigned all[] = {
		_NTO_CHF_FIXED_PRIORITY, _NTO_CHF_UNBLOCK, _NTO_CHF_THREAD_DEATH, _NTO_CHF_DISCONNECT, _NTO_CHF_NET_MSG,
		_NTO_CHF_SENDER_LEN, _NTO_CHF_COID_DISCONNECT, _NTO_CHF_REPLY_LEN, _NTO_CHF_PULSE_POOL, _NTO_CHF_GLOBAL,
		_NTO_CHF_PRIVATE, _NTO_CHF_MSG_PAUSING, _NTO_CHF_INHERIT_RUNMASK, _NTO_CHF_UNBLOCK_TIMER,
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		int chid = channel(all[i]), coid = attach(chid);

		CHECK(MsgSendPulse(coid, -1, 1, 2) == 0);
		CHECK_EQUAL(pulse_of(chid).code, 1);
		ConnectDetach(coid);
		ChannelDestroy(chid);
	}
}

static void pulse_pool(void)
{
	struct nto_channel_config config;
	int chid, coid;

	memset(&config, 0, sizeof config);
	config.num_pulses = 10;
	MUST((chid = ChannelCreatePulsePool(_NTO_CHF_DISCONNECT, &config)) != -1);
	coid = attach(chid);
	for (int i = 0; i < 10; i++)
		CHECK(MsgSendPulse(coid, -1, i, 0) == 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQUAL(pulse_of(chid).code, i);
}

static void connection_flags(void)
{
	const unsigned all[] = {
		0, _NTO_COF_CLOEXEC, _NTO_COF_NOSHARE, _NTO_COF_NOEVENT, _NTO_COF_REG_EVENTS, _NTO_COF_NOSHARE | _NTO_COF_CLOEXEC,
	};
	int chid = channel(0), coid;

	for (size_t i = 0; i < COUNT(all); i++) {
		MUST((coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, (int)all[i])) != -1);
		CHECK_EQUAL(ConnectFlags(0, coid, 0, 0), all[i]);
		CHECK(ConnectDetach(coid) == 0);
	}
}

static void connection_flags_unknown(void)
{
	int chid = channel(0);

	CHECK_ERRNO(ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 1 << 20), EINVAL);
	CHECK_ERRNO(ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC | 1 << 30), EINVAL);
}

static void flags_changed(void)
{
	int chid = channel(0), coid;

	MUST((coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC)) != -1);
	CHECK_EQUAL(ConnectFlags(0, coid, _NTO_COF_CLOEXEC, 0), _NTO_COF_CLOEXEC);
	CHECK_EQUAL(ConnectFlags(0, coid, 0, _NTO_COF_CLOEXEC), 0); /* not in the mask */
	CHECK_EQUAL(ConnectFlags(getpid(), coid, _NTO_COF_CLOEXEC, _NTO_COF_CLOEXEC), 0);
	CHECK_EQUAL(ConnectFlags(0, coid, 0, 0), _NTO_COF_CLOEXEC);
}

static void flags_closed(void)
{
	int chid = channel(0), coid = attach(chid);

	CHECK(ConnectDetach(coid) == 0);
	CHECK_ERRNO(ConnectFlags(0, coid, 0, 0), EBADF);
	CHECK_ERRNO(ConnectFlags(0, coid, _NTO_COF_CLOEXEC, 0), EBADF);
	CHECK_ERRNO(ConnectFlags(0, -1, 0, 0), EBADF);
}

/* A connection that is not shared is a client of its own. */
static void no_share(void)
{
	struct _server_info first, second;
	int chid = channel(_NTO_CHF_DISCONNECT), coid = attach(chid), other;

	MUST((other = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_NOSHARE)) != -1);
	CHECK_EQUAL(ConnectServerInfo(0, coid, &first), coid);
	CHECK_EQUAL(ConnectServerInfo(0, other, &second), other);
	CHECK(first.scoid != second.scoid);
	CHECK(ConnectDetach(other) == 0);
	CHECK_EQUAL(pulse_of(chid).scoid, second.scoid);
	CHECK(MsgSendPulse(coid, 0, 3, 4) == 0);
	CHECK_EQUAL(pulse_of(chid).scoid, first.scoid);
	CHECK(ConnectDetach(coid) == 0);
	CHECK_EQUAL(pulse_of(chid).scoid, first.scoid);
	NOTHING_COMES(chid);
}

static void negative_ids(void)
{
	struct sigevent event;
	struct _pulse p;
	char b[100];

	SIGEV_NONE_INIT(&event);
	CHECK_ERRNO(MsgSend(-1, "q", 1, NULL, 0), EBADF);
	CHECK_ERRNO(MsgSendPulse(-1, -1, 1, 1), EBADF);
	CHECK_ERRNO(MsgReceive(-1, b, sizeof b, NULL), ESRCH);
	CHECK_ERRNO(MsgReceivePulse(-1, &p, sizeof p, NULL), ESRCH);
	CHECK_ERRNO(MsgReply(-1, 0, NULL, 0), ESRCH);
	CHECK_ERRNO(MsgError(-1, EPERM), ESRCH);
	CHECK_ERRNO(MsgDeliverEvent(-1, &event), ESRCH);
	CHECK_ERRNO(ConnectAttach(0, 0, -1, _NTO_SIDE_CHANNEL, 0), ESRCH);
	CHECK_ERRNO(ConnectAttach(0, -1, 1, _NTO_SIDE_CHANNEL, 0), ESRCH);
	CHECK_ERRNO(ConnectDetach(-1), EINVAL);
	CHECK_ERRNO(ConnectServerInfo(-1, 1, NULL), ESRCH);
}

static void own_pid(void)
{
	int chid = channel(0), coid, other;
	struct _server_info info;

	MUST((coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0)) != -1);
	CHECK_EQUAL(ConnectServerInfo(0, coid, NULL), coid);
	CHECK_EQUAL(ConnectServerInfo(getpid(), coid, &info), coid);
	CHECK(info.pid == getpid() && info.chid == chid && info.coid == coid);
	MUST((other = ConnectAttach(0, getpid(), chid, _NTO_SIDE_CHANNEL, 0)) != -1);
	CHECK_EQUAL(ConnectServerInfo(0, other, NULL), other);
}

/* A program that goes through all its connections. */
static void next_coid(void)
{
	int chid = channel(0), first = attach(chid), second = attach(chid), third = attach(chid);
	struct _server_info info;

	CHECK(first < second && second < third);
	CHECK(ConnectDetach(second) == 0);
	memset(&info, 0, sizeof info);
	CHECK_EQUAL(ConnectServerInfo(0, second, &info), third);
	CHECK(info.coid == third && info.chid == chid && info.pid == getpid());
	CHECK_EQUAL(ConnectServerInfo(0, second, NULL), third);
	CHECK_EQUAL(ConnectServerInfo(0, _NTO_SIDE_CHANNEL, &info), first);
	CHECK_EQUAL(ConnectServerInfo(0, 3, &info), first); /* behind the descriptors, of which it is none */
	CHECK_EQUAL(ConnectServerInfo(0, first + 1, &info), third);
}

static void no_coid_above(void)
{
	int chid = channel(0), coid = attach(chid);
	struct _server_info info;

	CHECK_ERRNO(ConnectServerInfo(0, coid + 1, &info), EINVAL);
	CHECK_ERRNO(ConnectServerInfo(0, coid + 1, NULL), EINVAL);
	CHECK_ERRNO(ConnectServerInfo(0, INT32_MAX, &info), EINVAL);
	CHECK(ConnectDetach(coid) == 0);
	CHECK_ERRNO(ConnectServerInfo(0, coid, &info), EINVAL);
}

static void dead_server(void)
{
	int chid = channel(0), dead = attach(chid), living = channel(0), coid = attach(living);
	struct _server_info info;

	CHECK_EQUAL(ConnectServerInfo(0, dead, &info), dead);
	CHECK((info.flags & _NTO_COF_DEAD) == 0);
	ChannelDestroy(chid);
	CHECK_EQUAL(ConnectServerInfo(0, dead, &info), dead);
	CHECK(info.flags & _NTO_COF_DEAD);
	CHECK_EQUAL(ConnectServerInfo(0, coid, &info), coid);
	CHECK((info.flags & _NTO_COF_DEAD) == 0);
}

static void dead_passed_over(void)
{
	int chid = channel(0), dead = attach(chid), living = channel(0), coid = attach(living);

	CHECK_EQUAL(ConnectServerInfo(0, dead, NULL), dead);
	ChannelDestroy(chid);
	CHECK_EQUAL(ConnectServerInfo(0, dead, NULL), coid);
	ChannelDestroy(living);
	CHECK_ERRNO(ConnectServerInfo(0, dead, NULL), EINVAL);
}

static void index_ignored(void)
{
	int chid = channel(0), coid = attach(chid), other;

	MUST((other = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL | 500, 0)) != -1);
	CHECK_EQUAL(other, coid + 1);
	MUST((other = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL | 0x3fffffff, 0)) != -1);
	CHECK_EQUAL(other, coid + 2);
}

/* A server may detach its client as a client its server. */
static void closed_scoid(void)
{
	int chid = channel(_NTO_CHF_DISCONNECT), coid = attach(chid);
	struct _pulse p;

	CHECK(name_close(coid) == 0);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, _PULSE_CODE_DISCONNECT);
	CHECK(p.scoid != coid);
	CHECK(name_close(p.scoid) == 0);
	CHECK_ERRNO(ConnectDetach(p.scoid), EINVAL);
}

static void detach_unknown_name(void)
{
	name_attach_t never;

	memset(&never, 0, sizeof never);
	CHECK_ERRNO(name_detach(&never, 0), EINVAL);
	CHECK_ERRNO(name_detach(NULL, 0), EINVAL);
}

static void detach_keeps(void)
{
	char name[60];
	name_attach_t *a;
	dispatch_t *dpp;
	int chid, coid;

	snprintf(name, sizeof name, "rules-%d", (int)getpid());
	MUST(a = name_attach(NULL, name, 0));
	dpp = a->dpp;
	chid = a->chid;
	CHECK(name_detach(a, NAME_FLAG_DETACH_SAVEDPP) == 0);
	CHECK_ERRNO(name_open(name, 0), ENOENT);
	MUST((coid = attach(chid)) != -1);
	MUST(a = name_attach(dpp, name, 0));
	CHECK_EQUAL(a->chid, chid);
	CHECK(name_detach(a, 0) == 0);
	CHECK_ERRNO(MsgSendPulse(coid, -1, 1, 0), EBADF);
}

const struct rule channel_rules[] = {
	{"channel/flags-known", channel_flags},
	{"channel/pulse-pool", pulse_pool},
	{"connect/flags-known", connection_flags},
	{"connect/flags-unknown", connection_flags_unknown},
	{"connect/flags-changed", flags_changed},
	{"connect/flags-closed", flags_closed},
	{"connect/no-share", no_share},
	{"connect/negative-ids", negative_ids},
	{"connect/own-pid", own_pid},
	{"connect/index", index_ignored},
	{"who/next-coid", next_coid},
	{"who/none-above", no_coid_above},
	{"who/dead", dead_server},
	{"who/dead-passed-over", dead_passed_over},
	{"detach/name-close", closed_scoid},
	{"name/detach-unknown", detach_unknown_name},
	{"name/detach-keeps", detach_keeps},
	{NULL, NULL},
};
