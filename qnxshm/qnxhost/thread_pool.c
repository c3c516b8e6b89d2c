/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * Pools of threads that wait and handle what they got, as a dispatch's functions do.
 *
 * Each function of the program's may end its thread, which may also be cancelled there or
 * while it waits, or let an exception pass. What counts then is given back on the way.
 */

#include <pthread.h>
#include <stdlib.h>

#include "dispatch.h"
#include "face.h"

struct member {
	thread_pool_t *pool;
	void *context;
	bool waiting;
	bool handled;  /* something, at least once */
	bool returned; /* from its work; else a function of the program has ended it */
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
static void work(struct member *m)
{
	thread_pool_t *pool = m->pool;
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
		if (context) {
			m->context = context;
			m->handled = true;
		}
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

/* Places for threads, which count already. */
struct places {
	thread_pool_t *pool;
	unsigned count;
	bool again; /* others may take them, if too few wait */
};

/* No threads have these places, or no more. */
static void vacate(void *p)
{
	const struct places *places = p;
	thread_pool_t *pool = places->pool;
	unsigned more;

	pthread_mutex_lock(&pool->lock);
	pool->created -= places->count;
	more = places->again ? wanted(pool) : 0;
	if (pool->created == 0)
		pthread_cond_broadcast(&pool->empty);
	pthread_mutex_unlock(&pool->lock);
	if (more > 0) /* else the pool may be gone */
		start(pool, more);
}

/* The end of a member, whose thread counts still. */
static void leave(struct member *m)
{
	thread_pool_t *pool = m->pool;
	void *context = m->context;
	struct member **p;

	pthread_mutex_lock(&pool->lock);
	for (p = &pool->members; *p != m; p = &(*p)->next)
		;
	*p = m->next;
	if (m->waiting)
		pool->waiting--;
	pthread_mutex_unlock(&pool->lock);
	free(m);
	if (pool->attr.context_free)
		pool->attr.context_free(context);
}

/* A thread that was ended leaves its place to another one, as it may have been the last.
   Not if it has handled nothing yet: the next one might end like it, and so on. */
static void end(void *p)
{
	struct member *m = p;
	struct places its = {m->pool, 1, m->handled && !m->returned};

	pthread_cleanup_push(vacate, &its);
	leave(m);
	pthread_cleanup_pop(1);
}

static void *run(void *p)
{
	struct member *m = p;

	if (m->pool->attr.tid_name)
		pthread_setname_np(pthread_self(), m->pool->attr.tid_name);
	pthread_cleanup_push(end, m);
	work(m);
	m->returned = true;
	pthread_cleanup_pop(1);
	return NULL;
}

/* A member whose thread is to run, NULL if there is no memory. */
static struct member *begin(thread_pool_t *pool)
{
	struct member *m = calloc(1, sizeof *m);
	void *context;
	int error;

	if (m == NULL)
		return NULL;
	pthread_cleanup_push(free, m);
	context = pool->attr.context_alloc(pool->attr.handle);
	error = errno;
	if (context == NULL)
		tell(pool, 0, POOL_ERROR_CONTEXT, error);
	pthread_cleanup_pop(context == NULL);
	if (context == NULL) {
		errno = error;
		return NULL;
	}
	m->pool = pool;
	m->context = context;
	pthread_mutex_lock(&pool->lock);
	m->next = pool->members;
	pool->members = m;
	pthread_mutex_unlock(&pool->lock);
	return m;
}

/* Starts threads, which count already and nobody joins: an errno when one could not be. */
static int start(thread_pool_t *pool, unsigned more)
{
	struct places left = {pool, more, false};
	pthread_t thread;
	int error = 0, state = PTHREAD_CREATE_JOINABLE;

	if (more == 0)
		return 0;
	if (pool->attr.attr)
		pthread_attr_getdetachstate(pool->attr.attr, &state);
	pthread_cleanup_push(vacate, &left);
	for (; left.count > 0; left.count--) {
		struct member *m = begin(pool);

		error = m ? pthread_create(&thread, pool->attr.attr, run, m) : errno ? errno : ENOMEM;
		if (error && m)
			leave(m);
		if (error)
			break;
		if (state == PTHREAD_CREATE_JOINABLE)
			pthread_detach(thread);
	}
	pthread_cleanup_pop(left.count > 0);
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
	const unsigned flags = pool->flags; /* it may be gone later */
	const bool self = flags & POOL_FLAG_USE_SELF;
	const unsigned others = pool->attr.lo_water > self ? pool->attr.lo_water - (unsigned)self : 0;
	struct places own = {pool, self, false};
	struct member *m = NULL;
	int error;

	pthread_mutex_lock(&pool->lock);
	pool->created += others + self;
	pthread_mutex_unlock(&pool->lock);
	pthread_cleanup_push(vacate, &own);
	error = start(pool, others);
	if (error == 0 && self && (m = begin(pool)) == NULL)
		error = errno;
	pthread_cleanup_pop(self && m == NULL);
	if (error)
		return qnxhost_result(error);
	if (m)
		run(m);
	if (flags & (POOL_FLAG_USE_SELF | POOL_FLAG_EXIT_SELF))
		leave_thread();
	return 0;
}

static void unlock(void *pool)
{
	pthread_mutex_unlock(&((thread_pool_t *)pool)->lock);
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
	pthread_cleanup_push(unlock, pool);
	pool->ending = true;
	for (struct member *m = pool->members; m; m = m->next)
		if (m->waiting)
			pool->attr.unblock_func(m->context);
	while (pool->created > 0)
		pthread_cond_wait(&pool->empty, &pool->lock);
	pthread_cleanup_pop(1);
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
