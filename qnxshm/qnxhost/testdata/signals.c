/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Signals belong to the program. The first argument says which part to play. */
#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <semaphore.h>
#include <sys/time.h>
#include <time.h>

static atomic_int handled, elsewhere;
static __thread bool programs_thread;

static void on_signal(int signal)
{
	(void)signal;
	handled++;
	if (!programs_thread)
		elsewhere++;
}

/* A handler without SA_RESTART, and without a stack of its own. */
static void handle(int signal)
{
	struct sigaction action = {.sa_handler = on_signal};

	MUST(sigaction(signal, &action, NULL) == 0);
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

/* Sends a signal to a thread until told to stop: one sent before the thread
   blocks would end nothing. */
struct nagger {
	pthread_t whom;
	atomic_bool enough;
};

static void *nag(void *p)
{
	struct nagger *n = p;

	while (!n->enough) {
		pthread_kill(n->whom, SIGUSR1);
		delay(1);
	}
	return NULL;
}

static void interrupted(void)
{
	int chid = channel(0), unblock = channel(_NTO_CHF_UNBLOCK), coid = attach(chid), other = attach(unblock);
	struct nagger n = {.whom = pthread_self()};
	struct _pulse p;
	rcvid_t rcvid;
	pthread_t t;
	char b[100];

	handle(SIGUSR1);
	t = thread(nag, &n);
	for (int i = 0; i < 20; i++) {
		CHECK_ERRNO(MsgReceive(chid, b, sizeof b, NULL), EINTR);
		CHECK_ERRNO(MsgReceivePulse(chid, &p, sizeof p, NULL), EINTR);
		CHECK_EQUAL(MsgReceive_r(chid, b, sizeof b, NULL), -EINTR);
		CHECK_ERRNO(MsgSend(coid, "x", 1, NULL, 0), EINTR);
		CHECK_EQUAL(MsgSendnc_r(coid, "x", 1, NULL, 0), -EINTR);
		CHECK_ERRNO(MsgSend(other, "x", 1, NULL, 0), EINTR); /* SEND-blocked */
	}
	n.enough = true;
	join(t);
	CHECK(handled > 0);

	/* REPLY-blocked it depends on the channel */
	struct client c = {.coid = coid, .msg = "x", .bytes = 1};
	start_client(&c);
	n = (struct nagger){.whom = c.thread};
	MUST((rcvid = MsgReceive(chid, b, sizeof b, NULL)) > 0);
	t = thread(nag, &n);
	join(c.thread);
	CHECK(c.status == -1 && c.error == EINTR);
	n.enough = true;
	join(t);
	CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);

	c.coid = other;
	start_client(&c);
	n = (struct nagger){.whom = c.thread};
	MUST((rcvid = MsgReceive(unblock, b, sizeof b, NULL)) > 0);
	t = thread(nag, &n);
	CHECK_EQUAL(MsgReceive(unblock, &p, sizeof p, NULL), 0);
	CHECK(p.code == _PULSE_CODE_UNBLOCK && p.value.sival_long == rcvid);
	delay(20);
	CHECK(!c.back);
	n.enough = true;
	join(t);
	CHECK(MsgReply(rcvid, 9, NULL, 0) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 9);
	CHECK_ERRNO((TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL),
		     MsgReceive(unblock, b, sizeof b, NULL)), ETIMEDOUT);
}

/* A connection that is full of pulses does not make a signal wait. */
static void interrupted_behind_pulses(void)
{
	int chid = channel(0), coid = attach(chid);
	struct nagger n = {.whom = pthread_self()};
	pthread_t t;

	handle(SIGUSR1);
	while (MsgSendPulse(coid, -1, 1, 0) == 0)
		;
	MUST(errno == EAGAIN);
	alarm(10);
	t = thread(nag, &n);
	CHECK_ERRNO(MsgSend(coid, "x", 1, NULL, 0), EINTR);
	n.enough = true;
	join(t);
}

/* Every signal that can wait for sigwait does, although others' threads exist. */
enum { REALTIME = 34 }; /* SIGRTMIN is no constant */
static const int waited[] = {
	SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGURG, SIGPROF, SIGWINCH, SIGPIPE, SIGIO, SIGVTALRM,
	REALTIME, REALTIME + 1, 64, SIGQUIT,
};
static sem_t taken;
static atomic_int last;

