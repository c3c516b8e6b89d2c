/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Memory that is not there, or not as it would have to be, is an errno: in the caller
   EFAULT if it sends, ESRVRFAULT if it answers. The first argument says which part to
   play. */
#define _GNU_SOURCE
#include "check.h"

#include <stdint.h>

enum { LARGE = 1 << 20, PAGE = 4096 };

static char *last_page; /* of memory that ends there */
static char *read_only;
static char scratch[LARGE];

/* Addresses at which nothing can be read. */
static const char *unreadable[6];
enum { UNREADABLE = sizeof unreadable / sizeof *unreadable };

static void prepare(void)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, NOFD, 0);

	MUST(p != MAP_FAILED);
	MUST(mprotect(p + PAGE, PAGE, PROT_NONE) == 0);
	MUST(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == 0);
	last_page = p;
	read_only = p + 2 * PAGE;
	unreadable[0] = p + PAGE;
	unreadable[1] = (char *)0x10; /* as a member of a structure at NULL has */
	unreadable[2] = NULL;
	unreadable[3] = (char *)-1;
	unreadable[4] = (char *)(UINTPTR_MAX / 2 + 1); /* the system's, or no address at all */
	unreadable[5] = (char *)UINTPTR_MAX - 8;
}

/* What a server is told in the first byte. */
static void answer_one(rcvid_t rcvid, char what, struct _msg_info *info)
{
	switch (what) {
	case 'r': /* all there is room for */
		CHECK(MsgReply(rcvid, 42, scratch, info->dstmsglen) == 0);
		break;
	case 'w': /* the same, in two pieces */
		CHECK(MsgWrite(rcvid, scratch, info->dstmsglen, 0) == (ssize_t)info->dstmsglen);
		CHECK(MsgReply(rcvid, 42, NULL, 0) == 0);
		break;
	default:
		CHECK(MsgReply(rcvid, 42, NULL, 0) == 0);
	}
}

static void *answer_all(void *chid)
{
	struct _msg_info info;
	rcvid_t rcvid;
	char what;

	while ((rcvid = MsgReceive(*(int *)chid, &what, 1, &info)) > 0)
		answer_one(rcvid, what, &info);
	return NULL;
}

static void serve(const char *name)
{
	name_attach_t *a;

	MUST(a = name_attach(NULL, name, 0));
	puts("serving");
	fflush(stdout);
	answer_all(&a->chid); /* until a pulse comes */
}

/* What the sender gives. */
static void client(int coid)
{
	const size_t lengths[] = {1, 16, 3 * PAGE, LARGE};
	char good[100] = "x", reply[100], *how[] = {"r", "w"};

	for (int i = 0; i < UNREADABLE; i++)
		for (int j = 0; j < 4; j++) {
			const char *bad = unreadable[i];
			size_t n = lengths[j];
			iov_t parts[3], nothing = {(void *)bad, 0};

			CHECK_ERRNO(MsgSend(coid, bad, n, reply, sizeof reply), EFAULT);
			SETIOV(&parts[0], good, sizeof good);
			SETIOV_CONST(&parts[1], bad, n);
			SETIOV(&parts[2], good, sizeof good);
			CHECK_ERRNO(MsgSendv(coid, parts, 3, parts, 1), EFAULT);
			for (int k = 0; k < 2; k++) {
				CHECK_ERRNO(MsgSend(coid, how[k], 1, (char *)bad, n), EFAULT);
				CHECK_ERRNO(MsgSendsv(coid, how[k], 1, parts, 3), EFAULT);
			}
			/* where there are no bytes there is no address */
			CHECK_EQUAL(MsgSendv(coid, &nothing, 1, &nothing, 1), 42);
			parts[1] = nothing;
			CHECK_EQUAL(MsgSendv(coid, parts, 3, parts, 3), 42);
		}
	for (int k = 0; k < 2; k++) {
		CHECK_ERRNO(MsgSend(coid, how[k], 1, read_only, 10), EFAULT);
		CHECK_ERRNO(MsgSend(coid, how[k], 1, last_page, PAGE + 1), EFAULT);
		CHECK_EQUAL(MsgSend(coid, how[k], 1, last_page, PAGE), 42);
	}
	CHECK_ERRNO(MsgSend(coid, last_page, PAGE + 1, NULL, 0), EFAULT);
	CHECK_EQUAL(MsgSend(coid, last_page, PAGE, NULL, 0), 42);
	CHECK_EQUAL(MsgSend(coid, read_only, PAGE, NULL, 0), 42);
	CHECK_EQUAL(MsgSend(coid, good, sizeof good, reply, sizeof reply), 42);
}

