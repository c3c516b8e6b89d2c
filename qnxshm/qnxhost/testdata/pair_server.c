/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A server without a name. It says "PID CHANNEL ASIDE PRIVATE", of three channels. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"
#include "pair.h"

static int chid, aside;

static struct {
	int rcvid;
	bool let_go;
} held[10];
static int how_many;

static void hold(int rcvid, bool let_go)
{
	MUST(how_many < 10);
	held[how_many].rcvid = rcvid;
	held[how_many++].let_go = let_go;
}

/* A client does not want to wait any more. */
static void unblock(int rcvid)
{
	int i = 0;

	while (i < how_many && held[i].rcvid != rcvid)
		i++;
	MUST(i < how_many);
	CHECK((held[i].let_go ? MsgError(rcvid, -1) : MsgReply(rcvid, 77, NULL, 0)) == 0);
	held[i] = held[--how_many];
}

static void who(int rcvid, const struct _msg_info *info)
{
	struct _client_info its;
	struct who w;

	memset(&its, 0, sizeof its);
	CHECK(ConnectClientInfo(info->scoid, &its, 0) == 0);
	w.server = getpid();
	w.pid = info->pid;
	w.tid = info->tid;
	w.coid = info->coid;
	w.scoid = info->scoid;
	w.priority = info->priority;
	w.its_pid = its.pid;
	w.its_uid = (int32_t)its.cred.euid;
	CHECK(MsgReply(rcvid, 0, &w, sizeof w) == 0);
}

/* Reads the message in two pieces, and writes the reply in two more, the last one first. */
static void pieces(int rcvid, size_t n)
{
	char *text = (char *)malloc(n);
	size_t half = n / 2;
	iov_t to[2];

	MUST(text);
	SETIOV(&to[0], text, half);
	SETIOV(&to[1], text + half, n - half);
	CHECK_EQUAL(MsgReadv(rcvid, to, 2, sizeof(struct ask)), n);
	for (size_t i = 0; i < n; i++)
		text[i] ^= 'a' ^ 'A';
	CHECK_EQUAL(MsgWrite(rcvid, text + half, n - half, half), n - half);
	CHECK_EQUAL(MsgWrite(rcvid, text, half, 0), half);
	CHECK(MsgReply(rcvid, (long)n, NULL, 0) == 0);
	free(text);
}

static void order(int rcvid, unsigned n)
{
	struct _pulse p;
	char codes[10];

	MUST(n <= sizeof codes);
	for (unsigned i = 0; i < n; i++) {
		MUST(MsgReceivePulse(aside, &p, sizeof p, NULL) == 0);
		codes[i] = p.code;
	}
	CHECK(MsgReply(rcvid, 0, codes, n) == 0);
}

int main(void)
{
	union {
		struct ask ask;
		struct _pulse pulse;
	} msg;
	struct _msg_info info;
	int rcvid;

	chid = channel(_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT);
	aside = channel(0);
	printf("%d %d %d %d\n", (int)getpid(), chid, aside, channel(_NTO_CHF_PRIVATE));
	fflush(stdout);
	for (;;) {
		MUST((rcvid = (int)MsgReceive(chid, &msg, sizeof msg, &info)) != -1);
		if (rcvid == 0) {
			if (msg.pulse.code == _PULSE_CODE_UNBLOCK)
				unblock(msg.pulse.value.sival_int);
			else if (msg.pulse.code == _PULSE_CODE_DISCONNECT)
				CHECK(ConnectDetach(msg.pulse.scoid) == 0);
			continue;
		}
		switch (msg.ask.type) {
		case WHO:
			who(rcvid, &info);
			break;
		case PIECES:
			pieces(rcvid, msg.ask.n);
			break;
		case ORDER:
			order(rcvid, msg.ask.n);
			break;
		case HOLD:
		case LET_GO:
			hold(rcvid, msg.ask.type == LET_GO);
			break;
		case HELD:
			CHECK(MsgReply(rcvid, how_many, NULL, 0) == 0);
			break;
		case DIE:
			return result();
		default:
			CHECK(MsgError(rcvid, ENOSYS) == 0);
		}
	}
}