static void *sigwaiter(void *p)
{
	int signal;

	do {
		MUST(sigwait(p, &signal) == 0);
		last = signal;
		sem_post(&taken);
	} while (signal != SIGQUIT);
	return NULL;
}

static void *server(void *p)
{
	char b[100];
	rcvid_t rcvid;

	programs_thread = true;
	for (;;) {
		while ((rcvid = MsgReceive(*(int *)p, b, sizeof b, NULL)) == -1 && errno == EINTR)
			;
		if (rcvid <= 0)
			return NULL;
		if (MsgReply(rcvid, EOK, b, sizeof b) == -1)
			CHECK(errno == ESRCH);
	}
}

static void *busy_client(void *p)
{
	int coid = attach(*(int *)p);
	char b[100] = "";

	for (int i = 0; i < 50; i++)
		CHECK_EQUAL(MsgSend(coid, b, sizeof b, b, sizeof b), 0);
	CHECK(ConnectDetach(coid) == 0);
	return NULL;
}

static void sigwait_server(void)
{
	int chid;
	sigset_t set;
	pthread_t t, s[4], c[8];

	CHECK_EQUAL(SIGRTMIN, REALTIME);
	sem_init(&taken, 0, 0);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof waited / sizeof *waited; i++)
		sigaddset(&set, waited[i]);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	chid = channel(0);
	t = thread(sigwaiter, &set);
	for (int i = 0; i < 4; i++)
		s[i] = thread(server, &chid);
	for (int round = 0; round < 100; round++)
		for (size_t i = 0; i < sizeof waited / sizeof *waited; i++) {
			struct timespec patience;
			if (round % 25 == 0 && i < 8)
				c[i] = thread(busy_client, &chid);
			if (waited[i] == SIGQUIT && round != 99)
				continue;
			kill(getpid(), waited[i]);
			clock_gettime(CLOCK_REALTIME, &patience);
			patience.tv_sec += 10;
			if (sem_timedwait(&taken, &patience) != 0) {
				fprintf(stderr, "sigwait missed signal %d in round %d\n", waited[i], round);
				exit(1);
			}
			CHECK_EQUAL(last, waited[i]);
			if (round % 25 == 24 && i < 8)
				join(c[i]);
		}
	join(t);
	ChannelDestroy(chid);
	for (int i = 0; i < 4; i++)
		join(s[i]);
}

/* What every thread but the program's blocks. */
static uint64_t blocked_by(const char *tid)
{
	char path[300], line[300];
	uint64_t mask = ~0ULL;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
	if ((f = fopen(path, "r")) == NULL)
		return mask; /* has ended */
	while (fgets(line, sizeof line, f))
		sscanf(line, "SigBlk: %lx", &mask);
	fclose(f);
	return mask;
}

/* The program's own threads. */
static atomic_int mine[128], how_many;

static void is_mine(void)
{
	mine[how_many++] = gettid();
}

static bool own(pid_t tid)
{
	for (int i = 0; i < how_many; i++)
		if (mine[i] == tid)
			return true;
	return false;
}

/* Checks every other thread, and returns how many there are. 32 and 33 are the C
   library's. */
static int check_masks(void)
{
	static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGKILL, SIGSTOP, 32, 33};
	uint64_t want = ~0ULL;
	struct dirent *e;
	int n = 0;
	DIR *d;

	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		want &= ~(1ULL << (open[i] - 1));
	MUST(d = opendir("/proc/self/task"));
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && !own(atoi(e->d_name))) {
			uint64_t mask = blocked_by(e->d_name);
			n++;
			if ((mask & want) == want)
				continue;
			delay(20); /* perhaps it is ours, or new */
			if (own(atoi(e->d_name)))
				continue;
			mask = blocked_by(e->d_name);
			if ((mask & want) != want) {
				faults++;
				fprintf(stderr, "thread %s does not block %lx\n", e->d_name, want & ~mask);
			}
		}
	closedir(d);
	return n;
}

static void *quiet_server(void *), *quiet_client(void *);
static int quiet_chid;

