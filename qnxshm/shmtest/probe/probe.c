//go:build ignore

/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Asks a QNX system what no manual tells about shared memory by handle and about
   messages, one line a question.

	qcc -o probe probe.c		SDP 7.1 or 8.0, any architecture
	./probe >report.txt		on the target, by any user
	./probe -l			lists the questions
	./probe ID ...			asks these only

   Each question is asked by a process of its own, which is killed when it has no
   answer after some seconds. Nothing is left behind: objects have no name or lose
   it, and the processes end. The report has no date, no host name, no pid.

   A line is "ID: ANSWER". An answer is names of errno (EOK is success; several
   when the question has several parts that differ), "yes" or "no" with what was
   otherwise, or what the question asks for; or

	absent		this release does not have the call
	not asked	what the question needs could not be had, and why
	hangs, died	what happened instead of an answer

   An ID is that of the rule in CONTRACT.md, or begins with ask/. */

#define _QNX_SOURCE 1
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined RELEASE
#elif defined _NTO_VERSION
#define RELEASE _NTO_VERSION
#elif defined __QNX__ && __QNX__ + 0 >= 700
#define RELEASE __QNX__
#else
#error "add -DRELEASE=710 or -DRELEASE=800: the headers do not tell"
#endif

#ifdef QNXHOST_BASE_H
#define HOST 1
#else
#define HOST 0
#endif

enum {
	REPORT_VERSION = 1,
	PATIENCE = 12, /* seconds that a question may take */
	SILENCE = 150, /* milliseconds after which nothing is taken to come */
	ENOUGH = 3000, /* milliseconds in which must come what comes */
	MAX_FDS = 256
};

#if RELEASE < 800
/* Macros, in case an update of the headers has them. */
#define shm_create_subrange_handle no_create_subrange_handle
#define shm_open_handle_pid no_open_handle_pid
#define mmap_handle_pid no_mmap_handle_pid
static int shm_create_subrange_handle(int fd, pid_t pid, int flags, shm_handle_t *h, unsigned options, size_t size, off_t offset)
{
	(void)fd, (void)pid, (void)flags, (void)h, (void)options, (void)size, (void)offset;
	errno = ENOSYS;
	return -1;
}
static int shm_open_handle_pid(shm_handle_t h, int flags, pid_t pid)
{
	(void)h, (void)flags, (void)pid;
	errno = ENOSYS;
	return -1;
}
static void *mmap_handle_pid(void *addr, size_t len, int prot, int flags, shm_handle_t h, pid_t pid, off_t off)
{
	(void)addr, (void)len, (void)prot, (void)flags, (void)h, (void)pid, (void)off;
	errno = ENOSYS;
	return MAP_FAILED;
}
#endif
#ifndef RLIMIT_SHM_HANDLES_NP
#define RLIMIT_SHM_HANDLES_NP 15
#endif

typedef long long rcv; /* a message's id, whatever its type is in this release */

/* ---- questions and answers ---- */

struct question {
	const char *id, *text;
	const char *(*ask)(void);
	struct question *next;
};

static struct question *questions, **last = &questions;

#define PASTE(a, b) a##b
#define NAME(a, b) PASTE(a, b)

/* A question: its id, its text, and the function that answers it. They are asked
   in the order of this file. */
#define ASK(id, text) \
	static const char *NAME(ask, __LINE__)(void); \
	static struct question NAME(question, __LINE__) = {id, text, NAME(ask, __LINE__), NULL}; \
	__attribute__((constructor)) static void NAME(add, __LINE__)(void) \
	{ \
		*last = &NAME(question, __LINE__); \
		last = &NAME(question, __LINE__).next; \
	} \
	static const char *NAME(ask, __LINE__)(void)

static const char *errno_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{0, "EOK"}, {EPERM, "EPERM"}, {ENOENT, "ENOENT"}, {ESRCH, "ESRCH"}, {EINTR, "EINTR"}, {EIO, "EIO"}, {ENXIO, "ENXIO"},
		{EBADF, "EBADF"}, {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"}, {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"},
		{EEXIST, "EEXIST"}, {ENODEV, "ENODEV"}, {ENOTDIR, "ENOTDIR"}, {EISDIR, "EISDIR"}, {EINVAL, "EINVAL"}, {ENFILE, "ENFILE"},
		{EMFILE, "EMFILE"}, {ENOTTY, "ENOTTY"}, {EFBIG, "EFBIG"}, {ENOSPC, "ENOSPC"}, {ESPIPE, "ESPIPE"}, {EROFS, "EROFS"},
		{EPIPE, "EPIPE"}, {EDOM, "EDOM"}, {ERANGE, "ERANGE"}, {EDEADLK, "EDEADLK"}, {ENAMETOOLONG, "ENAMETOOLONG"},
		{ENOSYS, "ENOSYS"}, {ELOOP, "ELOOP"}, {ENOTSUP, "ENOTSUP"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {EOVERFLOW, "EOVERFLOW"},
		{ECANCELED, "ECANCELED"}, {ETIMEDOUT, "ETIMEDOUT"}, {EMSGSIZE, "EMSGSIZE"}, {ENOREMOTE, "ENOREMOTE"},
		{ESRVRFAULT, "ESRVRFAULT"},
	};
	static char other[20];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].error == error)
			return names[i].name;
	snprintf(other, sizeof other, "errno-%d", error);
	return other;
}

static char answer[400];

static const char *say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer, sizeof answer, format, args);
	va_end(args);
	return answer;
}

/* Adds an errno to the answer. */
static void see(int error)
{
	const char *name = errno_name(error);
	size_t n = strlen(name);

	for (const char *p = answer; (p = strstr(p, name)) != NULL; p += n)
		if ((p == answer || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0))
			return;
	if (strlen(answer) + n + 2 < sizeof answer) {
		if (answer[0])
			strcat(answer, " ");
		strcat(answer, name);
	}
}

static const char *seen(void) { return answer; }

static const char *one(int error)
{
	answer[0] = 0;
	see(error);
	return answer;
}

/* What a question needs before it can be asked, and what has to be so. */
#define NEED(condition) \
	do { \
		if (!(condition)) \
			return say("not asked: %s: %s", #condition, errno_name(errno)); \
	} while (0)
#define IS(condition) \
	do { \
		errno = 0; \
		if (!(condition)) \
			return say("no: %s: %s", #condition, errno_name(errno)); \
	} while (0)
#define SINCE80 \
	do { \
		if (RELEASE < 800) \
			return "absent"; \
	} while (0)

/* ---- calls ---- */

static size_t page;
static char name[40]; /* of an object, without the slash of a server; of this process alone */

static const char *server_name(void) { return name[0] == '/' ? name + 1 : name; }

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

static int error_of(long result) { return result == -1 ? errno : 0; }

static int unmapped(void *p, size_t n)
{
	if (p == MAP_FAILED)
		return errno;
	munmap(p, n);
	return 0;
}

static int closed(int fd)
{
	if (fd == -1)
		return errno;
	close(fd);
	return 0;
}

static int object(size_t size)
{
	int fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);

	if (fd != -1 && size > 0 && ftruncate(fd, (off_t)size) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static char *map(int fd, size_t size) { return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0); }
static char *map_handle(shm_handle_t h, size_t size, int prot) { return mmap_handle(NULL, size, prot, MAP_SHARED, h, 0); }

/* Lets the pages of an object begin with 'A', 'B' and so on; returns fd. */
static int write_letters(int fd, int pages)
{
	char *p = fd == -1 ? MAP_FAILED : map(fd, (size_t)pages * page);

	if (p == MAP_FAILED)
		return -1;
	for (int i = 0; i < pages; i++)
		p[(size_t)i * page] = (char)('A' + i);
	munmap(p, (size_t)pages * page);
	return fd;
}

static int lettered(int pages) { return write_letters(object((size_t)pages * page), pages); }

/* The same with flags, set alone or, where that is refused, as memory is given. */
static int flagged(int pages, int flags)
{
	int fd = lettered(pages);

	if (fd == -1 || shm_ctl(fd, flags, 0, 0) != -1)
		return fd;
	close(fd);
	fd = object(0);
	if (fd == -1 || shm_ctl(fd, SHMCTL_ANON | flags, 0, (size_t)pages * page) == -1)
		return -1;
	return write_letters(fd, pages);
}

static int revocable(int pages) { return flagged(pages, SHMCTL_REVOCABLE); }
static int sealed(int pages) { return flagged(pages, SHMCTL_SEAL); }

/* A handle, 0 if there is none. */
static shm_handle_t give(int fd, pid_t pid, int access)
{
	shm_handle_t h = 0;

	return shm_create_handle(fd, pid, access, &h, 0) == 0 ? h : 0;
}

static shm_handle_t give_nofd(int fd, pid_t pid, int access)
{
	shm_handle_t h = 0;

	return shm_create_handle(fd, pid, access, &h, SHM_CREATE_HANDLE_OPT_NOFD) == 0 ? h : 0;
}

static shm_handle_t give_part(int fd, pid_t pid, size_t size, size_t offset)
{
	shm_handle_t h = 0;

	return shm_create_subrange_handle(fd, pid, O_RDWR, &h, 0, size, (off_t)offset) == 0 ? h : 0;
}

static int try_create(int fd, pid_t pid, int access, unsigned options)
{
	shm_handle_t h;

	return error_of(shm_create_handle(fd, pid, access, &h, options));
}

static int try_part(int fd, unsigned options, size_t size, size_t offset)
{
	shm_handle_t h;

	return error_of(shm_create_subrange_handle(fd, getpid(), O_RDONLY, &h, options, size, (off_t)offset));
}

static int try_open(shm_handle_t h, int access) { return closed(shm_open_handle(h, access)); }
static int try_map(shm_handle_t h, size_t size, int prot) { return unmapped(map_handle(h, size, prot), size); }

static int opened(int fd, int access)
{
	shm_handle_t h = give(fd, getpid(), access);

	return h ? shm_open_handle(h, access) : -1;
}

static int size_is(int fd, size_t size)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == (off_t)size;
}

/* The letter at an offset of what fd refers to, 0 if it cannot be mapped. */
static int letter(int fd, size_t at)
{
	char *p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)(at & ~(page - 1))), c;

	if (p == MAP_FAILED)
		return 0;
	c = p[at & (page - 1)];
	munmap(p, page);
	return c;
}

static sigjmp_buf fault;

static void on_fault(int signal) { siglongjmp(fault, signal); }

enum { LOAD, STORE };

