/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Threads that end in a function of the program which a dispatch or a pool has called, or
   are cancelled there or while they wait: the others go on as if those had left. */

#define _GNU_SOURCE
#define THREAD_POOL_PARAM_T dispatch_context_t
#include "check.h"

#include <semaphore.h>
#include <time.h>

enum { ANSWER = _IO_MAX + 1, EXIT, HANG };

static const uint64_t patience = 10000000000;
static atomic_int seen;
static sem_t inside, left; /* a thread is where it is to be cancelled; has ended */
static pthread_t last; /* the one that has handled something */

static struct timespec late(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	return end;
}

/* What hangs would keep the rest from being seen. */
static void must_end(pthread_t t)
{
	const struct timespec end = late();

	MUST((errno = pthread_timedjoin(t, NULL, &end)) == 0);
}

static void must_get(sem_t *sem)
{
	const struct timespec end = late();

	MUST(sem_timedwait(sem, &end) == 0);
}

/* AddressSanitizer does not see that a thread which is cancelled leaves its frames. */
static void will_leave_frames(void)
{
	extern void __asan_handle_no_return(void) __attribute__((weak));

	if (__asan_handle_no_return)
		__asan_handle_no_return();
}

static void hang(void)
{
	will_leave_frames();
	sem_post(&inside);
	for (;;)
		pause();
}

static void cancel(pthread_t t)
{
	CHECK(pthread_cancel(t) == 0);
	must_end(t);
}

static int on_descriptor(select_context_t *ctp, int fd, unsigned flags, void *handle)
{
	char c = 0;

	(void)ctp, (void)flags, (void)handle;
	CHECK(read(fd, &c, 1) == 1);
	seen++;
	if (c == 'x')
		pthread_exit(NULL);
	if (c == 'h')
		hang();
	return 0;
}

static void free_context(void *ctp)
{
	dispatch_context_free(ctp);
}

static void *handle_one(void *dpp)
{
	dispatch_context_t *ctp = dispatch_context_alloc(dpp);

	MUST(ctp != NULL);
	pthread_cleanup_push(free_context, ctp);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &patience, NULL);
	if (dispatch_block(ctp) == ctp)
		dispatch_handler(ctp);
	pthread_cleanup_pop(1);
	return NULL;
}

/* The descriptor is looked at again. */
static void in_select(void)
{
	dispatch_t *dpp = dispatch_create();
	pthread_t t;
	int p[2];

	MUST(dpp != NULL && pipe(p) == 0);
	MUST(select_attach(dpp, NULL, p[0], SELECT_FLAG_READ, on_descriptor, NULL) == 0);
	seen = 0;
	CHECK(write(p[1], "x", 1) == 1);
	join(thread(handle_one, dpp));
	CHECK_EQUAL(seen, 1);
	CHECK(write(p[1], "h", 1) == 1);
	t = thread(handle_one, dpp);
	must_get(&inside);
	cancel(t);
	CHECK(write(p[1], "y", 1) == 1);
	join(thread(handle_one, dpp));
	CHECK_EQUAL(seen, 3);
	CHECK(dispatch_destroy(dpp) == 0);
	close(p[0]), close(p[1]);
}

static void *block_once(void *ctp)
{
	dispatch_block(ctp);
	return NULL;
}

/* A context whose thread was cancelled waits no more: another one is unblocked for it. */
static void in_block(void)
{
	dispatch_t *dpp = dispatch_create();
	dispatch_context_t *ctp = dispatch_context_alloc(dpp), *other = dispatch_context_alloc(dpp);
	pthread_t t;

	MUST(ctp != NULL && other != NULL);
	for (int i = 0; i < 20; i++) { /* before it waits, and when it does */
		t = thread(block_once, other);
		if (i % 2)
			delay(i);
		cancel(t);
	}
	dispatch_unblock(other);
	must_end(thread(block_once, ctp));
	dispatch_context_free(ctp);
	dispatch_context_free(other);
	CHECK(dispatch_destroy(dpp) == 0);
}

