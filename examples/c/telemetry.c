/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A server that is all of dispatching at once: threads of a pool handle messages, timers'
 * pulses and clients that leave, and tell subscribers of each tick by an event. It starts
 * two clients, of which one prints, and ends when both have left.
 *
 * Prints:
 *
 *	client: 3 values: 2000 3000 5000 millivolts
 *	client: 8000 bytes were summed up right
 *	client: what is never answered: ETIMEDOUT
 *	client: what the server does not know: ENOSYS
 *	client: three ticks, in order
 *	server: both clients have left, and both timers ran
 */
#include <errno.h>
#include <pthread.h>
#include <process.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREAD_POOL_PARAM_T dispatch_context_t
#include <sys/dispatch.h>

enum { SUBSCRIBE = _IO_MAX + 1, SAMPLE, UPLOAD, HANG, UNKNOWN = _IO_MAX + 50 };
enum { CLIENTS = 2, CHANNELS = 4, FAST = 1, SLOW = 2, EVENT = _PULSE_CODE_MINAVAIL + 7 };

struct request {
	uint16_t type, count;
};

struct subscription {
	struct request request;
	struct sigevent event;
};

struct sample {
	int count, values[CHANNELS];
};

struct subscriber {
	int rcvid, scoid;
	struct sigevent event;
};

static struct {
	pthread_mutex_t lock;
	struct subscriber subscribers[CLIENTS];
	int count, fast, slow;
	sem_t left;
} plant = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void forget(int i)
{
	plant.subscribers[i] = plant.subscribers[--plant.count];
}

/* Each subscriber gets the number of the tick; who cannot be told any more is forgotten. */
static int on_tick(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	int i;

	(void)code, (void)flags, (void)handle;
	pthread_mutex_lock(&plant.lock);
	if (ctp->msg->pulse.value.sival_int == SLOW) {
		plant.slow++;
	} else {
		plant.fast++;
		for (i = plant.count - 1; i >= 0; i--) {
			plant.subscribers[i].event.sigev_value.sival_int = plant.fast;
			if (MsgDeliverEvent(plant.subscribers[i].rcvid, &plant.subscribers[i].event) == -1)
				forget(i);
		}
	}
	pthread_mutex_unlock(&plant.lock);
	return 0;
}

static int on_disconnect(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	int scoid = ctp->msg->pulse.scoid, i;

	(void)code, (void)flags, (void)handle;
	pthread_mutex_lock(&plant.lock);
	for (i = plant.count - 1; i >= 0; i--)
		if (plant.subscribers[i].scoid == scoid)
			forget(i);
	pthread_mutex_unlock(&plant.lock);
	ConnectDetach(scoid);
	sem_post(&plant.left);
	return 0;
}

/* A client wants to go, whose message has no answer. */
static int on_unblock(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	(void)code, (void)flags, (void)handle;
	MsgError(ctp->msg->pulse.value.sival_int, ETIMEDOUT);
	return 0;
}

static void subscribe(message_context_t *ctp)
{
	struct subscription *s = (struct subscription *)ctp->msg;

	if (ctp->info.msglen < (int64_t)sizeof *s || MsgVerifyEvent(ctp->rcvid, &s->event) == -1) {
		MsgError(ctp->rcvid, EINVAL);
		return;
	}
	pthread_mutex_lock(&plant.lock);
	if (plant.count < CLIENTS) {
		struct subscriber *new = &plant.subscribers[plant.count++];

		new->rcvid = (int)ctp->rcvid;
		new->scoid = ctp->info.scoid;
		new->event = s->event;
	}
	pthread_mutex_unlock(&plant.lock);
	MsgReply(ctp->rcvid, EOK, NULL, 0);
}

static void sample(message_context_t *ctp)
{
	static const char unit[] = "millivolts";
	const struct request *r = (const struct request *)ctp->msg;
	const int *wanted = (const int *)(r + 1);
	struct sample out = {r->count, {0}};
	iov_t iov[2];
	int i;

	if (r->count > CHANNELS || ctp->info.msglen < (int64_t)(sizeof *r + r->count * sizeof *wanted)) {
		MsgError(ctp->rcvid, EINVAL);
		return;
	}
	for (i = 0; i < r->count; i++)
		out.values[i] = 1000 * wanted[i];
	SETIOV(&iov[0], &out, sizeof out);
	SETIOV_CONST(&iov[1], unit, sizeof unit);
	MsgReplyv(ctp->rcvid, EOK, iov, 2);
}

