/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Pools of threads that wait and handle what they got, as a dispatch's functions do. */

#include <pthread.h>
#include <stdlib.h>

#include "dispatch.h"
#include "face.h"

struct member {
	void *context;
	bool waiting;
	struct member *next;
};

struct _thread_pool {
	thread_pool_attr_t attr;
	unsigned flags;
	pthread_mutex_t lock; /* of what follows, and the limits in attr */
	pthread_cond_t empty;
	bool ending;
	unsigned created, waiting; /* threads; those that are being created count */
	struct member *members;
};

/* Reports whether there can be as many threads as are to wait. */
static bool possible(const thread_pool_attr_t *attr)
{
	return attr->maximum > 0 && attr->lo_water <= attr->maximum && (attr->hi_water == 0 || attr->lo_water <= attr->hi_water);
}

thread_pool_t *thread_pool_create(thread_pool_attr_t *attr, unsigned flags)
{
	const unsigned all = POOL_FLAG_EXIT_SELF | POOL_FLAG_USE_SELF | POOL_FLAG_CALL_BLOCK_ERRF | POOL_FLAG_CALL_HANDLE_ERRF;
	thread_pool_t *pool;

	if (attr == NULL || attr->block_func == NULL || attr->handler_func == NULL || attr->context_alloc == NULL ||
	    !possible(attr) || (flags & ~all)) {
		errno = EINVAL;
		return NULL;
	}
	pool = calloc(1, sizeof *pool);
	if (pool == NULL)
		return NULL;
	pool->attr = *attr;
	pool->flags = flags;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->empty, NULL);
	return pool;
}

static int start(thread_pool_t *pool, unsigned more);

/* How many are to be started, when fewer wait than are to; with the lock. They count as
   created from now on: others may look, too. */
static unsigned wanted(thread_pool_t *pool)
{
	const thread_pool_attr_t *a = &pool->attr;
	unsigned more;

	if (pool->ending || pool->waiting >= a->lo_water || pool->created >= a->maximum)
		return 0;
	more = a->increment ? a->increment : 1;
	if (more > a->maximum - pool->created)
		more = a->maximum - pool->created;
	pool->created += more;
	return more;
}

/* Tells the program what has failed, as it wants: a context always, the others if the flag
   is set. Who asks to be told, and has no function for it, wants to hear of it so. */
static void tell(thread_pool_t *pool, unsigned flag, unsigned what, int error)
{
	if (flag && !(pool->flags & flag))
		return;
	if (pool->attr.error_func)
		pool->attr.error_func(what, error);
	else if (flag)
		abort();
}

/* Waits, and handles, until there are too many that wait. */
static void work(thread_pool_t *pool, struct member *m)
{
	const thread_pool_attr_t *a = &pool->attr;
	void *context;
	unsigned more;
	int error;
	bool ending;

	for (;;) {
		pthread_mutex_lock(&pool->lock);
		if (pool->ending || (a->hi_water && pool->waiting >= a->hi_water)) {
			pthread_mutex_unlock(&pool->lock);
			return;
		}
		pool->waiting++;
		m->waiting = true;
		pthread_mutex_unlock(&pool->lock);
		context = a->block_func(m->context);
		error = errno;
		pthread_mutex_lock(&pool->lock);
		ending = pool->ending;
		pool->waiting--;
		m->waiting = false;
		if (context)
			m->context = context;
		more = context ? wanted(pool) : 0;
		pthread_mutex_unlock(&pool->lock);
		if (context == NULL && !ending)
			tell(pool, POOL_FLAG_CALL_BLOCK_ERRF, POOL_ERROR_BLOCK, error);
		if (context == NULL && error != EINTR)
			return;
		start(pool, more);
		if (context && a->handler_func(context) == -1)
			tell(pool, POOL_FLAG_CALL_HANDLE_ERRF, POOL_ERROR_HANDLER, errno);
	}
}

/* The end of so many threads, or of those that were to be. */
static void uncount(thread_pool_t *pool, unsigned threads)
{
	pthread_mutex_lock(&pool->lock);
	pool->created -= threads;
	if (pool->created == 0)
		pthread_cond_broadcast(&pool->empty);
	pthread_mutex_unlock(&pool->lock);
}

/* The end of a member, whose thread counts still. */
static void leave(thread_pool_t *pool, struct member *m)
{
	struct member **p;

	pthread_mutex_lock(&pool->lock);
	for (p = &pool->members; *p != m; p = &(*p)->next)
		;
	*p = m->next;
	pthread_mutex_unlock(&pool->lock);
	if (pool->attr.context_free)
		pool->attr.context_free(m->context);
	free(m);
}

struct beginning {
	thread_pool_t *pool;
	struct member *member;
};

static void *run(void *p)
{
	struct beginning b = *(struct beginning *)p;

	free(p);
	if (b.pool->attr.tid_name)
		pthread_setname_np(pthread_self(), b.pool->attr.tid_name);
	work(b.pool, b.member);
	leave(b.pool, b.member);
	uncount(b.pool, 1);
	return NULL;
}