static int on_message(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	(void)flags, (void)handle;
	last = pthread_self();
	CHECK(MsgReply(ctp->rcvid, code, NULL, 0) == 0);
	if (code == EXIT)
		pthread_exit(NULL);
	if (code == HANG)
		hang();
	return 0;
}

static atomic_int contexts;

static dispatch_context_t *make_context(dispatch_t *dpp)
{
	contexts++;
	return dispatch_context_alloc(dpp);
}

static void end_context(dispatch_context_t *ctp)
{
	dispatch_context_free(ctp);
	contexts--;
	sem_post(&left);
}

static void *destroy(void *pool)
{
	CHECK(thread_pool_destroy(pool) == 0);
	return NULL;
}

static bool ask(int coid, uint16_t type)
{
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, NULL, &patience, NULL);
	return MsgSend(coid, &type, sizeof type, NULL, 0) == type;
}

/* Each that ends leaves its place to another one. */
static void in_pool(unsigned short maximum)
{
	dispatch_t *dpp = dispatch_create();
	thread_pool_attr_t a = {.handle = dpp, .context_alloc = make_context, .context_free = end_context, .block_func = dispatch_block,
		.unblock_func = dispatch_unblock, .handler_func = dispatch_handler, .lo_water = 1, .increment = 1, .maximum = maximum};
	thread_pool_t *pool = thread_pool_create(&a, 0);
	int coid;

	MUST(sem_init(&left, 0, 0) == 0);
	MUST(pool != NULL && message_attach(dpp, NULL, ANSWER, HANG, on_message, NULL) == 0);
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	MUST(thread_pool_start(pool) == 0);
	for (int i = 0; i < 10; i++) {
		MUST(ask(coid, EXIT));
		must_get(&left);
		MUST(ask(coid, HANG));
		must_get(&inside);
		CHECK(pthread_cancel(last) == 0);
		must_get(&left);
	}
	if (maximum == 1) /* then it is the one that waits again, or will */
		for (int i = 0; i < 10; i++) {
			MUST(ask(coid, ANSWER));
			if (i % 2)
				delay(i);
			CHECK(pthread_cancel(last) == 0);
			must_get(&left);
		}
	MUST(ask(coid, ANSWER));
	must_end(thread(destroy, pool));
	CHECK_EQUAL(contexts, 0);
	ConnectDetach(coid);
	CHECK(dispatch_destroy(dpp) == 0);
}

static int allowed;

/* Ends the thread that is to start others. */
static dispatch_context_t *some_contexts(dispatch_t *dpp)
{
	if (allowed-- == 0)
		pthread_exit(NULL);
	return make_context(dpp);
}

static void *start_pool(void *pool)
{
	thread_pool_start(pool);
	CHECK(!"reached");
	return NULL;
}

static dispatch_context_t *exit_at_once(dispatch_context_t *ctp)
{
	(void)ctp;
	pthread_exit(NULL);
}

static void on_error(unsigned what, int error)
{
	(void)what, (void)error;
	pthread_exit(NULL);
}

static dispatch_context_t *fail(dispatch_context_t *ctp)
{
	(void)ctp;
	errno = EDOM;
	return NULL;
}

/* Threads that were never made do not count, nor do those that end before they have handled
   anything: of these there are no more. */
static void in_start(void)
{
	dispatch_t *dpp = dispatch_create();
	thread_pool_attr_t a = {.handle = dpp, .context_alloc = some_contexts, .context_free = end_context, .block_func = dispatch_block,
		.unblock_func = dispatch_unblock, .handler_func = dispatch_handler, .lo_water = 3, .increment = 1, .maximum = 3};

	MUST(dpp != NULL);
	for (int first = 0; first < 3; first++) {
		thread_pool_t *pool = thread_pool_create(&a, POOL_FLAG_USE_SELF);

		MUST(pool != NULL);
		allowed = first;
		must_end(thread(start_pool, pool));
		must_end(thread(destroy, pool));
		CHECK_EQUAL(contexts, 0);
	}
	allowed = 1000;
	a.error_func = on_error;
	for (unsigned i = 0; i < 2; i++) {
		thread_pool_t *pool;

		a.block_func = i == 0 ? exit_at_once : fail;
		MUST((pool = thread_pool_create(&a, POOL_FLAG_USE_SELF | POOL_FLAG_CALL_BLOCK_ERRF)) != NULL);
		must_end(thread(start_pool, pool));
		must_end(thread(destroy, pool));
		CHECK_EQUAL(contexts, 0);
	}
	CHECK(dispatch_destroy(dpp) == 0);
}