/* There is more than a dispatch has room for: it is read from the client. */
static void sum_up(message_context_t *ctp)
{
	unsigned char chunk[1000];
	size_t at = sizeof(struct request), end = at + ((const struct request *)ctp->msg)->count;
	ssize_t n, i;
	int sum = 0;

	for (; at < end; at += (size_t)n) {
		n = MsgRead(ctp->rcvid, chunk, end - at < sizeof chunk ? end - at : sizeof chunk, at);
		if (n <= 0) {
			MsgError(ctp->rcvid, EBADMSG);
			return;
		}
		for (i = 0; i < n; i++)
			sum += chunk[i];
	}
	MsgReply(ctp->rcvid, sum, NULL, 0);
}

static int on_message(message_context_t *ctp, int code, unsigned flags, void *handle)
{
	(void)flags, (void)handle;
	switch (code) {
	case SUBSCRIBE:
		subscribe(ctp);
		break;
	case SAMPLE:
		sample(ctp);
		break;
	case UPLOAD:
		sum_up(ctp);
		break;
	} /* HANG is for on_unblock */
	return 0;
}

static void on_error(unsigned flags, int error)
{
	fprintf(stderr, "pool: %#x: %s\n", flags, strerror(error));
}

static dispatch_t *attach_all(int *tick)
{
	message_attr_t attr = {.nparts_max = 2, .msg_max_size = 512};
	dispatch_t *dpp = dispatch_create_channel(-1, DISPATCH_FLAG_NOLOCK);

	if (dpp == NULL)
		fail("dispatch_create_channel");
	if (message_attach(dpp, &attr, SUBSCRIBE, HANG, on_message, NULL) == -1)
		fail("message_attach");
	*tick = pulse_attach(dpp, MSG_FLAG_ALLOC_PULSE, 0, on_tick, NULL);
	if (*tick == -1 || pulse_attach(dpp, 0, _PULSE_CODE_UNBLOCK, on_unblock, NULL) == -1 ||
	    pulse_attach(dpp, 0, _PULSE_CODE_DISCONNECT, on_disconnect, NULL) == -1)
		fail("pulse_attach");
	return dpp;
}

static thread_pool_t *start_pool(dispatch_t *dpp)
{
	thread_pool_attr_t attr = {.handle = dpp, .context_alloc = dispatch_context_alloc, .context_free = dispatch_context_free,
		.block_func = dispatch_block, .unblock_func = dispatch_unblock, .handler_func = dispatch_handler,
		.error_func = on_error, .lo_water = 2, .increment = 1, .hi_water = 4, .maximum = 8};
	thread_pool_t *pool = thread_pool_create(&attr, POOL_FLAG_CALL_BLOCK_ERRF);

	if (pool == NULL || thread_pool_start(pool) == -1)
		fail("thread_pool_create, thread_pool_start");
	return pool;
}

static int serve(char *self, char *name)
{
	struct _itimer fast = {2000000, 2000000};
	struct itimerspec slow = {{0, 5000000}, {0, 5000000}};
	struct sigevent event;
	name_attach_t *attached;
	thread_pool_t *pool;
	dispatch_t *dpp;
	timer_t timer;
	pid_t clients[CLIENTS];
	int coid, id, tick, status, i;

	sem_init(&plant.left, 0, 0);
	dpp = attach_all(&tick);
	attached = name_attach(dpp, name, 0);
	coid = message_connect(dpp, MSG_FLAG_SIDE_CHANNEL);
	if (attached == NULL || coid == -1)
		fail("name_attach, message_connect");

	/* The same pulse by a timer of the kernel's and one of POSIX. */
	SIGEV_PULSE_INT_INIT(&event, coid, SIGEV_PULSE_PRIO_INHERIT, tick, FAST);
	id = TimerCreate(CLOCK_MONOTONIC, &event);
	SIGEV_PULSE_INT_INIT(&event, coid, getprio(0), tick, SLOW);
	if (id == -1 || timer_create(CLOCK_REALTIME, &event, &timer) == -1)
		fail("TimerCreate, timer_create");
	if (TimerSettime(id, 0, &fast, NULL) == -1 || timer_settime(timer, 0, &slow, NULL) == -1)
		fail("TimerSettime, timer_settime");
	pool = start_pool(dpp);

	for (i = 0; i < CLIENTS; i++)
		if ((clients[i] = spawnl(P_NOWAIT, self, self, name, i == 0 ? "aloud" : "quiet", NULL)) == -1)
			fail("spawnl");
	for (i = 0; i < CLIENTS; i++)
		sem_wait(&plant.left);
	for (i = 0; i < CLIENTS; i++)
		if (waitpid(clients[i], &status, 0) == -1 || status != 0)
			fail("a client");

	TimerDestroy(id);
	timer_delete(timer);
	if (thread_pool_destroy(pool) == -1 || name_detach(attached, 0) == -1)
		fail("thread_pool_destroy, name_detach");
	printf("server: both clients have left, and %s ran\n", plant.fast && plant.slow ? "both timers" : "not all timers");
	return EXIT_SUCCESS;
}

