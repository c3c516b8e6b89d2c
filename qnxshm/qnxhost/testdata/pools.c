/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Pools of threads whose functions are the program's own: who is of them, how many they
   are, and what is told of errors. */

#define _GNU_SOURCE
#define THREAD_POOL_PARAM_T dispatch_context_t
#include "check.h"

static atomic_int seen;

static dispatch_context_t *self_block(dispatch_context_t *ctp)
{
	static int times;

	errno = ENODATA;
	return times++ < 3 ? ctp : NULL;
}

static int self_handle(dispatch_context_t *ctp)
{
	(void)ctp;
	seen++;
	return 0;
}

static void *pool_of_self(void *p)
{
	thread_pool_start(p);
	CHECK(!"reached");
	return NULL;
}

/* The thread that starts the pool is of it. */
static void self(void)
{
	dispatch_t *dpp = dispatch_create();
	thread_pool_attr_t a = {.handle = dpp, .context_alloc = dispatch_context_alloc, .context_free = dispatch_context_free,
		.block_func = self_block, .handler_func = self_handle, .lo_water = 1, .maximum = 1};
	thread_pool_t *pool = thread_pool_create(&a, POOL_FLAG_USE_SELF);

	MUST(dpp != NULL && pool != NULL);
	seen = 0;
	join(thread(pool_of_self, pool));
	CHECK_EQUAL(seen, 3);
	CHECK(thread_pool_destroy(pool) == 0);
	CHECK(dispatch_destroy(dpp) == 0);
}

static unsigned told[3];
static int errors[3];

static void on_error(unsigned what, int error)
{
	CHECK(what == POOL_ERROR_BLOCK || what == POOL_ERROR_HANDLER || what == POOL_ERROR_CONTEXT);
	for (int i = 0; i < 3; i++)
		if (what == 1U << i) {
			told[i]++;
			errors[i] = error;
		}
}

static dispatch_context_t *no_context(dispatch_t *dpp)
{
	(void)dpp;
	errno = EXDEV;
	return NULL;
}

static int refuse(dispatch_context_t *ctp)
{
	(void)ctp;
	errno = EDOM;
	return -1;
}

static int blocked;

static dispatch_context_t *block_twice(dispatch_context_t *ctp)
{
	errno = EILSEQ;
	return blocked++ < 2 ? ctp : NULL;
}

/* The program is told of what fails in a pool: of contexts always, of the others if it
   has asked. */
static void pool_errors(void)
{
	dispatch_t *dpp = dispatch_create();
	thread_pool_attr_t a = {.handle = dpp, .context_alloc = dispatch_context_alloc, .context_free = dispatch_context_free,
		.block_func = block_twice, .handler_func = refuse, .error_func = on_error, .lo_water = 1, .maximum = 1};
	const unsigned flags[] = {0, POOL_FLAG_CALL_BLOCK_ERRF, POOL_FLAG_CALL_HANDLE_ERRF};
	thread_pool_t *pool;

	MUST(dpp != NULL);
	for (unsigned i = 0; i < 3; i++) {
		memset(told, 0, sizeof told);
		blocked = 0;
		MUST((pool = thread_pool_create(&a, POOL_FLAG_USE_SELF | flags[i])) != NULL);
		join(thread(pool_of_self, pool));
		CHECK_EQUAL(told[0], flags[i] == POOL_FLAG_CALL_BLOCK_ERRF);
		CHECK_EQUAL(told[1], flags[i] == POOL_FLAG_CALL_HANDLE_ERRF ? 2 : 0);
		CHECK_EQUAL(told[2], 0);
		CHECK(thread_pool_destroy(pool) == 0);
	}
	CHECK(errors[0] == EILSEQ && errors[1] == EDOM);
	CHECK_ERRNO(thread_pool_create(&a, 0x20), EINVAL);
	a.context_alloc = no_context;
	MUST((pool = thread_pool_create(&a, 0)) != NULL);
	CHECK_ERRNO(thread_pool_start(pool), EXDEV);
	CHECK_EQUAL(told[2], 1);
	CHECK_EQUAL(errors[2], EXDEV);
	CHECK(thread_pool_destroy(pool) == 0);
	CHECK(dispatch_destroy(dpp) == 0);
}

/* Asked to tell, and nobody to be told. */
static void untold(void)
{
	thread_pool_attr_t a = {.handle = dispatch_create(), .context_alloc = dispatch_context_alloc,
		.block_func = block_twice, .handler_func = refuse, .lo_water = 1, .maximum = 1};

	thread_pool_start(thread_pool_create(&a, POOL_FLAG_USE_SELF | POOL_FLAG_CALL_BLOCK_ERRF));
}

enum { MEMBERS = 3 };
static atomic_int members, most_members, blocks;
static pthread_barrier_t both;

static dispatch_context_t *late_context(dispatch_t *dpp)
{
	if (blocks > 0)
		delay(100); /* the other thread looks meanwhile */
	if (++members > most_members)
		most_members = (int)members;
	return dispatch_context_alloc(dpp);
}