static void masks(void)
{
	pthread_t c[8], s[2];
	sigset_t mask, same;
	int n, most = 0;

	is_mine();
	for (int i = 0; i < 10; i++) { /* while the runtime starts, and when it has */
		check_masks();
		delay(2);
	}
	quiet_chid = channel(0);
	for (int i = 0; i < 2; i++)
		s[i] = thread(quiet_server, NULL);
	for (int i = 0; i < 8; i++)
		c[i] = thread(quiet_client, NULL);
	for (int i = 0; i < 50; i++) {
		n = check_masks();
		most = n > most ? n : most;
		delay(5);
	}
	for (int i = 0; i < 8; i++)
		join(c[i]);
	ChannelDestroy(quiet_chid);
	for (int i = 0; i < 2; i++)
		join(s[i]);
	CHECK(most > 1);
	printf("%d threads of the library, at most %d\n", check_masks(), most);
	/* The program's own mask is what it was. */
	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
	for (int signal = 1; signal < 65; signal++)
		CHECK(signal == 32 || signal == 33 || sigismember(&mask, signal) == 0);
	sigfillset(&mask);
	pthread_sigmask(SIG_SETMASK, &mask, &same);
	ChannelDestroy(channel(0));
	pthread_sigmask(SIG_SETMASK, &same, &mask);
	CHECK(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1);
}

/* Signals fly while threads exchange messages: no reply is lost, mixed up, or comes
   twice. The reply to a message that was interrupted may come when another server thread
   has received a later one of the client thread, and then answers that, as on QNX. */
enum { STORM_THREADS = 8, STORM_SENDS = 2500 };
static int storm_chid;
static atomic_int interruptions, replies, ready;

static void *storm_server(void *p)
{
	uint64_t b[20];
	rcvid_t rcvid;

	(void)p;
	programs_thread = true;
	ready++;
	for (;;) {
		rcvid = MsgReceive(storm_chid, b, sizeof b, NULL);
		if (rcvid == -1 && errno == EINTR)
			continue;
		if (rcvid == -1)
			return NULL;
		b[1] = ~b[0];
		if (MsgReply(rcvid, (long)(b[0] & 0xffff), b, sizeof b) == -1)
			CHECK(errno == ESRCH); /* the client was interrupted */
	}
}

static void *storm_client(void *p)
{
	uint64_t first = (uint64_t)(uintptr_t)p << 32, number = first, b[20] = {0};
	enum { MOST = 1 << 20 };
	bool *come = calloc(MOST, sizeof *come);
	int coid;

	CHECK(come);

	programs_thread = true;
	ready++;
	while ((coid = ConnectAttach(0, 0, storm_chid, _NTO_SIDE_CHANNEL, 0)) == -1)
		CHECK(errno == EINTR);
	for (int done = 0; done < STORM_SENDS;) {
		b[0] = ++number;
		b[1] = 0;
		long status = MsgSend(coid, b, sizeof b, b, sizeof b);
		if (status == -1 && errno == EINTR) {
			interruptions++;
			continue;
		}
		CHECK_EQUAL(status, b[0] & 0xffff);
		CHECK(b[0] > first && b[0] <= number && b[1] == ~b[0]);
		CHECK(number - first < MOST && !come[b[0] - first]);
		come[b[0] - first] = true;
		replies++;
		done++;
	}
	free(come);
	return NULL;
}

static void storm(bool signals)
{
	static const int which[] = {SIGUSR1, SIGCHLD, SIGPROF, REALTIME, SIGURG};
	pthread_t c[STORM_THREADS], s[3];

	programs_thread = true;
	delay(50); /* a thread of the library that starts just when SIGURG gets a handler is not spared */
	for (size_t i = 0; signals && i < sizeof which / sizeof *which; i++)
		handle(which[i]);
	storm_chid = channel(0);
	for (int i = 0; i < 3; i++)
		s[i] = thread(storm_server, NULL);
	for (long i = 0; i < STORM_THREADS; i++)
		c[i] = thread(storm_client, (void *)(i + 1));
	while (ready < STORM_THREADS + 3)
		delay(1);
	for (unsigned i = 0; signals && replies < STORM_THREADS * STORM_SENDS; i++) {
		int signal = which[i % (sizeof which / sizeof *which)];
		if (i % 3 == 0)
			kill(getpid(), signal);
		else
			pthread_kill(c[i % STORM_THREADS], signal);
		usleep(20);
	}
	for (int i = 0; i < STORM_THREADS; i++)
		join(c[i]);
	ChannelDestroy(storm_chid);
	for (int i = 0; i < 3; i++)
		join(s[i]);
	CHECK_EQUAL(replies, STORM_THREADS * STORM_SENDS);
	CHECK_EQUAL(elsewhere, 0);
	printf("%d signals handled, %d sends interrupted\n", (int)handled, (int)interruptions);
	if (!signals)
		CHECK_EQUAL(interruptions, 0);
}

