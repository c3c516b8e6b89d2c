/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A client of what is at "PID CHANNEL ASIDE PRIVATE". */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"
#include "pair.h"

#define MS 1000000ULL

static int server, chid, coid, aside;

static int connected(int to)
{
	int c;

	MUST((c = ConnectAttach(ND_LOCAL_NODE, server, to, _NTO_SIDE_CHANNEL, 0)) != -1);
	return c;
}

static long ask_for(int to, uint16_t type, uint32_t n, uint64_t ns, void *reply, size_t room)
{
	struct ask a;

	a.type = type;
	a.none = 0;
	a.n = n;
	if (ns)
		TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, NULL, &ns, NULL);
	return MsgSend(to, &a, sizeof a, reply, room);
}

static void ask_who(void)
{
	struct _server_info info;
	struct who w;

	CHECK_EQUAL(ask_for(coid, WHO, 0, 0, &w, sizeof w), 0);
	CHECK_EQUAL(ConnectServerInfo(0, coid, &info), coid);
	CHECK(info.pid == server && info.chid == chid && info.scoid == w.scoid);
	CHECK(w.server == server && w.pid == getpid() && w.coid == coid && w.priority == 10);
	CHECK(w.its_pid == getpid() && w.its_uid == (int32_t)geteuid() && w.tid == gettid());
}

static void send_pieces(void)
{
	static char text[100000], reply[sizeof text];
	iov_t out[4], in[2];
	struct ask a;

	a.type = PIECES;
	a.none = 0;
	a.n = sizeof text;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + i % 26);
	SETIOV(&out[0], &a, sizeof a);
	SETIOV(&out[1], text, 10);
	SETIOV(&out[2], text, 0);
	SETIOV(&out[3], text + 10, sizeof text - 10);
	SETIOV(&in[0], reply, 70000);
	SETIOV(&in[1], reply + 70000, sizeof reply - 70000);
	CHECK_EQUAL(MsgSendv(coid, out, 4, in, 2), sizeof text);
	for (size_t i = 0; i < sizeof text; i++)
		MUST(reply[i] == (text[i] ^ ('a' ^ 'A')));
}

static void send_pulses(void)
{
	const int priorities[] = {10, 20, 5, -1, 0};
	const char want[] = {1, 0, 3, 2, 4};
	char codes[5] = "";

	for (int i = 0; i < 5; i++)
		CHECK(MsgSendPulse(aside, priorities[i], i, 0) == 0);
	CHECK_EQUAL(ask_for(coid, ORDER, 5, 0, codes, 5), 0);
	CHECK(memcmp(codes, want, 5) == 0);
}

static void time_out(void)
{
	/* which the server decides, unless it has never received it */
	CHECK_EQUAL(ask_for(coid, HOLD, 0, 500 * MS, NULL, 0), 77);
	CHECK_ERRNO(ask_for(coid, LET_GO, 0, 500 * MS, NULL, 0), ETIMEDOUT);
	CHECK_ERRNO(ask_for(aside, HOLD, 0, 20 * MS, NULL, 0), ETIMEDOUT);
}

static void *held(void *p)
{
	return (void *)ask_for(*(int *)p, HOLD, 0, 0, NULL, 0);
}

static void until_held(void)
{
	while (ask_for(coid, HELD, 0, 0, NULL, 0) == 0)
		sched_yield();
}

static void detach(void)
{
	int second = connected(chid);
	pthread_t t = thread(held, &second);

	until_held();
	CHECK(ConnectDetach(second) == 0);
	CHECK(join(t) == (void *)77);
}

static void *held_to_the_end(void *p)
{
	CHECK_ERRNO(ask_for(*(int *)p, HOLD, 0, 0, NULL, 0), ESRCH);
	return NULL;
}

static void outlive(void)
{
	int told = channel(_NTO_CHF_COID_DISCONNECT);
	pthread_t t = thread(held_to_the_end, &coid);
	const int coids[] = {coid, aside};
	struct _pulse p;

	until_held();
	CHECK_ERRNO(ask_for(coid, DIE, 0, 0, NULL, 0), ESRCH);
	join(t);
	for (int i = 0; i < 2; i++) {
		MUST(MsgReceivePulse(told, &p, sizeof p, NULL) == 0);
		CHECK_EQUAL(p.code, _PULSE_CODE_COIDDEATH);
		CHECK(p.value.sival_int == coids[0] || p.value.sival_int == coids[1]);
		CHECK(ConnectDetach(p.value.sival_int) == 0);
	}
}

int main(int argc, char **argv)
{
	MUST(argc == 5);
	server = atoi(argv[1]);
	chid = atoi(argv[2]);
	coid = connected(chid);
	aside = connected(atoi(argv[3]));
	CHECK_ERRNO(ConnectAttach(0, server, atoi(argv[4]), _NTO_SIDE_CHANNEL, 0), EPERM);
	ask_who();
	send_pieces();
	send_pulses();
	time_out();
	detach();
	outlive();
	return result();
}
