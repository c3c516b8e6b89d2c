/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What the two programs of a pair say to each other. pairs_test.go says it in Go. */
#ifndef PAIR_H
#define PAIR_H

#include <stdint.h>

enum {
	WHO = 0x200, /* the reply is a struct who */
	PIECES,      /* n bytes of text follow; they come back in the other case, the status is n */
	ORDER,       /* the reply are the codes of the n pulses that wait aside */
	HOLD,        /* is answered with the status 77 when the client does not want to wait */
	LET_GO,      /* is let go then */
	HELD,        /* the status is how many of those wait */
	DIE,         /* the server ends instead of an answer */
};

struct ask {
	uint16_t type, none;
	uint32_t n;
};

struct who {
	int32_t server, pid, tid, coid, scoid, priority, its_pid, its_uid;
};

#endif