/* The runtime's own signals do not end a call: it stops its threads for a garbage
   collection, which messages in parts make it do often. */
static void *quiet_server(void *p)
{
	static __thread char b[200000];
	iov_t v[2] = {{b, 1000}, {b + 1000, sizeof b - 1000}};
	rcvid_t rcvid;

	(void)p;
	is_mine();
	while ((rcvid = MsgReceivev(quiet_chid, v, 2, NULL)) > 0)
		CHECK(MsgReplyv(rcvid, 0, v, 2) == 0);
	CHECK(errno == ESRCH);
	return NULL;
}

static void *quiet_client(void *p)
{
	static __thread char b[100000];
	iov_t v[2] = {{b, 1000}, {b + 1000, sizeof b - 1000}};
	int coid = attach(quiet_chid);

	(void)p;
	is_mine();
	for (int i = 0; i < 60; i++)
		CHECK_EQUAL(MsgSendv(coid, v, 2, v, 2), 0);
	return NULL;
}

static void quiet(void)
{
	for (int round = 0; round < 3; round++) {
		pthread_t c[8], s[2];
		quiet_chid = channel(0);
		how_many = 0;
		for (int i = 0; i < 2; i++)
			s[i] = thread(quiet_server, NULL);
		for (int i = 0; i < 8; i++)
			c[i] = thread(quiet_client, NULL);
		for (int i = 0; i < 8; i++)
			join(c[i]);
		ChannelDestroy(quiet_chid);
		for (int i = 0; i < 2; i++)
			join(s[i]);
	}
}

/* A program that resets all signals, as daemons do, is not ended by that. */
static void reset(void)
{
	int chid;
	pthread_t c[8], s;

	for (int i = 1; i < 65; i++)
		signal(i, SIG_DFL);
	chid = channel(0);
	s = thread(server, &chid);
	for (int i = 0; i < 8; i++)
		c[i] = thread(busy_client, &chid);
	for (int i = 0; i < 8; i++)
		join(c[i]);
	ChannelDestroy(chid);
	join(s);
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";
	char b[100];
	int chid;

	programs_thread = true;
	if (strcmp(part, "interrupted") == 0) {
		interrupted();
	} else if (strcmp(part, "pulses") == 0) {
		interrupted_behind_pulses();
	} else if (strcmp(part, "sigwait") == 0) {
		sigwait_server();
	} else if (strcmp(part, "masks") == 0) {
		masks();
	} else if (strcmp(part, "storm") == 0) {
		storm(true);
	} else if (strcmp(part, "quiet") == 0) {
		storm(false);
		quiet();
	} else if (strcmp(part, "reset") == 0) {
		reset();
	} else if (strcmp(part, "receive") == 0) { /* until killed */
		chid = channel(_NTO_CHF_UNBLOCK);
		say("blocked");
		MsgReceive(chid, b, sizeof b, NULL);
		say("came back");
	} else if (strcmp(part, "send") == 0) {
		chid = channel(0);
		say("blocked");
		MsgSend(attach(chid), b, 1, NULL, 0);
		say("came back");
	} else if (strcmp(part, "fault") == 0) {
		ConnectDetach(attach(channel(0)));
		*(volatile int *)8 = 1;
	} else if (strcmp(part, "pipe") == 0) {
		int p[2];
		ConnectDetach(attach(channel(0)));
		MUST(pipe(p) == 0);
		close(p[0]);
		(void)!write(p[1], "x", 1);
	} else if (strcmp(part, "abort") == 0) {
		ConnectDetach(attach(channel(0)));
		abort();
	} else if (strcmp(part, "stkflt") == 0) {
		ConnectDetach(attach(channel(0)));
		kill(getpid(), SIGSTKFLT);
		delay(10000);
	} else {
		return 3;
	}
	return result();
}
