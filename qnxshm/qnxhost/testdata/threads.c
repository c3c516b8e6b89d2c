/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Threads that end, the first one too, that are cancelled, or that a signal handler
   keeps. The first argument says which part to play. */
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <time.h>

enum { SIZE = 8192 };

static const char *name;

/* What a server of these parts sends. */
struct offer {
	shm_handle_t whole, part;
};

static int ended(pid_t child)
{
	int status;

	MUST(child != -1 && waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static pid_t start_self(const char *part)
{
	pid_t child = fork();

	if (child == 0) {
		execl("/proc/thread-self/exe", "threads", part, name, NULL);
		_exit(9);
	}
	return child;
}

static struct offer offer_to(int fd, pid_t pid)
{
	struct offer o = {0};

	CHECK(shm_create_handle(fd, pid, O_RDONLY, &o.whole, 0) == 0);
	CHECK(shm_create_subrange_handle(fd, pid, O_RDWR, &o.part, 0, SIZE / 2, SIZE / 2) == 0);
	return o;
}

static void take(struct offer o)
{
	struct stat st;
	int fd, part;
	char *p;

	MUST((fd = shm_open_handle(o.whole, O_RDONLY)) != -1);
	MUST((part = shm_open_handle(o.part, O_RDWR)) != -1);
	CHECK(fstat(part, &st) == 0 && st.st_size == SIZE / 2);
	MUST((p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0)) != MAP_FAILED);
	CHECK(strcmp(p, "text") == 0);
	CHECK(munmap(p, SIZE) == 0);
	close(fd);
	close(part);
}

/* An object with a text. */
static int object(const char *path)
{
	char *p;
	int fd;

	MUST((fd = shm_open(path, O_RDWR | O_CREAT, 0600)) != -1);
	MUST(ftruncate(fd, SIZE) == 0);
	MUST((p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED);
	strcpy(p, "text");
	MUST(munmap(p, SIZE) == 0);
	return fd;
}

static pthread_t leader;
static name_attach_t *attached;

/* Opens what it offers, and serves another process. */
static void *offer_all(void *p)
{
	char path[100];
	struct _msg_info info;
	pid_t child;
	rcvid_t rcvid;
	int fd;
	char b[100];

	(void)p;
	if (attached == NULL)
		MUST(attached = name_attach(NULL, name, 0));
	MUST((fd = object(SHM_ANON)) != -1);
	take(offer_to(fd, getpid()));
	child = start_self("taker");
	while ((rcvid = MsgReceive(attached->chid, b, sizeof b, &info)) == 0)
		;
	MUST(rcvid > 0);
	struct offer o = offer_to(fd, info.pid);
	CHECK(MsgReply(rcvid, 0, &o, sizeof o) == 0);
	CHECK_EQUAL(ended(child), 0);
	close(fd);

	snprintf(path, sizeof path, "/%s", name);
	fd = object(path);
	take(offer_to(fd, getpid()));
	CHECK(shm_unlink(path) == 0);
	close(fd);
	return NULL;
}

static void taker(void)
{
	struct offer o;
	int coid;

	MUST((coid = name_open(name, 0)) != -1);
	MUST(MsgSend(coid, "x", 1, &o, sizeof o) == 0);
	take(o);
}

static void *after_leader(void *p)
{
	join(leader);
	for (int i = 0; i < 2; i++) /* the thread that was first ends too */
		join(thread(offer_all, p));
	exit(result());
}

/* The first thread ends, before or after it has used the library. */
static void leave(bool used)
{
	if (used)
		MUST(attached = name_attach(NULL, name, 0));
	leader = pthread_self();
	thread(after_leader, NULL);
	pthread_exit(NULL);
}

/* A handler that runs for long in MsgReceive does not make others wait. */
static int in_handler[2], taken[2];

static void handler(int signal)
{
	char c;

	(void)signal;
	if (write(in_handler[1], "x", 1) != 1 || read(taken[0], &c, 1) != 0)
		_exit(8);
}

static bool sleeps(pid_t pid)
{
	char path[40], stat[400] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	MUST(f = fopen(path, "r"));
	MUST(fgets(stat, sizeof stat, f));
	fclose(f);
	return strstr(stat, ") S ") != NULL;
}

static void taker_of_busy(void)
{
	struct timespec began, now;
	struct offer o;
	int coid;
	char c;

	MUST((coid = name_open(name, 0)) != -1);
	MUST(MsgSend(coid, "x", 1, &o, sizeof o) == 0);
	while (!sleeps(getppid()))
		sched_yield();
	kill(getppid(), SIGUSR1);
	MUST(read(0, &c, 1) == 1);
	clock_gettime(CLOCK_MONOTONIC, &began);
	take(o);
	clock_gettime(CLOCK_MONOTONIC, &now);
	CHECK(now.tv_sec - began.tv_sec <= 1);
}

static void long_handler(void)
{
	struct sigaction action = {.sa_handler = handler};
	struct _msg_info info;
	rcvid_t rcvid;
	pid_t child;
	int fd;
	char b[100];

	alarm(50);
	MUST(sigaction(SIGUSR1, &action, NULL) == 0);
	MUST(attached = name_attach(NULL, name, 0));
	fd = object(SHM_ANON);
	MUST(pipe(in_handler) == 0 && pipe(taken) == 0);
	child = fork();
	if (child == 0) {
		dup2(in_handler[0], 0);
		close(taken[0]);
		execl("/proc/self/exe", "threads", "taker-of-busy", name, NULL);
		_exit(9);
	}
	close(taken[1]); /* the child has it until it ends */
	MUST((rcvid = MsgReceive(attached->chid, b, sizeof b, &info)) > 0);
	struct offer o = offer_to(fd, info.pid);
	MUST(MsgReply(rcvid, 0, &o, sizeof o) == 0);
	CHECK_ERRNO(MsgReceive(attached->chid, b, sizeof b, NULL), EINTR);
	CHECK_EQUAL(ended(child), 0);
}

/* Many short threads send one message each, and a third of them are cancelled in it. */
static int chid, coid;

static void *answer(void *p)
{
	char b[4000];
	rcvid_t rcvid;

	(void)p;
	while ((rcvid = MsgReceive(chid, b, sizeof b, NULL)) > 0)
		if (b[0] != 'h')
			MsgReply(rcvid, 42, b, sizeof b);
	return NULL;
}

static void *send_once(void *what)
{
	char b[4000];

	b[0] = *(char *)what;
	CHECK_EQUAL(MsgSend(coid, b, sizeof b, b, sizeof b), 42);
	return NULL;
}

static void burst(void)
{
	pthread_t t[20];

	for (int i = 0; i < 500; i += 20) {
		for (int j = 0; j < 20; j++) {
			t[j] = thread(send_once, j % 6 == 3 ? "held" : "answered");
			if (j % 3 == 0) {
				for (int n = 0; n < i % 7; n++)
					sched_yield();
				pthread_cancel(t[j]);
			}
		}
		for (int j = 0; j < 20; j++) {
			void *value = join(t[j]);

			CHECK(value == PTHREAD_CANCELED || j % 6 != 3);
			CHECK(value == NULL || j % 3 == 0);
		}
	}
}

static long resident(void)
{
	long size, pages;
	FILE *f;

	MUST(f = fopen("/proc/self/statm", "r"));
	MUST(fscanf(f, "%ld %ld", &size, &pages) == 2);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Serves until its clients are gone. */
static void burst_server(void)
{
	struct _pulse *pulse;
	rcvid_t rcvid;
	char b[4000] __attribute__((aligned(8)));

	pulse = (struct _pulse *)b;
	MUST(attached = name_attach(NULL, name, 0));
	puts("serving");
	fflush(stdout);
	for (;;) {
		MUST((rcvid = MsgReceive(attached->chid, b, sizeof b, NULL)) != -1);
		if (rcvid > 0 && b[0] != 'h')
			MsgReply(rcvid, 42, b, sizeof b);
		else if (rcvid == 0 && pulse->code == _PULSE_CODE_DISCONNECT)
			return;
		else if (rcvid == 0 && pulse->code == _PULSE_CODE_UNBLOCK)
			MsgError(pulse->value.sival_long, EINTR);
	}
}

static void bursts(bool same_process)
{
	pthread_t server = 0;
	int descriptors;
	long kib;

	if (same_process) {
		chid = channel(0);
		server = thread(answer, NULL);
		coid = attach(chid);
	} else {
		MUST((coid = name_open(name, 0)) != -1);
	}
	burst();
	descriptors = count_in("/proc/self/fd");
	kib = resident();
	burst();
	CHECK(count_in("/proc/self/fd") <= descriptors + 4); /* some are kept for the next */
	CHECK(resident() < kib + 4096);
	/* what a cancelled thread had is free again */
	for (int i = 0; i < 100; i++)
		join(thread(send_once, "answered"));
	CHECK(ConnectDetach(coid) == 0);
	if (same_process) {
		CHECK(ChannelDestroy(chid) == 0);
		join(server);
	}
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";

	name = argc > 2 ? argv[2] : "threads-test";
	if (strcmp(part, "leader") == 0)
		leave(true);
	else if (strcmp(part, "unused") == 0)
		leave(false);
	else if (strcmp(part, "taker") == 0)
		taker();
	else if (strcmp(part, "handler") == 0)
		long_handler();
	else if (strcmp(part, "taker-of-busy") == 0)
		taker_of_busy();
	else if (strcmp(part, "bursts") == 0)
		bursts(true);
	else if (strcmp(part, "server") == 0)
		burst_server();
	else if (strcmp(part, "client") == 0)
		bursts(false);
	else
		return 3;
	return result();
}
