/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What flags, timeouts and answers mean. It is C and C++, for 7.1 and 8.0. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "check.h"

#define MS 1000000ULL

static const unsigned both_states = _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Receives, for so long: the id, or -1. */
static int receive_for(int chid, void *b, size_t n, uint64_t ns)
{
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL);
	return (int)MsgReceive(chid, b, n, NULL);
}

static void nothing_comes(int line, int chid)
{
	char b[100];

	errno = 0;
	if (receive_for(chid, b, sizeof b, 50 * MS) != -1 || errno != ETIMEDOUT) {
		faults++;
		fprintf(stderr, "rules.c:%d: something comes, or %s\n", line, errno_name(errno));
	}
}
#define NOTHING_COMES(chid) nothing_comes(__LINE__, chid)

static struct _pulse pulse_of(int chid)
{
	struct _pulse p;

	memset(&p, 0, sizeof p);
	MUST(receive_for(chid, &p, sizeof p, 5000 * MS) == 0);
	return p;
}

/* Every flag of the headers is accepted, what the host cannot mean included. */
static void flags(void)
{
	const unsigned of_channels[] = {
		_NTO_CHF_FIXED_PRIORITY, _NTO_CHF_UNBLOCK, _NTO_CHF_THREAD_DEATH, _NTO_CHF_DISCONNECT, _NTO_CHF_NET_MSG,
		_NTO_CHF_SENDER_LEN, _NTO_CHF_COID_DISCONNECT, _NTO_CHF_REPLY_LEN, _NTO_CHF_PULSE_POOL, _NTO_CHF_GLOBAL,
		_NTO_CHF_PRIVATE, _NTO_CHF_MSG_PAUSING, _NTO_CHF_INHERIT_RUNMASK, _NTO_CHF_UNBLOCK_TIMER,
	};
	const unsigned of_connections[] = {
		_NTO_COF_CLOEXEC, _NTO_COF_NOSHARE, _NTO_COF_NOEVENT, _NTO_COF_REG_EVENTS, _NTO_COF_NOSHARE | _NTO_COF_CLOEXEC,
	};
	struct nto_channel_config config;
	struct _server_info first, second;
	int chid, coid, other;

	for (size_t i = 0; i < sizeof of_channels / sizeof *of_channels; i++) {
		chid = channel(of_channels[i]);
		coid = attach(chid);
		CHECK(MsgSendPulse(coid, -1, 1, 2) == 0);
		CHECK_EQUAL(pulse_of(chid).code, 1);
		ConnectDetach(coid);
		ChannelDestroy(chid);
	}
	CHECK_ERRNO(ChannelCreate(1U << 16), EINVAL);
	memset(&config, 0, sizeof config);
	config.num_pulses = 10;
	MUST((chid = ChannelCreatePulsePool(_NTO_CHF_DISCONNECT, &config)) != -1);
	for (size_t i = 0; i < sizeof of_connections / sizeof *of_connections; i++) {
		MUST((coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, (int)of_connections[i])) != -1);
		CHECK_EQUAL(ConnectFlags(0, coid, 0, 0), of_connections[i]);
		CHECK_EQUAL(ConnectFlags(0, coid, _NTO_COF_CLOEXEC, 0), of_connections[i]);
		CHECK_EQUAL(ConnectFlags(getpid(), coid, _NTO_COF_CLOEXEC, _NTO_COF_CLOEXEC), of_connections[i] & ~_NTO_COF_CLOEXEC);
		CHECK_EQUAL(ConnectFlags(0, coid, 0, 0), of_connections[i] | _NTO_COF_CLOEXEC);
		CHECK(ConnectDetach(coid) == 0);
		CHECK_EQUAL(pulse_of(chid).code, _PULSE_CODE_DISCONNECT);
		CHECK_ERRNO(ConnectFlags(0, coid, 0, 0), EBADF);
	}
	CHECK_ERRNO(ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 1 << 20), EINVAL);

	/* A connection that is not shared is a client of its own. */
	coid = attach(chid);
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
	ChannelDestroy(chid);
}