/* The signal that an access ends with, 0 if it works. */
static int touch(volatile char *p, int store)
{
	struct sigaction action, segv, bus;
	int signal;

	memset(&action, 0, sizeof action);
	action.sa_handler = on_fault;
	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	signal = sigsetjmp(fault, 1);
	if (signal == 0) {
		if (store)
			*p = 'x';
		else
			(void)*p;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return signal;
}

static const char *signal_name(int signal)
{
	return signal == 0 ? "none" : signal == SIGSEGV ? "SIGSEGV" : signal == SIGBUS ? "SIGBUS" : "another signal";
}

/* ---- other processes ---- */

static char *self; /* as this program was started */

enum {
	OP_NOTHING, OP_OPEN, OP_OPEN_FROM, OP_MAP, OP_MAP_HANDLE, OP_MAP_FROM, OP_UNMAP, OP_CLOSE, OP_DELETE,
	OP_OWN, OP_GIVE, OP_PART, OP_TRUNCATE, OP_CONTROL, OP_REVOKE, OP_TOUCH, OP_EXEC, OP_CHILD_OPEN,
	OP_CHILD_DELETE, OP_CHANNEL, OP_CONNECT, OP_SEND, OP_RECEIVE, OP_REPLY, OP_DETACH, OP_PULSE, OP_ATTACH,
	OP_STORE_BYTE
};

/* What another process does, with the descriptor, mapping, connection and message
   that it has last got. */
struct command {
	int op, a, b;
	long long x;
	shm_handle_t h;
};

struct result {
	int error;
	long long value;
	shm_handle_t h;
};

struct other {
	pid_t pid;
	int to, from;
};

static int whole(int fd, void *p, size_t n, int out)
{
	char *at = p;

	while (n > 0) {
		ssize_t did = out ? write(fd, at, n) : read(fd, at, n);

		if (did == -1 && errno == EINTR)
			continue;
		if (did <= 0)
			return -1;
		at += did;
		n -= (size_t)did;
	}
	return 0;
}

static int instruct(struct other *o, struct command c) { return whole(o->to, &c, sizeof c, 1); }

static struct result hear(struct other *o)
{
	struct result r;

	if (whole(o->from, &r, sizeof r, 0) == -1) {
		memset(&r, 0, sizeof r);
		r.error = EPIPE;
	}
	return r;
}

static struct result do_command(struct other *o, struct command c)
{
	instruct(o, c);
	return hear(o);
}

#define DO(o, ...) do_command(o, (struct command){__VA_ARGS__})

static pid_t others[16]; /* processes of this question, which it ends */
static unsigned n_others;

static struct other start(void)
{
	struct other o = {-1, -1, -1};
	int in[2], out[2];

	if (pipe(in) == -1 || pipe(out) == -1)
		return o;
	o.pid = fork();
	if (o.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (int fd = 3; fd < MAX_FDS; fd++)
			close(fd);
		execlp(self, self, "-other", (char *)NULL);
		_exit(9);
	}
	if (o.pid != -1 && n_others < sizeof others / sizeof others[0])
		others[n_others++] = o.pid;
	close(in[0]);
	close(out[1]);
	o.to = in[1];
	o.from = out[0];
	fcntl(o.to, F_SETFD, FD_CLOEXEC);
	fcntl(o.from, F_SETFD, FD_CLOEXEC);
	if (o.pid != -1 && hear(&o).error != 0) {
		o.pid = -1;
		errno = ENOEXEC;
	}
	return o;
}

static void wait_for(pid_t pid)
{
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

static void end(struct other *o)
{
	close(o->to);
	wait_for(o->pid);
}

static void end_by_kill(struct other *o)
{
	kill(o->pid, SIGKILL);
	wait_for(o->pid);
}

/* The pid of a process that is no more; with zombie, of one nobody has waited for. */
static pid_t ended(int zombie)
{
	int p[2];
	pid_t pid;
	char c;

	if (pipe(p) == -1 || (pid = fork()) == -1)
		return -1;
	if (pid == 0)
		_exit(0);
	close(p[1]);
	(void)!read(p[0], &c, 1); /* its end closes the other copy */
	close(p[0]);
	if (zombie)
		pause_ms(100);
	else
		wait_for(pid);
	return pid;
}

/* A child, started afresh, tries something with a handle; returns the errno. */
static int in_child(const char *what, shm_handle_t h)
{
	char number[24];
	int status;
	pid_t pid;

	snprintf(number, sizeof number, "%llu", (unsigned long long)h);
	pid = fork();
	if (pid == 0) {
		execlp(self, self, what, number, (char *)NULL);
		_exit(255);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return ECHILD;
	return WEXITSTATUS(status);
}

static void perform_shm(const struct command *c, struct result *r)
{
	static int fd = -1;
	static char *mapped = MAP_FAILED;
	static size_t length;
	long did = 0;

	switch (c->op) {
	case OP_OPEN:
		did = fd = shm_open_handle(c->h, c->a);
		break;
	case OP_OPEN_FROM:
		did = fd = shm_open_handle_pid(c->h, c->a, c->b);
		break;
	case OP_MAP:
		length = c->x ? (size_t)c->x : page;
		mapped = map(fd, length);
		did = mapped == MAP_FAILED ? -1 : 0;
		break;
	case OP_MAP_HANDLE:
		length = c->x ? (size_t)c->x : page;
		mapped = map_handle(c->h, length, c->a ? c->a : PROT_READ | PROT_WRITE);
		did = mapped == MAP_FAILED ? -1 : 0;
		break;
	case OP_MAP_FROM:
		length = page;
		mapped = mmap_handle_pid(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, c->h, c->b, 0);
		did = mapped == MAP_FAILED ? -1 : 0;
		break;
	case OP_UNMAP:
		did = munmap(mapped, length);
		break;
	case OP_CLOSE:
		did = close(fd);
		break;
	case OP_DELETE:
		did = shm_delete_handle(c->h);
		break;
	case OP_OWN:
		did = fd = c->a ? revocable(1) : lettered(1);
		break;
	case OP_GIVE:
		did = shm_create_handle(fd, c->a, c->b, &r->h, (unsigned)c->x);
		break;
	case OP_TRUNCATE:
		did = ftruncate(fd, (off_t)c->x);
		break;
	case OP_CONTROL:
		did = shm_ctl(fd, c->a, 0, (uint64_t)c->x);
		break;
	case OP_REVOKE:
		did = shm_revoke(fd, c->a);
		break;
	case OP_TOUCH:
		r->value = touch(mapped + c->x, LOAD);
		if (r->value == 0)
			r->value = -mapped[c->x];
		return;
	case OP_STORE_BYTE:
		r->value = touch(mapped + c->x, STORE);
		return;
	case OP_CHILD_OPEN:
		r->error = in_child("-open", c->h);
		return;
	case OP_CHILD_DELETE:
		r->error = in_child("-delete", c->h);
		return;
	}
	r->value = did;
	r->error = error_of(did);
}

static void perform(const struct command *c, struct result *r)
{
	static int chid, coid;
	static rcv id;
	char b[64] = "message";
	long long did = 0;

	memset(r, 0, sizeof *r);
	switch (c->op) {
	case OP_NOTHING:
		return;
	case OP_CHANNEL:
		did = chid = ChannelCreate((unsigned)c->a);
		break;
	case OP_CONNECT:
		did = coid = ConnectAttach(0, c->a, c->b, _NTO_SIDE_CHANNEL, 0);
		break;
	case OP_SEND:
		did = MsgSend(coid, b, sizeof b, b, sizeof b);
		break;
	case OP_RECEIVE:
		did = id = MsgReceive(chid, b, sizeof b, NULL);
		break;
	case OP_REPLY:
		did = MsgReply(id, c->a, NULL, 0);
		break;
	case OP_DETACH:
		did = ConnectDetach(coid);
		break;
	case OP_PULSE:
		did = MsgSendPulse(coid, -1, c->a, c->b);
		break;
	case OP_ATTACH:
		snprintf(name, sizeof name, "qnxshm-probe-%d", c->a);
		did = name_attach(NULL, server_name(), 0) ? 0 : -1;
		break;
	default:
		perform_shm(c, r);
		return;
	}
	r->value = did;
	r->error = did == -1 ? errno : 0;
}

/* The life of another process. */
static int be_other(void)
{
	struct command c;
	struct result r = {0, 0, 0};

	alarm(2 * PATIENCE);
	if (whole(1, &r, sizeof r, 1) == -1)
		return 1;
	while (whole(0, &c, sizeof c, 0) == 0) {
		if (c.op == OP_EXEC) {
			execlp(self, self, "-other", (char *)NULL);
			return 9;
		}
		perform(&c, &r);
		if (whole(1, &r, sizeof r, 1) == -1)
			break;
	}
	return 0;
}

/* ---- channels ---- */

union message {
	struct _pulse pulse;
	char text[64];
};

/* One that others can connect to, if this user may have such a channel. */
static int channel(unsigned flags)
{
	int chid = ChannelCreate(flags);

	return chid == -1 && errno == EPERM ? ChannelCreate(flags | _NTO_CHF_PRIVATE) : chid;
}

static int attach(int chid) { return ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0); }

static void timeout(unsigned states, uint64_t ms)
{
	uint64_t ns = ms * 1000000;

	TimerTimeout(CLOCK_MONOTONIC, states, NULL, &ns, NULL);
}

/* A message's id, 0 for a pulse, -1 with ETIMEDOUT when nothing comes. */
static rcv receive(int chid, union message *m, uint64_t ms)
{
	timeout(_NTO_TIMEOUT_RECEIVE, ms);
	return MsgReceive(chid, m, sizeof *m, NULL);
}

/* The next pulse's code; 1000 for a message, 1001 for nothing. */
static int next_pulse(int chid, uint64_t ms)
{
	union message m;
	rcv id = receive(chid, &m, ms);

	return id == -1 ? 1001 : id == 0 ? m.pulse.code : 1000;
}

/* A client is a thread that sends, once, or twice. */
struct client {
	int coid, twice;
	uint64_t ms; /* how long it waits, 0 for ever */
	volatile int back, error, second;
	volatile long status;
	pthread_t thread;
};

static void *send_message(void *p)
{
	struct client *c = p;

	if (c->ms)
		timeout(_NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, c->ms);
	c->status = MsgSend(c->coid, "message", 8, NULL, 0);
	c->error = error_of(c->status);
	c->back = 1;
	if (c->twice) {
		c->status = MsgSend(c->coid, "another", 8, NULL, 0);
		c->second = error_of(c->status);
		c->back = 2;
	}
	return NULL;
}

static int start_client(struct client *c)
{
	int error = pthread_create(&c->thread, NULL, send_message, c);

	errno = error;
	return error;
}

/* Waits until the client is back. */
static int is_back(struct client *c, int times, int ms)
{
	for (int i = 0; c->back < times; i++) {
		if (i >= ms / 10)
			return 0;
		pause_ms(10);
	}
	return 1;
}

/* ---- shm_create_handle ---- */

#define BAD_ACCESS 0x7000000
#define BAD_OPTIONS 0x8000
#define NO_PID ((pid_t)0x3fffffff)
#define NO_FD 0x3fffffff

ASK("create/options-unknown", "shm_create_handle() with unknown option bits: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	see(try_create(fd, getpid(), O_RDONLY, BAD_OPTIONS));
	see(try_create(fd, getpid(), O_RDONLY, 0x80000000U));
	return seen();
}

ASK("create/fd-not-memory", "shm_create_handle() of a file, a directory, a pipe: which errno?")
{
	int file = open("/dev/null", O_RDWR), dir = open("/", O_RDONLY), p[2];

	NEED(file != -1 && dir != -1 && pipe(p) == 0);
	see(try_create(file, getpid(), O_RDONLY, 0));
	see(try_create(dir, getpid(), O_RDONLY, 0));
	see(try_create(p[0], getpid(), O_RDONLY, 0));
	return seen();
}

ASK("create/zombie", "shm_create_handle() for a process that has ended and was not waited for: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	return one(try_create(fd, ended(1), O_RDONLY, 0));
}

ASK("create/no-such-process", "shm_create_handle() for a pid that no process has: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	see(try_create(fd, ended(0), O_RDONLY, 0));
	see(try_create(fd, NO_PID, O_RDONLY, 0));
	return seen();
}

ASK("create/pid-zero", "shm_create_handle() for pid 0: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	return one(try_create(fd, 0, O_RDONLY, 0));
}

ASK("create/pid-negative", "shm_create_handle() for a negative pid: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	see(try_create(fd, -1, O_RDONLY, 0));
	see(try_create(fd, -getpid(), O_RDONLY, 0));
	return seen();
}

ASK("create/distinct", "Has each of 100 handles another value, never 0 or all ones?")
{
	int fd = object(page);
	shm_handle_t h[100];

	NEED(fd != -1);
	for (int i = 0; i < 100; i++) {
		NEED(shm_create_handle(fd, getpid(), O_RDONLY, &h[i], 0) == 0);
		IS(h[i] != 0 && h[i] != (shm_handle_t)-1);
		for (int j = 0; j < i; j++)
			IS(h[i] != h[j]);
	}
	return "yes";
}

ASK("create/order-access-fd", "shm_create_handle() with bad access and bad fd: which errno?")
{
	return one(try_create(NO_FD, getpid(), BAD_ACCESS, 0));
}

ASK("create/order-options-fd", "shm_create_handle() with unknown options and bad fd: which errno?")
{
	return one(try_create(NO_FD, getpid(), O_RDONLY, BAD_OPTIONS));
}

ASK("create/order-access-pid", "shm_create_handle() with bad access and no such pid: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	return one(try_create(fd, NO_PID, BAD_ACCESS, 0));
}

ASK("create/order-fd-pid", "shm_create_handle() with bad fd and no such pid: which errno?")
{
	return one(try_create(NO_FD, NO_PID, O_RDONLY, 0));
}

ASK("create/order-mode-pid", "shm_create_handle() with more access than fd has and no such pid: which errno?")
{
	int fd = object(page), reader;

	NEED(fd != -1 && (reader = opened(fd, O_RDONLY)) != -1);
	return one(try_create(reader, NO_PID, O_RDWR, 0));
}

ASK("ask/create-null", "shm_create_handle() with no place for the handle: which errno, or does it end the program?")
{
	int fd = object(page);

	NEED(fd != -1);
	return one(error_of(shm_create_handle(fd, getpid(), O_RDONLY, NULL, 0)));
}

ASK("ask/handle-size", "How many bytes has shm_handle_t?") { return say("%u", (unsigned)sizeof(shm_handle_t)); }

/* ---- shm_create_subrange_handle ---- */

ASK("subrange/size-unaligned", "A handle of a part whose size is no page multiple: which errno?")
{
	int fd = lettered(4);

	SINCE80;
	NEED(fd != -1);
	see(try_part(fd, 0, 1, 0));
	see(try_part(fd, 0, page + 1, page));
	return seen();
}

ASK("subrange/offset-unaligned", "A handle of a part whose offset is no page multiple: which errno?")
{
	int fd = lettered(4);

	SINCE80;
	NEED(fd != -1);
	see(try_part(fd, 0, page, 1));
	see(try_part(fd, 0, page, page + 512));
	return seen();
}

ASK("subrange/size-zero", "A handle of a part of size 0: which errno?")
{
	int fd = lettered(4);

	SINCE80;
	NEED(fd != -1);
	return one(try_part(fd, 0, 0, 0));
}

ASK("subrange/past-end", "A handle of a part that ends past the object: which errno?")
{
	int fd = lettered(4);

	SINCE80;
	NEED(fd != -1);
	see(try_part(fd, 0, 2 * page, 3 * page));
	see(try_part(fd, 0, page, 4 * page));
	see(try_part(fd, 0, 5 * page, 0));
	return seen();
}

ASK("subrange/past-partial-page", "A handle of a part that ends in the last page past the object's last byte: which errno?")
{
	int fd = object(page + 100);

	SINCE80;
	NEED(fd != -1);
	return one(try_part(fd, 0, 2 * page, 0));
}

ASK("subrange/overflow", "A handle of a part whose offset and size overflow: which errno?")
{
	int fd = lettered(4);

	SINCE80;
	NEED(fd != -1);
	return one(try_part(fd, 0, ((size_t)-1 >> 1) & ~(page - 1), 2 * page));
}

ASK("subrange/options-bad", "A handle of a part with unknown option bits: which errno?")
{
	int fd = lettered(4);

	SINCE80;
	NEED(fd != -1);
	return one(try_part(fd, BAD_OPTIONS, page, 0));
}

/* A descriptor of pages 2 and 3 of four. */
static int window(int fd)
{
	shm_handle_t h = give_part(fd, getpid(), 2 * page, page);

	return h ? shm_open_handle(h, O_RDWR) : -1;
}

ASK("window/start", "Is offset 0 of what a part's handle opens the start of the part?")
{
	int fd = lettered(4), w;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1);
	IS(letter(w, 0) == 'B');
	IS(letter(w, page) == 'C');
	return "yes";
}

ASK("window/write", "Do bytes written through a part's descriptor appear in the part, and no others change?")
{
	int fd = lettered(4), w;
	char *p;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && (p = map(w, 2 * page)) != MAP_FAILED);
	p[0] = 'x';
	IS(letter(fd, page) == 'x');
	IS(letter(fd, 0) == 'A' && letter(fd, 2 * page) == 'C' && letter(fd, 3 * page) == 'D');
	return "yes";
}

ASK("window/length", "Does fstat() of a part's descriptor tell the size of the part?")
{
	int fd = lettered(4), w;
	struct stat st;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && fstat(w, &st) == 0);
	if (st.st_size == (off_t)(2 * page))
		return "yes";
	return say("no: %ld pages of 4, the part has 2", (long)(st.st_size / (off_t)page));
}

ASK("window/map-outside", "mmap() of more than the part behind a part's descriptor: which errno?")
{
	int fd = lettered(4), w;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1);
	see(unmapped(map(w, 3 * page), 3 * page));
	see(unmapped(mmap(NULL, page, PROT_READ, MAP_SHARED, w, (off_t)(2 * page)), page));
	return seen();
}

ASK("window/resize", "ftruncate() of a part's descriptor: which errno?")
{
	int fd = lettered(4), w;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1);
	see(error_of(ftruncate(w, (off_t)page)));
	see(error_of(ftruncate(w, (off_t)(6 * page))));
	return seen();
}

ASK("window/handle-of-window", "Does a handle made from a part's descriptor give the same part?")
{
	int fd = lettered(4), w, again;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1);
	IS((again = opened(w, O_RDWR)) != -1);
	IS(letter(again, 0) == 'B' && letter(again, page) == 'C');
	IS(letter(again, 2 * page) == 0);
	return "yes";
}

ASK("window/nested-offset", "Does the offset of a part of a part count from the start of the outer part?")
{
	int fd = lettered(4), w, inner;
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && (h = give_part(w, getpid(), page, page)) != 0);
	NEED((inner = shm_open_handle(h, O_RDWR)) != -1);
	if (letter(inner, 0) == 'C')
		return "yes";
	return say("no: it begins at page %d of the object, not at 3", letter(inner, 0) - 'A' + 1);
}

ASK("window/nested-past-end", "A part of a part that lies in the object but not in the outer part: which errno?")
{
	int fd = lettered(4), w;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1);
	see(try_part(w, 0, page, 2 * page));
	see(try_part(w, 0, 3 * page, 0));
	return seen();
}

ASK("window/duplicate", "Is a duplicate of a part's descriptor the same part?")
{
	int fd = lettered(4), w, d, again;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && (d = dup(w)) != -1);
	IS(letter(d, 0) == 'B');
	IS(letter(d, 2 * page) == 0);
	IS((again = opened(d, O_RDWR)) != -1 && letter(again, 0) == 'B');
	return "yes";
}

ASK("window/duplicate-nested", "Does a part of a duplicate of a part's descriptor count from the start of that part?")
{
	int fd = lettered(4), w, d, inner;
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && (d = dup(w)) != -1);
	NEED((h = give_part(d, getpid(), page, page)) != 0 && (inner = shm_open_handle(h, O_RDWR)) != -1);
	IS(letter(inner, 0) == 'C');
	return "yes";
}

ASK("window/beside-whole", "Does each of two descriptors, of a part and of the whole object, keep its own extent?")
{
	int fd = lettered(4), w, again;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && (again = opened(fd, O_RDWR)) != -1);
	IS(letter(again, 0) == 'A' && letter(again, 3 * page) == 'D');
	IS(letter(w, 0) == 'B' && letter(w, 2 * page) == 0);
	return "yes";
}

ASK("window/shrunk", "Is memory of a part a fault once the object was cut off under it?")
{
	int fd = lettered(4), w;
	char *p;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && (p = map(w, 2 * page)) != MAP_FAILED && ftruncate(fd, (off_t)(2 * page)) == 0);
	IS(touch(p, LOAD) == 0);
	IS(touch(p + page, LOAD) == SIGBUS);
	return "yes";
}

/* ---- shm_open_handle ---- */

ASK("open/never-existed", "shm_open_handle() of a handle that never existed: which errno?")
{
	see(try_open(1, O_RDONLY));
	see(try_open((shm_handle_t)0x12345678, O_RDONLY));
	return seen();
}

ASK("open/used", "shm_open_handle() of a handle that was opened before: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0 && try_open(h, O_RDWR) == 0);
	return one(try_open(h, O_RDWR));
}

ASK("open/deleted", "shm_open_handle() of a handle that was deleted: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0 && shm_delete_handle(h) == 0);
	return one(try_open(h, O_RDWR));
}

ASK("open/zero", "shm_open_handle() of handle 0: which errno?") { return one(try_open(0, O_RDONLY)); }
ASK("open/all-ones", "shm_open_handle() of the handle of all ones: which errno?") { return one(try_open((shm_handle_t)-1, O_RDONLY)); }

ASK("open/other-process", "shm_open_handle() of a handle made for another process: which errno?")
{
	struct other recipient = start(), stranger = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(recipient.pid != -1 && stranger.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	return one(DO(&stranger, .op = OP_OPEN, .h = h, .a = O_RDWR).error);
}

ASK("open/other-process-kept", "Is a handle still good for its recipient after another process tried to open it?")
{
	struct other recipient = start(), stranger = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(recipient.pid != -1 && stranger.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	NEED(DO(&stranger, .op = OP_OPEN, .h = h, .a = O_RDWR).error != 0);
	errno = DO(&recipient, .op = OP_OPEN, .h = h, .a = O_RDWR).error;
	return errno ? say("no: %s", errno_name(errno)) : "yes";
}

ASK("open/by-maker", "shm_open_handle() by the maker, of a handle made for another process: which errno?")
{
	struct other recipient = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(recipient.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	return one(try_open(h, O_RDWR));
}

ASK("open/more-access-kept", "Is a handle still good after more access than it has was refused?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0 && try_open(h, O_RDWR) != 0);
	IS(try_open(h, O_RDONLY) == 0);
	return "yes";
}

ASK("open/write-only-handle-reads", "shm_open_handle() for reading, of a handle O_WRONLY: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_WRONLY)) != 0);
	see(try_open(h, O_RDONLY));
	see(try_open(h, O_RDWR));
	return seen();
}

ASK("open/access-illegal-kept", "Is a handle still good after an illegal access was refused?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0 && try_open(h, BAD_ACCESS) != 0);
	IS(try_open(h, O_RDONLY) == 0);
	return "yes";
}

ASK("open/order-access-handle", "shm_open_handle() with illegal access, of a handle that never existed: which errno?")
{
	return one(try_open(1, BAD_ACCESS));
}

ASK("open/order-recipient-mode", "shm_open_handle() with more access than the handle has, by another process: which errno?")
{
	struct other recipient = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(recipient.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDONLY)) != 0);
	return one(try_open(h, O_RDWR));
}

/* Uses up the descriptors that this process may have. */
static int fill_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return -1;
	if (l.rlim_cur > MAX_FDS)
		l.rlim_cur = MAX_FDS;
	if (setrlimit(RLIMIT_NOFILE, &l) == -1)
		return -1;
	while (dup(0) != -1)
		;
	return errno == EMFILE ? 0 : -1;
}

