/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A thread's policy and priority. The system has priorities for none but those that have the
   right to them, and fewer than QNX. So they are kept here: what was set by the functions of
   this file, or what the thread was made with. Of a thread that is met for the first time it
   is what the system says. The system is told, too, as far as it can follow. */

#define _GNU_SOURCE
#include <process.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/neutrino.h>
#include <threads.h>
#include <unistd.h>

#include "face.h"

/* What a thread of QNX has by default. */
#define DEFAULT_PRIORITY 10

extern int system_setscheduler(pid_t, int, const struct sched_param *) __asm__("sched_setscheduler");
extern int system_setparam(pid_t, const struct sched_param *) __asm__("sched_setparam");
extern int system_setschedparam(pthread_t, int, const struct sched_param *) __asm__("pthread_setschedparam");
extern int system_setschedprio(pthread_t, int) __asm__("pthread_setschedprio");
extern int system_getschedparam(pthread_t, int *, struct sched_param *) __asm__("pthread_getschedparam");

struct thread {
	pthread_t thread;
	int tid;
	atomic_int schedule; /* 0: nobody has asked yet */
	bool listed; /* or was, until the thread's end */
	struct thread *next;
};

static __thread struct thread self;
static struct thread *threads;
/* Of a pthread_mutex_t ThreadSanitizer would think that it is the program's, and puts its
   threads in order: each has it when it begins and when it ends. */
static mtx_t lock;
static pthread_key_t key; /* has a value in those that are listed */
static bool has_key;

static int schedule_of(int policy, int priority)
{
	return policy << 8 | priority;
}

static int policy_of(int schedule)
{
	return schedule >> 8;
}

static int priority_of(int schedule)
{
	return schedule & 0xff;
}

static bool is_policy(int policy)
{
	return policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR;
}

static int systems_schedule(int tid)
{
	const int policy = sched_getscheduler(tid) & ~SCHED_RESET_ON_FORK;
	struct sched_param parameters;

	if ((policy == SCHED_FIFO || policy == SCHED_RR) && sched_getparam(tid, &parameters) == 0)
		return schedule_of(policy, parameters.sched_priority);
	return schedule_of(SCHED_OTHER, DEFAULT_PRIORITY);
}

static void unlist(void *ignored)
{
	struct thread **p;

	(void)ignored;
	if (qnxhost_forked())
		return;
	mtx_lock(&lock);
	for (p = &threads; *p != &self; p = &(*p)->next)
		;
	*p = self.next;
	mtx_unlock(&lock);
}

/* From now on other threads can change what this one has. */
static void list_this(void)
{
	if (self.listed || !has_key || qnxhost_forked() || pthread_setspecific(key, &self) != 0)
		return;
	self.thread = pthread_self();
	self.tid = gettid();
	self.listed = true;
	mtx_lock(&lock);
	self.next = threads;
	threads = &self;
	mtx_unlock(&lock);
}

__attribute__((constructor(102))) static void list_first(void)
{
	has_key = mtx_init(&lock, mtx_plain) == thrd_success && pthread_key_create(&key, unlist) == 0;
	list_this();
}

/* In a forked child the other threads are gone, and one may have had the lock. */
static void begin(void)
{
	list_this();
	if (!qnxhost_forked())
		mtx_lock(&lock);
}

static void end(void)
{
	if (!qnxhost_forked())
		mtx_unlock(&lock);
}

/* These are between begin and end. A thread that was made without these headers, and has
   not used the library yet, is NULL. */

static struct thread *with_id(int tid)
{
	struct thread *t = qnxhost_forked() ? NULL : threads;

	if (tid == 0 || tid == gettid())
		return &self;
	while (t && t->tid != tid)
		t = t->next;
	return t;
}

static struct thread *with_handle(pthread_t thread)
{
	struct thread *t = qnxhost_forked() ? NULL : threads;

	if (pthread_equal(thread, pthread_self()))
		return &self;
	while (t && !pthread_equal(t->thread, thread))
		t = t->next;
	return t;
}

/* In a forked child the calling thread has another number than before. */
static int id_of(const struct thread *t)
{
	return t == &self ? 0 : t->tid;
}

static int get(struct thread *t)
{
	if (t->schedule == 0)
		t->schedule = systems_schedule(id_of(t));
	return t->schedule;
}

/* The system's range ends below QNX's: who is above it has the highest there is. */
static int set(struct thread *t, int tid, int policy, int priority)
{
	const int highest = sched_get_priority_max(policy); /* 0 if that is not real-time */
	const struct sched_param systems = {.sched_priority = priority < highest ? priority : highest};
	const int before = errno;
	int error = 0;

	if (t == NULL && priority != (policy == SCHED_OTHER ? DEFAULT_PRIORITY : systems.sched_priority))
		return EPERM; /* the system cannot keep it */
	if (system_setscheduler(tid, policy, &systems) == -1)
		error = errno;
	errno = before;
	if (t && error != ESRCH) {
		t->schedule = schedule_of(policy, priority);
		error = 0;
	}
	return error;
}

static int own_schedule(void)
{
	if (self.schedule == 0) {
		begin();
		get(&self);
		end();
	}
	return self.schedule;
}

int qnxhost_priority(void)
{
	return priority_of(own_schedule());
}

int qnxhost_schedule_for(const pthread_attr_t *attributes)
{
	struct sched_param parameters;
	int inherit, policy;

	if (attributes == NULL || pthread_attr_getinheritsched(attributes, &inherit) != 0 || inherit != PTHREAD_EXPLICIT_SCHED)
		return own_schedule();
	if (pthread_attr_getschedpolicy(attributes, &policy) == 0 && (policy == SCHED_FIFO || policy == SCHED_RR) &&
	    pthread_attr_getschedparam(attributes, &parameters) == 0)
		return schedule_of(policy, parameters.sched_priority);
	return schedule_of(SCHED_OTHER, DEFAULT_PRIORITY);
}