static void count_out(dispatch_context_t *ctp)
{
	members--;
	dispatch_context_free(ctp);
}

static dispatch_context_t *block_both(dispatch_context_t *ctp)
{
	if (blocks++ >= 2)
		return NULL;
	pthread_barrier_wait(&both);
	return ctp;
}

static int handle_both(dispatch_context_t *ctp)
{
	(void)ctp;
	delay(300);
	return 0;
}

/* Threads that find at once that there are too few start no more than there may be. */
static void maximum(void)
{
	dispatch_t *dpp = dispatch_create();
	thread_pool_attr_t a = {.handle = dpp, .context_alloc = late_context, .context_free = count_out, .block_func = block_both,
		.unblock_func = dispatch_unblock, .handler_func = handle_both, .lo_water = 2, .increment = 1, .maximum = MEMBERS};
	thread_pool_t *pool = thread_pool_create(&a, 0);

	MUST(dpp != NULL && pool != NULL && pthread_barrier_init(&both, NULL, 2) == 0);
	CHECK(thread_pool_start(pool) == 0);
	while (members > 0)
		delay(1);
	CHECK(thread_pool_destroy(pool) == 0);
	CHECK_EQUAL(most_members, MEMBERS);
	pthread_barrier_destroy(&both);
	CHECK(dispatch_destroy(dpp) == 0);
}

static thread_pool_t *pool_on(dispatch_t *dpp)
{
	thread_pool_attr_t a = {.handle = dpp, .context_alloc = dispatch_context_alloc, .context_free = dispatch_context_free,
		.block_func = dispatch_block, .unblock_func = dispatch_unblock, .handler_func = dispatch_handler,
		.lo_water = 3, .increment = 1, .hi_water = 4, .maximum = 4};
	thread_pool_t *pool = thread_pool_create(&a, 0);

	MUST(pool != NULL && thread_pool_start(pool) == 0);
	return pool;
}

static int on_pulse(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	(void)ctp, (void)code, (void)flags, (void)handle;
	seen++;
	return 0;
}

/* A thread of the program's own, which nobody unblocks. */
static void *own_loop(void *dpp)
{
	dispatch_context_t *ctp = dispatch_context_alloc(dpp);

	MUST(ctp != NULL);
	while (seen == 0) {
		if (dispatch_block(ctp) == ctp)
			dispatch_handler(ctp);
		else
			CHECK(!"unblocked");
	}
	dispatch_context_free(ctp);
	return NULL;
}

/* Pools of one dispatch end each by itself, and disturb nobody else who waits. */
static void pools_of_one_dispatch(void)
{
	dispatch_t *dpp = dispatch_create();
	pthread_t own;
	int coid;

	MUST(dpp != NULL && pulse_attach(dpp, 0, 9, on_pulse, NULL) == 9);
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	seen = 0;
	own = thread(own_loop, dpp);
	for (int i = 0; i < 10; i++) {
		thread_pool_t *first = pool_on(dpp), *second = pool_on(dpp);

		CHECK(thread_pool_destroy(first) == 0);
		CHECK(thread_pool_destroy(second) == 0);
	}
	CHECK_EQUAL(MsgSendPulse(coid, -1, 9, 0), 0);
	join(own);
	ConnectDetach(coid);
	CHECK(dispatch_destroy(dpp) == 0);
}

/* Who is unblocked just before it waits is told, though another thread waits already. */
static void unblocked_before_it_waits(void)
{
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp;
	pthread_t own;
	int coid;

	MUST(dpp != NULL && pulse_attach(dpp, 0, 9, on_pulse, NULL) == 9);
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1 && (ctp = dispatch_context_alloc(dpp)) != NULL);
	seen = 0;
	own = thread(own_loop, dpp);
	for (int i = 0; i < 5; i++) {
		delay(10);
		dispatch_unblock(ctp);
		delay(10);
		errno = 0;
		CHECK(dispatch_block(ctp) == NULL && errno == EINTR);
	}
	CHECK_EQUAL(MsgSendPulse(coid, -1, 9, 0), 0);
	join(own);
	dispatch_context_free(ctp);
	ConnectDetach(coid);
	CHECK(dispatch_destroy(dpp) == 0);
}

static void *unblock(void *ctp)
{
	dispatch_unblock(ctp);
	return NULL;
}

/* Of a context with which nobody comes to wait another thread is unblocked. */
static void unblocked_for_another(void)
{
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp = dispatch_context_alloc(dpp), *other = dispatch_context_alloc(dpp);
	pthread_t t;

	MUST(dpp != NULL && ctp != NULL && other != NULL);
	t = thread(unblock, other);
	CHECK(dispatch_block(ctp) == NULL && errno == EINTR);
	join(t);
	dispatch_context_free(ctp);
	dispatch_context_free(other);
	CHECK(dispatch_destroy(dpp) == 0);
}

int main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "untold") == 0)
		untold();
	self();
	pool_errors();
	maximum();
	pools_of_one_dispatch();
	unblocked_before_it_waits();
	unblocked_for_another();
	return result();
}