ASK("open/table-full-kept", "Is a handle still good after opening it failed for want of a descriptor?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0 && fill_descriptors() == 0);
	NEED(try_open(h, O_RDONLY) == EMFILE && close(fd) == 0);
	IS(try_open(h, O_RDONLY) == 0);
	return "yes";
}

ASK("open/maker-stopped", "shm_open_handle() while the maker of the handle is stopped: which errno?")
{
	struct other maker = start();
	struct result r;

	NEED(maker.pid != -1 && DO(&maker, .op = OP_OWN).error == 0);
	r = DO(&maker, .op = OP_GIVE, .a = getpid(), .b = O_RDWR);
	NEED(r.error == 0 && kill(maker.pid, SIGSTOP) == 0);
	pause_ms(SILENCE);
	return one(try_open(r.h, O_RDWR));
}

/* ---- shm_open_handle_pid ---- */

/* A process, and a handle that it has made for this one. */
static shm_handle_t given_by(struct other *maker, unsigned options)
{
	struct result r;

	*maker = start();
	if (maker->pid == -1 || DO(maker, .op = OP_OWN).error != 0)
		return 0;
	r = DO(maker, .op = OP_GIVE, .a = getpid(), .b = O_RDWR, .x = options);
	return r.error == 0 ? r.h : 0;
}

static int try_open_from(shm_handle_t h, int access, pid_t pid) { return closed(shm_open_handle_pid(h, access, pid)); }

ASK("maker/matches", "Does shm_open_handle_pid() open the handle that this pid has made?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, 0)) != 0);
	IS(try_open_from(h, O_RDWR, maker.pid) == 0);
	return "yes";
}

ASK("maker/own", "Does shm_open_handle_pid() open a handle that the caller made for itself?")
{
	int fd = object(page);
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0);
	IS(try_open_from(h, O_RDWR, getpid()) == 0);
	return "yes";
}

ASK("maker/differs", "shm_open_handle_pid() of a handle that another process has made: which errno?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, 0)) != 0);
	see(try_open_from(h, O_RDWR, getpid()));
	see(try_open_from(h, O_RDWR, getppid()));
	return seen();
}

ASK("maker/differs-kept", "Is a handle still good after shm_open_handle_pid() failed for another pid?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, 0)) != 0 && try_open_from(h, O_RDWR, getpid()) != 0);
	IS(try_open_from(h, O_RDWR, maker.pid) == 0);
	return "yes";
}

ASK("maker/nobody", "shm_open_handle_pid() with pid 0 or a negative pid: which errno?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, 0)) != 0);
	see(try_open_from(h, O_RDWR, 0));
	see(try_open_from(h, O_RDWR, -1));
	see(try_open_from(h, O_RDWR, -maker.pid));
	return seen();
}

ASK("maker/is-not-creator", "Is the pid of shm_open_handle_pid() that of who made the handle, not of who created the object?")
{
	struct other passer = start();
	struct result r;
	int fd = object(page);
	shm_handle_t h;

	SINCE80;
	NEED(passer.pid != -1 && fd != -1 && (h = give(fd, passer.pid, O_RDWR)) != 0);
	NEED(DO(&passer, .op = OP_OPEN, .h = h, .a = O_RDWR).error == 0);
	r = DO(&passer, .op = OP_GIVE, .a = getpid(), .b = O_RDWR);
	NEED(r.error == 0);
	IS(try_open_from(r.h, O_RDWR, getpid()) != 0);
	IS(try_open_from(r.h, O_RDWR, passer.pid) == 0);
	return "yes";
}

ASK("maker/more-access", "shm_open_handle_pid() with more access than the handle has: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0);
	return one(try_open_from(h, O_RDWR, getpid()));
}

ASK("maker/access-illegal", "shm_open_handle_pid() with illegal access: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0);
	return one(try_open_from(h, BAD_ACCESS, getpid()));
}

/* ---- shm_delete_handle, and how long things live ---- */

ASK("delete/zero", "shm_delete_handle() of 0 and of all ones: which errno?")
{
	see(error_of(shm_delete_handle(0)));
	see(error_of(shm_delete_handle((shm_handle_t)-1)));
	return seen();
}

ASK("delete/maker-stopped", "shm_delete_handle() by the recipient while the maker is stopped: which errno?")
{
	struct other maker;
	shm_handle_t h;

	NEED((h = given_by(&maker, 0)) != 0 && kill(maker.pid, SIGSTOP) == 0);
	pause_ms(SILENCE);
	return one(error_of(shm_delete_handle(h)));
}

ASK("life/maker-exits", "shm_open_handle() after the maker has exited: which errno?")
{
	struct other maker;
	shm_handle_t h;

	NEED((h = given_by(&maker, 0)) != 0);
	end(&maker);
	return one(try_open(h, O_RDWR));
}

ASK("life/maker-killed", "shm_open_handle() after the maker was killed: which errno?")
{
	struct other maker;
	shm_handle_t h;

	NEED((h = given_by(&maker, 0)) != 0);
	end_by_kill(&maker);
	return one(try_open(h, O_RDWR));
}

ASK("life/recipient-exits", "shm_delete_handle() by the maker after the recipient has exited: which errno?")
{
	struct other recipient = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(recipient.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	end(&recipient);
	pause_ms(SILENCE);
	return one(error_of(shm_delete_handle(h)));
}

ASK("life/handle-keeps-object", "Does an unused handle keep an object alive that its maker has closed?")
{
	int fd = lettered(1);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0 && close(fd) == 0);
	pause_ms(SILENCE);
	IS((fd = shm_open_handle(h, O_RDWR)) != -1);
	IS(letter(fd, 0) == 'A');
	return "yes";
}

static int named(int flags)
{
	return shm_open(name, flags | O_CREAT, 0600);
}

ASK("life/unlinked", "Is a handle good after the object's name was removed and its descriptor closed?")
{
	int fd = named(O_RDWR);
	shm_handle_t h;

	NEED(fd != -1 && ftruncate(fd, (off_t)page) == 0 && (h = give(fd, getpid(), O_RDWR)) != 0);
	NEED(shm_unlink(name) == 0);
	IS(try_open(h, O_RDWR) == 0);
	return "yes";
}

ASK("life/recipient-execs", "Is a handle good for a recipient that has called exec?")
{
	struct other recipient = start();
	int fd = object(page), error;
	shm_handle_t h;

	NEED(recipient.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	NEED(DO(&recipient, .op = OP_EXEC).error == 0);
	error = DO(&recipient, .op = OP_OPEN, .h = h, .a = O_RDWR).error;
	return error ? say("no: %s", errno_name(error)) : "yes";
}

ASK("life/recipients-child-kept", "Is a handle good for its recipient after a child of the recipient tried to open it?")
{
	struct other recipient = start();
	int fd = object(page), error;
	shm_handle_t h;

	NEED(recipient.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	NEED(DO(&recipient, .op = OP_CHILD_OPEN, .h = h).error != 0);
	error = DO(&recipient, .op = OP_OPEN, .h = h, .a = O_RDWR).error;
	return error ? say("no: %s", errno_name(error)) : "yes";
}

ASK("life/makers-child", "shm_delete_handle() by a child of the maker: which errno?")
{
	struct other recipient = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(recipient.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	return one(in_child("-delete", h));
}

ASK("life/passed-on-outlives-creator", "Is a handle that a recipient has made good after the object's creator has exited?")
{
	struct other creator = start(), passer = start();
	struct result r;

	NEED(creator.pid != -1 && passer.pid != -1 && DO(&creator, .op = OP_OWN).error == 0);
	r = DO(&creator, .op = OP_GIVE, .a = passer.pid, .b = O_RDWR);
	NEED(r.error == 0 && DO(&passer, .op = OP_OPEN, .h = r.h, .a = O_RDWR).error == 0);
	r = DO(&passer, .op = OP_GIVE, .a = getpid(), .b = O_RDWR);
	NEED(r.error == 0);
	end(&creator);
	IS(try_open(r.h, O_RDWR) == 0);
	return "yes";
}

/* ---- shm_open, ftruncate ---- */

ASK("object/anonymous-write-only", "shm_open(SHM_ANON, O_WRONLY): which errno?") { return one(closed(shm_open(SHM_ANON, O_WRONLY | O_CREAT, 0600))); }
ASK("object/anonymous-unknown-flags", "shm_open(SHM_ANON) with O_APPEND, O_NONBLOCK: which errno?")
{
	see(closed(shm_open(SHM_ANON, O_RDWR | O_CREAT | O_APPEND, 0600)));
	see(closed(shm_open(SHM_ANON, O_RDWR | O_CREAT | O_NONBLOCK, 0600)));
	return seen();
}

ASK("object/anonymous-read-only", "Does shm_open(SHM_ANON, O_RDONLY) give an empty object that cannot grow?")
{
	int fd;

	IS((fd = shm_open(SHM_ANON, O_RDONLY, 0600)) != -1);
	IS(size_is(fd, 0));
	IS(ftruncate(fd, (off_t)page) == -1);
	return "yes";
}

ASK("object/named-write-only", "shm_open() of a name with O_WRONLY: which errno?")
{
	int fd = named(O_RDWR);

	NEED(fd != -1);
	return one(closed(shm_open(name, O_WRONLY, 0)));
}

ASK("object/named-unknown-flags", "shm_open() of a name with O_APPEND, O_NONBLOCK: which errno?")
{
	int fd = named(O_RDWR);

	NEED(fd != -1);
	see(closed(shm_open(name, O_RDWR | O_APPEND, 0)));
	see(closed(shm_open(name, O_RDWR | O_NONBLOCK, 0)));
	return seen();
}

ASK("object/read-write", "Do read() and write() work on an object, at its offset, and extend it?")
{
	int fd = lettered(1);
	char b[8] = "";

	NEED(fd != -1);
	IS(lseek(fd, (off_t)page, SEEK_SET) == (off_t)page);
	IS(read(fd, b, 1) == 0);
	IS(write(fd, "xy", 2) == 2);
	IS(size_is(fd, page + 2));
	IS(lseek(fd, 0, SEEK_SET) == 0 && read(fd, b, 1) == 1 && b[0] == 'A');
	return "yes";
}

ASK("object/shared-offset", "Has a duplicate of an object's descriptor the same offset?")
{
	int fd = lettered(1), other;

	NEED(fd != -1 && (other = dup(fd)) != -1 && lseek(other, 7, SEEK_SET) == 7);
	IS(lseek(fd, 0, SEEK_CUR) == 7);
	return "yes";
}

ASK("ask/object-stat", "What does fstat() tell of an object: its type, links, block size?")
{
	int fd = lettered(1);
	struct stat st;

	NEED(fd != -1 && fstat(fd, &st) == 0);
	return say("type %#o, %ld links, mode %#o, block size %s", (unsigned)(st.st_mode & S_IFMT), (long)st.st_nlink,
		(unsigned)(st.st_mode & 07777), (size_t)st.st_blksize == page ? "a page" : "other");
}

ASK("truncate/any-size", "Has an object a size that is no page multiple to the byte?")
{
	int fd = object(0);

	NEED(fd != -1);
	IS(ftruncate(fd, 12345) == 0 && size_is(fd, 12345));
	IS(ftruncate(fd, 1) == 0 && size_is(fd, 1));
	return "yes";
}

ASK("ask/truncate-populated", "ftruncate() of an object that got its size by shm_ctl(): which errno, larger and smaller?")
{
	int fd = object(0);

	NEED(fd != -1 && shm_ctl(fd, SHMCTL_ANON, 0, 2 * page) != -1);
	see(error_of(ftruncate(fd, (off_t)(4 * page))));
	see(error_of(ftruncate(fd, (off_t)page)));
	return seen();
}

/* ---- mmap, munmap, mprotect, msync ---- */

ASK("map/offset-unaligned", "mmap() at an offset that is no page multiple: which errno?")
{
	int fd = lettered(4);

	NEED(fd != -1);
	see(unmapped(mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 1), page));
	see(unmapped(mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page + 512), page));
	return seen();
}

ASK("map/offset-negative", "mmap() at a negative offset: which errno?")
{
	int fd = lettered(4);

	NEED(fd != -1);
	return one(unmapped(mmap(NULL, page, PROT_READ, MAP_SHARED, fd, -(off_t)page), page));
}

ASK("map/not-open", "mmap() of a descriptor that is not open: which errno?") { return one(unmapped(map(NO_FD, page), page)); }
ASK("map/fd-negative", "mmap() of descriptor -1 and -2: which errno?")
{
	see(unmapped(map(-1, page), page));
	see(unmapped(map(-2, page), page));
	return seen();
}

ASK("map/protection", "Is mapped memory shared, and has it the access asked for and no other?")
{
	int fd = lettered(1);
	char *p, *q;

	NEED(fd != -1 && (p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0)) != MAP_FAILED && (q = map(fd, page)) != MAP_FAILED);
	IS(touch(p, LOAD) == 0);
	IS(touch(p, STORE) != 0);
	q[1] = 'q';
	IS(p[1] == 'q');
	return "yes";
}

ASK("map/longer-than-object", "Can a mapping be longer than the object, and is it SIGBUS to touch what is past the end until the object grows?")
{
	int fd = lettered(1);
	char *p;

	NEED(fd != -1);
	IS((p = map(fd, 3 * page)) != MAP_FAILED);
	IS(touch(p, LOAD) == 0);
	IS(touch(p + page, LOAD) == SIGBUS);
	NEED(ftruncate(fd, (off_t)(3 * page)) == 0);
	IS(touch(p + page, STORE) == 0);
	return "yes";
}

ASK("map/shrunk", "Is it SIGBUS to touch a mapping past the end of an object that was made smaller?")
{
	int fd = lettered(3);
	char *p;

	NEED(fd != -1 && (p = map(fd, 3 * page)) != MAP_FAILED);
	IS(ftruncate(fd, (off_t)page) == 0);
	IS(touch(p, LOAD) == 0);
	IS(touch(p + page, LOAD) == SIGBUS);
	IS(touch(p + 2 * page, STORE) == SIGBUS);
	return "yes";
}

ASK("map/shrunk-by-other", "Is it SIGBUS to touch a mapping that another process has cut off?")
{
	struct other o = start();
	int fd = lettered(3);
	shm_handle_t h;
	char *p;

	NEED(o.pid != -1 && fd != -1 && (p = map(fd, 3 * page)) != MAP_FAILED && (h = give(fd, o.pid, O_RDWR)) != 0);
	NEED(DO(&o, .op = OP_OPEN, .h = h, .a = O_RDWR).error == 0);
	IS(DO(&o, .op = OP_TRUNCATE, .x = (long long)page).error == 0);
	IS(touch(p + 2 * page, LOAD) == SIGBUS);
	return "yes";
}

ASK("ask/munmap-errno", "munmap() of length 0, of what is not mapped: which errno?")
{
	char *p = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0);

	NEED(p != MAP_FAILED && munmap(p, page) == 0);
	return say("length 0 %s; not mapped %s", errno_name(error_of(munmap(p, 0))), errno_name(error_of(munmap(p, page))));
}

ASK("map/protect-more", "mprotect() for writing, mapped from a descriptor or handle that is not open for writing: which errno?")
{
	int fd = object(page), reader;
	shm_handle_t h;
	char *p, *q;

	NEED(fd != -1 && (reader = opened(fd, O_RDONLY)) != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0);
	NEED((p = mmap(NULL, page, PROT_READ, MAP_SHARED, reader, 0)) != MAP_FAILED && (q = map_handle(h, page, PROT_READ)) != MAP_FAILED);
	see(error_of(mprotect(p, page, PROT_READ | PROT_WRITE)));
	see(error_of(mprotect(q, page, PROT_READ | PROT_WRITE)));
	return seen();
}

/* A page where nothing is mapped, NULL if there is none. */
static char *nowhere(void)
{
	char *p = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0);

	return p == MAP_FAILED || munmap(p, page) == -1 ? NULL : p;
}

ASK("map/protect-nothing", "mprotect() where nothing is mapped: which errno?")
{
	char *p = nowhere();

	NEED(p != NULL);
	return one(error_of(mprotect(p, page, PROT_READ)));
}

ASK("map/sync-nothing", "msync() where nothing is mapped: which errno?")
{
	char *p = nowhere();

	NEED(p != NULL);
	return one(error_of(msync(p, page, MS_ASYNC)));
}

ASK("map/sync-both", "msync() with MS_SYNC and MS_ASYNC: which errno?")
{
	int fd = object(page);
	char *p;

	NEED(fd != -1 && (p = map(fd, page)) != MAP_FAILED);
	return one(error_of(msync(p, page, MS_SYNC | MS_ASYNC)));
}

