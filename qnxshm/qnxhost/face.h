/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What the C files of the face share. */
#ifndef QNXHOST_FACE_H
#define QNXHOST_FACE_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Every call to Go is between enter and leave. In the forked child of a process
   there is no Go runtime to call. A program's signal handlers must not run on a
   stack of Go's, nor a thread be cancelled on one. */
struct qnxhost_call {
	sigset_t mask; /* the caller's, as all of these */
	int cancel;
	int error;
};

bool qnxhost_enter(struct qnxhost_call *call);
void qnxhost_leave(struct qnxhost_call *call);

/* Between these two a thread is not cancelled: a call of the system may be a cancellation
   point where QNX's is none. */
static inline int qnxhost_hold_cancel(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

static inline void qnxhost_release_cancel(int state)
{
	int ignored;

	pthread_setcancelstate(state, &ignored);
}

/* Reports whether the process is a forked child. */
bool qnxhost_forked(void);

/* Evaluates to the errno of a call to Go, or ENOSYS. */
#define QNXHOST_CALL(expression) \
	__extension__({ \
		struct qnxhost_call call_; \
		int error_ = ENOSYS; \
		if (qnxhost_enter(&call_)) { \
			error_ = (expression); \
			qnxhost_leave(&call_); \
		} \
		error_; \
	})

/* The calling thread's priority, which its messages have. */
int qnxhost_priority(void);

/* The policy and priority, in one number, of a thread that the calling one makes; and those
   that the calling one was made with. */
int qnxhost_schedule_for(const pthread_attr_t *attributes);
void qnxhost_set_schedule(int schedule);

/* pthread_create for what is no thread of the program: nobody is told of its end. */
int qnxhost_create_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument);

/* From now on channels are told of threads that end. */
void qnxhost_want_thread_deaths(void);

/* TimerTimeout arms one timeout for the next call of this thread: for some states, in
   nanoseconds. That call takes it, whatever it is; states is 0 where there is none. */
struct qnxhost_timeout {
	unsigned states;
	int64_t nanoseconds;
};

struct qnxhost_timeout qnxhost_take_timeout(void);
bool qnxhost_timeout_armed(void);
void qnxhost_clear_timeout(const int *ignored);
void qnxhost_end_r_form(const int *error);

/* Stands first in each function that is a kernel call on QNX, unless that takes the timeout
   itself: when it returns, from wherever, none is armed any more. */
#define QNXHOST_KERNEL_CALL __attribute__((cleanup(qnxhost_clear_timeout), unused)) const int kernel_call_ = 0

/* The same in a form that ends in _r, which leaves errno as it was. */
#define QNXHOST_R_FORM __attribute__((cleanup(qnxhost_end_r_form), unused)) const int r_form_ = errno

/* Of a time that is not negative; the most there can be, if it is longer. */
int64_t qnxhost_nanoseconds(const struct timespec *time);

/* What a call of libc returns: 0, or -1 and errno. */
static inline int qnxhost_result(int error)
{
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

/* The form of a function that returns -1 and sets errno, where the one with _r
   returns the negative errno. */
#define QNXHOST_PLAIN(type, name, parameters, arguments) \
	type name parameters \
	{ \
		type result_ = name##_r arguments; \
		if (result_ >= 0) \
			return result_; \
		errno = (int)-result_; \
		return -1; \
	}

/* Reports whether an address is in the first page, where there is nothing. Go's runtime
   takes a pointer to there for a fault of its own, and ends the process. */
static inline bool qnxhost_in_first_page(const void *address)
{
	return (uintptr_t)address < 4096;
}

/* A clock of which the system has timers. */
clockid_t qnxhost_system_clock(clockid_t id);

/* Of the c-shared library, where it is needed: keeps the Go runtime from
   unblocking signals when it takes the calling thread in. */
void qnxhost_guard_thread(void) __attribute__((weak, visibility("hidden")));

/* Of the same: tell ThreadSanitizer, if the program has it, that what threads did before
   they called comes before what others do when their calls have returned. It does not
   see how a message goes from one thread to the next. */
void qnxhost_release(void) __attribute__((weak, visibility("hidden")));
void qnxhost_acquire(void) __attribute__((weak, visibility("hidden")));

#endif
