/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Dispatching: messages, pulses and descriptors go to the functions attached for them. */

#define _GNU_SOURCE
#define THREAD_POOL_PARAM_T dispatch_context_t
#include "check.h"

#include <sys/iofunc.h>

enum { FIRST = _IO_MAX + 1, LAST = _IO_MAX + 10, OTHER = _IO_MAX + 20 };

struct request {
	uint16_t type;
	char text[1000];
};

static atomic_int seen;
static int marks[4];

static int on_message(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	struct request *r = (struct request *)ctp->msg;

	CHECK_EQUAL(flags, 0);
	CHECK(handle == &marks[0]);
	CHECK_EQUAL(r->type, code);
	CHECK_EQUAL(ctp->info.pid, getpid());
	CHECK_EQUAL(ctp->info.msglen, sizeof *r);
	CHECK(strcmp(r->text, "hello") == 0 && r->text[sizeof r->text - 1] == 'z');
	CHECK(MsgReply(ctp->rcvid, code, "back", 5) == 0);
	seen++;
	return 0;
}

static int on_pulse(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	CHECK_EQUAL(flags, 0);
	CHECK_EQUAL(ctp->rcvid, 0);
	CHECK_EQUAL(ctp->msg->pulse.code, code);
	*(int *)handle = ctp->msg->pulse.value.sival_int;
	seen++;
	return 0;
}

static int on_descriptor(select_context_t *ctp, int fd, unsigned flags, void *handle)
{
	select_context_t *got = ctp;
	int (*function)(select_context_t *, int, unsigned, void *);
	void *its;
	unsigned its_flags;
	char c;
	int its_fd;

	CHECK_EQUAL(flags, SELECT_FLAG_READ);
	CHECK(select_query(got, &its_fd, &its_flags, &function, &its) == 0);
	CHECK(its_fd == fd && its_flags == flags && function == on_descriptor && its == handle);
	CHECK_EQUAL(read(fd, &c, 1), 1);
	*(int *)handle = c;
	seen++;
	return 0;
}

/* Handles until so many have been seen. */
static void serve(dispatch_context_t *ctp, int until)
{
	while (seen < until) {
		dispatch_context_t *got = dispatch_block(ctp);

		MUST(got != NULL);
		dispatch_handler(got);
	}
}

static long ask(int coid, uint16_t type, int *error)
{
	struct request r = {.type = type, .text = "hello"};
	char reply[5] = "";
	long status;

	r.text[sizeof r.text - 1] = 'z';
	errno = 0;
	status = MsgSend(coid, &r, sizeof r, reply, sizeof reply);
	*error = errno;
	if (status != -1)
		CHECK(strcmp(reply, "back") == 0);
	return status;
}

static void *client(void *p)
{
	int coid = *(int *)p, error;

	CHECK_EQUAL(ask(coid, OTHER, &error), -1);
	CHECK_EQUAL(error, ENOSYS);
	CHECK_EQUAL(ask(coid, LAST, &error), LAST);
	CHECK_EQUAL(ask(coid, FIRST, &error), FIRST);
	CHECK_EQUAL(MsgSendPulse(coid, -1, 5, 77), 0);
	return NULL;
}

static void attachments(dispatch_t *dpp)
{
	message_attr_t attr = {.flags = 0, .nparts_max = 3, .msg_max_size = sizeof(struct request)};

	CHECK(message_attach(dpp, &attr, FIRST, LAST, on_message, &marks[0]) == 0);
	CHECK_ERRNO(message_attach(dpp, &attr, LAST, LAST + 1, on_message, NULL), EINVAL);
	CHECK_ERRNO(message_attach(dpp, NULL, LAST, FIRST, on_message, NULL), EINVAL);
	CHECK_ERRNO(message_attach(NULL, NULL, FIRST, LAST, on_message, NULL), EINVAL);
	CHECK_ERRNO(message_attach(dpp, NULL, OTHER, OTHER, NULL, NULL), EINVAL);
	CHECK_ERRNO(message_detach(dpp, FIRST, LAST - 1, 0), EINVAL);
	CHECK_EQUAL(pulse_attach(dpp, 0, 5, on_pulse, &marks[1]), 5);
	CHECK_ERRNO(pulse_attach(dpp, 0, 5, on_pulse, &marks[1]), EINVAL);
	CHECK_ERRNO(pulse_attach(dpp, 0, 200, on_pulse, NULL), EINVAL);
	int own = pulse_attach(dpp, MSG_FLAG_ALLOC_PULSE, 0, on_pulse, &marks[2]);
	CHECK(own >= _PULSE_CODE_MINAVAIL && own <= _PULSE_CODE_MAXAVAIL && own != 5);
	CHECK(pulse_detach(dpp, own, 0) == 0);
	CHECK_ERRNO(pulse_detach(dpp, own, 0), EINVAL);
	CHECK_ERRNO(message_connect(NULL, 0), EINVAL);
	CHECK_ERRNO(dispatch_context_alloc(NULL), EINVAL);
	CHECK_ERRNO(dispatch_create_channel(-1, 0x100), EINVAL);
}