/* ---- shm_ctl ---- */

ASK("control/extends-offset", "Does shm_ctl(SHMCTL_ANON) count the size from the descriptor's offset?")
{
	int fd = object(0);
	struct stat st;

	NEED(fd != -1 && shm_ctl(fd, SHMCTL_ANON, 0, page) != -1 && lseek(fd, (off_t)page, SEEK_SET) == (off_t)page);
	IS(shm_ctl(fd, SHMCTL_ANON, 0, 2 * page) != -1);
	NEED(fstat(fd, &st) == 0);
	if (st.st_size == (off_t)(3 * page))
		return "yes";
	return say("no: at offset 1 page, 2 pages give %ld", (long)(st.st_size / (off_t)page));
}

ASK("control/sized-before", "Does shm_ctl(SHMCTL_ANON) extend an object that got its size by ftruncate()?")
{
	int fd = lettered(1);

	NEED(fd != -1);
	IS(shm_ctl(fd, SHMCTL_ANON, 0, 3 * page) != -1);
	IS(size_is(fd, 3 * page));
	IS(letter(fd, 0) == 'A');
	return "yes";
}

static int try_control(int fd, int flags, uint64_t paddr, uint64_t size) { return error_of(shm_ctl(fd, flags, paddr, size)); }

ASK("control/read-only", "shm_ctl(SHMCTL_ANON) with a descriptor that is not open for writing: which errno?")
{
	int fd = object(page), reader;

	NEED(fd != -1 && (reader = opened(fd, O_RDONLY)) != -1);
	see(try_control(reader, SHMCTL_ANON, 0, 2 * page));
	see(try_control(reader, SHMCTL_SEAL, 0, 0));
	return seen();
}

ASK("control/window", "shm_ctl() with a part's descriptor: which errno?")
{
	int fd = lettered(4), w;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1);
	see(try_control(w, SHMCTL_ANON, 0, 6 * page));
	see(try_control(w, SHMCTL_SEAL, 0, 0));
	return seen();
}

ASK("control/fd-not-open", "shm_ctl() with a descriptor that is not open: which errno?") { return one(try_control(NO_FD, SHMCTL_ANON, 0, page)); }
ASK("control/fd-outside", "shm_ctl() with a negative descriptor: which errno?")
{
	see(try_control(-1, SHMCTL_ANON, 0, page));
	see(try_control(-2, SHMCTL_ANON, 0, page));
	return seen();
}

ASK("control/fd-other", "shm_ctl() with a file, a directory, a pipe: which errno?")
{
	int file = open("/dev/null", O_RDWR), dir = open("/", O_RDONLY), p[2];

	NEED(file != -1 && dir != -1 && pipe(p) == 0);
	see(try_control(file, SHMCTL_ANON, 0, page));
	see(try_control(dir, SHMCTL_ANON, 0, page));
	see(try_control(p[1], SHMCTL_ANON, 0, page));
	return seen();
}

ASK("control/flags-unknown", "shm_ctl() with unknown flags: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	see(try_control(fd, SHMCTL_ANON | 0x10000, 0, page));
	see(try_control(fd, SHMCTL_ANON | 0x100000, 0, page));
	return seen();
}

ASK("control/lazy-alone", "shm_ctl(SHMCTL_LAZY) without SHMCTL_ANON: which errno?")
{
	int fd = object(0);

	NEED(fd != -1);
	return one(try_control(fd, SHMCTL_LAZY, 0, page));
}

ASK("control/get-flags-and-more", "shm_ctl(SHMCTL_GET_FLAGS) with another flag: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	see(try_control(fd, SHMCTL_GET_FLAGS | SHMCTL_SEAL, 0, 0));
	see(try_control(fd, SHMCTL_GET_FLAGS | SHMCTL_REVOCABLE, 0, 0));
	return seen();
}

ASK("control/size-unused", "shm_ctl() with a size that its flags have no use for: which errno?")
{
	int fd = object(page);

	NEED(fd != -1);
	see(try_control(fd, SHMCTL_REVOCABLE, 0, page));
	see(try_control(fd, SHMCTL_GET_FLAGS, 0, page));
	return seen();
}

ASK("control/address-unused", "shm_ctl() with a paddr that its flags have no use for: which errno?")
{
	int fd = object(0);

	NEED(fd != -1);
	see(try_control(fd, SHMCTL_REVOCABLE, page, 0));
	see(try_control(fd, SHMCTL_ANON, page, page));
	return seen();
}

ASK("control/size-too-large", "shm_ctl(SHMCTL_ANON) with a size of 64 bits: which errno?")
{
	int fd = object(0);

	NEED(fd != -1);
	see(try_control(fd, SHMCTL_ANON, 0, (uint64_t)1 << 63));
	see(try_control(fd, SHMCTL_ANON, 0, ~(uint64_t)0));
	return seen();
}

ASK("control/hints", "Does shm_ctl(SHMCTL_ANON) take the deprecated hints?")
{
	int fd = object(0);

	NEED(fd != -1);
	IS(shm_ctl(fd, SHMCTL_ANON | SHMCTL_PRIV | SHMCTL_HIGHUSAGE | SHMCTL_LAZYWRITE | SHMCTL_LOWERPROT, 0, page) != -1);
	IS(size_is(fd, page));
	return "yes";
}

ASK("control/hardware", "shm_ctl() for contiguous memory, without privilege: which errno?")
{
	int fd = object(0);

	NEED(fd != -1);
	return one(try_control(fd, SHMCTL_ANON | SHMCTL_PHYS, 0, page));
}

ASK("control/order-flags-fd", "shm_ctl() with bad flags and a descriptor that is not open: which errno?")
{
	return one(try_control(NO_FD, 0x100000, 0, 0));
}

ASK("control/get-flags", "Is the result of shm_ctl(SHMCTL_GET_FLAGS) the flags, SHMCTL_REVOCABLE and SHMCTL_SEAL among them?")
{
	int fd = lettered(1), reader, flags;
	const int both = SHMCTL_REVOCABLE | SHMCTL_SEAL;

	NEED(fd != -1 && (reader = opened(fd, O_RDONLY)) != -1);
	IS((flags = shm_ctl(reader, SHMCTL_GET_FLAGS, 0, 0)) != -1 && (flags & both) == 0);
	NEED(shm_ctl(fd, SHMCTL_REVOCABLE, 0, 0) != -1);
	IS((flags = shm_ctl(reader, SHMCTL_GET_FLAGS, 0, 0)) != -1 && (flags & both) == SHMCTL_REVOCABLE);
	NEED(shm_ctl(fd, SHMCTL_SEAL, 0, 0) != -1);
	IS((flags = shm_ctl(reader, SHMCTL_GET_FLAGS, 0, 0)) != -1 && (flags & both) == SHMCTL_SEAL + SHMCTL_REVOCABLE);
	return "yes";
}

ASK("ask/get-flags-word", "What is the word of SHMCTL_GET_FLAGS: of a new object, sized by ftruncate(), by shm_ctl(), sealed?")
{
	int empty = object(0), sized = object(page), allocated = object(0), closed_layout = sealed(1);

	NEED(empty != -1 && sized != -1 && closed_layout != -1 && allocated != -1 && shm_ctl(allocated, SHMCTL_ANON, 0, page) != -1);
	return say("%#x %#x %#x %#x", (unsigned)shm_ctl(empty, SHMCTL_GET_FLAGS, 0, 0), (unsigned)shm_ctl(sized, SHMCTL_GET_FLAGS, 0, 0),
		(unsigned)shm_ctl(allocated, SHMCTL_GET_FLAGS, 0, 0), (unsigned)shm_ctl(closed_layout, SHMCTL_GET_FLAGS, 0, 0));
}

ASK("control/get-flags-part", "Does SHMCTL_GET_FLAGS of a part's descriptor tell the flags of the object?")
{
	int fd = sealed(4), w;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1);
	IS((shm_ctl(w, SHMCTL_GET_FLAGS, 0, 0) & SHMCTL_SEAL) != 0);
	return "yes";
}

ASK("control/revocable", "Does shm_ctl(SHMCTL_REVOCABLE) alone work on an object that got its size by ftruncate()?")
{
	int fd = lettered(2);

	NEED(fd != -1);
	IS(shm_ctl(fd, SHMCTL_REVOCABLE, 0, 0) != -1);
	IS(size_is(fd, 2 * page));
	IS(letter(fd, page) == 'B');
	return "yes";
}

ASK("control/revocable-recipient", "shm_ctl(SHMCTL_REVOCABLE) by a recipient: which errno?")
{
	struct other o = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(o.pid != -1 && fd != -1 && (h = give(fd, o.pid, O_RDWR)) != 0 && DO(&o, .op = OP_OPEN, .h = h, .a = O_RDWR).error == 0);
	return one(DO(&o, .op = OP_CONTROL, .a = SHMCTL_REVOCABLE).error);
}

ASK("control/revocable-named", "shm_ctl(SHMCTL_REVOCABLE) of an object that has a name: which errno?")
{
	int fd = named(O_RDWR);

	NEED(fd != -1 && ftruncate(fd, (off_t)page) == 0);
	return one(try_control(fd, SHMCTL_REVOCABLE, 0, 0));
}

ASK("seal/shrink-or-grow", "ftruncate() of a sealed object by its creator: which errno?")
{
	int fd = sealed(2);

	NEED(fd != -1);
	see(error_of(ftruncate(fd, (off_t)page)));
	see(error_of(ftruncate(fd, (off_t)(4 * page))));
	return seen();
}

ASK("seal/recipient-resizes", "ftruncate() of a sealed object by a recipient: which errno?")
{
	struct other o = start();
	int fd = sealed(2);
	shm_handle_t h;

	NEED(o.pid != -1 && fd != -1 && (h = give(fd, o.pid, O_RDWR)) != 0 && DO(&o, .op = OP_OPEN, .h = h, .a = O_RDWR).error == 0);
	see(DO(&o, .op = OP_TRUNCATE, .x = (long long)page).error);
	see(DO(&o, .op = OP_TRUNCATE, .x = (long long)(4 * page)).error);
	return seen();
}

ASK("seal/extend", "shm_ctl(SHMCTL_ANON) with a larger size, of a sealed object: which errno?")
{
	int fd = sealed(1);

	NEED(fd != -1);
	return one(try_control(fd, SHMCTL_ANON, 0, 2 * page));
}

ASK("seal/twice", "shm_ctl(SHMCTL_SEAL) of a sealed object: which errno?")
{
	int fd = sealed(1);

	NEED(fd != -1);
	return one(try_control(fd, SHMCTL_SEAL, 0, 0));
}

ASK("seal/by-recipient", "Can a recipient with O_RDWR seal the object, so that its creator cannot change the size?")
{
	struct other o = start();
	int fd = lettered(2), error;
	shm_handle_t h;

	NEED(o.pid != -1 && fd != -1 && (h = give(fd, o.pid, O_RDWR)) != 0 && DO(&o, .op = OP_OPEN, .h = h, .a = O_RDWR).error == 0);
	if ((error = DO(&o, .op = OP_CONTROL, .a = SHMCTL_SEAL).error) != 0)
		return say("no: shm_ctl: %s", errno_name(error));
	IS(ftruncate(fd, (off_t)page) == -1);
	return "yes";
}

ASK("seal/handles", "Do handles of a sealed object give the access that they are made with?")
{
	int fd = sealed(1), writer;
	char *p;

	NEED(fd != -1);
	IS((writer = opened(fd, O_RDWR)) != -1);
	IS((p = map(writer, page)) != MAP_FAILED && touch(p, STORE) == 0);
	return "yes";
}

ASK("seal/empty", "Can an object of size 0 be sealed, and stays it empty?")
{
	int fd = object(0);

	NEED(fd != -1);
	IS(shm_ctl(fd, SHMCTL_SEAL, 0, 0) != -1);
	IS(ftruncate(fd, (off_t)page) == -1);
	return "yes";
}

ASK("seal/named", "shm_ctl(SHMCTL_SEAL) of an object that has a name: which errno?")
{
	int fd = named(O_RDWR);

	NEED(fd != -1 && ftruncate(fd, (off_t)page) == 0);
	return one(try_control(fd, SHMCTL_SEAL, 0, 0));
}

/* ---- SHM_CREATE_HANDLE_OPT_NOFD, mmap_handle ---- */

ASK("nofd/open", "shm_open_handle() of a handle made with SHM_CREATE_HANDLE_OPT_NOFD: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give_nofd(fd, getpid(), O_RDWR)) != 0);
	return one(try_open(h, O_RDWR));
}

ASK("nofd/open-pid", "shm_open_handle_pid() of a handle made with SHM_CREATE_HANDLE_OPT_NOFD: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (h = give_nofd(fd, getpid(), O_RDWR)) != 0);
	return one(try_open_from(h, O_RDWR, getpid()));
}

ASK("nofd/open-kept", "Can a handle with SHM_CREATE_HANDLE_OPT_NOFD still be mapped after opening it was refused?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give_nofd(fd, getpid(), O_RDWR)) != 0 && try_open(h, O_RDWR) != 0);
	IS(try_map(h, page, PROT_READ) == 0);
	return "yes";
}

ASK("nofd/beyond-access", "mmap_handle() for writing of a read-only handle with SHM_CREATE_HANDLE_OPT_NOFD: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give_nofd(fd, getpid(), O_RDONLY)) != 0);
	return one(try_map(h, page, PROT_READ | PROT_WRITE));
}

ASK("nofd/deleted", "Can maker and recipient delete a handle with SHM_CREATE_HANDLE_OPT_NOFD?")
{
	struct other o = start();
	int fd = object(page);
	shm_handle_t h, i;

	NEED(o.pid != -1 && fd != -1 && (h = give_nofd(fd, o.pid, O_RDWR)) != 0 && (i = give_nofd(fd, o.pid, O_RDWR)) != 0);
	IS(shm_delete_handle(h) == 0);
	IS(DO(&o, .op = OP_DELETE, .h = i).error == 0);
	return "yes";
}

ASK("direct/own", "Does mmap_handle() map a handle that the caller made for itself?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0);
	IS(try_map(h, page, PROT_READ | PROT_WRITE) == 0);
	return "yes";
}

ASK("direct/used", "mmap_handle() of a handle that was mapped before: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0 && try_map(h, page, PROT_READ) == 0);
	return one(try_map(h, page, PROT_READ));
}

ASK("direct/deleted", "mmap_handle() of a handle that was deleted: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0 && shm_delete_handle(h) == 0);
	return one(try_map(h, page, PROT_READ));
}

ASK("direct/never-existed", "mmap_handle() of a handle that never existed, and of 0: which errno?")
{
	see(try_map(1, page, PROT_READ));
	see(try_map(0, page, PROT_READ));
	return seen();
}

ASK("direct/all-ones", "mmap_handle() of the handle of all ones: which errno?") { return one(try_map((shm_handle_t)-1, page, PROT_READ)); }

ASK("direct/other-process", "mmap_handle() of a handle made for another process: which errno?")
{
	struct other recipient = start(), stranger = start();
	int fd = object(page);
	shm_handle_t h;

	NEED(recipient.pid != -1 && stranger.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	see(DO(&stranger, .op = OP_MAP_HANDLE, .h = h).error);
	see(try_map(h, page, PROT_READ));
	return seen();
}

ASK("direct/other-process-kept", "Is a handle still good for its recipient after others tried to map it?")
{
	struct other recipient = start(), stranger = start();
	int fd = object(page), error;
	shm_handle_t h;

	NEED(recipient.pid != -1 && stranger.pid != -1 && fd != -1 && (h = give(fd, recipient.pid, O_RDWR)) != 0);
	NEED(DO(&stranger, .op = OP_MAP_HANDLE, .h = h).error != 0 && try_map(h, page, PROT_READ) != 0);
	error = DO(&recipient, .op = OP_MAP_HANDLE, .h = h).error;
	return error ? say("no: %s", errno_name(error)) : "yes";
}

ASK("direct/maker-gone", "mmap_handle() after the maker has exited: which errno?")
{
	struct other maker;
	shm_handle_t h;

	NEED((h = given_by(&maker, 0)) != 0);
	end(&maker);
	return one(try_map(h, page, PROT_READ));
}

ASK("direct/maker-stopped", "mmap_handle() while the maker is stopped: which errno?")
{
	struct other maker;
	shm_handle_t h;

	NEED((h = given_by(&maker, 0)) != 0 && kill(maker.pid, SIGSTOP) == 0);
	pause_ms(SILENCE);
	return one(try_map(h, page, PROT_READ));
}

ASK("direct/read-only-handle", "mmap_handle() for writing of a read-only handle: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0);
	return one(try_map(h, page, PROT_READ | PROT_WRITE));
}

ASK("direct/write-only-handle", "mmap_handle() of a handle O_WRONLY: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_WRONLY)) != 0);
	see(try_map(h, page, PROT_READ));
	see(try_map(h, page, PROT_READ | PROT_WRITE));
	return seen();
}

ASK("direct/failed-kept", "Is a handle still good after mmap_handle() failed: length 0, no map type, more access than it has?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0);
	NEED(try_map(h, 0, PROT_READ) != 0 && unmapped(mmap_handle(NULL, page, PROT_READ, 0, h, 0), page) != 0);
	NEED(try_map(h, page, PROT_READ | PROT_WRITE) != 0);
	IS(try_map(h, page, PROT_READ) == 0);
	return "yes";
}

ASK("direct/longer", "Can mmap_handle() map more than the object has, and is it SIGBUS to touch that until the object grows?")
{
	int fd = lettered(1);
	shm_handle_t h;
	char *p;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0);
	IS((p = map_handle(h, 3 * page, PROT_READ | PROT_WRITE)) != MAP_FAILED);
	IS(touch(p + page, LOAD) == SIGBUS);
	NEED(ftruncate(fd, (off_t)(3 * page)) == 0);
	IS(touch(p + page, STORE) == 0);
	return "yes";
}

