/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "face.h"

/* The functions that do the work return what the _r forms do: a value, or a
   negative errno. */

#define MAX_PARTS 524288

/* Parts pass through a buffer, which must not be sized by nonsense. */
#define MAX_SCATTERED ((size_t)1 << 32)

/* From Go, instead of an errno: the call would have to wait. */
#define NOT_YET (-1)

/* The time when a timeout of ns ends; a negative one does not. */
static struct timespec end_of(int64_t ns)
{
	struct timespec t = {0, 0};

	if (ns < 0)
		return t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (ns > INT64_MAX / 2)
		ns = INT64_MAX / 2;
	t.tv_sec += ns / 1000000000;
	t.tv_nsec += ns % 1000000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* The Go runtime interrupts the thread of a goroutine that it wants to stop with
   SIGURG. One that comes when the thread is back in C must not look like the
   program's: unless the program handles SIGURG itself, a call sleeps with it
   blocked. */
static void without_runtimes_signal(sigset_t *mask)
{
	static void *_Atomic runtimes;
	struct sigaction action;
	Dl_info its, ours;
	void *handler;

	if (sigaction(SIGURG, NULL, &action) != 0)
		return;
	handler = (void *)action.sa_handler;
	if (handler != runtimes && dladdr(handler, &its) && dladdr((void *)qnxhost_enter, &ours) && its.dli_fbase == ours.dli_fbase)
		runtimes = handler;
	if (handler && handler == runtimes)
		sigaddset(mask, SIGURG);
}

/* A call that sleeps. When its thread is cancelled, give_up ends what it has
   begun, on the same thread. */
struct sleeper {
	struct qnxhost_call call;
	int64_t ns; /* its timeout, negative: none */
	struct timespec end;
	unsigned over; /* it has ended, and what was there then was looked at */
	uintptr_t begun;
	void (*give_up)(uintptr_t begun);
};

static void cancelled(void *p)
{
	struct sleeper *s = p;
	struct qnxhost_call call;

	if (qnxhost_enter(&call)) {
		s->give_up(s->begun);
		call.mask = s->call.mask;
		qnxhost_leave(&call);
	}
}

/* The time that is left, 0 when the timeout has ended. */
static struct timespec left_of(const struct sleeper *s)
{
	struct timespec left;