/* Priority 0 is 1; the higher comes first, then what came first. */
static void priorities(void)
{
	const int sent[] = {0, 1, 9, 10, -1, 11, 255}, got[] = {6, 5, 3, 4, 2, 0, 1};
	int chid = channel(0), coid = attach(chid);

	for (int i = 0; i < 7; i++)
		CHECK(MsgSendPulse(coid, sent[i], i, 0) == 0);
	for (int i = 0; i < 7; i++)
		CHECK_EQUAL(pulse_of(chid).code, got[i]);
	CHECK_ERRNO(MsgSendPulse(coid, -2, 0, 0), EINVAL);
	NOTHING_COMES(chid);

	ConnectDetach(coid);
	ChannelDestroy(chid);
}

/* The channel of a name tells of connections whose server is gone, like any that asks. */
static void deaths(const char *name)
{
	int chid = channel(0), coid = attach(chid), second = attach(chid), asked = channel(_NTO_CHF_COID_DISCONNECT), plain = channel(0);
	struct _server_info info;
	struct _pulse p;
	name_attach_t *a;

	MUST(a = name_attach(NULL, name, 0));
	ChannelDestroy(chid);
	for (int i = 0; i < 2; i++) {
		p = pulse_of(a->chid);
		CHECK_EQUAL(p.code, _PULSE_CODE_COIDDEATH);
		CHECK(p.value.sival_int == coid || p.value.sival_int == second);
		CHECK_EQUAL(pulse_of(asked).code, _PULSE_CODE_COIDDEATH);
	}
	NOTHING_COMES(a->chid);
	NOTHING_COMES(plain);
	CHECK_EQUAL(ConnectServerInfo(0, coid, &info), coid); /* until it is detached */
	CHECK(ConnectDetach(coid) == 0 && ConnectDetach(second) == 0);
	NOTHING_COMES(asked);
	name_detach(a, 0);
	ChannelDestroy(asked);
	ChannelDestroy(plain);
}

/* A client with a timeout for some states. */
struct timed {
	int coid;
	unsigned states;
	uint64_t ns;
	int priority; /* 0: as it is */
	long status;
	int error;
	double took, ended;
	pthread_t thread;
};

static void *timed_thread(void *p)
{
	struct timed *t = (struct timed *)p;
	double began = now();

	if (t->priority)
		setprio(0, t->priority);
	TimerTimeout(CLOCK_SOFTTIME, t->states, NULL, t->ns ? &t->ns : NULL, NULL);
	TimerTimeout(CLOCK_MONOTONIC, t->states | TIMER_TOLERANCE, NULL, &t->ns, NULL); /* changes nothing */
	errno = 0;
	t->status = MsgSend(t->coid, "q", 1, NULL, 0);
	t->error = errno;
	t->ended = now();
	t->took = t->ended - began;
	return NULL;
}

static void start_timed(struct timed *t, int coid, unsigned states, uint64_t ns)
{
	t->coid = coid;
	t->states = states;
	t->ns = ns;
	t->priority = 0;
	t->thread = thread(timed_thread, t);
}

static void start_timed_at(struct timed *t, int coid, int priority)
{
	t->coid = coid;
	t->states = 0;
	t->ns = MS;
	t->priority = priority;
	t->thread = thread(timed_thread, t);
}

/* A message has the priority of its thread, and so has a pulse of priority -1. */
static void own_priority(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK), coid = attach(chid), rcvid;
	struct timed low, high;
	struct _msg_info info;
	struct _pulse p;
	char b[100];

	start_timed(&low, coid, 0, MS);
	delay(50);
	start_timed_at(&high, coid, 20);
	delay(50);
	CHECK_EQUAL(setprio(0, 20), 10);
	CHECK(MsgSendPulse(coid, 19, 1, 0) == 0 && MsgSendPulse(coid, -1, 2, 0) == 0 && MsgSendPulse(coid, 21, 3, 0) == 0);
	CHECK_EQUAL(setprio(0, 10), 20);
	CHECK_EQUAL(pulse_of(chid).code, 3);
	MUST((rcvid = (int)MsgReceive(chid, b, sizeof b, &info)) > 0);
	CHECK_EQUAL(info.priority, 20);
	CHECK(MsgReply(rcvid, 0, NULL, 0) == 0);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, 2);
	CHECK_EQUAL(pulse_of(chid).code, 1);
	MUST((rcvid = (int)MsgReceive(chid, b, sizeof b, &info)) > 0);
	CHECK_EQUAL(info.priority, 10);
	CHECK(MsgReply(rcvid, 0, NULL, 0) == 0);
	join(low.thread);
	join(high.thread);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