static void descriptors(dispatch_t *dpp, dispatch_context_t *ctp)
{
	select_attr_t once = {.flags = SELECT_FLAG_NOREARM};
	int p[2], q[2];

	MUST(pipe(p) == 0 && pipe(q) == 0);
	CHECK(select_attach(dpp, NULL, p[0], SELECT_FLAG_READ, on_descriptor, &marks[2]) == 0);
	CHECK_ERRNO(select_attach(dpp, NULL, p[0], SELECT_FLAG_READ, on_descriptor, NULL), EBUSY);
	CHECK_ERRNO(select_attach(dpp, NULL, 400, SELECT_FLAG_READ, on_descriptor, NULL), EBADF);
	CHECK_ERRNO(select_attach(dpp, NULL, q[0], 0, on_descriptor, NULL), EINVAL);
	CHECK(select_attach(dpp, &once, q[0], SELECT_FLAG_READ, on_descriptor, &marks[3]) == 0);
	seen = 0;
	CHECK(write(p[1], "ab", 2) == 2 && write(q[1], "xy", 2) == 2);
	serve(ctp, 3); /* a, b and x, in some order; y is not looked for */
	CHECK(marks[2] == 'b' && marks[3] == 'x');
	CHECK(select_detach(dpp, p[0]) == 0);
	CHECK_ERRNO(select_detach(dpp, p[0]), EINVAL);
	close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void *unblock(void *p)
{
	dispatch_unblock(p);
	return NULL;
}

static void loop(void)
{
	dispatch_t *dpp = dispatch_create_channel(-1, 0);
	dispatch_context_t *ctp;
	pthread_t t;
	int coid;

	MUST(dpp != NULL);
	attachments(dpp);
	MUST((ctp = dispatch_context_alloc(dpp)) != NULL);
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	seen = 0;
	t = thread(client, &coid);
	serve(ctp, 3);
	join(t);
	CHECK_EQUAL(marks[1], 77);
	descriptors(dpp, ctp);
	t = thread(unblock, ctp);
	CHECK_ERRNO(dispatch_block(ctp), EINTR);
	join(t);
	CHECK(message_detach(dpp, FIRST, LAST, 0) == 0);
	ConnectDetach(coid);
	dispatch_context_free(ctp);
	CHECK(dispatch_destroy(dpp) == 0);
	CHECK_ERRNO(dispatch_destroy(NULL), EINVAL);
}

static void *one_client(void *p)
{
	int coid = *(int *)p, error;

	for (int i = 0; i < 20; i++)
		CHECK_EQUAL(ask(coid, FIRST, &error), FIRST);
	return NULL;
}

static void pool(void)
{
	dispatch_t *dpp = dispatch_create();
	message_attr_t attr = {.msg_max_size = sizeof(struct request)};
	thread_pool_attr_t a = {.context_alloc = dispatch_context_alloc, .context_free = dispatch_context_free,
		.block_func = dispatch_block, .unblock_func = dispatch_unblock, .handler_func = dispatch_handler,
		.lo_water = 2, .increment = 2, .hi_water = 4, .maximum = 8, .tid_name = "pool"};
	thread_pool_t *pool;
	pthread_t clients[4];
	int coid;

	MUST(dpp != NULL && message_attach(dpp, &attr, FIRST, LAST, on_message, &marks[0]) == 0);
	a.handle = dpp;
	MUST((pool = thread_pool_create(&a, 0)) != NULL);
	a.lo_water = 9;
	CHECK_ERRNO(thread_pool_create(&a, 0), EINVAL);
	CHECK_ERRNO(thread_pool_create(NULL, 0), EINVAL);
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	seen = 0;
	CHECK(thread_pool_start(pool) == 0);
	for (int i = 0; i < 4; i++)
		clients[i] = thread(one_client, &coid);
	CHECK(thread_pool_limits(pool, 3, 6, -1, -1, 0) == 0);
	CHECK_ERRNO(thread_pool_limits(pool, 9, -1, -1, -1, 0), EINVAL);
	for (int i = 0; i < 4; i++)
		join(clients[i]);
	CHECK_EQUAL(seen, 80);
	CHECK(thread_pool_destroy(pool) == 0);
	ConnectDetach(coid);
	CHECK(dispatch_destroy(dpp) == 0);
}

static int attach_again(select_context_t *ctp, int fd, unsigned flags, void *dpp)
{
	select_attr_t once = {.flags = SELECT_FLAG_NOREARM};
	char byte;

	(void)ctp, (void)flags;
	CHECK(read(fd, &byte, 1) == 1);
	seen++;
	CHECK(select_detach(dpp, fd) == 0);
	CHECK(select_attach(dpp, &once, fd, SELECT_FLAG_READ, attach_again, dpp) == 0);
	return 0;
}

/* What a function attaches is not what it was called for. */
static void attached_again(void)
{
	const uint64_t patience = 10000000000;
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp = dispatch_context_alloc(dpp);
	select_attr_t once = {.flags = SELECT_FLAG_NOREARM};
	int ends[2];

	MUST(ctp != NULL && pipe(ends) == 0);
	seen = 0;
	MUST(select_attach(dpp, &once, ends[0], SELECT_FLAG_READ, attach_again, dpp) == 0);
	for (int i = 1; i <= 3; i++) {
		MUST(write(ends[1], "", 1) == 1);
		while (seen < i) {
			TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &patience, NULL);
			MUST(dispatch_block(ctp) == ctp);
			dispatch_handler(ctp);
		}
	}
	dispatch_context_free(ctp);
	CHECK(dispatch_destroy(dpp) == 0);
	close(ends[0]);
	close(ends[1]);
}

