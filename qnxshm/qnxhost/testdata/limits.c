/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* A program's descriptors and limits are its own. The first argument says which part
   to play. */
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static const char *name;

static int ended(pid_t child)
{
	int status;

	MUST(child != -1 && waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static pid_t start_self(const char *part, const char *argument)
{
	pid_t child = fork();

	if (child == 0) {
		execl("/proc/self/exe", "limits", part, argument, NULL);
		_exit(9);
	}
	return child;
}

/* Uses most of the library: handles, messages, timers. A server and its client are
   the process itself. */
static void use_all(int chid, int coid)
{
	struct itimerspec soon = {.it_value.tv_nsec = 1000000};
	const uint64_t patience = 20000000000;
	struct client c = {.coid = coid, .msg = "x", .bytes = 1};
	struct sigevent event;
	struct _pulse pulse;
	shm_handle_t h;
	timer_t timer;
	rcvid_t rcvid;
	int fd, opened;
	char b[100];

	MUST((fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600)) != -1);
	CHECK(ftruncate(fd, 4096) == 0);
	CHECK(shm_create_handle(fd, getpid(), O_RDONLY, &h, 0) == 0);
	CHECK((opened = shm_open_handle(h, O_RDONLY)) != -1);
	close(opened);
	close(fd);

	start_client(&c);
	MUST((rcvid = MsgReceive(chid, b, sizeof b, NULL)) > 0);
	CHECK(MsgReply(rcvid, 7, NULL, 0) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 7);

	SIGEV_PULSE_INIT(&event, coid, -1, 3, 0);
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &patience, NULL);
	CHECK_EQUAL(MsgReceive(chid, &pulse, sizeof pulse, NULL), 0);
	CHECK_EQUAL(pulse.code, 3);
	CHECK(timer_delete(timer) == 0);
}

static void use_other(int coid)
{
	char b[5000] = "x";

	CHECK_EQUAL(MsgSend(coid, b, sizeof b, b, sizeof b), 42);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit l;

	MUST(getrlimit(RLIMIT_FSIZE, &l) == 0);
	l.rlim_cur = bytes;
	MUST(setrlimit(RLIMIT_FSIZE, &l) == 0);
}

/* Answers until a pulse comes. */
static void serve(rlim_t file_size)
{
	name_attach_t *a;
	rcvid_t rcvid;
	static char b[1 << 20];

	limit_files(file_size);
	MUST(a = name_attach(NULL, name, 0));
	puts("serving");
	fflush(stdout);
	for (;;) {
		MUST((rcvid = MsgReceive(a->chid, b, sizeof b, NULL)) != -1);
		if (rcvid > 0)
			MsgReply(rcvid, 42, b, sizeof b);
		else if (((struct _pulse *)b)->code == _PULSE_CODE_DISCONNECT)
			ConnectDetach(((struct _pulse *)b)->scoid);
		else
			return;
	}
}

/* A program of these has no descriptor of that kind. */
static bool is_librarys(int fd)
{
	char path[40], link[40] = "";

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return readlink(path, link, sizeof link - 1) > 0 && strncmp(link, "anon_inode:", 11) == 0;
}

/* Closes all that it has not opened itself, as daemons do. */
static void daemonize(void)
{
	int chid = channel(0), coid = attach(chid), other, own[2];
	char c;

	MUST((other = name_open(name, 0)) != -1);
	use_all(chid, coid);
	use_other(other);
	for (int fd = 3; fd < 512; fd++) {
		CHECK(!is_librarys(fd));
		close(fd);
	}
	for (int i = 0; i < 20; i++) { /* their numbers are for the program's */
		CHECK(pipe(own) == 0 && own[1] == 4 + 2 * i);
		CHECK(write(own[1], "x", 1) == 1);
	}
	for (int i = 0; i < 20; i++) {
		use_all(chid, coid);
		use_other(other);
	}
	for (int fd = 3; fd < 43; fd += 2)
		CHECK(read(fd, &c, 1) == 1 && c == 'x');
	CHECK(MsgSendPulse(other, -1, 1, 0) == 0);
}