/* A member whose thread is to run, NULL if there is no memory. */
static struct beginning *begin(thread_pool_t *pool)
{
	struct beginning *b = malloc(sizeof *b);
	struct member *m = calloc(1, sizeof *m);
	int error = ENOMEM;

	if (b && m) {
		m->context = pool->attr.context_alloc(pool->attr.handle);
		error = errno;
		if (m->context == NULL)
			tell(pool, 0, POOL_ERROR_CONTEXT, error);
	}
	if (b && m && m->context) {
		*b = (struct beginning){pool, m};
		pthread_mutex_lock(&pool->lock);
		m->next = pool->members;
		pool->members = m;
		pthread_mutex_unlock(&pool->lock);
		return b;
	}
	free(m);
	free(b);
	errno = error;
	return NULL;
}

/* Starts threads, which count already and nobody joins: an errno when one could not be. */
static int start(thread_pool_t *pool, unsigned more)
{
	pthread_t thread;
	int error = 0, state = PTHREAD_CREATE_JOINABLE;

	if (pool->attr.attr)
		pthread_attr_getdetachstate(pool->attr.attr, &state);
	for (; more > 0; more--) {
		struct beginning *b = begin(pool);

		error = b ? pthread_create(&thread, pool->attr.attr, run, b) : errno ? errno : ENOMEM;
		if (error && b) {
			leave(pool, b->member);
			free(b);
		}
		if (error)
			break;
		if (state == PTHREAD_CREATE_JOINABLE)
			pthread_detach(thread);
	}
	if (more > 0)
		uncount(pool, more);
	return error;
}

/* AddressSanitizer does not see that the program's frames below are left. */
static _Noreturn void leave_thread(void)
{
	extern void __asan_handle_no_return(void) __attribute__((weak));

	if (__asan_handle_no_return)
		__asan_handle_no_return();
	pthread_exit(NULL);
}

int thread_pool_start(void *p)
{
	thread_pool_t *pool = p;
	const bool self = pool->flags & POOL_FLAG_USE_SELF;
	const unsigned others = pool->attr.lo_water > self ? pool->attr.lo_water - (unsigned)self : 0;
	int error;

	pthread_mutex_lock(&pool->lock);
	pool->created += others + self;
	pthread_mutex_unlock(&pool->lock);
	error = start(pool, others);
	if (error) {
		uncount(pool, self);
		return qnxhost_result(error);
	}
	if (self) {
		struct beginning *b = begin(pool);

		if (b == NULL) {
			uncount(pool, 1);
			return -1;
		}
		run(b);
	}
	if (pool->flags & (POOL_FLAG_USE_SELF | POOL_FLAG_EXIT_SELF))
		leave_thread();
	return 0;
}

/* Waits until the threads have left: those that handle something when they have done. */
int thread_pool_destroy(thread_pool_t *pool)
{
	if (pool == NULL)
		return qnxhost_result(EINVAL);
	pthread_mutex_lock(&pool->lock);
	if (pool->created > 0 && pool->attr.unblock_func == NULL) {
		pthread_mutex_unlock(&pool->lock);
		return qnxhost_result(EINVAL);
	}
	pool->ending = true;
	for (struct member *m = pool->members; m; m = m->next)
		if (m->waiting)
			pool->attr.unblock_func(m->context);
	while (pool->created > 0)
		pthread_cond_wait(&pool->empty, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&pool->empty);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	return 0;
}

int thread_pool_limits(thread_pool_t *pool, int lowater, int hiwater, int maximum, int increment, unsigned flags)
{
	thread_pool_attr_t *a, was;
	unsigned more = 0;
	int error = 0;

	(void)flags;
	if (pool == NULL)
		return qnxhost_result(EINVAL);
	a = &pool->attr;
	pthread_mutex_lock(&pool->lock);
	was = *a;
	if (lowater >= 0)
		a->lo_water = (unsigned short)lowater;
	if (hiwater >= 0)
		a->hi_water = (unsigned short)hiwater;
	if (maximum >= 0)
		a->maximum = (unsigned short)maximum;
	if (increment >= 0)
		a->increment = (unsigned short)increment;
	if (!possible(a)) {
		*a = was;
		error = EINVAL;
	} else if (pool->created > 0) {
		more = wanted(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	return qnxhost_result(error ? error : start(pool, more));
}

int thread_pool_control(thread_pool_t *pool, thread_pool_attr_t *attr, uint16_t lower, uint16_t upper, unsigned flags)
{
	(void)lower, (void)upper; /* it does not wait for them */
	if (attr == NULL)
		return qnxhost_result(EINVAL);
	return thread_pool_limits(pool, flags & THREAD_POOL_CONTROL_LOWATER ? attr->lo_water : -1,
				  flags & THREAD_POOL_CONTROL_HIWATER ? attr->hi_water : -1,
				  flags & THREAD_POOL_CONTROL_MAXIMUM ? attr->maximum : -1,
				  flags & THREAD_POOL_CONTROL_INCREMENT ? attr->increment : -1, flags);
}
