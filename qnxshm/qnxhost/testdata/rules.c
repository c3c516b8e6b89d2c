/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* "-l" lists the rules; an id is that of the rule to check, without other threads before
   or after; "mourner NAME" is a client that waits for the end of its server. */
#include "rules.h"

static const struct rule *const groups[] = {timeout_rules, channel_rules, death_rules, answer_rules, wait_rules, event_rules, dispatch_rules};

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
	bool found = false;

	MUST(argc > 1);
	if (strcmp(argv[1], "mourner") == 0) {
		MUST(argc == 3);
		mourner(argv[2]);
		return result();
	}
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		for (const struct rule *r = groups[i]; r->id; r++)
			if (strcmp(argv[1], "-l") == 0) {
				puts(r->id);
				found = true;
			} else if (strcmp(argv[1], r->id) == 0) {
				r->holds();
				found = true;
			}
	MUST(found);
	return result();
}