/* A timeout ends a call in the states that it is for, and in no other. */
static void states(unsigned channel_flags)
{
	int chid = channel(channel_flags), coid = attach(chid), rcvid;
	double received;
	struct timed t;
	char b[100];

	/* for SEND, not received */
	start_timed(&t, coid, _NTO_TIMEOUT_SEND, 20 * MS);
	join(t.thread);
	CHECK_EQUAL(t.error, ETIMEDOUT);
	CHECK(t.took >= 0.019);
	NOTHING_COMES(chid);
	/* for SEND, received: it is over */
	start_timed(&t, coid, _NTO_TIMEOUT_SEND, 300 * MS);
	MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	delay(400);
	NOTHING_COMES(chid);
	CHECK(MsgReply(rcvid, 7, NULL, 0) == 0);
	join(t.thread);
	CHECK_EQUAL(t.status, 7);
	/* for REPLY, not received: it does not begin */
	start_timed(&t, coid, _NTO_TIMEOUT_REPLY, 50 * MS);
	delay(200);
	MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	CHECK(MsgReply(rcvid, 8, NULL, 0) == 0);
	join(t.thread);
	CHECK_EQUAL(t.status, 8);
	/* for REPLY, received */
	start_timed(&t, coid, _NTO_TIMEOUT_REPLY, 50 * MS);
	delay(100);
	MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	received = now();
	if (channel_flags & _NTO_CHF_UNBLOCK) {
		CHECK_EQUAL(pulse_of(chid).code, _PULSE_CODE_UNBLOCK);
		CHECK(MsgReply(rcvid, 9, NULL, 0) == 0);
	}
	join(t.thread);
	CHECK(t.ended - received >= 0.040);
	if (channel_flags & _NTO_CHF_UNBLOCK) {
		CHECK_EQUAL(t.status, 9);
	} else {
		CHECK_EQUAL(t.error, ETIMEDOUT);
		CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
	}
	/* for REPLY, no time at all */
	if (!(channel_flags & _NTO_CHF_UNBLOCK)) {
		start_timed(&t, coid, _NTO_TIMEOUT_REPLY, 0);
		MUST(receive_for(chid, b, sizeof b, 5000 * MS) > 0);
		join(t.thread);
		CHECK_EQUAL(t.error, ETIMEDOUT);
	}
	/* for RECEIVE */
	start_timed(&t, coid, _NTO_TIMEOUT_RECEIVE, MS);
	delay(100);
	MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	CHECK(MsgReply(rcvid, 1, NULL, 0) == 0);
	join(t.thread);
	CHECK_EQUAL(t.status, 1);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

/* Each call takes the timeout, also one that does not wait, and nobody arms it again. */
static void one_shot(void)
{
	int chid = channel(0), coid = attach(chid);
	uint64_t ns = MS;
	struct timed t;
	struct _pulse p;
	char b[100];

	CHECK_ERRNO(receive_for(chid, b, sizeof b, MS), ETIMEDOUT);
	for (int i = 0; i < 2; i++) {
		t.states = 0;
		if (i) {
			CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL) == 0);
			CHECK(MsgSendPulse(coid, -1, 1, 0) == 0);
			CHECK_EQUAL(MsgReceive(chid, &p, sizeof p, NULL), 0);
		}
		start_timed(&t, coid, 0, MS);
		delay(50);
		MUST(MsgReply((int)MsgReceive(chid, b, sizeof b, NULL), 2, NULL, 0) == 0); /* waits as long as it takes */
		join(t.thread);
		CHECK_EQUAL(t.status, 2);
	}
	CHECK(TimerTimeout(CLOCK_REALTIME, TIMER_TOLERANCE, NULL, &ns, NULL) == 0);
	CHECK_ERRNO(TimerTimeout((clockid_t)-1, both_states, NULL, &ns, NULL), EINVAL);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* The errno -1 lets a client go for the reason that it has, and ERESTART has it send again. */