void qnxhost_set_schedule(int schedule)
{
	self.schedule = schedule;
	list_this();
}

/* 0, or a negative errno: pid is the calling process, and tid a thread of it. */
static int check_thread(pid_t pid, int tid)
{
	if (pid != 0 && pid != getpid())
		return pid < 0 || (kill(pid, 0) == -1 && errno == ESRCH) ? -ESRCH : -EPERM;
	return tid != 0 && tgkill(getpid(), tid, 0) == -1 ? -ESRCH : 0;
}

static bool is_priority(const struct sched_param *parameters)
{
	return parameters && parameters->sched_priority >= 1 && parameters->sched_priority <= 255;
}

int SchedGet_r(pid_t pid, int tid, struct sched_param *parameters)
{
	QNXHOST_R_FORM;
	int schedule, error = check_thread(pid, tid);
	struct thread *t;

	if (error)
		return error;
	begin();
	t = with_id(tid);
	schedule = t ? get(t) : systems_schedule(tid);
	end();
	if (parameters)
		parameters->sched_priority = priority_of(schedule);
	return policy_of(schedule);
}
QNXHOST_PLAIN(int, SchedGet, (pid_t pid, int tid, struct sched_param *parameters), (pid, tid, parameters))

int SchedSet_r(pid_t pid, int tid, int policy, const struct sched_param *parameters)
{
	QNXHOST_R_FORM;
	int error = check_thread(pid, tid);

	if (error)
		return error;
	if (!is_policy(policy) || !is_priority(parameters))
		return -EINVAL;
	begin();
	error = set(with_id(tid), tid, policy, parameters->sched_priority);
	end();
	return -error;
}
QNXHOST_PLAIN(int, SchedSet, (pid_t pid, int tid, int policy, const struct sched_param *parameters), (pid, tid, policy, parameters))

int SchedInfo_r(pid_t pid, int policy, struct _sched_info *info)
{
	QNXHOST_R_FORM;
	int error = check_thread(pid, 0);

	if (error)
		return error;
	if (!is_policy(policy))
		return -EINVAL;
	if (info == NULL)
		return -EFAULT;
	*info = (struct _sched_info){.priority_min = 1, .priority_max = 255, .interval = 4000000, .priority_priv = 64};
	return 0;
}
QNXHOST_PLAIN(int, SchedInfo, (pid_t pid, int policy, struct _sched_info *info), (pid, policy, info))

int SchedYield_r(void)
{
	QNXHOST_R_FORM;

	return sched_yield() == 0 ? 0 : -errno;
}
QNXHOST_PLAIN(int, SchedYield, (void), ())

int getprio(pid_t pid)
{
	struct sched_param parameters = {0};

	return SchedGet(pid, 0, &parameters) == -1 ? -1 : parameters.sched_priority;
}

int setprio(pid_t pid, int to)
{
	const struct sched_param parameters = {.sched_priority = to};
	struct sched_param was = {0};
	int policy = SchedGet(pid, 0, &was);

	return policy == -1 || SchedSet(pid, 0, policy, &parameters) == -1 ? -1 : was.sched_priority;
}

/* 0 is what a thread of the system has that is not real-time. */
static int set_known(struct thread *t, int policy, int priority)
{
	const struct sched_param parameters = {.sched_priority = policy == SCHED_OTHER && priority == 0 ? DEFAULT_PRIORITY : priority};

	return is_priority(&parameters) ? set(t, id_of(t), policy, parameters.sched_priority) : EINVAL;
}

int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters)
{
	struct thread *t;
	int error;

	if (parameters == NULL)
		return EINVAL;
	begin();
	t = with_handle(thread);
	if (t && is_policy(policy)) {
		error = set_known(t, policy, parameters->sched_priority);
	} else {
		error = system_setschedparam(thread, policy, parameters);
		if (t && error == 0)
			t->schedule = systems_schedule(id_of(t));
	}
	end();
	return error;
}

int pthread_setschedprio(pthread_t thread, int priority)
{
	struct thread *t;
	int error;

	begin();
	t = with_handle(thread);
	error = t ? set_known(t, policy_of(get(t)), priority) : system_setschedprio(thread, priority);
	end();
	return error;
}

int pthread_getschedparam(pthread_t thread, int *restrict policy, struct sched_param *restrict parameters)
{
	struct thread *t;
	int error = 0;

	if (policy == NULL || parameters == NULL)
		return EINVAL;
	begin();
	t = with_handle(thread);
	if (t) {
		*policy = policy_of(get(t));
		parameters->sched_priority = priority_of(get(t));
	} else {
		error = system_getschedparam(thread, policy, parameters);
	}
	end();
	return error;
}

/* The system's: what that has taken counts. */
static int taken(int tid, int result)
{
	struct thread *t = with_id(tid);

	if (t && result == 0)
		t->schedule = systems_schedule(tid);
	return result;
}

int sched_setscheduler(pid_t tid, int policy, const struct sched_param *parameters)
{
	int result;

	begin();
	result = taken(tid, system_setscheduler(tid, policy, parameters));
	end();
	return result;
}

int sched_setparam(pid_t tid, const struct sched_param *parameters)
{
	int result;

	begin();
	result = taken(tid, system_setparam(tid, parameters));
	end();
	return result;
}
