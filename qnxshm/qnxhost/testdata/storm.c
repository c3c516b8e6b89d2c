/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A server and clients whose calls end in all ways: answered, at once or late, refused,
   wanted again, by timeouts, signals, cancellation, and with their connections.
   "FLAGS" is a server with a channel of these flags, which says "PID CHANNEL" and serves
   until it gets a pulse; "FLAGS PID CHANNEL" is a client. */
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <sys/time.h>

enum { THREADS = 16, CONNECTIONS = 8, ROUNDS = 300, HELD = 1000 };

struct message {
	int pid, thread, number;
	char more[200];
};

static unsigned flags;
static int server, chid;

static unsigned next(unsigned *random)
{
	return (*random = *random * 1103515245 + 12345) >> 16;
}

/* Messages that are answered later. */
static struct held {
	int rcvid;
	struct message message;
} held[HELD];
static int how_many;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Takes the message out that has the id, or the first one where that is 0. */
static bool take(int rcvid, struct held *h)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < how_many && !found; i++)
		if (held[i].rcvid == rcvid || rcvid == 0) {
			*h = held[i];
			held[i] = held[--how_many];
			found = true;
		}
	pthread_mutex_unlock(&lock);
	return found;
}

static void answer(struct held *h)
{
	CHECK(MsgReply(h->rcvid, h->message.number, &h->message, sizeof h->message) == 0 || errno == ESRCH);
}

/* A client does not want to wait any more. Its message may have been answered meanwhile,
   and the next one of its thread be here: that one waits for its own reasons. */
static void unblock(int rcvid, unsigned dice)
{
	struct held h;

	if (take(rcvid, &h) && (dice % 2 == 0 || MsgError(rcvid, -1) == -1))
		answer(&h);
}

static void hold(int rcvid, const struct message *message)
{
	struct held h = {.rcvid = rcvid, .message = *message}, older;
	struct _msg_info info;

	take(rcvid, &older); /* its thread has given that up */
	pthread_mutex_lock(&lock);
	MUST(how_many < HELD);
	held[how_many++] = h;
	pthread_mutex_unlock(&lock);
	/* Another thread may have received the pulse before. */
	if (MsgInfo(rcvid, &info) == 0 && info.flags & _NTO_MI_UNBLOCK_REQ)
		unblock(rcvid, 0);
}

static void *serve(void *p)
{
	unsigned random = (unsigned)(uintptr_t)p;

	for (;;) {
		union {
			struct message message;
			struct _pulse pulse;
		} b;
		struct held older;
		int rcvid = (int)MsgReceive(chid, &b, sizeof b, NULL);
		unsigned dice = next(&random) % 100;

		MUST(rcvid != -1);
		if (rcvid == 0 && b.pulse.code == _PULSE_CODE_UNBLOCK) {
			unblock(b.pulse.value.sival_int, dice);
		} else if (rcvid == 0 && b.pulse.code == 0) {
			exit(result());
		} else if (rcvid == 0) {
			CHECK_EQUAL(b.pulse.code, _PULSE_CODE_DISCONNECT);
			CHECK(ConnectDetach(b.pulse.scoid) == 0);
		} else if (dice < 50) {
			older = (struct held){.rcvid = rcvid, .message = b.message};
			answer(&older);
		} else if (dice < 60) {
			CHECK(MsgError(rcvid, dice < 55 ? ERESTART : EPERM) == 0 || errno == ESRCH);
		} else {
			if (dice < 90 && how_many > 8 && take(0, &older))
				answer(&older);
			hold(rcvid, &b.message);
		}
	}
}

static atomic_int coids[CONNECTIONS], numbers[THREADS];

static int connected(int i)
{
	int coid;

	MUST((coid = ConnectAttach(0, server, chid, _NTO_SIDE_CHANNEL, i % 2 ? _NTO_COF_NOSHARE : 0)) != -1);
	return coid;
}

/* The reply is that to the message, or where a server may answer twice to one before. */
static void send_one(int thread, unsigned dice)
{
	const unsigned states[] = {_NTO_TIMEOUT_REPLY, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY};
	struct message m = {.pid = getpid(), .thread = thread, .number = ++numbers[thread]}, reply = {.pid = 0};
	const uint64_t ns = 1 + dice % 3000 * 1000;
	int error, old;
	long status;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	TimerTimeout(CLOCK_MONOTONIC, states[dice % 2], NULL, &ns, NULL);
	status = MsgSend(coids[thread % CONNECTIONS], &m, sizeof m, &reply, sizeof reply);
	error = errno;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	errno = error;
	if (status == -1)
		CHECK(error == ETIMEDOUT || error == EINTR || error == EPERM || error == EBADF);
	else
		CHECK(reply.pid == m.pid && reply.thread == thread && reply.number == status &&
		      (flags & _NTO_CHF_UNBLOCK ? status == m.number : status <= m.number));
}

static void *client(void *p)
{
	int thread = (int)(intptr_t)p, old;
	unsigned random = (unsigned)(getpid() * THREADS + thread);

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	for (int i = 0; i < ROUNDS; i++)
		send_one(thread, next(&random));
	return NULL;
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void clients(void)
{
	const struct itimerval often = {{0, 700}, {0, 700}};
	struct sigaction action = {.sa_handler = on_alarm};
	unsigned random = (unsigned)getpid();
	pthread_t t[THREADS];

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < CONNECTIONS; i++)
		coids[i] = connected(i);
	for (intptr_t i = 0; i < THREADS; i++)
		t[i] = thread(client, (void *)i);
	for (int i = 0; i < ROUNDS / 4; i++) {
		intptr_t k = next(&random) % THREADS;
		int coid = coids[k % CONNECTIONS];

		if (i % 2) {
			pthread_cancel(t[k]);
			join(t[k]);
			t[k] = thread(client, (void *)k);
		} else {
			coids[k % CONNECTIONS] = connected(i / 2);
			CHECK(ConnectDetach(coid) == 0);
		}
	}
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
}

int main(int argc, char **argv)
{
	MUST(argc == 2 || argc == 4);
	flags = (unsigned)atoi(argv[1]);
	if (argc == 4) {
		server = atoi(argv[2]);
		chid = atoi(argv[3]);
		clients();
		return result();
	}
	chid = channel(flags | _NTO_CHF_DISCONNECT);
	printf("%d %d\n", (int)getpid(), chid);
	fflush(stdout);
	for (uintptr_t i = 1; i < 4; i++)
		thread(serve, (void *)i);
	serve(NULL);
}