static void answers(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK), coid = attach(chid), rcvid;
	struct sigaction action;
	struct timed t;
	char b[100];

	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, NULL);
	start_timed(&t, coid, both_states, 200 * MS);
	MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	CHECK_ERRNO(MsgError(rcvid, -1), EINVAL); /* it waits on */
	CHECK_ERRNO(MsgError(rcvid, -2), EINVAL);
	CHECK_EQUAL(pulse_of(chid).value.sival_int, rcvid);
	CHECK(MsgError(rcvid, -1) == 0);
	join(t.thread);
	CHECK_EQUAL(t.error, ETIMEDOUT);
	CHECK_ERRNO(MsgError(rcvid, -1), ESRCH);

	start_timed(&t, coid, 0, MS);
	MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	delay(20);
	pthread_kill(t.thread, SIGUSR1);
	CHECK_EQUAL(pulse_of(chid).value.sival_int, rcvid);
	CHECK(MsgError(rcvid, -1) == 0);
	join(t.thread);
	CHECK_EQUAL(t.error, EINTR);

	start_timed(&t, coid, 0, MS);
	for (int i = 0; i < 5; i++) {
		b[0] = 0;
		MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
		CHECK_EQUAL(b[0], 'q');
		CHECK(MsgError(rcvid, ERESTART) == 0);
	}
	MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	CHECK(MsgReply(rcvid, 3, NULL, 0) == 0);
	join(t.thread);
	CHECK_EQUAL(t.status, 3);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

/* ConnectDetach with a thread that is blocked on the connection. */
static void detach(unsigned channel_flags, bool received)
{
	int chid = channel(channel_flags | _NTO_CHF_DISCONNECT), coid = attach(chid), other = attach(chid), rcvid = 0;
	bool stays = received && (channel_flags & _NTO_CHF_UNBLOCK);
	struct timed t;
	char b[100];

	start_timed(&t, coid, 0, MS);
	if (received)
		MUST((rcvid = receive_for(chid, b, sizeof b, 5000 * MS)) > 0);
	else
		delay(50);
	CHECK(ConnectDetach(coid) == 0); /* at once */
	CHECK_ERRNO(ConnectDetach(coid), EINVAL);
	CHECK_ERRNO(MsgSend(coid, "q", 1, NULL, 0), EBADF);
	if (stays) {
		struct _pulse p = pulse_of(chid);
		CHECK_EQUAL(p.code, _PULSE_CODE_UNBLOCK);
		CHECK_EQUAL(p.value.sival_int, rcvid);
		CHECK(MsgReply(rcvid, 4, NULL, 0) == 0);
	}
	join(t.thread);
	CHECK_EQUAL(t.status, stays ? 4 : -1);
	if (!stays)
		CHECK_EQUAL(t.error, EBADF);
	if (received && !stays)
		CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
	NOTHING_COMES(chid);
	CHECK(ConnectDetach(other) == 0);
	CHECK_EQUAL(pulse_of(chid).code, _PULSE_CODE_DISCONNECT);
	NOTHING_COMES(chid);
	ChannelDestroy(chid);
}

/* A client that only waits for the end of a server: it says when it waits, and when the
   server is gone. */
static void mourner(const char *name)
{
	int chid = channel(_NTO_CHF_COID_DISCONNECT | _NTO_CHF_PRIVATE), coid;
	struct _pulse p;

	MUST((coid = name_open(name, 0)) != -1);
	puts("waits");
	fflush(stdout);
	p = pulse_of(chid);
	CHECK_EQUAL(p.code, _PULSE_CODE_COIDDEATH);
	CHECK_EQUAL(p.value.sival_int, coid);
	CHECK_ERRNO(MsgSend(coid, "q", 1, NULL, 0), EBADF);
	CHECK(name_close(coid) == 0);
}

int main(int argc, char **argv)
{
	MUST(argc == 3);
	if (strcmp(argv[1], "mourner") == 0) {
		mourner(argv[2]);
		return result();
	}
	flags();
	priorities();
	own_priority();
	deaths(argv[2]);
	states(0);
	states(_NTO_CHF_UNBLOCK);
	one_shot();
	answers();
	detach(0, false);
	detach(0, true);
	detach(_NTO_CHF_UNBLOCK, false);
	detach(_NTO_CHF_UNBLOCK, true);
	return result();
}