/* Who waits for the threads, and is cancelled, keeps nobody from waiting again. */
static void in_destroy(void)
{
	dispatch_t *dpp = dispatch_create();
	thread_pool_attr_t a = {.handle = dpp, .context_alloc = make_context, .context_free = end_context, .block_func = dispatch_block,
		.unblock_func = dispatch_unblock, .handler_func = dispatch_handler, .lo_water = 1, .increment = 1, .maximum = 2};
	thread_pool_t *pool = thread_pool_create(&a, 0);
	int coid;

	MUST(pool != NULL && message_attach(dpp, NULL, ANSWER, HANG, on_message, NULL) == 0);
	MUST((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	MUST(thread_pool_start(pool) == 0);
	MUST(ask(coid, HANG));
	must_get(&inside);
	for (int i = 0; i < 10; i++) {
		pthread_t t = thread(destroy, pool);

		if (i % 2)
			delay(i);
		cancel(t);
	}
	CHECK(pthread_cancel(last) == 0);
	must_end(thread(destroy, pool));
	CHECK_EQUAL(contexts, 0);
	ConnectDetach(coid);
	CHECK(dispatch_destroy(dpp) == 0);
}

static const char *reached = "nothing";

/* Ends the program's thread, if it is a cancellation point. */
#define NO_POINT(call) \
	do { \
		MUST(call); \
		reached = #call; \
	} while (0)

static void call_each(int fd)
{
	struct timespec none = {0, 0};
	struct sigevent event;
	dispatch_t *dpp;
	timer_t timer;
	int coid;

	MUST(pthread_cancel(pthread_self()) == 0);
	NO_POINT((dpp = dispatch_create()) != NULL);
	NO_POINT((coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL)) != -1);
	NO_POINT(select_attach(dpp, NULL, fd, SELECT_FLAG_READ, on_descriptor, NULL) == 0);
	NO_POINT(select_detach(dpp, fd) == 0);
	NO_POINT(dispatch_timeout(dpp, &none) == 0);
	NO_POINT(MsgSendPulse(coid, -1, 1, 0) == 0);
	SIGEV_PULSE_INIT(&event, coid, -1, 1, 0);
	NO_POINT(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	NO_POINT(timer_delete(timer) == 0);
	NO_POINT(ConnectDetach(coid) == 0);
	NO_POINT(dispatch_destroy(dpp) == 0);
	reached = NULL;
}

static void *cancelled_already(void *fd)
{
	call_each(*(int *)fd);
	will_leave_frames();
	pthread_testcancel();
	return NULL;
}

/* Calls that wait for nobody are no cancellation points: each would leave half done what it
   does. */
static void in_no_point(void)
{
	int p[2];

	MUST(pipe(p) == 0);
	CHECK(join(thread(cancelled_already, p)) == PTHREAD_CANCELED);
	close(p[0]), close(p[1]);
	if (reached) {
		faults++;
		fprintf(stderr, "cancelled after %s\n", reached);
	}
}

static struct part {
	const char *name;
	void (*function)(void);
} parts[] = {{"select", in_select}, {"block", in_block}, {"start", in_start}, {"destroy", in_destroy}, {"points", in_no_point}};

int main(int argc, char *argv[])
{
	const char *only = argc > 1 ? argv[1] : NULL;

	MUST(sem_init(&inside, 0, 0) == 0 && sem_init(&left, 0, 0) == 0);
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		if (only == NULL || strcmp(only, parts[i].name) == 0)
			parts[i].function();
	for (unsigned short maximum = 1; maximum <= 2; maximum++)
		if (only == NULL || strcmp(only, "pool") == 0)
			in_pool(maximum);
	return result();
}