static void *watch(void *arg)
{
	static const char *said[] = {"three ticks, in order", "three ticks, in disorder"};
	const uint64_t limit = 100000000000;
	struct _pulse pulse;
	int last = 0, disorder = 0, i;

	for (i = 0; i < 3; i++) {
		TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &limit, NULL);
		if (MsgReceivePulse(*(int *)arg, &pulse, sizeof pulse, NULL) == -1 || pulse.code != EVENT)
			fail("MsgReceivePulse");
		disorder |= pulse.value.sival_int <= last;
		last = pulse.value.sival_int;
	}
	return (void *)said[disorder];
}

static void say(int aloud, const char *what, long got, const char *error, int want)
{
	if (aloud)
		printf("client: %s: %s\n", what, got == -1 && errno == want ? error : strerror(errno));
}

static void ask(int coid, int aloud)
{
	static unsigned char big[8000];
	struct request request = {SAMPLE, 3};
	int wanted[] = {2, 3, 5}, sum = 0;
	const uint64_t limit = 50000000;
	struct sigevent unblock;
	struct sample got;
	char unit[16] = "";
	iov_t siov[2], riov[2];
	size_t i;

	SETIOV(&siov[0], &request, sizeof request);
	SETIOV(&siov[1], wanted, sizeof wanted);
	SETIOV(&riov[0], &got, sizeof got);
	SETIOV(&riov[1], unit, sizeof unit);
	if (MsgSendv(coid, siov, 2, riov, 2) == -1)
		fail("MsgSendv");
	if (aloud)
		printf("client: %d values: %d %d %d %s\n", got.count, got.values[0], got.values[1], got.values[2], unit);

	request.type = UPLOAD;
	request.count = sizeof big;
	for (i = 0; i < sizeof big; i++)
		sum += big[i] = (unsigned char)(i % 251);
	SETIOV(&siov[1], big, sizeof big);
	if (MsgSendvs(coid, siov, 2, NULL, 0) == sum && aloud)
		printf("client: %d bytes were summed up right\n", request.count);

	request.type = HANG;
	SIGEV_UNBLOCK_INIT(&unblock);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, &unblock, &limit, NULL);
	say(aloud, "what is never answered", MsgSend(coid, &request, sizeof request, NULL, 0), "ETIMEDOUT", ETIMEDOUT);
	request.type = UNKNOWN;
	say(aloud, "what the server does not know", MsgSend(coid, &request, sizeof request, NULL, 0), "ENOSYS", ENOSYS);
}

static int be_client(const char *name, int aloud)
{
	struct subscription s = {.request = {SUBSCRIBE, 0}};
	pthread_t watcher;
	void *said;
	int coid, chid, self;

	coid = name_open(name, 0);
	chid = ChannelCreate(_NTO_CHF_PRIVATE);
	self = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	if (coid == -1 || chid == -1 || self == -1)
		fail("name_open, ChannelCreate, ConnectAttach");

	/* The server may change the event's value, and nobody else may deliver it. */
	SIGEV_PULSE_INIT(&s.event, self, SIGEV_PULSE_PRIO_INHERIT, EVENT, 0);
	SIGEV_MAKE_UPDATEABLE(&s.event);
	if (MsgRegisterEvent(&s.event, coid) == -1 || MsgSend(coid, &s, sizeof s, NULL, 0) == -1)
		fail("MsgRegisterEvent, MsgSend");
	pthread_create(&watcher, NULL, watch, &chid);
	pthread_setname_np(watcher, "watcher");
	ask(coid, aloud);
	pthread_join(watcher, &said);
	if (aloud)
		printf("client: %s\n", (const char *)said);
	MsgUnregisterEvent(&s.event);
	name_close(coid);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	if (argc > 2)
		return be_client(argv[1], strcmp(argv[2], "aloud") == 0);
	return serve(argv[0], argc > 1 ? argv[1] : "telemetry");
}