/* What the process has started with may be a socket that does not block. */
static void daemonize_behind_pipe(void)
{
	int p[2];

	MUST(pipe2(p, O_NONBLOCK) == 0);
	MUST(dup2(p[0], 0) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
	execl("/proc/self/exe", "limits", "daemon", name, NULL);
	MUST(false);
}

static bool is_limit(rlim_t soft)
{
	struct rlimit l;

	MUST(getrlimit(RLIMIT_NOFILE, &l) == 0);
	if (l.rlim_cur != soft)
		fprintf(stderr, "%ld descriptors\n", (long)l.rlim_cur);
	return l.rlim_cur == soft;
}

/* The limit of descriptors is that with which the process was started, or what it has
   set itself, for its children too. */
static void descriptors(const char *soft)
{
	rlim_t limit = strtoul(soft, NULL, 10);
	struct rlimit l;
	int chid, coid;

	CHECK(is_limit(limit));
	CHECK_EQUAL(ended(start_self("has-limit", soft)), 0);
	chid = channel(0);
	coid = attach(chid);
	use_all(chid, coid);
	CHECK(is_limit(limit));
	CHECK_EQUAL(ended(start_self("has-limit", soft)), 0);
	MUST(getrlimit(RLIMIT_NOFILE, &l) == 0);
	l.rlim_cur = 200;
	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
	use_all(chid, coid);
	CHECK(is_limit(200));
	CHECK_EQUAL(ended(start_self("has-limit", "200")), 0);
}

enum { LARGE = 1 << 20 };
static char sent[LARGE], got[LARGE];

static void send_large(int coid, int mark)
{
	for (int i = 0; i < LARGE; i++)
		sent[i] = (char)(i / 251 + mark);
	memset(got, 0, LARGE);
	CHECK_EQUAL(MsgSend(coid, sent, LARGE, got, LARGE), 42);
	CHECK(memcmp(sent, got, LARGE) == 0);
	CHECK_EQUAL(MsgSend(coid, sent, 10, got, LARGE), 42);
	CHECK_EQUAL(MsgSend(coid, sent, LARGE, got, 10), 42);
}

/* A message is no file: the limit of how long those may be does not hold for it, and
   where it leaves no room for what carries messages, that is an error, no signal. */
static void file_size(void)
{
	int coid, other, chid;

	MUST((coid = name_open(name, 0)) != -1);
	limit_files(65536);
	for (int i = 0; i < 3; i++)
		send_large(coid, i);
	limit_files(4096 * 3 + 100);
	MUST((other = name_open(name, 0)) != -1);
	send_large(other, 4);
	CHECK(ConnectDetach(other) == 0 && ConnectDetach(coid) == 0);

	limit_files(65536);
	MUST((coid = name_open(name, 0)) != -1);
	send_large(coid, 5);
	CHECK(ConnectDetach(coid) == 0);
	limit_files(0);
	CHECK_ERRNO(name_open(name, 0), ENOMEM);
	limit_files(65536);
	MUST((coid = name_open(name, 0)) != -1);
	send_large(coid, 5);
	limit_files(0);
	send_large(coid, 6); /* what was made for that before */
	CHECK_ERRNO(MsgSend(coid, sent, LARGE, NULL, 3 * (size_t)LARGE), EFAULT);
	static char larger[3 * LARGE];
	CHECK_ERRNO(MsgSend(coid, larger, sizeof larger, NULL, 0), ENOMEM);
	CHECK_EQUAL(MsgSend(coid, sent, 10, got, 10), 42);
	CHECK(MsgSendPulse(coid, -1, 1, 0) == 0);
	CHECK(ConnectDetach(coid) == 0);

	chid = channel(0);
	coid = attach(chid);
	struct client c = {.coid = coid, .msg = larger, .bytes = sizeof larger, .reply = got, .room = LARGE};
	start_client(&c);
	rcvid_t rcvid = MsgReceive(chid, larger, sizeof larger, NULL);
	CHECK(rcvid > 0 && MsgReply(rcvid, 1, sent, LARGE) == 0);
	join(c.thread);
	CHECK(c.status == 1 && memcmp(sent, got, LARGE) == 0);
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";

	name = argc > 2 ? argv[2] : "limits-test";
	if (strcmp(part, "server") == 0)
		serve(argc > 3 ? strtoul(argv[3], NULL, 10) : RLIM_INFINITY);
	else if (strcmp(part, "daemon") == 0)
		daemonize();
	else if (strcmp(part, "daemon-behind-pipe") == 0)
		daemonize_behind_pipe();
	else if (strcmp(part, "descriptors") == 0)
		descriptors(name);
	else if (strcmp(part, "file-size") == 0)
		file_size();
	else if (strcmp(part, "has-limit") == 0)
		CHECK(is_limit(strtoul(name, NULL, 10)));
	else
		return 3;
	return result();
}
