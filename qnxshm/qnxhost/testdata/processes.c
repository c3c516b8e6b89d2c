/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* fork, exec, exit, cancellation, and many threads. The first argument says which
   part to play. */
#define _GNU_SOURCE
#include "check.h"

#include <sys/resource.h>
#include <time.h>

static int chid, coid;
static const char *name;

static void *answer(void *p)
{
	char b[100];
	rcvid_t rcvid;

	(void)p;
	while ((rcvid = MsgReceive(chid, b, sizeof b, NULL)) != -1)
		if (rcvid > 0)
			MsgReply(rcvid, 42, b, sizeof b);
		else
			ConnectDetach(((struct _pulse *)b)->scoid);
	return NULL;
}

/* What a forked child gets from every call. */
static int in_child(name_attach_t *attach, dispatch_t *dpp, timer_t timer)
{
	const uint64_t ns = 1000000;
	struct itimerspec its = {.it_value.tv_sec = 1};
	struct sigevent event;
	struct _client_info client;
	struct _msg_info info;
	shm_handle_t h = 1;
	char b[100];
	iov_t v = {b, sizeof b};
	timer_t t;

	SIGEV_PULSE_INIT(&event, coid, -1, 1, 1);
	CHECK_ERRNO(shm_create_handle(0, 1, O_RDWR, &h, 0), ENOSYS);
	CHECK_ERRNO(shm_create_subrange_handle(0, 1, O_RDWR, &h, 0, 4096, 0), ENOSYS);
	CHECK_ERRNO(shm_open_handle(h, O_RDWR), ENOSYS);
	CHECK_ERRNO(shm_open_handle_pid(h, O_RDWR, 1), ENOSYS);
	CHECK_ERRNO(shm_delete_handle(h), ENOSYS);
	CHECK_ERRNO(shm_open(SHM_ANON, O_RDWR, 0), ENOSYS);
	CHECK_ERRNO(shm_unlink("/none"), ENOSYS);
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_ANON | MAP_PRIVATE, NOFD, 0), ENOSYS);
	CHECK_ERRNO(munmap(b, 1), ENOSYS);
	CHECK_ERRNO(munmap_flags(b, 1, 0), ENOSYS);
	CHECK_ERRNO(mprotect(b, 1, PROT_READ), ENOSYS);
	CHECK_ERRNO(ftruncate(1, 1), ENOSYS);
	CHECK_ERRNO(mmap_handle(NULL, 1, PROT_READ, MAP_SHARED, h, 0), ENOSYS);
	CHECK_ERRNO(mmap_handle_pid(NULL, 1, PROT_READ, MAP_SHARED, h, 1, 0), ENOSYS);
	CHECK_ERRNO(shm_ctl(0, 0, 0, 0), ENOSYS);
	CHECK_ERRNO(shm_ctl_special(0, 0, 0, 0, 0), ENOSYS);
	CHECK_ERRNO(shm_revoke(0, 1), ENOSYS);
	CHECK_ERRNO(ChannelCreate(0), ENOSYS);
	CHECK_EQUAL(ChannelCreate_r(0), -ENOSYS);
	CHECK_ERRNO(ChannelCreatePulsePool(0, NULL), ENOSYS);
	CHECK_ERRNO(ChannelDestroy(chid), ENOSYS);
	CHECK_EQUAL(ChannelDestroy_r(chid), -ENOSYS);
	CHECK_ERRNO(ConnectAttach(0, 0, chid, 0, 0), ENOSYS);
	CHECK_EQUAL(ConnectAttach_r(0, 0, chid, 0, 0), -ENOSYS);
	CHECK_ERRNO(ConnectDetach(coid), ENOSYS);
	CHECK_EQUAL(ConnectDetach_r(coid), -ENOSYS);
	CHECK_ERRNO(ConnectFlags(0, coid, 0, 0), ENOSYS);
	CHECK_ERRNO(ConnectServerInfo(0, coid, &info), ENOSYS);
	CHECK_EQUAL(ConnectServerInfo_r(0, coid, &info), -ENOSYS);
	CHECK_ERRNO(ConnectClientInfo(-1, &client, 0), ENOSYS);
	CHECK_EQUAL(ConnectClientInfo_r(-1, &client, 0), -ENOSYS);
	CHECK_ERRNO(MsgSend(coid, b, 1, b, 1), ENOSYS);
	CHECK_ERRNO(MsgSendnc(coid, b, 1, b, 1), ENOSYS);
	CHECK_ERRNO(MsgSendv(coid, &v, 1, &v, 1), ENOSYS);
	CHECK_ERRNO(MsgSendvnc(coid, &v, 1, &v, 1), ENOSYS);
	CHECK_ERRNO(MsgSendsv(coid, b, 1, &v, 1), ENOSYS);
	CHECK_ERRNO(MsgSendsvnc(coid, b, 1, &v, 1), ENOSYS);
	CHECK_ERRNO(MsgSendvs(coid, &v, 1, b, 1), ENOSYS);
	CHECK_ERRNO(MsgSendvsnc(coid, &v, 1, b, 1), ENOSYS);
	CHECK_EQUAL(MsgSend_r(coid, b, 1, b, 1), -ENOSYS);
	CHECK_ERRNO(MsgReceive(chid, b, sizeof b, &info), ENOSYS);
	CHECK_EQUAL(MsgReceive_r(chid, b, sizeof b, &info), -ENOSYS);
	CHECK_ERRNO(MsgReceivev(chid, &v, 1, &info), ENOSYS);
	CHECK_ERRNO(MsgReceivePulse(chid, b, sizeof b, NULL), ENOSYS);
	CHECK_ERRNO(MsgReceivePulsev(chid, &v, 1, NULL), ENOSYS);
	CHECK_ERRNO(MsgReply(1, 0, b, 1), ENOSYS);
	CHECK_ERRNO(MsgReplyv(1, 0, &v, 1), ENOSYS);
	CHECK_ERRNO(MsgError(1, 1), ENOSYS);
	CHECK_ERRNO(MsgRead(1, b, 1, 0), ENOSYS);
	CHECK_ERRNO(MsgReadv(1, &v, 1, 0), ENOSYS);
	CHECK_ERRNO(MsgWrite(1, b, 1, 0), ENOSYS);
	CHECK_ERRNO(MsgWritev(1, &v, 1, 0), ENOSYS);
	CHECK_ERRNO(MsgInfo(1, &info), ENOSYS);
	CHECK_ERRNO(MsgSendPulse(coid, -1, 1, 1), ENOSYS);
	CHECK_ERRNO(MsgSendPulsePtr(coid, -1, 1, b), ENOSYS);
	CHECK_ERRNO(MsgDeliverEvent(1, &event), ENOSYS);
	CHECK_ERRNO(MsgRegisterEvent(&event, coid), ENOSYS);
	CHECK_ERRNO(MsgUnregisterEvent(&event), ENOSYS);
	CHECK_ERRNO(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL), ENOSYS);
	CHECK_ERRNO(name_attach(NULL, "child", 0), ENOSYS);
	CHECK_ERRNO(name_detach(attach, 0), ENOSYS);
	CHECK_ERRNO(name_open(name, 0), ENOSYS);
	CHECK_ERRNO(name_close(coid), ENOSYS);
	CHECK_ERRNO(dispatch_create(), ENOSYS);
	CHECK_ERRNO(dispatch_create_channel(chid, 0), ENOSYS);
	CHECK_ERRNO(dispatch_destroy(dpp), ENOSYS);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &t), ENOSYS);
	CHECK_ERRNO(timer_settime(timer, 0, &its, NULL), ENOSYS);
	CHECK_ERRNO(timer_gettime(timer, &its), ENOSYS);
	CHECK_ERRNO(timer_getoverrun(timer), ENOSYS);
	CHECK_ERRNO(timer_delete(timer), ENOSYS);
	return result();
}