ASK("direct/window", "Is offset 0 of what mmap_handle() maps of a part's handle the start of the part?")
{
	int fd = lettered(4);
	shm_handle_t h;
	char *p;

	SINCE80;
	NEED(fd != -1 && (h = give_part(fd, getpid(), 2 * page, page)) != 0);
	IS((p = map_handle(h, 2 * page, PROT_READ)) != MAP_FAILED);
	IS(p[0] == 'B' && p[page] == 'C');
	return "yes";
}

ASK("direct/outside-part", "mmap_handle() of more than the part of a part's handle: which errno?")
{
	int fd = lettered(4);
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (h = give_part(fd, getpid(), 2 * page, page)) != 0);
	return one(try_map(h, 3 * page, PROT_READ));
}

ASK("direct/outside-part-kept", "Is a part's handle still good after mapping more than the part failed?")
{
	int fd = lettered(4);
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (h = give_part(fd, getpid(), 2 * page, page)) != 0 && try_map(h, 3 * page, PROT_READ) != 0);
	IS(try_map(h, 2 * page, PROT_READ) == 0);
	return "yes";
}

ASK("ask/direct-offset", "Where does mmap_handle() with offset 1 page begin: of a whole object, of a part that begins at page 2?")
{
	int fd = lettered(4);
	shm_handle_t h, i = 0;
	char *p, *q = MAP_FAILED;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0);
	p = mmap_handle(NULL, page, PROT_READ, MAP_SHARED, h, (off_t)page);
	say("whole %s", p == MAP_FAILED ? errno_name(errno) : p[0] == 'B' ? "page 2" : "another page");
	if (RELEASE >= 800 && (i = give_part(fd, getpid(), 2 * page, page)) != 0) {
		q = mmap_handle(NULL, page, PROT_READ, MAP_SHARED, i, (off_t)page);
		strcat(answer, "; part ");
		strcat(answer, q == MAP_FAILED ? errno_name(errno) : q[0] == 'C' ? "page 3" : q[0] == 'B' ? "page 2" : "another page");
	}
	return answer;
}

ASK("ask/direct-private", "mmap_handle() with MAP_PRIVATE: which errno?")
{
	int fd = lettered(1);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0);
	return one(unmapped(mmap_handle(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, h, 0), page));
}

ASK("direct/table-full", "mmap_handle() when the process has no descriptor left: which errno?")
{
	int fd = object(page);
	shm_handle_t h;

	NEED(fd != -1 && (h = give(fd, getpid(), O_RDWR)) != 0 && fill_descriptors() == 0);
	return one(try_map(h, page, PROT_READ));
}

static int try_map_from(shm_handle_t h, pid_t pid) { return unmapped(mmap_handle_pid(NULL, page, PROT_READ, MAP_SHARED, h, pid, 0), page); }

ASK("direct/maker-matches", "Does mmap_handle_pid() map the handle that this pid has made?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, SHM_CREATE_HANDLE_OPT_NOFD)) != 0);
	IS(try_map_from(h, maker.pid) == 0);
	return "yes";
}

ASK("direct/maker-differs", "mmap_handle_pid() of a handle that another process has made: which errno?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, 0)) != 0);
	see(try_map_from(h, getpid()));
	see(try_map_from(h, getppid()));
	return seen();
}

ASK("direct/maker-differs-kept", "Is a handle still good after mmap_handle_pid() failed for another pid?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, 0)) != 0 && try_map_from(h, getpid()) != 0);
	IS(try_map_from(h, maker.pid) == 0);
	return "yes";
}

ASK("direct/maker-nobody", "mmap_handle_pid() with pid 0 or a negative pid: which errno?")
{
	struct other maker;
	shm_handle_t h;

	SINCE80;
	NEED((h = given_by(&maker, 0)) != 0);
	see(try_map_from(h, 0));
	see(try_map_from(h, -1));
	return seen();
}

/* ---- shm_revoke ---- */

static int try_revoke(int fd, pid_t pid) { return error_of(shm_revoke(fd, pid)); }

/* A process that has mapped a page of fd straight from a handle. */
static int mapped_by(struct other *o, int fd)
{
	shm_handle_t h;

	*o = start();
	return o->pid != -1 && (h = give_nofd(fd, o->pid, O_RDWR)) != 0 && DO(o, .op = OP_MAP_HANDLE, .h = h).error == 0;
}

/* A process that has a descriptor of fd's object. */
static int opened_by(struct other *o, int fd)
{
	shm_handle_t h;

	*o = start();
	return o->pid != -1 && (h = give(fd, o->pid, O_RDWR)) != 0 && DO(o, .op = OP_OPEN, .h = h, .a = O_RDWR).error == 0;
}

/* Whether an access to its mapping is a fault. */
static int is_cut_off(struct other *o) { return DO(o, .op = OP_TOUCH).value > 0; }

ASK("revoke/fd-not-open", "shm_revoke() of a descriptor that is not open: which errno?") { return one(try_revoke(NO_FD, getpid())); }
ASK("revoke/fd-outside", "shm_revoke() of a negative descriptor: which errno?")
{
	see(try_revoke(-1, getpid()));
	see(try_revoke(-2, getpid()));
	return seen();
}

ASK("revoke/fd-other", "shm_revoke() of a file, a pipe: which errno?")
{
	int file = open("/dev/null", O_RDWR), p[2];

	NEED(file != -1 && pipe(p) == 0);
	see(try_revoke(file, getpid()));
	see(try_revoke(p[0], getpid()));
	return seen();
}

ASK("revoke/recipient", "shm_revoke() by a recipient: which errno?")
{
	struct other o;
	int fd = revocable(1);

	NEED(fd != -1 && opened_by(&o, fd));
	see(DO(&o, .op = OP_REVOKE, .a = getpid()).error);
	see(DO(&o, .op = OP_REVOKE, .a = -1).error);
	return seen();
}

ASK("revoke/passed-on", "shm_revoke() by a recipient that has made handles for others: which errno?")
{
	struct other o, third = start();
	struct result r;
	int fd = revocable(1);

	NEED(third.pid != -1 && fd != -1 && opened_by(&o, fd));
	r = DO(&o, .op = OP_GIVE, .a = third.pid, .b = O_RDWR);
	NEED(r.error == 0 && DO(&third, .op = OP_MAP_HANDLE, .h = r.h).error == 0);
	return one(DO(&o, .op = OP_REVOKE, .a = third.pid).error);
}

ASK("revoke/not-revocable", "shm_revoke() of an object that was not marked SHMCTL_REVOCABLE: which errno?")
{
	int fd = lettered(1), other = sealed(1);

	NEED(fd != -1 && other != -1);
	see(try_revoke(fd, getpid()));
	see(try_revoke(other, getpid()));
	return seen();
}

ASK("revoke/no-process", "shm_revoke() of a pid that no process has: which errno?")
{
	int fd = revocable(1);

	NEED(fd != -1);
	see(try_revoke(fd, NO_PID));
	see(try_revoke(fd, ended(0)));
	return seen();
}

ASK("revoke/pid-zero", "shm_revoke() of pid 0: which errno?")
{
	int fd = revocable(1);

	NEED(fd != -1);
	return one(try_revoke(fd, 0));
}

ASK("revoke/pid-negative", "shm_revoke() of a negative pid other than -1: which errno?")
{
	int fd = revocable(1);

	NEED(fd != -1);
	see(try_revoke(fd, -2));
	see(try_revoke(fd, -getpid()));
	return seen();
}

ASK("revoke/table-full", "Does shm_revoke() take mappings when the process has no descriptor left?")
{
	struct other o;
	int fd = revocable(1);

	NEED(fd != -1 && mapped_by(&o, fd) && fill_descriptors() == 0);
	IS(shm_revoke(fd, o.pid) == 0);
	IS(is_cut_off(&o));
	return "yes";
}

ASK("revoke/order-fd-pid", "shm_revoke() with bad fd and no such pid: which errno?") { return one(try_revoke(NO_FD, NO_PID)); }

ASK("revoke/order-creator-flag", "shm_revoke() by a recipient, of an object that is not revocable: which errno?")
{
	struct other o;
	int fd = lettered(1);

	NEED(fd != -1 && opened_by(&o, fd));
	return one(DO(&o, .op = OP_REVOKE, .a = getpid()).error);
}

ASK("revoke/order-creator-pid", "shm_revoke() by a recipient, of a pid that no process has: which errno?")
{
	struct other o;
	int fd = revocable(1);

	NEED(fd != -1 && opened_by(&o, fd));
	return one(DO(&o, .op = OP_REVOKE, .a = NO_PID).error);
}

ASK("revoke/order-flag-pid", "shm_revoke() of an object that is not revocable, and of a pid that no process has: which errno?")
{
	int fd = lettered(1);

	NEED(fd != -1);
	return one(try_revoke(fd, NO_PID));
}

ASK("revoke/never-mapped", "Does shm_revoke() work for a process that has not mapped the object, or never heard of it?")
{
	struct other o = start(), stranger = start();
	int fd = revocable(1);

	NEED(o.pid != -1 && stranger.pid != -1 && fd != -1 && give(fd, o.pid, O_RDWR) != 0);
	IS(shm_revoke(fd, o.pid) == 0);
	IS(shm_revoke(fd, stranger.pid) == 0);
	return "yes";
}

ASK("revoke/twice", "Does shm_revoke() work again, with nothing left to take?")
{
	struct other o;
	int fd = revocable(1);

	NEED(fd != -1 && mapped_by(&o, fd) && shm_revoke(fd, o.pid) == 0);
	IS(shm_revoke(fd, o.pid) == 0);
	return "yes";
}

ASK("revoke/ended", "Does shm_revoke() work for a process that had mapped the object and has ended?")
{
	struct other o;
	int fd = revocable(1);

	NEED(fd != -1 && mapped_by(&o, fd));
	end(&o);
	IS(shm_revoke(fd, o.pid) == 0);
	return "yes";
}

ASK("revoke/zombie", "Does shm_revoke() work for a process that had mapped the object, has ended and was not waited for?")
{
	struct other o;
	int fd = revocable(1);

	NEED(fd != -1 && mapped_by(&o, fd) && kill(o.pid, SIGKILL) == 0);
	pause_ms(SILENCE);
	IS(shm_revoke(fd, o.pid) == 0);
	return "yes";
}

ASK("revoke/exec", "Does shm_revoke() take what a process has mapped after it called exec?")
{
	struct other o;
	int fd = revocable(1);
	shm_handle_t h;

	NEED(fd != -1 && mapped_by(&o, fd) && DO(&o, .op = OP_EXEC).error == 0);
	NEED((h = give_nofd(fd, o.pid, O_RDWR)) != 0 && DO(&o, .op = OP_MAP_HANDLE, .h = h).error == 0);
	IS(shm_revoke(fd, o.pid) == 0);
	IS(is_cut_off(&o));
	return "yes";
}

ASK("revoke/window-fd", "Does shm_revoke() of a part's descriptor take mappings of the whole object?")
{
	struct other o;
	int fd = revocable(4), w;

	SINCE80;
	NEED(fd != -1 && (w = window(fd)) != -1 && mapped_by(&o, fd));
	IS(shm_revoke(w, o.pid) == 0);
	IS(is_cut_off(&o));
	return "yes";
}

ASK("revoke/returned-fd", "Can a creator that has closed its descriptor revoke with one that a recipient has given back?")
{
	struct other o, holder;
	struct result r;
	int fd = revocable(1);

	NEED(fd != -1 && mapped_by(&o, fd) && opened_by(&holder, fd));
	close(fd);
	r = DO(&holder, .op = OP_GIVE, .a = getpid(), .b = O_RDWR);
	NEED(r.error == 0 && (fd = shm_open_handle(r.h, O_RDWR)) != -1);
	IS(shm_revoke(fd, o.pid) == 0);
	IS(is_cut_off(&o));
	return "yes";
}

ASK("revoke/contents", "Has an object its contents and its size after shm_revoke()?")
{
	struct other o;
	int fd = revocable(2);

	NEED(fd != -1 && mapped_by(&o, fd) && DO(&o, .op = OP_STORE_BYTE).value == 0 && shm_revoke(fd, o.pid) == 0);
	IS(size_is(fd, 2 * page));
	IS(letter(fd, 0) == 'x' && letter(fd, page) == 'B');
	return "yes";
}

ASK("revoke/again", "Can a process get a new handle after shm_revoke(), and be revoked again?")
{
	struct other o;
	int fd = revocable(1);
	shm_handle_t h;

	NEED(fd != -1 && mapped_by(&o, fd));
	for (int i = 0; i < 3; i++) {
		IS(shm_revoke(fd, o.pid) == 0);
		IS(is_cut_off(&o));
		NEED((h = give_nofd(fd, o.pid, O_RDWR)) != 0);
		IS(DO(&o, .op = OP_MAP_HANDLE, .h = h).error == 0);
		IS(!is_cut_off(&o));
	}
	return "yes";
}

ASK("revoke/unused-open", "shm_open_handle() of a handle that was unused when the object was revoked: which errno?")
{
	struct other o = start();
	int fd = revocable(1);
	shm_handle_t h;

	NEED(o.pid != -1 && fd != -1 && (h = give(fd, o.pid, O_RDWR)) != 0 && shm_revoke(fd, o.pid) == 0);
	return one(DO(&o, .op = OP_OPEN, .h = h, .a = O_RDWR).error);
}

ASK("revoke/unused-before", "shm_open_handle() of a handle made before the object was marked, then revoked: which errno?")
{
	struct other o = start();
	int fd = lettered(1);
	shm_handle_t h;

	NEED(o.pid != -1 && fd != -1 && (h = give(fd, o.pid, O_RDWR)) != 0);
	NEED(shm_ctl(fd, SHMCTL_REVOCABLE, 0, 0) != -1 && shm_revoke(fd, o.pid) == 0);
	return one(DO(&o, .op = OP_OPEN, .h = h, .a = O_RDWR).error);
}

ASK("revoke/unused-others", "shm_open_handle() of a handle that another recipient made, after the creator's shm_revoke(): which errno?")
{
	struct other o = start(), passer;
	struct result r;
	int fd = revocable(1);

	NEED(o.pid != -1 && fd != -1 && opened_by(&passer, fd));
	r = DO(&passer, .op = OP_GIVE, .a = o.pid, .b = O_RDWR);
	NEED(r.error == 0 && shm_revoke(fd, o.pid) == 0);
	return one(DO(&o, .op = OP_OPEN, .h = r.h, .a = O_RDWR).error);
}

ASK("revoke/new-handle", "Can a process open and map a handle that it gets after shm_revoke()?")
{
	struct other o = start();
	int fd = revocable(1);
	shm_handle_t h, i;

	NEED(o.pid != -1 && fd != -1 && shm_revoke(fd, o.pid) == 0);
	NEED((h = give(fd, o.pid, O_RDWR)) != 0 && (i = give(fd, o.pid, O_RDWR)) != 0);
	IS(DO(&o, .op = OP_OPEN, .h = h, .a = O_RDWR).error == 0);
	IS(DO(&o, .op = OP_MAP_HANDLE, .h = i).error == 0);
	return "yes";
}

ASK("revoke/read-only", "Are loads from a read-only mapping, and stores, faults after shm_revoke()?")
{
	struct other o = start();
	int fd = revocable(1);
	shm_handle_t h;

	NEED(o.pid != -1 && fd != -1 && (h = give_nofd(fd, o.pid, O_RDONLY)) != 0);
	NEED(DO(&o, .op = OP_MAP_HANDLE, .h = h, .a = PROT_READ).error == 0 && shm_revoke(fd, o.pid) == 0);
	IS(DO(&o, .op = OP_TOUCH).value > 0);
	IS(DO(&o, .op = OP_STORE_BYTE).value > 0);
	return "yes";
}

ASK("ask/revoke-signal", "Which signal comes of a load and of a store after shm_revoke()?")
{
	int fd = revocable(1);
	char *p;

	NEED(fd != -1 && (p = map(fd, page)) != MAP_FAILED && shm_revoke(fd, getpid()) == 0);
	say("load %s; store ", signal_name(touch(p, LOAD)));
	strcat(answer, signal_name(touch(p, STORE)));
	return answer;
}