/* A timeout of the dispatch is for every wait, and ends it with a context that nobody
   handles; one that the program arms goes before it. */
static void timeouts(void)
{
	const uint64_t at_once = 0;
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp = dispatch_context_alloc(dpp);
	struct timespec soon = {0, 1000 * 1000}, wrong = {0, 1000 * 1000 * 1000}, late = {100, 0};
	int coid;

	MUST(ctp != NULL && (coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	MUST(pulse_attach(dpp, 0, 5, on_pulse, &marks[1]) == 5);
	CHECK_ERRNO(dispatch_timeout(NULL, &soon), EINVAL);
	CHECK_ERRNO(dispatch_timeout(dpp, &wrong), EINVAL);
	CHECK(dispatch_timeout(dpp, &soon) == 0);
	for (int i = 0; i < 2; i++) {
		CHECK(dispatch_block(ctp) == ctp);
		CHECK_EQUAL(ctp->message_context.rcvid, -1);
		CHECK_EQUAL(dispatch_handler(ctp), 0);
	}
	seen = 0;
	CHECK(dispatch_timeout(dpp, &late) == 0);
	CHECK_EQUAL(MsgSendPulse(coid, -1, 5, 78), 0);
	serve(ctp, 1);
	CHECK_EQUAL(marks[1], 78);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &at_once, NULL);
	CHECK_ERRNO(dispatch_block(ctp), ETIMEDOUT);
	CHECK(dispatch_timeout(dpp, NULL) == 0);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &at_once, NULL);
	CHECK_ERRNO(dispatch_block(ctp), ETIMEDOUT);
	ConnectDetach(coid);
	dispatch_context_free(ctp);
	CHECK(dispatch_destroy(dpp) == 0);
}

/* A loop whose dispatch was destroyed meanwhile is told so, each time. */
static void destroyed(void)
{
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp = dispatch_context_alloc(dpp);
	struct timespec soon = {0, 1000 * 1000};

	MUST(ctp != NULL && dispatch_timeout(dpp, &soon) == 0);
	CHECK(dispatch_destroy(dpp) == 0);
	CHECK_ERRNO(dispatch_block(ctp), ESRCH);
	CHECK_ERRNO(dispatch_block(ctp), ESRCH);
	dispatch_context_free(ctp);
}

static int lowest(void)
{
	int fd = open("/dev/null", O_RDONLY);

	MUST(fd != -1 && close(fd) == 0);
	return fd;
}

/* What a dispatch needs itself is not among the program's descriptors, which it may
   count, or close all together. */
static void own_descriptors(void)
{
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp = dispatch_context_alloc(dpp);
	int p[2], before;

	MUST(ctp != NULL && pipe(p) == 0);
	before = lowest();
	CHECK(select_attach(dpp, NULL, p[0], SELECT_FLAG_READ, on_descriptor, &marks[2]) == 0);
	CHECK_EQUAL(lowest(), before);
	seen = 0;
	CHECK_EQUAL(write(p[1], "c", 1), 1);
	serve(ctp, 1);
	CHECK_EQUAL(marks[2], 'c');
	dispatch_context_free(ctp);
	CHECK(dispatch_destroy(dpp) == 0);
	close(p[0]), close(p[1]);
}

/* No memory has room for what is asked for, and errno is as it was where nothing failed. */
static void out_of_range(void)
{
	const message_attr_t attrs[] = {{.msg_max_size = SIZE_MAX}, {.msg_max_size = SIZE_MAX - 64}};

	for (unsigned i = 0; i < sizeof attrs / sizeof *attrs; i++) {
		message_attr_t attr = attrs[i];
		int chid = channel(0);
		dispatch_t *dpp = dispatch_create_channel(chid, 0);

		MUST(message_attach(dpp, &attr, FIRST, LAST, on_message, &marks[0]) == 0);
		CHECK_ERRNO(dispatch_context_alloc(dpp), ENOMEM);
		CHECK(ChannelDestroy(chid) == 0);
		errno = 0;
		CHECK(dispatch_destroy(dpp) == 0 && errno == 0);
	}
}

int main(void)
{
	loop();
	pool();
	timeouts();
	destroyed();
	own_descriptors();
	attached_again();
	out_of_range();
	return result();
}