static int ended(pid_t child)
{
	int status;

	MUST(child != -1 && waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void forks(void)
{
	struct sigevent event;
	name_attach_t *a;
	pthread_t server;
	pid_t child;
	timer_t timer;
	char b[100] = "";

	MUST(a = name_attach(NULL, name, 0));
	chid = a->chid;
	server = thread(answer, NULL);
	MUST((coid = name_open(name, 0)) != -1);
	SIGEV_PULSE_INIT(&event, coid, -1, 1, 1);
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK_EQUAL(MsgSend(coid, b, 1, b, 1), 42);
	for (int i = 0; i < 5; i++) {
		child = fork();
		if (child == 0)
			_exit(in_child(a, a->dpp, timer));
		CHECK_EQUAL(MsgSend(coid, b, 1, b, 1), 42);
		CHECK_EQUAL(ended(child), 0);
		CHECK_EQUAL(MsgSend(coid, b, 1, b, 1), 42);
	}
	/* a child's child, and one that exits in full */
	child = fork();
	if (child == 0) {
		child = fork();
		if (child == 0)
			exit(ChannelCreate_r(0) == -ENOSYS ? 0 : 1);
		exit(ended(child));
	}
	CHECK_EQUAL(ended(child), 0);
	/* exec makes it a process like any other */
	for (int i = 0; i < 5; i++) {
		child = fork();
		if (child == 0) {
			execl("/proc/self/exe", "processes", "client", name, NULL);
			_exit(9);
		}
		CHECK_EQUAL(ended(child), 0);
	}
	CHECK_EQUAL(MsgSend(coid, b, 1, b, 1), 42);
	CHECK(timer_delete(timer) == 0);
	CHECK(name_close(coid) == 0);
	CHECK(name_detach(a, 0) == 0);
	join(server);
}

static void client(void)
{
	char b[100] = "";

	MUST((coid = name_open(name, 0)) != -1);
	CHECK_EQUAL(MsgSend(coid, b, 1, b, 1), 42);
	name_close(coid);
}

/* Threads come and go, and leave nothing. */
static void *visitor(void *p)
{
	char b[100] = "";
	int c = attach(chid), own = channel(0), fd;
	shm_handle_t h;

	(void)p;
	CHECK_EQUAL(MsgSend(c, b, sizeof b, b, sizeof b), 42);
	CHECK(ConnectDetach(c) == 0);
	CHECK(ChannelDestroy(own) == 0);
	MUST((fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600)) != -1);
	CHECK(shm_create_handle(fd, getpid(), O_RDWR, &h, 0) == 0);
	close(fd);
	MUST((fd = shm_open_handle(h, O_RDWR)) != -1);
	close(fd);
	return NULL;
}

static void visits(int n)
{
	pthread_t t[20];

	for (int i = 0; i < n; i += 20) {
		for (int j = 0; j < 20; j++)
			t[j] = thread(visitor, NULL);
		for (int j = 0; j < 20; j++)
			join(t[j]);
	}
}

static void *small_stack(void *p)
{
	return visitor(p);
}

static void churn(void)
{
	int threads, descriptors, more;
	pthread_t server, t;
	pthread_attr_t attr;

	chid = channel(_NTO_CHF_DISCONNECT);
	server = thread(answer, NULL);
	/* two threads may be warming up for each processor */
	visits(200);
	delay(300);
	threads = count_in("/proc/self/task");
	descriptors = count_in("/proc/self/fd");
	visits(1000);
	for (int i = 0; i < 50; i++) { /* what was kept for the next is let go */
		delay(100);
		if (count_in("/proc/self/fd") <= descriptors)
			break;
	}
	more = count_in("/proc/self/task") - threads;
	CHECK(more <= 8);
	CHECK_EQUAL(count_in("/proc/self/fd"), descriptors);
	printf("%d threads, %d more; %d descriptors\n", threads, more, descriptors);

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	MUST(pthread_create(&t, &attr, small_stack, NULL) == 0);
	join(t);
	ChannelDestroy(chid);
	join(server);
}

/* Blocked threads are cancelled, and nothing is left of their calls. */
static atomic_int cleaned;

static void cleanup(void *p)
{
	sigset_t mask;

	(void)p;
	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
	CHECK(sigismember(&mask, SIGTERM) == 0 && sigismember(&mask, SIGUSR1) == 1);
	CHECK(MsgSendPulse(coid, -1, 5, 0) == 0); /* calls still work */
	cleaned++;
}

static void *receiver(void *p)
{
	sigset_t mask;
	char b[100];

	(void)p;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	pthread_cleanup_push(cleanup, NULL);
	MsgReceive(chid, b, sizeof b, NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *sender(void *p)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	pthread_cleanup_push(cleanup, NULL);
	MsgSend(*(int *)p, "x", 1, NULL, 0);
	pthread_cleanup_pop(0);
	return NULL;
}

static atomic_bool nc_back;

static void *nc_sender(void *p)
{
	long status = MsgSendnc(*(int *)p, "x", 1, NULL, 0);

	CHECK_EQUAL(status, 3);
	nc_back = true;
	pthread_testcancel();
	return NULL;
}

static void cancellation(void)
{
	int one = channel(0), two = channel(_NTO_CHF_UNBLOCK), to_one, to_two, pulses;
	struct _pulse p;
	pthread_t t;
	rcvid_t rcvid;
	char b[100];

	pulses = channel(0);
	coid = attach(pulses);
	to_one = attach(one);
	to_two = attach(two);
	for (int i = 0; i < 100; i++) { /* before it sleeps, and when it does */
		chid = channel(0);
		t = thread(receiver, NULL);
		if (i % 2)
			delay(i % 10);
		CHECK(pthread_cancel(t) == 0);
		CHECK(join(t) == PTHREAD_CANCELED);
		CHECK(ChannelDestroy(chid) == 0); /* nobody is in there */
	}
	for (int i = 0; i < 20; i++) {
		t = thread(sender, &to_one);
		MUST((rcvid = MsgReceive(one, b, sizeof b, NULL)) > 0);
		CHECK(pthread_cancel(t) == 0);
		CHECK(join(t) == PTHREAD_CANCELED);
		CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
	}
	CHECK(cleaned >= 20);
	/* the server decides */
	t = thread(sender, &to_two);
	MUST((rcvid = MsgReceive(two, b, sizeof b, NULL)) > 0);
	CHECK(pthread_cancel(t) == 0);
	CHECK_EQUAL(MsgReceive(two, &p, sizeof p, NULL), 0);
	CHECK(p.code == _PULSE_CODE_UNBLOCK && p.value.sival_long == rcvid);
	CHECK(MsgReply(rcvid, 0, NULL, 0) == 0);
	CHECK(join(t) == PTHREAD_CANCELED);
	/* no cancellation point */
	t = thread(nc_sender, &to_one);
	MUST((rcvid = MsgReceive(one, b, sizeof b, NULL)) > 0);
	CHECK(pthread_cancel(t) == 0);
	delay(30);
	CHECK(!nc_back);
	CHECK(MsgReply(rcvid, 3, NULL, 0) == 0);
	CHECK(join(t) == PTHREAD_CANCELED);
	CHECK(nc_back);
	/* nothing holds these either */
	CHECK(ConnectDetach(to_one) == 0);
	CHECK(ConnectDetach(to_two) == 0);
	CHECK(ChannelDestroy(one) == 0);
	CHECK(ChannelDestroy(two) == 0);
}

static void *blocked_sender(void *p)
{
	(void)p;
	MsgSend(coid, "x", 1, NULL, 0);
	return NULL;
}

static void *blocked_receiver(void *p)
{
	char b[100];

	(void)p;
	MsgReceive(chid, b, sizeof b, NULL);
	return NULL;
}

static void at_exit(void)
{
	CHECK_EQUAL(MsgSendPulse(coid, -1, 1, 1), 0); /* the library is still there */
	if (faults)
		_exit(1);
}

/* Ends while threads are blocked, half of them in the middle of a call. */
static void blocked_at_exit(void)
{
	int held;
	char b[100];

	atexit(at_exit);
	held = channel(0);
	coid = attach(held);
	for (int i = 0; i < 4; i++)
		thread(blocked_sender, NULL);
	MUST(MsgReceive(held, b, sizeof b, NULL) > 0);
	chid = channel(0);
	for (int i = 0; i < 4; i++)
		thread(blocked_receiver, NULL);
	exit(7);
}

static bool timed_out(void)
{
	const uint64_t soon = 20000000;
	struct _pulse p;

	TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &soon, NULL);
	return MsgReceivePulse(chid, &p, sizeof p, NULL) == -1 && errno == ETIMEDOUT;
}

/* A program that closes what it has not opened, the host's descriptors, is told so. Those
   that were there before main are the Go runtime's, which ends the process then. */
static void closes_all(void)
{
	enum { ALL = 1024 };
	bool before[ALL];
	struct _pulse p;
	clock_t used;

	for (int fd = 0; fd < ALL; fd++)
		before[fd] = fcntl(fd, F_GETFD) != -1;
	chid = channel(0);
	CHECK(timed_out()); /* so that it has all that it needs to wait */
	for (int fd = 0; fd < ALL; fd++)
		if (!before[fd])
			close(fd);
	CHECK_ERRNO(ChannelCreate(0), EBADF);
	CHECK_ERRNO(name_attach(NULL, name, 0), EBADF);
	CHECK_ERRNO(dispatch_create(), EBADF);
	CHECK_ERRNO(MsgReceivePulse(chid, &p, sizeof p, NULL), EBADF);
	used = clock();
	delay(300);
	CHECK(clock() - used < CLOCKS_PER_SEC / 10); /* nobody looks at what is not there */
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";

	name = argc > 2 ? argv[2] : "processes-test";
	if (strcmp(part, "fork") == 0)
		forks();
	else if (strcmp(part, "client") == 0)
		client();
	else if (strcmp(part, "churn") == 0)
		churn();
	else if (strcmp(part, "cancel") == 0)
		cancellation();
	else if (strcmp(part, "exit") == 0)
		blocked_at_exit();
	else if (strcmp(part, "closes") == 0)
		closes_all();
	else
		return 3;
	return result();
}