ASK("ask/revoke-mprotect", "mprotect() of a revoked mapping: which errno, and does access come back?")
{
	int fd = revocable(1), error;
	char *p;

	NEED(fd != -1 && (p = map(fd, page)) != MAP_FAILED && shm_revoke(fd, getpid()) == 0);
	error = error_of(mprotect(p, page, PROT_READ | PROT_WRITE));
	return say("%s; access %s", errno_name(error), touch(p, LOAD) ? "does not come back" : "comes back");
}

ASK("ask/revoke-sync", "msync() of a revoked mapping: which errno?")
{
	int fd = revocable(1);
	char *p;

	NEED(fd != -1 && (p = map(fd, page)) != MAP_FAILED && shm_revoke(fd, getpid()) == 0);
	return one(error_of(msync(p, page, MS_SYNC)));
}

ASK("revoke/unmapped", "Does munmap() of a revoked mapping work?")
{
	struct other o;
	int fd = revocable(1), error;

	NEED(fd != -1 && mapped_by(&o, fd) && shm_revoke(fd, o.pid) == 0);
	error = DO(&o, .op = OP_UNMAP).error;
	return error ? say("no: %s", errno_name(error)) : "yes";
}

ASK("revoke/system-call", "Do read() and write() with revoked memory fail with EFAULT?")
{
	int fd = revocable(1), p[2];
	char *m;

	NEED(fd != -1 && (m = map(fd, page)) != MAP_FAILED && pipe(p) == 0 && write(p[1], "x", 1) == 1 && shm_revoke(fd, getpid()) == 0);
	IS(write(p[1], m, 1) == -1 && errno == EFAULT);
	IS(read(p[0], m, 1) == -1 && errno == EFAULT);
	return "yes";
}

ASK("revoke/recipient-stopped", "shm_revoke() from a process that is stopped: which errno?")
{
	struct other o;
	int fd = revocable(1);

	NEED(fd != -1 && mapped_by(&o, fd) && kill(o.pid, SIGSTOP) == 0);
	pause_ms(SILENCE);
	return one(try_revoke(fd, o.pid));
}

/* ---- RLIMIT_SHM_HANDLES_NP ---- */

static struct rlimit handle_limit;

static int limit_handles(rlim_t n)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_SHM_HANDLES_NP, &handle_limit) == -1)
		return -1;
	l = handle_limit;
	l.rlim_cur = n;
	return setrlimit(RLIMIT_SHM_HANDLES_NP, &l);
}

ASK("ask/limit-default", "What is RLIMIT_SHM_HANDLES_NP by default, and how far can it be raised?")
{
	struct rlimit l;

	SINCE80;
	NEED(getrlimit(RLIMIT_SHM_HANDLES_NP, &l) == 0);
	return say("%llu%s of %llu%s", (unsigned long long)l.rlim_cur, l.rlim_cur >= RLIM_INFINITY ? " (none)" : "",
		(unsigned long long)l.rlim_max, l.rlim_max >= RLIM_INFINITY ? " (none)" : "");
}

ASK("limit/boundary", "With a limit of N handles, can N be made and not one more?")
{
	int fd = object(page);

	SINCE80;
	NEED(fd != -1 && limit_handles(5) == 0);
	for (int i = 0; i < 10; i++)
		if (!give(fd, getpid(), O_RDONLY))
			return i == 5 ? "yes" : say("no: %d of 5: %s", i, errno_name(errno));
	return "no: 10 of 5";
}

ASK("limit/zero", "shm_create_handle() with a limit of 0 handles: which errno?")
{
	int fd = object(page);

	SINCE80;
	NEED(fd != -1 && limit_handles(0) == 0);
	return one(try_create(fd, getpid(), O_RDONLY, 0));
}

ASK("limit/order", "With the limit of handles reached and a bad argument, is it the errno of the argument?")
{
	int fd = object(page);

	SINCE80;
	NEED(fd != -1 && limit_handles(0) == 0);
	IS(shm_create_handle(fd, getpid(), BAD_ACCESS, &(shm_handle_t){0}, 0) == -1 && errno == EINVAL);
	IS(shm_create_handle(NO_FD, getpid(), O_RDONLY, &(shm_handle_t){0}, 0) == -1 && errno == EBADF);
	IS(shm_create_handle(fd, NO_PID, O_RDONLY, &(shm_handle_t){0}, 0) == -1 && errno == ESRCH);
	return "yes";
}

ASK("limit/recipient-gone", "With the limit of handles reached, can one more be made when the recipient of one has exited?")
{
	struct other o = start();
	int fd = object(page);

	SINCE80;
	NEED(o.pid != -1 && fd != -1 && give(fd, o.pid, O_RDONLY) != 0 && limit_handles(1) == 0 && give(fd, getpid(), O_RDONLY) == 0);
	end(&o);
	for (int i = 0; i < 20; i++) {
		if (give(fd, getpid(), O_RDONLY))
			return "yes";
		pause_ms(SILENCE);
	}
	return say("no: %s", errno_name(errno));
}

ASK("limit/failed-use", "Does a handle count for the limit after opening and mapping it failed?")
{
	int fd = object(page);
	shm_handle_t h;

	SINCE80;
	NEED(fd != -1 && (h = give(fd, getpid(), O_RDONLY)) != 0 && limit_handles(1) == 0);
	NEED(try_open(h, O_RDWR) != 0 && try_map(h, 0, PROT_READ) != 0);
	IS(give(fd, getpid(), O_RDONLY) == 0);
	return "yes";
}

ASK("limit/lowered", "Do handles stay good when the limit is set below their number, and can no more be made before enough are used?")
{
	int fd = object(page);
	shm_handle_t h[3];

	SINCE80;
	NEED(fd != -1 && (h[0] = give(fd, getpid(), O_RDONLY)) != 0);
	NEED((h[1] = give(fd, getpid(), O_RDONLY)) != 0 && (h[2] = give(fd, getpid(), O_RDONLY)) != 0);
	IS(limit_handles(1) == 0);
	IS(try_open(h[0], O_RDONLY) == 0 && give(fd, getpid(), O_RDONLY) == 0);
	IS(try_open(h[1], O_RDONLY) == 0 && give(fd, getpid(), O_RDONLY) == 0);
	IS(try_open(h[2], O_RDONLY) == 0 && give(fd, getpid(), O_RDONLY) != 0);
	return "yes";
}

ASK("limit/read", "Does getrlimit() tell the limit of handles in force and how far it can be raised, which is not below?")
{
	struct rlimit l;

	SINCE80;
	IS(getrlimit(RLIMIT_SHM_HANDLES_NP, &l) == 0);
	IS(l.rlim_max >= l.rlim_cur);
	return "yes";
}

ASK("limit/set", "Does getrlimit() tell the limit that setrlimit() has set?")
{
	struct rlimit l;

	SINCE80;
	IS(limit_handles(7) == 0);
	IS(getrlimit(RLIMIT_SHM_HANDLES_NP, &l) == 0 && l.rlim_cur == 7 && l.rlim_max == handle_limit.rlim_max);
	return "yes";
}

ASK("limit/above-max", "setrlimit() with a limit of handles above its maximum: which errno?")
{
	struct rlimit l = {20, 10};

	SINCE80;
	return one(error_of(setrlimit(RLIMIT_SHM_HANDLES_NP, &l)));
}

ASK("limit/raise-max", "setrlimit() that raises the maximum of handles, without privilege: which errno?")
{
	struct rlimit l = {5, 5};

	SINCE80;
	NEED(geteuid() != 0 || setuid(65534) == 0);
	NEED(setrlimit(RLIMIT_SHM_HANDLES_NP, &l) == 0);
	l.rlim_max = 6;
	return one(error_of(setrlimit(RLIMIT_SHM_HANDLES_NP, &l)));
}

ASK("revoke/unused-quota", "Do handles that a revoke has destroyed count for the limit of their maker?")
{
	struct other o = start();
	int fd = revocable(1);

	SINCE80;
	NEED(o.pid != -1 && fd != -1 && give(fd, o.pid, O_RDONLY) != 0 && limit_handles(1) == 0 && give(fd, getpid(), O_RDONLY) == 0);
	NEED(shm_revoke(fd, o.pid) == 0);
	IS(give(fd, getpid(), O_RDONLY) != 0);
	return "yes";
}

ASK("ask/limit-descriptors", "What is RLIMIT_NOFILE, and do 300 connections with _NTO_SIDE_CHANNEL fit when it is 100?")
{
	struct rlimit l, now;
	int chid = channel(0), n = 0;

	NEED(chid != -1 && getrlimit(RLIMIT_NOFILE, &l) == 0);
	now = l;
	now.rlim_cur = 100;
	NEED(setrlimit(RLIMIT_NOFILE, &now) == 0);
	while (n < 300 && attach(chid) != -1)
		n++;
	return say("%llu of %llu; %d connections", (unsigned long long)l.rlim_cur, (unsigned long long)l.rlim_max, n);
}

/* ---- channels, names, connections ---- */

ASK("ask/public-channel", "May this user create a channel that others connect to, and one for itself?")
{
	int open_to_all = error_of(ChannelCreate(0));

	return say("public %s; private %s", errno_name(open_to_all), errno_name(error_of(ChannelCreate(_NTO_CHF_PRIVATE))));
}

ASK("channel/flags-unknown", "ChannelCreate() with unknown flags: which errno?")
{
	see(error_of(ChannelCreate(0x1000000U)));
	see(error_of(ChannelCreate(0x80000000U)));
	return seen();
}

ASK("ask/channel-death-twice", "A second channel with _NTO_CHF_COID_DISCONNECT in a process: which errno?")
{
	NEED(channel(_NTO_CHF_COID_DISCONNECT) != -1);
	return one(error_of(channel(_NTO_CHF_COID_DISCONNECT)));
}

ASK("channel/receive-poll", "MsgReceive() after TimerTimeout() with no time, nothing there: which errno?")
{
	int chid = channel(0);
	char b[64];

	NEED(chid != -1);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL);
	return one(MsgReceive(chid, b, sizeof b, NULL) == -1 ? errno : 0);
}

ASK("timeout/no-clock", "TimerTimeout() with a clock that does not exist: which errno?")
{
	const uint64_t ns = 1000000;

	see(error_of(TimerTimeout((clockid_t)-1, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL)));
	see(error_of(TimerTimeout((clockid_t)12345, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL)));
	return seen();
}

ASK("ask/receive-poll-zero", "MsgReceive() after TimerTimeout() with a time of 0, nothing there: which errno?")
{
	int chid = channel(0);
	const uint64_t zero = 0;
	char b[64];

	NEED(chid != -1);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &zero, NULL);
	return one(MsgReceive(chid, b, sizeof b, NULL) == -1 ? errno : 0);
}

ASK("channel/receive-poll-ready", "Does MsgReceive() after TimerTimeout() with no time get a pulse that is there?")
{
	int chid = channel(0), coid;
	union message m;

	NEED(chid != -1 && (coid = attach(chid)) != -1 && MsgSendPulse(coid, -1, 5, 6) != -1);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL);
	IS(MsgReceive(chid, &m, sizeof m, NULL) == 0);
	IS(m.pulse.code == 5);
	return "yes";
}

ASK("channel/receive-timeout-large", "Does a timeout above 32 bits of nanoseconds last until something comes sooner?")
{
	int chid = channel(0);
	struct client c = {.coid = -1};
	union message m;
	rcv id;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1);
	pause_ms(1);
	NEED(start_client(&c) == 0);
	IS((id = receive(chid, &m, 6000)) > 0);
	MsgReply(id, 0, NULL, 0);
	IS(is_back(&c, 1, ENOUGH) && c.error == 0);
	return "yes";
}

struct receiver {
	int chid;
	volatile int back, error;
	pthread_t thread;
};

static void *receive_message(void *p)
{
	struct receiver *r = p;
	char b[64];

	r->error = MsgReceive(r->chid, b, sizeof b, NULL) == -1 ? errno : 0;
	r->back = 1;
	return NULL;
}

ASK("channel/closed-wakes", "Does MsgReceive() end with ESRCH when the channel is destroyed?")
{
	struct receiver r = {.chid = channel(0)};

	NEED(r.chid != -1 && pthread_create(&r.thread, NULL, receive_message, &r) == 0);
	pause_ms(SILENCE);
	NEED(ChannelDestroy(r.chid) != -1);
	for (int i = 0; i < ENOUGH / 10 && !r.back; i++)
		pause_ms(10);
	if (!r.back)
		return "no: it does not end";
	return r.error == ESRCH ? "yes" : say("no: %s", errno_name(r.error));
}

ASK("ask/name-attach", "May this user attach a name: which errno?")
{
	return one(name_attach(NULL, server_name(), 0) ? 0 : errno);
}

ASK("name/taken", "name_attach() of a name that this process has: which errno?")
{
	NEED(name_attach(NULL, server_name(), 0) != NULL);
	return one(name_attach(NULL, server_name(), 0) ? 0 : errno);
}

ASK("name/taken-elsewhere", "name_attach() of a name that another process has: which errno?")
{
	struct other o = start();

	NEED(o.pid != -1 && DO(&o, .op = OP_ATTACH, .a = getpid()).error == 0);
	return one(name_attach(NULL, server_name(), 0) ? 0 : errno);
}

static const char *const invalid_names[] = {"", "/", "/x", "..", "../x", "x/..", "x/../y"};

ASK("name/attach-invalid", "name_attach() of a name that is empty, begins with / or has .. in it: which errno?")
{
	for (size_t i = 0; i < sizeof invalid_names / sizeof invalid_names[0]; i++)
		see(name_attach(NULL, invalid_names[i], 0) ? 0 : errno);
	return seen();
}

static char long_name[400];

ASK("name/attach-long", "name_attach() of a name of 256 bytes: which errno?")
{
	memset(long_name, 'x', 256);
	return one(name_attach(NULL, long_name, 0) ? 0 : errno);
}

ASK("name/attach-longest", "Does name_attach() take a name of 255 bytes?")
{
	memset(long_name, 'x', 255);
	IS(name_attach(NULL, long_name, 0) != NULL);
	return "yes";
}

ASK("name/server-killed", "Is a name free again when its server was killed?")
{
	struct other o = start();

	NEED(o.pid != -1 && DO(&o, .op = OP_ATTACH, .a = getpid()).error == 0);
	end_by_kill(&o);
	for (int i = 0; i < 10; i++) {
		if (name_attach(NULL, server_name(), 0))
			return "yes";
		pause_ms(SILENCE);
	}
	return say("no: %s", errno_name(errno));
}

ASK("name/open-invalid", "name_open() of a name that is empty or begins with /: which errno?")
{
	for (int i = 0; i < 3; i++)
		see(error_of(name_open(invalid_names[i], 0)));
	return seen();
}

ASK("name/open-parent", "name_open() of a name that has .. in it: which errno?")
{
	for (size_t i = 3; i < sizeof invalid_names / sizeof invalid_names[0]; i++)
		see(error_of(name_open(invalid_names[i], 0)));
	return seen();
}

ASK("ask/name-attach-unblock", "Has the channel of name_attach() _NTO_CHF_UNBLOCK: does a client that times out stay?")
{
	name_attach_t *a = name_attach(NULL, server_name(), 0);
	struct client c = {.ms = SILENCE};
	union message m;

	NEED(a != NULL && (c.coid = attach(a->chid)) != -1 && start_client(&c) == 0);
	NEED(receive(a->chid, &m, ENOUGH) > 0);
	if (is_back(&c, 1, 4 * SILENCE))
		return say("no: %s", errno_name(c.error));
	return "yes";
}

ASK("ask/name-detach-blocked", "name_detach() while a client waits in MsgSend(): which errno does the client get, SEND-blocked and REPLY-blocked?")
{
	struct client c[2] = {{.back = 0}, {.back = 0}};
	union message m;

	for (int i = 0; i < 2; i++) {
		name_attach_t *a = name_attach(NULL, server_name(), 0);

		NEED(a != NULL && (c[i].coid = attach(a->chid)) != -1 && start_client(&c[i]) == 0);
		if (i == 1)
			NEED(receive(a->chid, &m, ENOUGH) > 0);
		else
			pause_ms(SILENCE);
		NEED(name_detach(a, 0) == 0);
		pause_ms(2 * SILENCE);
	}
	say("%s ", c[0].back ? errno_name(c[0].error) : "stays");
	strcat(answer, c[1].back ? errno_name(c[1].error) : "stays");
	return answer;
}

/* Another process with a channel, and connections of this one to it. */
static int server_of(struct other *o, int coid[], int n)
{
	struct result r;

	*o = start();
	if (o->pid == -1)
		return -1;
	r = DO(o, .op = OP_CHANNEL);
	errno = r.error;
	if (r.error)
		return -1;
	for (int i = 0; i < n; i++)
		if ((coid[i] = ConnectAttach(0, o->pid, (int)r.value, _NTO_SIDE_CHANNEL, 0)) == -1)
			return -1;
	return 0;
}