	clock_gettime(CLOCK_MONOTONIC, &left);
	left.tv_sec = s->end.tv_sec - left.tv_sec;
	left.tv_nsec = s->end.tv_nsec - left.tv_nsec;
	if (left.tv_nsec < 0) {
		left.tv_sec--;
		left.tv_nsec += 1000000000;
	}
	if (left.tv_sec < 0)
		left = (struct timespec){0, 0};
	return left;
}

/* Sleeps with the caller's signals, until one of two descriptors is readable, or for a
   nap of some milliseconds unless that is 0: 0, or EINTR, or ETIMEDOUT at the end of
   the timeout, or EBADF where the program has closed them. */
static int sleep_until(int one, int other, int nap, struct sleeper *s)
{
	struct pollfd p[2] = {{one, POLLIN, 0}, {other, POLLIN, 0}};
	struct timespec left = {0, nap * 1000000L}, *limit = NULL;
	sigset_t mask = s->call.mask;
	bool last = false;
	int n, error;

	if (s->ns >= 0) {
		struct timespec all = left_of(s);
		if (all.tv_sec == 0 && all.tv_nsec == 0 && s->over++)
			return ETIMEDOUT;
		last = !nap || (all.tv_sec == 0 && all.tv_nsec <= left.tv_nsec);
		if (last)
			left = all;
	}
	if (nap || s->ns >= 0)
		limit = &left;
	without_runtimes_signal(&mask);
	pthread_cleanup_push(cancelled, s);
	qnxhost_release_cancel(s->call.cancel);
	n = ppoll(p, 2, limit, &mask);
	error = errno;
	qnxhost_hold_cancel();
	pthread_cleanup_pop(0);
	if (n > 0 && (p[0].revents | p[1].revents) & POLLNVAL)
		return EBADF;
	if (n > 0 || (n == 0 && !last))
		return 0;
	return n == 0 ? ETIMEDOUT : error;
}

/* Sleeps as that does, come what may. */
static void sleep_on(const struct qnxhost_sending *it)
{
	struct pollfd p[2] = {{it->socket, POLLIN, 0}, {it->own, POLLIN, 0}};
	const struct timespec nap = {0, it->nap * 1000000L};
	sigset_t all;

	sigfillset(&all);
	ppoll(p, 2, it->nap ? &nap : NULL, &all);
}

/* Reports whether there cannot be memory. */
static bool nowhere(const iov_t *part)
{
	return qnxhost_in_first_page(part->iov_base) || part->iov_len > UINTPTR_MAX - (uintptr_t)part->iov_base;
}

/* Fills in what parts come to: 0 or an errno. */
static int count(struct qnxhost_parts *parts, const iov_t *iov, size_t n)
{
	parts->iov = n > 0 ? iov : NULL;
	parts->count = n;
	parts->bytes = 0;
	if (n > MAX_PARTS)
		return EOVERFLOW;
	if (n > 0 && iov == NULL)
		return EFAULT;
	for (size_t i = 0; i < n; i++) {
		if (iov[i].iov_len > SSIZE_MAX - parts->bytes)
			return EOVERFLOW;
		if (iov[i].iov_len > 0 && nowhere(&iov[i]))
			return EFAULT;
		parts->bytes += iov[i].iov_len;
	}
	return n > 1 && parts->bytes > MAX_SCATTERED ? ENOMEM : 0;
}

/* The same for who answers: a fault is the server's. */
static int count_servers(struct qnxhost_parts *parts, const iov_t *iov, size_t n)
{
	int error = count(parts, iov, n);

	return error == EFAULT ? ESRVRFAULT : error;
}

struct sending {
	struct sleeper sleeper; /* first */
	struct qnxhost_sending it;
	struct qnxhost_parts msg, reply;
	long status;
};

static void begin_timeout(struct sleeper *s, int64_t ns)
{
	s->ns = ns;
	s->end = end_of(ns);
	s->over = 0;
}

/* A message that its sender does not want to wait for any more. */
static int give_up_send(struct sending *s, int why)
{
	int error = qnxhost_go_send_give_up(&s->it, &s->reply, &s->status, why);

	/* Or the server has been told, and decides; nothing else ends it. */
	while (error == NOT_YET) {
		sleep_on(&s->it);
		error = qnxhost_go_send_try(&s->it, &s->msg, &s->reply, &s->status);
	}
	return error;
}

static void cancel_send(uintptr_t begun)
{
	struct sending *s = (struct sending *)begun;

	if (s->it.id)
		give_up_send(s, ECANCELED);
}

/* A timeout for SEND begins now, and one for both goes on. One for REPLY alone begins when
   the server has the message, of which it tells, and again if it wants that once more. */
long MsgSendv_r(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts)
{
	static __thread int thread;
	const struct qnxhost_timeout timeout = qnxhost_take_timeout();
	const bool in_send = timeout.states & _NTO_TIMEOUT_SEND, in_reply = timeout.states & _NTO_TIMEOUT_REPLY;
	struct sending s = {.sleeper = {.give_up = cancel_send, .begun = (uintptr_t)&s}};
	int error, why;

	begin_timeout(&s.sleeper, in_send ? timeout.nanoseconds : -1);
	if ((error = count(&s.msg, siov, sparts)) || (error = count(&s.reply, riov, rparts)))
		return -error;
	if (!qnxhost_enter(&s.sleeper.call))
		return -ENOSYS;
	if (thread == 0)
		thread = (int)gettid();
	error = qnxhost_go_send(coid, thread, qnxhost_priority(), in_reply && !in_send, &s.msg, &s.reply, &s.status, &s.it);
	while (error == NOT_YET) {
		if (in_reply && !in_send && s.it.received != (s.sleeper.ns >= 0))
			begin_timeout(&s.sleeper, s.it.received ? timeout.nanoseconds : -1);
		why = sleep_until(s.it.socket, s.it.own, s.it.nap, &s.sleeper);
		if (why == 0) {
			error = qnxhost_go_send_try(&s.it, &s.msg, &s.reply, &s.status);
		} else if (why == ETIMEDOUT && !in_reply) {
			error = qnxhost_go_send_withdraw(&s.it, why);
			s.sleeper.ns = -1; /* the server has it */
		} else {
			error = give_up_send(&s, why);
		}
	}
	qnxhost_leave(&s.sleeper.call);
	return error ? -error : s.status;
}

/* Receives; what is not NULL is filled in. */
static int64_t receive(int chid, const iov_t *iov, size_t n, struct _msg_info *info, int pulses_only)
{
	const struct qnxhost_timeout timeout = qnxhost_take_timeout();
	struct sleeper s = {.give_up = qnxhost_go_receive_end};
	struct qnxhost_parts parts;
	struct _msg_info got;
	int64_t rcvid = 0;
	int fd, error;

	begin_timeout(&s, timeout.states & _NTO_TIMEOUT_RECEIVE ? timeout.nanoseconds : -1);
	if ((error = count(&parts, iov, n)))
		return -error;
	if (!qnxhost_enter(&s.call))
		return -ENOSYS;
	error = qnxhost_go_receive(chid, pulses_only, &parts, &rcvid, &got, &s.begun, &fd);
	while (error == NOT_YET)
		if ((error = sleep_until(fd, -1, 0, &s)) == 0)
			error = qnxhost_go_receive_try(s.begun, &parts, &rcvid, &got);
		else
			qnxhost_go_receive_end(s.begun);
	qnxhost_leave(&s.call);
	if (error)
		return -error;
	if (rcvid != 0 && info) /* a pulse leaves it as it is */
		*info = got;
	return rcvid;
}

qnxhost_rcvid_t MsgReceivev_r(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info)
{
	return receive(chid, riov, rparts, info, 0);
}

int MsgReceivePulsev_r(int chid, const iov_t *piov, size_t parts, struct _msg_info *info)
{
	return (int)receive(chid, piov, parts, info, 1);
}

int MsgReplyv_r(qnxhost_rcvid_t rcvid, long status, const iov_t *riov, size_t rparts)
{
	QNXHOST_R_FORM;
	struct qnxhost_parts parts;
	int error = count_servers(&parts, riov, rparts);

	return error ? -error : -QNXHOST_CALL(qnxhost_go_reply(rcvid, status, &parts));
}

int MsgError_r(qnxhost_rcvid_t rcvid, int error)
{
	QNXHOST_R_FORM;

	return -QNXHOST_CALL(qnxhost_go_error(rcvid, error));
}

ssize_t MsgReadv_r(qnxhost_rcvid_t rcvid, const iov_t *riov, size_t rparts, size_t offset)
{
	QNXHOST_R_FORM;
	struct qnxhost_parts parts;
	long n = 0;
	int error = count_servers(&parts, riov, rparts);

	if (!error)
		error = QNXHOST_CALL(qnxhost_go_read(rcvid, &parts, offset, &n));
	return error ? -error : n;
}

ssize_t MsgWritev_r(qnxhost_rcvid_t rcvid, const iov_t *iov, size_t n, size_t offset)
{
	QNXHOST_R_FORM;
	struct qnxhost_parts parts;
	long written = 0;
	int error = count_servers(&parts, iov, n);

	if (!error)
		error = QNXHOST_CALL(qnxhost_go_write(rcvid, &parts, offset, &written));
	return error ? -error : written;
}

int MsgInfo_r(qnxhost_rcvid_t rcvid, struct _msg_info *info)
{
	QNXHOST_R_FORM;
	struct _msg_info got;
	int error = info ? QNXHOST_CALL(qnxhost_go_info(rcvid, &got)) : EFAULT;

	if (error == 0)
		*info = got;
	return -error;
}

int MsgSendPulse_r(int coid, int priority, int code, long value)
{
	QNXHOST_R_FORM;

	if (priority == -1)
		priority = qnxhost_priority();
	return -QNXHOST_CALL(qnxhost_go_send_pulse(coid, priority, code, value));
}

int MsgSendPulsePtr_r(int coid, int priority, int code, void *value)
{
	return MsgSendPulse_r(coid, priority, code, (long)(intptr_t)value);
}

/* The forms with one part, and without the iov. */

static iov_t part(const void *base, size_t bytes)
{
	iov_t iov;

	SETIOV_CONST(&iov, base, bytes);
	return iov;
}

long MsgSend_r(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes)
{
	iov_t siov = part(smsg, sbytes), riov = part(rmsg, rbytes);

	return MsgSendv_r(coid, &siov, 1, &riov, 1);
}

long MsgSendsv_r(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts)
{
	iov_t siov = part(smsg, sbytes);

	return MsgSendv_r(coid, &siov, 1, riov, rparts);
}

long MsgSendvs_r(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes)
{
	iov_t riov = part(rmsg, rbytes);

	return MsgSendv_r(coid, siov, sparts, &riov, 1);
}

qnxhost_rcvid_t MsgReceive_r(int chid, void *msg, size_t bytes, struct _msg_info *info)
{
	iov_t iov = part(msg, bytes);

	return MsgReceivev_r(chid, &iov, 1, info);
}

int MsgReceivePulse_r(int chid, void *pulse, size_t bytes, struct _msg_info *info)
{
	iov_t iov = part(pulse, bytes);

	return MsgReceivePulsev_r(chid, &iov, 1, info);
}

int MsgReply_r(qnxhost_rcvid_t rcvid, long status, const void *msg, size_t bytes)
{
	iov_t iov = part(msg, bytes);

	return MsgReplyv_r(rcvid, status, &iov, 1);
}

ssize_t MsgRead_r(qnxhost_rcvid_t rcvid, void *msg, size_t bytes, size_t offset)
{
	iov_t iov = part(msg, bytes);

	return MsgReadv_r(rcvid, &iov, 1, offset);
}

ssize_t MsgWrite_r(qnxhost_rcvid_t rcvid, const void *msg, size_t bytes, size_t offset)
{
	iov_t iov = part(msg, bytes);

	return MsgWritev_r(rcvid, &iov, 1, offset);
}

/* The forms that are no cancellation points. */
#define NC(name, parameters, arguments) \
	long name##nc_r parameters \
	{ \
		const int state = qnxhost_hold_cancel(); \
		long result = name##_r arguments; \
		qnxhost_release_cancel(state); \
		return result; \
	}

NC(MsgSend, (int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes), (coid, smsg, sbytes, rmsg, rbytes))
NC(MsgSendsv, (int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts), (coid, smsg, sbytes, riov, rparts))
NC(MsgSendvs, (int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes), (coid, siov, sparts, rmsg, rbytes))
NC(MsgSendv, (int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts), (coid, siov, sparts, riov, rparts))

/* The forms that return -1 and set errno. */
#define PLAIN QNXHOST_PLAIN

PLAIN(long, MsgSend, (int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes), (coid, smsg, sbytes, rmsg, rbytes))
PLAIN(long, MsgSendnc, (int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes), (coid, smsg, sbytes, rmsg, rbytes))
PLAIN(long, MsgSendsv, (int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts), (coid, smsg, sbytes, riov, rparts))
PLAIN(long, MsgSendsvnc, (int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts), (coid, smsg, sbytes, riov, rparts))
PLAIN(long, MsgSendvs, (int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes), (coid, siov, sparts, rmsg, rbytes))
PLAIN(long, MsgSendvsnc, (int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes), (coid, siov, sparts, rmsg, rbytes))
PLAIN(long, MsgSendv, (int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts), (coid, siov, sparts, riov, rparts))
PLAIN(long, MsgSendvnc, (int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts), (coid, siov, sparts, riov, rparts))
PLAIN(qnxhost_rcvid_t, MsgReceive, (int chid, void *msg, size_t bytes, struct _msg_info *info), (chid, msg, bytes, info))
PLAIN(qnxhost_rcvid_t, MsgReceivev, (int chid, const iov_t *riov, size_t rparts, struct _msg_info *info), (chid, riov, rparts, info))
PLAIN(int, MsgReceivePulse, (int chid, void *pulse, size_t bytes, struct _msg_info *info), (chid, pulse, bytes, info))
PLAIN(int, MsgReceivePulsev, (int chid, const iov_t *piov, size_t parts, struct _msg_info *info), (chid, piov, parts, info))
PLAIN(int, MsgReply, (qnxhost_rcvid_t rcvid, long status, const void *msg, size_t bytes), (rcvid, status, msg, bytes))
PLAIN(int, MsgReplyv, (qnxhost_rcvid_t rcvid, long status, const iov_t *riov, size_t rparts), (rcvid, status, riov, rparts))
PLAIN(int, MsgError, (qnxhost_rcvid_t rcvid, int error), (rcvid, error))
PLAIN(ssize_t, MsgRead, (qnxhost_rcvid_t rcvid, void *msg, size_t bytes, size_t offset), (rcvid, msg, bytes, offset))
PLAIN(ssize_t, MsgReadv, (qnxhost_rcvid_t rcvid, const iov_t *riov, size_t rparts, size_t offset), (rcvid, riov, rparts, offset))
PLAIN(ssize_t, MsgWrite, (qnxhost_rcvid_t rcvid, const void *msg, size_t bytes, size_t offset), (rcvid, msg, bytes, offset))
PLAIN(ssize_t, MsgWritev, (qnxhost_rcvid_t rcvid, const iov_t *iov, size_t parts, size_t offset), (rcvid, iov, parts, offset))
PLAIN(int, MsgInfo, (qnxhost_rcvid_t rcvid, struct _msg_info *info), (rcvid, info))
PLAIN(int, MsgSendPulse, (int coid, int priority, int code, long value), (coid, priority, code, value))
PLAIN(int, MsgSendPulsePtr, (int coid, int priority, int code, void *value), (coid, priority, code, value))
