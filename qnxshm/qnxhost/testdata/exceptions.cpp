/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Exceptions out of functions that are attached to a dispatch, or handle for a pool: who
   catches them goes on as if those had returned. */

#define THREAD_POOL_PARAM_T dispatch_context_t
#include "check.h"

#include <stdexcept>

static const uint64_t patience = 10000000000;
static int thrown, caught;

[[noreturn]] static void fail()
{
	thrown++;
	throw std::runtime_error("thrown");
}

static int on_pulse(message_context_t *, int, unsigned, void *)
{
	fail();
}

static int on_message(message_context_t *ctp, int code, unsigned, void *)
{
	CHECK(MsgReply(ctp->rcvid, code, NULL, 0) == 0);
	fail();
}

static int on_descriptor(select_context_t *, int fd, unsigned, void *)
{
	char c;

	CHECK(read(fd, &c, 1) == 1);
	fail();
}

static void handle_one(dispatch_context_t *ctp)
{
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &patience, NULL);
	MUST(dispatch_block(ctp) == ctp);
	try {
		dispatch_handler(ctp);
	} catch (const std::runtime_error &e) {
		caught++;
	}
}

static void *client(void *coid)
{
	const uint16_t type = _IO_MAX + 1;

	CHECK_EQUAL(MsgSend(*(int *)coid, &type, sizeof type, NULL, 0), type);
	return NULL;
}

static void dispatching()
{
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp = dispatch_context_alloc(dpp);
	int coid, code, p[2];

	MUST(ctp != NULL && pipe(p) == 0 && (coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	MUST((code = pulse_attach(dpp, MSG_FLAG_ALLOC_PULSE, 0, on_pulse, NULL)) != -1);
	MUST(message_attach(dpp, NULL, _IO_MAX + 1, _IO_MAX + 1, on_message, NULL) == 0);
	MUST(select_attach(dpp, NULL, p[0], SELECT_FLAG_READ, on_descriptor, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		CHECK(MsgSendPulse(coid, -1, code, 0) == 0);
		handle_one(ctp);
		pthread_t t = thread(client, &coid);
		handle_one(ctp);
		join(t);
		CHECK(write(p[1], "", 1) == 1);
		handle_one(ctp);
	}
	CHECK_EQUAL(thrown, 9);
	CHECK_EQUAL(caught, 9);
	ConnectDetach(coid);
	dispatch_context_free(ctp);
	CHECK(dispatch_destroy(dpp) == 0);
	close(p[0]), close(p[1]);
}

static dispatch_context_t *got(dispatch_context_t *ctp)
{
	static std::atomic_flag once = ATOMIC_FLAG_INIT;

	return once.test_and_set() ? dispatch_block(ctp) : ctp;
}

static int handle(dispatch_context_t *)
{
	fail();
}

static std::atomic_int contexts;

static dispatch_context_t *make_context(dispatch_t *dpp)
{
	contexts++;
	return dispatch_context_alloc(dpp);
}

static void end_context(dispatch_context_t *ctp)
{
	contexts--;
	dispatch_context_free(ctp);
}

/* The thread that has started the pool leaves it by the exception. */
static void pool()
{
	dispatch_t *dpp = dispatch_create();
	thread_pool_attr_t a = {};
	thread_pool_t *pool;

	MUST(dpp != NULL);
	a.handle = dpp;
	a.context_alloc = make_context;
	a.context_free = end_context;
	a.block_func = got;
	a.unblock_func = dispatch_unblock;
	a.handler_func = handle;
	a.lo_water = a.maximum = 1;
	MUST((pool = thread_pool_create(&a, POOL_FLAG_USE_SELF)) != NULL);
	caught = 0;
	try {
		thread_pool_start(pool);
	} catch (const std::runtime_error &e) {
		caught++;
	}
	CHECK_EQUAL(caught, 1);
	CHECK(thread_pool_destroy(pool) == 0);
	CHECK_EQUAL(contexts, 0);
	CHECK(dispatch_destroy(dpp) == 0);
}

int main()
{
	dispatching();
	pool();
	return result();
}