ASK("death/each", "Comes one death pulse for each of two connections to a server that ends?")
{
	int chid = channel(_NTO_CHF_COID_DISCONNECT), coid[2];
	struct other o;

	NEED(chid != -1 && server_of(&o, coid, 2) == 0);
	end(&o);
	IS(next_pulse(chid, ENOUGH) == _PULSE_CODE_COIDDEATH);
	IS(next_pulse(chid, ENOUGH) == _PULSE_CODE_COIDDEATH);
	IS(next_pulse(chid, SILENCE) == 1001);
	return "yes";
}

ASK("death/several", "Does each of two channels with _NTO_CHF_COID_DISCONNECT receive the death pulse?")
{
	int chid = channel(_NTO_CHF_COID_DISCONNECT), second = channel(_NTO_CHF_COID_DISCONNECT), coid[1];
	struct other o;

	NEED(chid != -1);
	if (second == -1)
		return say("no: ChannelCreate() of the second answers %s", errno_name(errno));
	NEED(server_of(&o, coid, 1) == 0);
	end(&o);
	IS(next_pulse(chid, ENOUGH) == _PULSE_CODE_COIDDEATH);
	IS(next_pulse(second, ENOUGH) == _PULSE_CODE_COIDDEATH);
	return "yes";
}

ASK("death/detached", "Comes no death pulse of a connection that was detached before its server has ended?")
{
	int chid = channel(_NTO_CHF_COID_DISCONNECT), coid[1];
	struct other o;

	NEED(chid != -1 && server_of(&o, coid, 1) == 0 && ConnectDetach(coid[0]) != -1);
	end(&o);
	IS(next_pulse(chid, SILENCE) == 1001);
	return "yes";
}

static void *end_soon(void *p)
{
	(void)p;
	return NULL;
}

ASK("death/thread", "Does a channel with _NTO_CHF_THREAD_DEATH receive a pulse of a thread that has never waited on it, before it is joined?")
{
	int chid = channel(_NTO_CHF_THREAD_DEATH);
	pthread_t t;

	NEED(chid != -1 && pthread_create(&t, NULL, end_soon, NULL) == 0);
	IS(next_pulse(chid, ENOUGH) == _PULSE_CODE_THREADDEATH);
	return "yes";
}

ASK("connect/no-process", "ConnectAttach() to a pid that no process has: which errno?")
{
	see(error_of(ConnectAttach(0, NO_PID, 1, _NTO_SIDE_CHANNEL, 0)));
	see(error_of(ConnectAttach(0, ended(0), 1, _NTO_SIDE_CHANNEL, 0)));
	return seen();
}

ASK("connect/pid-negative", "ConnectAttach() to a negative pid: which errno?")
{
	see(error_of(ConnectAttach(0, -1, 1, _NTO_SIDE_CHANNEL, 0)));
	see(error_of(ConnectAttach(0, -getpid(), 1, _NTO_SIDE_CHANNEL, 0)));
	return seen();
}

ASK("connect/no-channel", "ConnectAttach() to a channel that this process does not have: which errno?") { return one(error_of(attach(0x12345))); }

ASK("connect/no-channel-elsewhere", "ConnectAttach() to a channel that another process does not have: which errno?")
{
	struct other o = start();

	NEED(o.pid != -1);
	return one(error_of(ConnectAttach(0, o.pid, 0x12345, _NTO_SIDE_CHANNEL, 0)));
}

ASK("connect/channel-closed", "ConnectAttach() to a channel that was destroyed: which errno?")
{
	int chid = channel(0);

	NEED(chid != -1 && ChannelDestroy(chid) != -1);
	return one(error_of(attach(chid)));
}

ASK("connect/private", "ConnectAttach() to a private channel of another process: which errno?")
{
	int chid = channel(_NTO_CHF_PRIVATE);
	struct other o = start();

	NEED(chid != -1 && o.pid != -1);
	return one((int)DO(&o, .op = OP_CONNECT, .a = getpid(), .b = chid).error);
}

ASK("connect/flags-unknown", "ConnectAttach() with unknown flags: which errno?")
{
	int chid = channel(0);

	NEED(chid != -1);
	see(error_of(ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 1 << 20)));
	see(error_of(ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC | 1 << 30)));
	return seen();
}

ASK("connect/no-share", "Has a second connection with _NTO_COF_NOSHARE a scoid of its own, and a disconnect pulse?")
{
	int chid = channel(_NTO_CHF_DISCONNECT), coid, other;
	struct _server_info first, second;

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	NEED((other = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_NOSHARE)) != -1);
	NEED(ConnectServerInfo(0, coid, &first) == coid && ConnectServerInfo(0, other, &second) == other);
	IS(first.scoid != second.scoid);
	NEED(ConnectDetach(other) != -1);
	IS(next_pulse(chid, ENOUGH) == _PULSE_CODE_DISCONNECT);
	return "yes";
}

ASK("who/none-above", "ConnectServerInfo() of a coid that is above all others: which errno?")
{
	struct _server_info info;

	see(error_of(ConnectServerInfo(0, 0x7fffffff, &info)));
	see(error_of(ConnectServerInfo(0, 0x7fffffff, NULL)));
	return seen();
}

ASK("connect/server-stopped", "ConnectAttach() to a process that is stopped: which errno?")
{
	struct other o = start();
	struct result r;

	NEED(o.pid != -1);
	r = DO(&o, .op = OP_CHANNEL);
	errno = r.error;
	NEED(r.error == 0 && kill(o.pid, SIGSTOP) == 0);
	pause_ms(SILENCE);
	return one(error_of(ConnectAttach(0, o.pid, (int)r.value, _NTO_SIDE_CHANNEL, 0)));
}

/* ---- messages ---- */

ASK("send/timeout-zero", "MsgSend() after TimerTimeout() with no time, nobody receives: which errno?")
{
	int chid = channel(0), coid;

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, NULL, NULL, NULL);
	return one(error_of(MsgSend(coid, "x", 1, NULL, 0)));
}

ASK("send/timeout-large", "Does a timeout of MsgSend() above 32 bits of nanoseconds last until the answer comes?")
{
	int chid = channel(0);
	struct client c = {.ms = 6000};
	union message m;
	rcv id;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0);
	NEED((id = receive(chid, &m, ENOUGH)) > 0);
	pause_ms(4 * SILENCE);
	IS(MsgReply(id, 0, NULL, 0) != -1);
	IS(is_back(&c, 1, ENOUGH) && c.error == 0);
	return "yes";
}

ASK("send/timeout-withdraws", "Does a server never see a message that timed out before it was received?")
{
	int chid = channel(0);
	struct client c = {.ms = SILENCE};
	union message m;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0);
	NEED(is_back(&c, 1, ENOUGH) && c.error == ETIMEDOUT);
	IS(receive(chid, &m, SILENCE) == -1);
	return "yes";
}

ASK("send/late-reply-newer", "Does an answer that comes too late reach the same thread's next message?")
{
	int chid = channel(0);
	struct client c = {.ms = SILENCE, .twice = 1};
	union message m;
	rcv first, second;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0);
	NEED((first = receive(chid, &m, ENOUGH)) > 0 && is_back(&c, 1, ENOUGH) && c.error == ETIMEDOUT);
	NEED((second = receive(chid, &m, ENOUGH)) > 0);
	IS(MsgReply(first, 77, NULL, 0) != -1);
	IS(is_back(&c, 2, ENOUGH) && c.second == 0 && c.status == 77);
	return "yes";
}

ASK("ask/rcvid-again", "Has the next message of a thread the same id?")
{
	int chid = channel(0);
	struct client c = {.twice = 1};
	union message m;
	rcv first, second;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0);
	NEED((first = receive(chid, &m, ENOUGH)) > 0 && MsgReply(first, 0, NULL, 0) != -1);
	NEED((second = receive(chid, &m, ENOUGH)) > 0 && MsgReply(second, 0, NULL, 0) != -1);
	return first == second ? "yes" : "no";
}

ASK("send/channel-closed-send-blocked", "MsgSend() when the channel is destroyed before the message was received: which errno?")
{
	int chid = channel(0);
	struct client c = {.ms = 0};

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0);
	pause_ms(SILENCE);
	NEED(ChannelDestroy(chid) != -1);
	return is_back(&c, 1, ENOUGH) ? one(c.error) : "hangs";
}

ASK("send/channel-closed-reply-blocked", "MsgSend() when the channel is destroyed while the server has the message: which errno?")
{
	int chid = channel(0);
	struct client c = {.ms = 0};
	union message m;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0 && receive(chid, &m, ENOUGH) > 0);
	NEED(ChannelDestroy(chid) != -1);
	return is_back(&c, 1, ENOUGH) ? one(c.error) : "hangs";
}

ASK("ask/detach-wakes", "ConnectDetach() while a thread waits in MsgSend(): how does its call end, SEND-blocked, REPLY-blocked, and with _NTO_CHF_UNBLOCK?")
{
	static const unsigned flags[] = {0, 0, _NTO_CHF_UNBLOCK};
	char text[200] = "";

	for (int i = 0; i < 3; i++) {
		int chid = channel(flags[i]);
		struct client *c = calloc(1, sizeof *c); /* its thread may outlive this function */
		union message m;

		NEED(chid != -1 && (c->coid = attach(chid)) != -1 && start_client(c) == 0);
		if (i > 0)
			NEED(receive(chid, &m, ENOUGH) > 0);
		else
			pause_ms(SILENCE);
		ConnectDetach(c->coid);
		is_back(c, 1, 2 * SILENCE);
		strcat(text, i == 0 ? "" : "; ");
		strcat(text, c->back ? errno_name(c->error) : "stays");
		if (i == 2) {
			strcat(text, next_pulse(chid, SILENCE) == _PULSE_CODE_UNBLOCK ? ", unblock pulse" : ", no unblock pulse");
			strcat(text, c->back ? "" : ", until it is answered");
		}
	}
	return say("%s", text);
}

ASK("ask/small-buffer", "MsgReceivePulse() and MsgReceive() of a pulse into a buffer smaller than one: which errno, and is the pulse lost?")
{
	int chid = channel(0), coid, first, second;
	char b[2];

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	NEED(MsgSendPulse(coid, -1, 1, 0) != -1);
	timeout(_NTO_TIMEOUT_RECEIVE, SILENCE);
	first = MsgReceivePulse(chid, b, sizeof b, NULL) == -1 ? errno : 0;
	say("%s, %s; ", errno_name(first), next_pulse(chid, SILENCE) == 1 ? "kept" : "lost");
	NEED(MsgSendPulse(coid, -1, 2, 0) != -1);
	timeout(_NTO_TIMEOUT_RECEIVE, SILENCE);
	second = MsgReceive(chid, b, sizeof b, NULL) == -1 ? errno : 0;
	strcat(answer, errno_name(second));
	strcat(answer, next_pulse(chid, SILENCE) == 2 ? ", kept" : ", lost");
	return answer;
}

static void *send_bad(void *p)
{
	struct client *c = p;
	char *bad = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);

	c->error = error_of(MsgSend(c->coid, bad, 100, NULL, 0));
	c->back = 1;
	return NULL;
}

ASK("ask/bad-send-buffer", "MsgSend() of memory that cannot be read, to a server that waits: which errno, and what does the server see?")
{
	struct receiver r = {.chid = channel(0)};
	struct client c = {.ms = 0};

	NEED(r.chid != -1 && (c.coid = attach(r.chid)) != -1 && pthread_create(&r.thread, NULL, receive_message, &r) == 0);
	pause_ms(SILENCE);
	NEED(pthread_create(&c.thread, NULL, send_bad, &c) == 0);
	if (!is_back(&c, 1, ENOUGH))
		return "hangs";
	return say("%s; the server %s", errno_name(c.error), !r.back ? "sees nothing" : r.error ? "gets an errno" : "gets a message");
}

ASK("revoke/message-buffer", "MsgSend() of memory that was revoked: which errno?")
{
	int chid = channel(0), coid, fd = revocable(1);
	char *p;

	NEED(chid != -1 && (coid = attach(chid)) != -1 && fd != -1 && (p = map(fd, page)) != MAP_FAILED && shm_revoke(fd, getpid()) == 0);
	struct receiver r = {.chid = chid};
	NEED(pthread_create(&r.thread, NULL, receive_message, &r) == 0);
	pause_ms(SILENCE);
	timeout(_NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, ENOUGH);
	return one(error_of(MsgSend(coid, p, 100, NULL, 0)));
}

ASK("pieces/too-many", "MsgSendv() with 524289 parts in the message, and in the reply: which errno?")
{
	const size_t n = 524289;
	struct iovec *v = calloc(n, sizeof *v);
	int chid = channel(0), coid;

	NEED(v != NULL && chid != -1 && (coid = attach(chid)) != -1);
	timeout(_NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, SILENCE);
	see(error_of(MsgSendv(coid, v, n, NULL, 0)));
	timeout(_NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, SILENCE);
	see(error_of(MsgSendv(coid, NULL, 0, v, n)));
	return seen();
}

static void *send_with_room(void *p)
{
	struct client *c = p;
	char b[100] = "message";

	c->error = error_of(MsgSend(c->coid, b, sizeof b, b, sizeof b));
	c->back = 1;
	return NULL;
}

/* The id of a message that has 100 bytes and room for as many. */
static rcv roomy_message(struct client *c)
{
	union message m;
	int chid = channel(0);

	if (chid == -1 || (c->coid = attach(chid)) == -1 || pthread_create(&c->thread, NULL, send_with_room, c) != 0)
		return -1;
	return receive(chid, &m, ENOUGH);
}

ASK("read/buffer-bad", "MsgRead() into memory that cannot be written to: which errno?")
{
	struct client c = {.ms = 0};
	char *bad = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
	rcv id;

	NEED(bad != MAP_FAILED && (id = roomy_message(&c)) > 0);
	return one(MsgRead(id, bad, 50, 0) == -1 ? errno : 0);
}

ASK("write/data-bad", "MsgWrite() of memory that cannot be read: which errno?")
{
	struct client c = {.ms = 0};
	char *bad = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
	rcv id;

	NEED(bad != MAP_FAILED && (id = roomy_message(&c)) > 0);
	return one(MsgWrite(id, bad, 50, 0) == -1 ? errno : 0);
}

/* A pulse to a channel of this process, registered for a server. */
static int pulse_for(struct sigevent *event, int coid, int *chid, int *self)
{
	if ((*chid = channel(0)) == -1 || (*self = attach(*chid)) == -1)
		return -1;
	SIGEV_PULSE_INIT(event, *self, SIGEV_PULSE_PRIO_INHERIT, 1, 0);
	return MsgRegisterEvent(event, coid);
}

ASK("event/other-server", "MsgDeliverEvent() of an event that the client has registered for another server: which errno?")
{
	struct client c = {.ms = 0};
	struct sigevent event;
	int other = channel(0), coid, chid, self;
	rcv id;

	NEED(other != -1 && (coid = attach(other)) != -1 && (id = roomy_message(&c)) > 0);
	NEED(pulse_for(&event, coid, &chid, &self) != -1);
	return one(MsgDeliverEvent(id, &event) == -1 ? errno : 0);
}

struct two {
	int first, second;
	pthread_t thread;
};

static void *send_by_two(void *p)
{
	struct two *t = p;

	MsgSend(t->first, NULL, 0, NULL, 0);
	MsgSend(t->second, NULL, 0, NULL, 0);
	ConnectDetach(t->second);
	return NULL;
}

ASK("event/other-connection", "Is an event delivered, registered for one connection, after the thread has sent another message by a second one and detached that?")
{
	int chid = channel(0), own, self;
	struct two t = {.first = attach(chid), .second = attach(chid)};
	struct sigevent event;
	union message m;
	rcv id;

	NEED(chid != -1 && t.first != -1 && t.second != -1 && pulse_for(&event, t.first, &own, &self) != -1);
	NEED(pthread_create(&t.thread, NULL, send_by_two, &t) == 0);
	NEED((id = receive(chid, &m, ENOUGH)) > 0 && MsgReply(id, 0, NULL, 0) != -1);
	rcv next = receive(chid, &m, ENOUGH);
	NEED(next > 0 && MsgReply(next, 0, NULL, 0) != -1 && pthread_join(t.thread, NULL) == 0);
	IS(MsgDeliverEvent(id, &event) != -1);
	IS(next_pulse(own, ENOUGH) == 1);
	return "yes";
}

ASK("event/unregistered", "MsgDeliverEvent() of an event that the client has unregistered: which errno?")
{
	struct client c = {.ms = 0};
	struct sigevent event;
	int chid, self;
	rcv id;

	NEED((id = roomy_message(&c)) > 0 && pulse_for(&event, c.coid, &chid, &self) != -1);
	NEED(MsgUnregisterEvent(&event) != -1);
	return one(MsgDeliverEvent(id, &event) == -1 ? errno : 0);
}

ASK("event/verify-ended", "MsgVerifyEvent() of an event that the client has unregistered: which errno?")
{
	struct client c = {.ms = 0};
	struct sigevent event;
	int chid, self;
	rcv id;

	NEED((id = roomy_message(&c)) > 0 && pulse_for(&event, c.coid, &chid, &self) != -1);
	NEED(MsgUnregisterEvent(&event) != -1);
	return one(MsgVerifyEvent(id, &event) == -1 ? errno : 0);
}