/* What the server gives. A client waits meanwhile, in this process or in another. */
static void server(rcvid_t rcvid)
{
	struct _msg_info info;
	char b[100];
	iov_t parts[3];

	for (int i = 0; i < UNREADABLE + 1; i++)
		for (size_t n = 20; n <= 3 * PAGE; n += 3 * PAGE - 20) {
			char *bad = i < UNREADABLE ? (char *)unreadable[i] : read_only;

			SETIOV(&parts[0], b, 10);
			SETIOV(&parts[1], bad, n);
			SETIOV(&parts[2], b, 10);
			CHECK_ERRNO(MsgRead(rcvid, bad, n, 0), ESRVRFAULT);
			CHECK_ERRNO(MsgReadv(rcvid, parts, 3, 0), ESRVRFAULT);
			if (bad == read_only)
				continue;
			CHECK_ERRNO(MsgWrite(rcvid, bad, n, 0), ESRVRFAULT);
			CHECK_ERRNO(MsgWritev(rcvid, parts, 3, 0), ESRVRFAULT);
			CHECK_EQUAL(MsgWrite(rcvid, "written", 8, 0), 8);
			CHECK_ERRNO(MsgReply(rcvid, 1, bad, n), ESRVRFAULT);
			CHECK_ERRNO(MsgReplyv(rcvid, 1, parts, 3), ESRVRFAULT);
			CHECK(MsgInfo(rcvid, &info) == 0);
		}
	CHECK_ERRNO(MsgRead(rcvid, last_page, PAGE + 1, 0), ESRVRFAULT);
	CHECK_ERRNO(MsgWrite(rcvid, last_page, PAGE + 1, 0), ESRVRFAULT);
	CHECK_EQUAL(MsgWrite(rcvid, "written", 8, 0), 8);
	CHECK_ERRNO(MsgReply(rcvid, 1, last_page, PAGE + 1), ESRVRFAULT);
	CHECK_EQUAL(MsgWrite(rcvid, "written", 8, 0), 8);
	CHECK_EQUAL(MsgRead(rcvid, b, 5, 0), 5);
	CHECK(memcmp(b, "large", 5) == 0);
	CHECK(MsgReply(rcvid, 5, NULL, 0) == 0);
}

/* A client of that, in another process. */
static void waits(const char *name)
{
	static char large[3 * PAGE] = "large", reply[3 * PAGE];
	int coid;

	MUST((coid = name_open(name, 0)) != -1);
	CHECK_EQUAL(MsgSend(coid, large, sizeof large, reply, sizeof reply), 5);
	CHECK(strcmp(reply, "written") == 0);
	for (int i = 0; i < UNREADABLE + 1; i++)
		CHECK_ERRNO(MsgSend(coid, "x", 1, NULL, 0), ESRVRFAULT);
	CHECK_EQUAL(MsgSend(coid, "x", 1, NULL, 0), 6);
}

static void receives(int chid)
{
	rcvid_t rcvid;
	char b[100];

	MUST((rcvid = MsgReceive(chid, b, 5, NULL)) > 0);
	server(rcvid);
	for (int i = 0; i < UNREADABLE + 1; i++) {
		char *bad = i < UNREADABLE ? (char *)unreadable[i] : read_only;

		/* such as are no addresses are refused before a message is received */
		bool before = (uintptr_t)bad < PAGE || (uintptr_t)bad > UINTPTR_MAX - 50;
		if (before)
			CHECK_ERRNO(MsgReceive(chid, bad, 50, NULL), EFAULT);
		CHECK_ERRNO(MsgReceive(chid, before ? read_only : bad, 50, NULL), EFAULT);
	}
	MUST((rcvid = MsgReceive(chid, b, 5, NULL)) > 0);
	CHECK(MsgReply(rcvid, 6, NULL, 0) == 0);
}

static void mappings(void)
{
	char *low = (char *)0x10, *p;

	CHECK_ERRNO(munmap(low, 1), EINVAL);
	CHECK_ERRNO(mprotect(low, 1, PROT_READ), EINVAL);
	CHECK_ERRNO(mmap(low, PAGE, PROT_READ, MAP_ANON | MAP_PRIVATE | MAP_FIXED, NOFD, 0), EINVAL);
	MUST((p = mmap(low, PAGE, PROT_READ, MAP_ANON | MAP_PRIVATE, NOFD, 0)) != MAP_FAILED);
	CHECK(munmap(p, PAGE) == 0);
}

static void *waits_here(void *name)
{
	waits(name);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "", *name = argc > 2 ? argv[2] : "faults-test";
	name_attach_t *a;
	pthread_t t;
	int chid, coid;

	prepare();
	if (strcmp(part, "server") == 0) {
		serve(name);
	} else if (strcmp(part, "client") == 0) {
		MUST((coid = name_open(name, 0)) != -1);
		client(coid);
		CHECK(MsgSendPulse(coid, -1, 1, 0) == 0);
	} else if (strcmp(part, "waits") == 0) {
		waits(name);
	} else if (strcmp(part, "receives") == 0) {
		MUST(a = name_attach(NULL, name, 0));
		puts("serving");
		fflush(stdout);
		receives(a->chid);
	} else if (strcmp(part, "alone") == 0) {
		chid = channel(0);
		coid = attach(chid);
		t = thread(answer_all, &chid);
		client(coid);
		ChannelDestroy(chid);
		join(t);
		MUST(a = name_attach(NULL, name, 0));
		t = thread(waits_here, (void *)name);
		receives(a->chid);
		join(t);
		mappings();
	} else {
		return 3;
	}
	return result();
}