ASK("event/channel-closed", "MsgDeliverEvent() of a pulse to a channel that was destroyed, and whose connection was detached: which errno?")
{
	struct client c = {.ms = 0};
	struct sigevent event;
	int chid, self;
	rcv id;

	NEED((id = roomy_message(&c)) > 0 && pulse_for(&event, c.coid, &chid, &self) != -1);
	NEED(ConnectDetach(self) != -1 && ChannelDestroy(chid) != -1);
	return one(MsgDeliverEvent(id, &event) == -1 ? errno : 0);
}

/* ---- _NTO_CHF_UNBLOCK ---- */

ASK("unblock/send-blocked-silent", "Does a server with _NTO_CHF_UNBLOCK get neither message nor pulse of a client that timed out before its message was received?")
{
	int chid = channel(_NTO_CHF_UNBLOCK);
	struct client c = {.ms = SILENCE};

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0);
	NEED(is_back(&c, 1, ENOUGH) && c.error == ETIMEDOUT);
	IS(next_pulse(chid, SILENCE) == 1001);
	return "yes";
}

ASK("unblock/in-time", "Comes no unblock pulse when the server replies before the timeout?")
{
	int chid = channel(_NTO_CHF_UNBLOCK);
	struct client c = {.ms = 4 * SILENCE};
	union message m;
	rcv id;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0 && (id = receive(chid, &m, ENOUGH)) > 0);
	NEED(MsgReply(id, 0, NULL, 0) != -1);
	IS(next_pulse(chid, 6 * SILENCE) == 1001);
	return "yes";
}

ASK("unblock/withdrawn", "Is an unblock pulse that waits gone once the server has replied?")
{
	int chid = channel(_NTO_CHF_UNBLOCK);
	struct client c = {.ms = SILENCE};
	union message m;
	rcv id;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0 && (id = receive(chid, &m, ENOUGH)) > 0);
	pause_ms(2 * SILENCE);
	NEED(MsgReply(id, 0, NULL, 0) != -1 && is_back(&c, 1, ENOUGH));
	IS(next_pulse(chid, SILENCE) == 1001);
	return "yes";
}

ASK("unblock/channel-closed", "MsgSend() of a client that stays when the channel with _NTO_CHF_UNBLOCK is destroyed: which errno?")
{
	int chid = channel(_NTO_CHF_UNBLOCK);
	struct client c = {.ms = SILENCE};
	union message m;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0 && receive(chid, &m, ENOUGH) > 0);
	NEED(next_pulse(chid, ENOUGH) == _PULSE_CODE_UNBLOCK && ChannelDestroy(chid) != -1);
	return is_back(&c, 1, ENOUGH) ? one(c.error) : "hangs";
}

/* Another process that waits for the answer to its message to chid. */
static rcv message_of(struct other *o, int chid, struct _msg_info *info)
{
	union message m;
	int error;

	*o = start();
	if (o->pid == -1)
		return -1;
	error = DO(o, .op = OP_CONNECT, .a = getpid(), .b = chid).error;
	if (error != 0 || instruct(o, (struct command){.op = OP_SEND}) == -1) {
		errno = error;
		return -1;
	}
	timeout(_NTO_TIMEOUT_RECEIVE, ENOUGH);
	return MsgReceive(chid, &m, sizeof m, info);
}

ASK("unblock/killed", "MsgReply() to a client that was killed while its message was held, with _NTO_CHF_UNBLOCK: which errno?")
{
	int chid = channel(_NTO_CHF_UNBLOCK);
	struct _msg_info info;
	struct other o;
	rcv id;

	NEED(chid != -1 && (id = message_of(&o, chid, &info)) > 0 && kill(o.pid, SIGKILL) == 0);
	pause_ms(4 * SILENCE);
	return one(error_of(MsgReply(id, 0, NULL, 0)));
}

/* ---- ConnectDetach by the server, pulses ---- */

ASK("detach/blocked-client", "Does a client's MsgSend() fail when the server detaches its scoid?")
{
	int chid = channel(_NTO_CHF_DISCONNECT);
	struct _msg_info info;
	struct result r;
	struct other o;

	NEED(chid != -1 && message_of(&o, chid, &info) > 0);
	if (ConnectDetach(info.scoid) == -1)
		return say("no: ConnectDetach: %s", errno_name(errno));
	if (poll(&(struct pollfd){.fd = o.from, .events = POLLIN}, 1, ENOUGH) != 1)
		return "no: it stays";
	r = hear(&o);
	return r.error ? "yes" : "no: it succeeds";
}

ASK("detach/cuts-off", "MsgSend() of a client that the server has detached: which errno?")
{
	int chid = channel(_NTO_CHF_DISCONNECT);
	struct _msg_info info;
	struct other o;
	rcv id;

	NEED(chid != -1 && (id = message_of(&o, chid, &info)) > 0 && MsgReply(id, 0, NULL, 0) != -1 && hear(&o).error == 0);
	if (ConnectDetach(info.scoid) == -1)
		return say("%s", errno_name(errno));
	return one(DO(&o, .op = OP_SEND).error);
}

ASK("pulse/wide-value", "Does a pulse's value of 64 bits arrive whole?")
{
	int chid = channel(0), coid;
	const long value = (long)(sizeof(long) > 4 ? 0x123456789abcdef0LL : 0x12345678);
	union message m;
	long long got = 0;

	SINCE80;
	NEED(chid != -1 && (coid = attach(chid)) != -1);
	IS(MsgSendPulse(coid, -1, 1, RELEASE < 800 ? 0 : value) != -1);
	NEED(receive(chid, &m, ENOUGH) == 0);
	memcpy(&got, &m.pulse.value, sizeof m.pulse.value < sizeof got ? sizeof m.pulse.value : sizeof got);
	IS(got == value);
	return "yes";
}

ASK("pulse/priority", "MsgSendPulse() with priority 0, -2, 256: which errno?")
{
	int chid = channel(0), coid;

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	return say("%s %s %s", errno_name(error_of(MsgSendPulse(coid, 0, 1, 0))), errno_name(error_of(MsgSendPulse(coid, -2, 1, 0))),
		errno_name(error_of(MsgSendPulse(coid, 256, 1, 0))));
}

ASK("pulse/code", "MsgSendPulse() with code -1, 128: which errno?")
{
	int chid = channel(0), coid;

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	return say("%s %s", errno_name(error_of(MsgSendPulse(coid, -1, -1, 0))), errno_name(error_of(MsgSendPulse(coid, -1, 128, 0))));
}

ASK("pulse/dead-channel", "MsgSendPulse() to a channel that is gone: which errno?")
{
	int chid = channel(0), coid;

	NEED(chid != -1 && (coid = attach(chid)) != -1 && ChannelDestroy(chid) != -1);
	return one(error_of(MsgSendPulse(coid, -1, 1, 0)));
}

ASK("pulse/dead-server", "MsgSendPulse() to a process that is gone: which errno?")
{
	struct other o = start();
	struct result r;
	int coid;

	NEED(o.pid != -1);
	r = DO(&o, .op = OP_CHANNEL);
	errno = r.error;
	NEED(r.error == 0 && (coid = ConnectAttach(0, o.pid, (int)r.value, _NTO_SIDE_CHANNEL, 0)) != -1);
	end(&o);
	pause_ms(SILENCE);
	return one(error_of(MsgSendPulse(coid, -1, 1, 0)));
}

ASK("pulse/flood", "MsgSendPulse() when too many pulses wait: which errno?")
{
	int chid = channel(0), coid;

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	for (int i = 0; i < 20000; i++)
		if (MsgSendPulse(coid, -1, i % 128, i) == -1)
			return one(errno);
	return one(0);
}

ASK("pulse/priority-zero", "Does a pulse of priority 0 come as one of priority 1?")
{
	int chid = channel(_NTO_CHF_FIXED_PRIORITY), coid;

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	IS(MsgSendPulse(coid, 0, 1, 0) != -1);
	NEED(MsgSendPulse(coid, 1, 2, 0) != -1 && MsgSendPulse(coid, 2, 3, 0) != -1);
	IS(next_pulse(chid, SILENCE) == 3);
	IS(next_pulse(chid, SILENCE) == 1);
	return "yes";
}

ASK("ask/pulse-order", "In which order come pulses of priority 10, 20, 10 with codes 1, 2, 3?")
{
	int chid = channel(_NTO_CHF_FIXED_PRIORITY), coid, code[3];

	NEED(chid != -1 && (coid = attach(chid)) != -1);
	NEED(MsgSendPulse(coid, 10, 1, 0) != -1 && MsgSendPulse(coid, 20, 2, 0) != -1 && MsgSendPulse(coid, 10, 3, 0) != -1);
	for (int i = 0; i < 3; i++)
		code[i] = next_pulse(chid, SILENCE);
	return say("%d %d %d", code[0], code[1], code[2]);
}

ASK("disconnect/silent-client", "Comes one disconnect pulse when a client that never sent anything goes away?")
{
	int chid = channel(_NTO_CHF_DISCONNECT), error;
	struct other o = start();

	NEED(chid != -1 && o.pid != -1);
	error = DO(&o, .op = OP_CONNECT, .a = getpid(), .b = chid).error;
	errno = error;
	NEED(error == 0);
	end(&o);
	IS(next_pulse(chid, ENOUGH) == _PULSE_CODE_DISCONNECT);
	IS(next_pulse(chid, SILENCE) == 1001);
	return "yes";
}

ASK("disconnect/overtakes", "Does the disconnect pulse come before a pulse that the client has sent earlier?")
{
	int chid = channel(_NTO_CHF_DISCONNECT), error, first;
	struct other o = start();

	NEED(chid != -1 && o.pid != -1);
	error = DO(&o, .op = OP_CONNECT, .a = getpid(), .b = chid).error;
	if (error == 0)
		error = DO(&o, .op = OP_PULSE, .a = 5).error;
	errno = error;
	NEED(error == 0);
	end(&o);
	pause_ms(2 * SILENCE);
	first = next_pulse(chid, ENOUGH);
	return first == _PULSE_CODE_DISCONNECT ? "yes" : first == 5 ? "no" : say("no: code %d", first);
}

ASK("disconnect/blocked-thread", "Does the disconnect pulse wait until a thread that stays blocked on the connection has its answer?")
{
	int chid = channel(_NTO_CHF_DISCONNECT | _NTO_CHF_UNBLOCK);
	struct client c = {.ms = 0};
	union message m;
	rcv id;

	NEED(chid != -1 && (c.coid = attach(chid)) != -1 && start_client(&c) == 0 && (id = receive(chid, &m, ENOUGH)) > 0);
	NEED(ConnectDetach(c.coid) != -1 && next_pulse(chid, ENOUGH) == _PULSE_CODE_UNBLOCK);
	IS(next_pulse(chid, SILENCE) == 1001);
	NEED(MsgReply(id, 0, NULL, 0) != -1);
	IS(next_pulse(chid, ENOUGH) == _PULSE_CODE_DISCONNECT);
	return "yes";
}

ASK("ask/receivers-order", "Which of two threads that wait in MsgReceive() gets a message: the one that came first, or last?")
{
	int chid = channel(0);
	struct receiver r[2] = {{.chid = chid}, {.chid = chid}};
	struct client c = {.ms = 0};

	NEED(chid != -1 && (c.coid = attach(chid)) != -1);
	for (int i = 0; i < 2; i++) {
		NEED(pthread_create(&r[i].thread, NULL, receive_message, &r[i]) == 0);
		pause_ms(SILENCE);
	}
	NEED(start_client(&c) == 0);
	pause_ms(2 * SILENCE);
	return r[0].back && r[1].back ? "both" : r[1].back ? "last" : r[0].back ? "first" : "none";
}

ASK("who/client", "Does ConnectClientInfo() tell the credentials of a client by its scoid?")
{
	int chid = channel(0);
	struct _msg_info info;
	struct _client_info who;
	struct other o;
	rcv id;

	NEED(chid != -1 && (id = message_of(&o, chid, &info)) > 0);
	if (ConnectClientInfo(info.scoid, &who, 0) == -1)
		return say("no: %s", errno_name(errno));
	return who.pid == o.pid && who.cred.euid == geteuid() ? "yes" : "no: of somebody else";
}

/* ---- the program ---- */

static void write_line(const char *id, const char *text)
{
	char line[600];
	int n = snprintf(line, sizeof line, "%s: %s\n", id, text);

	if (n >= (int)sizeof line)
		n = sizeof line - 1;
	(void)!write(1, line, (size_t)n);
}

static struct question *find(const char *id)
{
	for (struct question *q = questions; q; q = q->next)
		if (strcmp(q->id, id) == 0)
			return q;
	return NULL;
}

/* The process of one question. */
static int answer_one(const char *id)
{
	struct question *q = find(id);

	if (q == NULL)
		return 1;
	alarm(2 * PATIENCE);
	write_line(q->id, q->ask());
	for (unsigned i = 0; i < n_others; i++)
		if (waitpid(others[i], NULL, WNOHANG) == 0)
			kill(others[i], SIGKILL);
	shm_unlink(name);
	_exit(0); /* threads may still be in calls */
}

static volatile sig_atomic_t asking; /* the process that is asking */

/* Who interrupts the probe ends the question, too. */
static void on_interrupt(int signal)
{
	(void)signal;
	if (asking > 0)
		kill(-(pid_t)asking, SIGKILL);
	_exit(1);
}

/* Asks in a process of its own, and answers for it when it does not. */
static void ask(const struct question *q)
{
	int status = 0;
	pid_t pid = fork(), got = 0;

	if (pid == 0) {
		setpgid(0, 0);
		execlp(self, self, "-ask", q->id, (char *)NULL);
		_exit(9);
	}
	if (pid == -1) {
		write_line(q->id, "not asked: fork failed");
		return;
	}
	asking = pid;
	for (int i = 0; i < PATIENCE * 200 && got != pid; i++) {
		got = waitpid(pid, &status, WNOHANG);
		if (got == -1 && errno != EINTR)
			break;
		if (got != pid)
			pause_ms(5);
	}
	kill(-pid, SIGKILL); /* and what it has started */
	asking = 0;
	if (got != pid) {
		kill(pid, SIGKILL);
		for (int i = 0; i < 400 && waitpid(pid, &status, WNOHANG) == 0; i++)
			pause_ms(5);
		write_line(q->id, "hangs");
	} else if (WIFSIGNALED(status)) {
		char text[40];

		snprintf(text, sizeof text, "died: %s", WTERMSIG(status) == SIGALRM ? "SIGALRM" : signal_name(WTERMSIG(status)));
		write_line(q->id, text);
	} else if (WEXITSTATUS(status) != 0) {
		write_line(q->id, "died: it ended without an answer");
	}
	snprintf(name, sizeof name, "/qnxshm-probe-%d", (int)pid);
	shm_unlink(name);
}

static int try_and_exit(const char *what, const char *number)
{
	shm_handle_t h = (shm_handle_t)strtoull(number, NULL, 10);

	alarm(PATIENCE);
	return strcmp(what, "-open") == 0 ? try_open(h, O_RDWR) : error_of(shm_delete_handle(h));
}

static const char *system_name(const char *fallback)
{
#if defined __QNX__ || defined __QNXNTO__
	(void)fallback;
	return "QNX";
#else
	return fallback;
#endif
}

static void begin(void)
{
	struct utsname u;

	if (uname(&u) == -1)
		memset(&u, 0, sizeof u);
	printf("qnxshm-probe: %d\nsystem: %s\nrelease: %s\ncompiled: %d\nmachine: %s\nuser: %s\n", REPORT_VERSION, HOST ? "host" : system_name(u.sysname),
		u.release, (int)RELEASE, u.machine, geteuid() == 0 ? "root" : "other");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int n = 0;

	self = argv[0];
	page = (size_t)sysconf(_SC_PAGESIZE);
	snprintf(name, sizeof name, "/qnxshm-probe-%d", (int)getpid());
	if (argc == 3 && strcmp(argv[1], "-ask") == 0)
		return answer_one(argv[2]);
	if (argc == 2 && strcmp(argv[1], "-other") == 0)
		return be_other();
	if (argc == 3 && (strcmp(argv[1], "-open") == 0 || strcmp(argv[1], "-delete") == 0))
		return try_and_exit(argv[1], argv[2]);
	if (argc == 2 && strcmp(argv[1], "-l") == 0) {
		for (struct question *q = questions; q; q = q->next)
			printf("%s\t%s\n", q->id, q->text);
		return 0;
	}
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	signal(SIGHUP, on_interrupt);
	begin();
	if (argc > 1) {
		for (int i = 1; i < argc; i++) {
			struct question *q = find(argv[i]);

			if (q == NULL) {
				fprintf(stderr, "probe: no question %s; probe -l lists them\n", argv[i]);
				return 2;
			}
			ask(q);
			n++;
		}
	} else {
		for (struct question *q = questions; q; q = q->next, n++)
			ask(q);
	}
	printf("end: %d\n", n);
	return 0;
}
