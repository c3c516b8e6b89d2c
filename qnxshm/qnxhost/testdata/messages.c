/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Every form of every call for messages, with one process for both sides. */
#define _GNU_SOURCE
#include "check.h"

#include <limits.h>
#include <stddef.h>
#include <sys/netmgr.h>
#include <time.h>

#define MS 1000000ULL

#if _NTO_VERSION >= 800
#define PULSE_SHIFT 40
#else
#define PULSE_SHIFT 20 /* 32 bits of the value arrive */
#endif

enum { QUIT = 1 };

/* Replies what it gets, in parts, with the length as the status. */
static void *echo(void *p)
{
	int chid = *(int *)p;
	static __thread char buf[2 << 20];

	for (;;) {
		struct _msg_info info;
		iov_t to[3], from[2];
		rcvid_t rcvid;

		SETIOV(&to[0], buf, 20);
		SETIOV(&to[1], buf + 20, 30);
		SETIOV(&to[2], buf + 50, sizeof buf - 50);
		rcvid = MsgReceivev(chid, to, 3, &info);
		if (rcvid == 0)
			return NULL;
		CHECK(rcvid > 0);
		CHECK_EQUAL(info.msglen, info.srcmsglen);
		size_t half = info.msglen / 2;
		SETIOV(&from[0], buf, half);
		SETIOV(&from[1], buf + half, info.msglen - half);
		CHECK(MsgReplyv(rcvid, info.msglen, from, 2) == 0);
	}
}

static void check_echo(int line, long status, char *reply)
{
	if (status != 12 || memcmp(reply, "hello, world", 13) != 0) {
		faults++;
		fprintf(stderr, "%s:%d: status %ld, reply %.13s (%s)\n", __FILE__, line, status, reply, errno_name(errno));
	}
	memset(reply, 0, 13);
}

static void send_forms(void)
{
	int chid = channel(0), coid = attach(chid);
	pthread_t server = thread(echo, &chid);
	char reply[100] = "";
	iov_t s[3], r[2];

	SETIOV_CONST(&s[0], "hello", 5);
	SETIOV_CONST(&s[1], "", 0);
	SETIOV_CONST(&s[2], ", world", 7);
	SETIOV(&r[0], reply, 3);
	SETIOV(&r[1], reply + 3, 50);
#define WHOLE "hello, world", 12
	check_echo(__LINE__, MsgSend(coid, WHOLE, reply, 50), reply);
	check_echo(__LINE__, MsgSend_r(coid, WHOLE, reply, 50), reply);
	check_echo(__LINE__, MsgSendnc(coid, WHOLE, reply, 50), reply);
	check_echo(__LINE__, MsgSendnc_r(coid, WHOLE, reply, 50), reply);
	check_echo(__LINE__, MsgSendsv(coid, WHOLE, r, 2), reply);
	check_echo(__LINE__, MsgSendsv_r(coid, WHOLE, r, 2), reply);
	check_echo(__LINE__, MsgSendsvnc(coid, WHOLE, r, 2), reply);
	check_echo(__LINE__, MsgSendsvnc_r(coid, WHOLE, r, 2), reply);
	check_echo(__LINE__, MsgSendvs(coid, s, 3, reply, 50), reply);
	check_echo(__LINE__, MsgSendvs_r(coid, s, 3, reply, 50), reply);
	check_echo(__LINE__, MsgSendvsnc(coid, s, 3, reply, 50), reply);
	check_echo(__LINE__, MsgSendvsnc_r(coid, s, 3, reply, 50), reply);
	check_echo(__LINE__, MsgSendv(coid, s, 3, r, 2), reply);
	check_echo(__LINE__, MsgSendv_r(coid, s, 3, r, 2), reply);
	check_echo(__LINE__, MsgSendvnc(coid, s, 3, r, 2), reply);
	check_echo(__LINE__, MsgSendvnc_r(coid, s, 3, r, 2), reply);

	/* Nothing, with and without pointers, is a message too. */
	CHECK_EQUAL(MsgSend(coid, NULL, 0, NULL, 0), 0);
	CHECK_EQUAL(MsgSendv(coid, NULL, 0, NULL, 0), 0);
	CHECK_EQUAL(MsgSendv(coid, &s[1], 1, &s[1], 1), 0);

	/* A reply that is shorter than the buffer leaves the rest alone. */
	memset(reply, 'x', sizeof reply);
	CHECK_EQUAL(MsgSendsv(coid, "ab", 2, r, 2), 2);
	CHECK(memcmp(reply, "abxxx", 5) == 0);
	/* A longer one is cut off. */
	memset(reply, 'x', sizeof reply);
	CHECK_EQUAL(MsgSend(coid, "abcdef", 6, reply, 2), 6);
	CHECK(memcmp(reply, "abxxx", 5) == 0);

	CHECK(MsgSendPulse(coid, -1, QUIT, 0) == 0);
	join(server);
	CHECK(ConnectDetach(coid) == 0);
	CHECK(ChannelDestroy(chid) == 0);
}

static void fill(char *b, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (char)(seed = seed * 1103515245 + 12345, seed >> 16);
}

static void large_messages(void)
{
	const size_t size = 1 << 20;
	int chid = channel(0), coid = attach(chid);
	pthread_t server = thread(echo, &chid);
	char *msg = malloc(size), *reply = malloc(size);
	iov_t s[2], r[3];

	fill(msg, size, 1);
	SETIOV(&s[0], msg, 12345);
	SETIOV(&s[1], msg + 12345, size - 12345);
	SETIOV(&r[0], reply, 1);
	SETIOV(&r[1], reply + 1, size / 2);
	SETIOV(&r[2], reply + 1 + size / 2, size - size / 2 - 1);
	memset(reply, 0, size);
	CHECK_EQUAL(MsgSend(coid, msg, size, reply, size), size);
	CHECK(memcmp(msg, reply, size) == 0);
	memset(reply, 0, size);
	CHECK_EQUAL(MsgSendv(coid, s, 2, r, 3), size);
	CHECK(memcmp(msg, reply, size) == 0);
	for (size_t n = 65534; n < 65540; n++) { /* where the way of transport changes */
		memset(reply, 0, size);
		CHECK_EQUAL(MsgSend(coid, msg, n, reply, size), n);
		CHECK(memcmp(msg, reply, n) == 0 && reply[n] == 0);
	}
	CHECK(MsgSendPulse(coid, -1, QUIT, 0) == 0);
	join(server);
	free(msg);
	free(reply);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

/* The _r forms return a negative errno and leave errno alone. */
static void negative_errno(void)
{
	const uint64_t zero = 0;
	struct _pulse pulse;
	struct _msg_info info;
	struct _client_info client;
	char b[10];
	iov_t v = {b, sizeof b};
	int chid = channel(0), coid = attach(chid);
	const long results[][2] = {
		{(errno = 4711, MsgSend_r(1, b, 1, b, 1)), -EBADF},
		{MsgSendnc_r(0, b, 1, b, 1), -EBADF},
		{MsgSendv_r(-1, &v, 1, &v, 1), -EBADF},
		{MsgSendvnc_r(-1, &v, 1, &v, 1), -EBADF},
		{MsgSendsv_r(-1, b, 1, &v, 1), -EBADF},
		{MsgSendsvnc_r(-1, b, 1, &v, 1), -EBADF},
		{MsgSendvs_r(-1, &v, 1, b, 1), -EBADF},
		{MsgSendvsnc_r(-1, &v, 1, b, 1), -EBADF},
		{MsgReceive_r(-1, b, 10, NULL), -ESRCH},
		{MsgReceivev_r(9999, &v, 1, NULL), -ESRCH},
		{MsgReceivePulse_r(9999, &pulse, sizeof pulse, NULL), -ESRCH},
		{(MsgSendPulse(coid, -1, 1, 0), MsgReceivePulse_r(chid, &pulse, 8, NULL)), -EFAULT},
		{(MsgSendPulse(coid, -1, 1, 0), MsgReceivePulsev_r(chid, &v, 1, NULL)), -EFAULT},
		{(TimerTimeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &zero, NULL),
		  MsgReceive_r(chid, b, 10, NULL)), -ETIMEDOUT},
		{MsgReply_r(77, 0, b, 1), -ESRCH},
		{MsgReply_r(0, 0, b, 1), -ESRCH},
		{MsgReply_r(-5, 0, b, 1), -ESRCH},
		{MsgReplyv_r(77, 0, &v, 1), -ESRCH},
		{MsgError_r(77, EPERM), -ESRCH},
		{MsgRead_r(77, b, 1, 0), -ESRCH},
		{MsgReadv_r(77, &v, 1, 0), -ESRCH},
		{MsgWrite_r(77, b, 1, 0), -ESRCH},
		{MsgWritev_r(77, &v, 1, 0), -ESRCH},
		{MsgInfo_r(77, &info), -ESRCH},
		{MsgSendPulse_r(-1, -1, 0, 0), -EBADF},
		{MsgSendPulsePtr_r(-1, -1, 0, b), -EBADF},
		{ChannelCreate_r(0x80000000), -EINVAL},
		{ChannelDestroy_r(9999), -EINVAL},
		{ConnectAttach_r(0, 0, 9999, 0, 0), -ESRCH},
		{ConnectAttach_r(7, 0, chid, 0, 0), -ENOREMOTE},
		{ConnectAttach_r(0, 0, chid, 5, 0), -EINVAL},
		{ConnectAttach_r(0, 0, chid, 0, 1 << 30), -EINVAL},
		{ConnectDetach_r(9999), -EINVAL},
		{ConnectDetach_r(SYSMGR_COID), -EPERM},
		{ConnectServerInfo_r(0, INT_MAX, &info), -EINVAL},
		{ConnectClientInfo_r(9999, &client, 0), -EINVAL},
		{TimerTimeout_r(CLOCK_THREAD_CPUTIME_ID, 0, NULL, NULL, NULL), -EINVAL},
		{MsgDeliverEvent_r(77, NULL), -EFAULT},
		{MsgVerifyEvent_r(77, NULL), -EFAULT},
		{MsgRegisterEvent_r(NULL, 0), -EFAULT},
		{MsgUnregisterEvent_r(NULL), -EFAULT},
		{ConnectFlags_r(0, 0, 0, 0), -EBADF},
		{ConnectFlags_r(1, 0, 0, 0), -ENOSYS},
	};

	CHECK_EQUAL((errno = 4711, MsgSend_r(-1, b, 1, b, 1), errno), 4711);
	errno = 4711;
	TimerTimeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &zero, NULL);
	if (MsgReceive_r(chid, b, 10, NULL) != -ETIMEDOUT || errno != 4711 || MsgReply_r(77, 0, NULL, 0) != -ESRCH || errno != 4711) {
		faults++;
		fprintf(stderr, "errno became %s\n", errno_name(errno));
	}
	for (size_t i = 0; i < sizeof results / sizeof *results; i++)
		if (results[i][0] != results[i][1]) {
			faults++;
			fprintf(stderr, "negative_errno: result %zu is %ld, not %ld\n", i, results[i][0], results[i][1]);
		}
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

static void plain_errno(void)
{
	struct _pulse pulse;
	struct _msg_info info;
	int chid = channel(0), coid = attach(chid);
	char b[64];
	iov_t v[2] = {{b, 10}, {NULL, 10}}, huge[2] = {{b, SSIZE_MAX}, {b, 10}}, big[2] = {{b, 1ULL << 40}, {b, 10}};

	CHECK_ERRNO(MsgSend(99, b, 1, b, 1), EBADF);
	CHECK_ERRNO(MsgSend(coid, NULL, 1, b, 1), EFAULT);
	CHECK_ERRNO(MsgSend(coid, b, 1, NULL, 1), EFAULT);
	CHECK_ERRNO(MsgSendv(coid, NULL, 1, NULL, 0), EFAULT);
	CHECK_ERRNO(MsgSendv(coid, v, 2, NULL, 0), EFAULT);
	CHECK_ERRNO(MsgSendvnc(coid, v, 1, v, 2), EFAULT);
	CHECK_ERRNO(MsgSendv(coid, v, 524289, NULL, 0), EOVERFLOW);
	CHECK_ERRNO(MsgSendv(coid, v, 1, v, 524289), EOVERFLOW);
	CHECK_ERRNO(MsgSendv(coid, huge, 2, NULL, 0), EOVERFLOW);
	CHECK_ERRNO(MsgSendv(coid, big, 2, NULL, 0), ENOMEM);
	CHECK_ERRNO(MsgReceive(chid, NULL, 10, NULL), EFAULT);
	CHECK_ERRNO(MsgReceivev(chid, NULL, 1, NULL), EFAULT);
	CHECK_ERRNO(MsgReceivev(chid, v, 524289, NULL), EOVERFLOW);
	CHECK_ERRNO(MsgReceivePulse(chid, NULL, sizeof pulse, NULL), EFAULT);
	CHECK_ERRNO(MsgReply(5, 0, NULL, 1), ESRVRFAULT);
	CHECK_ERRNO(MsgReplyv(5, 0, v, 524289), EOVERFLOW);
	CHECK_ERRNO(MsgReply(5, 0, NULL, 0), ESRCH);
	CHECK_ERRNO(MsgRead(5, NULL, 1, 0), ESRVRFAULT);
	CHECK_ERRNO(MsgWrite(5, NULL, 1, 0), ESRVRFAULT);
	CHECK_ERRNO(MsgInfo(5, NULL), EFAULT);
	CHECK_ERRNO(MsgInfo(5, &info), ESRCH);
	CHECK_ERRNO(MsgSendPulse(coid, 256, 0, 0), EINVAL);
	CHECK_ERRNO(MsgSendPulse(coid, -1, 1000, 0), EINVAL);
	CHECK_ERRNO(MsgSendPulse(99, -1, 0, 0), EBADF);
	CHECK_ERRNO(ChannelCreatePulsePool(0, NULL), EFAULT);
	CHECK_ERRNO(ChannelDestroy(-1), EINVAL);
	CHECK_ERRNO(ConnectAttach(0, -1, chid, 0, 0), ESRCH);
	CHECK_ERRNO(ConnectDetach(-1), EINVAL);
	/* A pulse that does not fit is lost. */
	for (int i = 1; i < 5; i++)
		CHECK(MsgSendPulse(coid, -1, i, 0) == 0);
	CHECK_ERRNO(MsgReceive(chid, b, 10, NULL), EFAULT);
	CHECK_ERRNO(MsgReceivePulse(chid, &pulse, sizeof pulse - 1, NULL), EFAULT);
	CHECK_ERRNO(MsgReceivePulse(chid, mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANON, NOFD, 0), sizeof pulse, NULL), EFAULT);
	CHECK_EQUAL(MsgReceive(chid, &pulse, sizeof pulse, NULL), 0);
	CHECK_EQUAL(pulse.code, 4);
	ConnectDetach(coid);
	CHECK_ERRNO(MsgSend(coid, b, 1, b, 1), EBADF);
	coid = attach(chid);
	ChannelDestroy(chid);
	CHECK_ERRNO(MsgSend(coid, b, 1, b, 1), EBADF);
	CHECK_ERRNO(MsgSendPulse(coid, -1, 1, 1), EBADF);
	CHECK_ERRNO(MsgReceive(chid, b, 10, NULL), ESRCH);
	CHECK(ConnectDetach(coid) == 0);
}

/* Reads and writes at offsets of a message of size bytes. */
static void read_write(size_t size)
{
	int chid = channel(0), coid = attach(chid);
	char *msg = malloc(size), *reply = malloc(size), *want = malloc(size), small[10], b[40];
	struct client c = {.coid = coid, .msg = msg, .bytes = size, .reply = reply, .room = size};
	struct _msg_info info, again;
	iov_t v[2] = {{b, 7}, {b + 7, 13}};
	rcvid_t rcvid;

	fill(msg, size, 7);
	memset(reply, 'r', size);
	memset(want, 'r', size);
	start_client(&c);
	MUST((rcvid = MsgReceive(chid, small, sizeof small, &info)) > 0);
	CHECK(memcmp(small, msg, sizeof small) == 0);
	CHECK_EQUAL(info.msglen, sizeof small);
	CHECK_EQUAL(info.srcmsglen, size);
	CHECK_EQUAL(info.dstmsglen, size);
	CHECK_EQUAL(info.pid, getpid());
	CHECK_EQUAL(info.chid, chid);
	CHECK_EQUAL(info.coid, coid);
	CHECK(info.scoid > 0 && info.nd == 0 && (info.flags & _NTO_MI_UNBLOCK_REQ) == 0);
	CHECK(MsgInfo(rcvid, &again) == 0);
	CHECK(memcmp(&info, &again, sizeof info) == 0);

	CHECK_EQUAL(MsgRead(rcvid, b, 20, 50), 20);
	CHECK(memcmp(b, msg + 50, 20) == 0);
	CHECK_EQUAL(MsgRead(rcvid, b, 20, 0), 20);
	CHECK(memcmp(b, msg, 20) == 0);
	CHECK_EQUAL(MsgRead(rcvid, b, 20, size - 5), 5);
	CHECK(memcmp(b, msg + size - 5, 5) == 0);
	CHECK_EQUAL(MsgRead(rcvid, b, 20, size), 0);
	CHECK_EQUAL(MsgRead(rcvid, b, 20, size + 1000), 0);
	CHECK_EQUAL(MsgRead(rcvid, b, 20, SIZE_MAX), 0);
	CHECK_EQUAL(MsgReadv(rcvid, v, 2, 60), 20);
	CHECK(memcmp(b, msg + 60, 20) == 0);
	CHECK_EQUAL(MsgReadv_r(rcvid, v, 2, size - 10), 10);
	CHECK(memcmp(b, msg + size - 10, 10) == 0);

	CHECK_EQUAL(MsgWrite(rcvid, "0123456789", 10, 10), 10);
	memcpy(want + 10, "0123456789", 10);
	memcpy(b, "abcdefghijklmnopqrst", 20);
	CHECK_EQUAL(MsgWritev(rcvid, v, 2, 60), 20);
	memcpy(want + 60, "abcdefghijklmnopqrst", 20);
	CHECK_EQUAL(MsgWrite_r(rcvid, "XYXYXYXYXY", 10, size - 3), 3);
	memcpy(want + size - 3, "XYX", 3);
	CHECK_EQUAL(MsgWrite(rcvid, "zz", 2, size), 0);
	CHECK_EQUAL(MsgWrite(rcvid, "zz", 2, SIZE_MAX), 0);
	CHECK_EQUAL(MsgWrite(rcvid, "yes", 3, 1), 3);
	memcpy(want, "head", 4); /* the reply comes last */
	CHECK(!c.back);
	CHECK(MsgReply(rcvid, 7, "head", 4) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 7);
	CHECK(memcmp(reply, want, size) == 0);

	CHECK_ERRNO(MsgRead(rcvid, b, 1, 0), ESRCH);
	CHECK_ERRNO(MsgWrite(rcvid, b, 1, 0), ESRCH);
	CHECK_ERRNO(MsgInfo(rcvid, &info), ESRCH);
	CHECK_ERRNO(MsgReply(rcvid, 0, NULL, 0), ESRCH);
	CHECK_ERRNO(MsgError(rcvid, EPERM), ESRCH);

	/* What was written is lost with an error. */
	memset(reply, 'r', size);
	start_client(&c);
	MUST((rcvid = MsgReceive(chid, small, sizeof small, NULL)) > 0);
	CHECK_EQUAL(MsgWrite(rcvid, "lost", 4, 0), 4);
	CHECK(MsgError(rcvid, ESRVRFAULT) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, -1);
	CHECK_EQUAL(c.error, ESRVRFAULT);
	start_client(&c);
	MUST((rcvid = MsgReceive(chid, small, sizeof small, NULL)) > 0);
	CHECK(MsgError(rcvid, EOK) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 0);
	free(msg);
	free(reply);
	free(want);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

static void pulses(void)
{
	int chid = channel(0), coid = attach(chid);
	struct client c = {.coid = coid, .msg = "question", .bytes = 8};
	const uint64_t soon = 20 * MS;
	struct _msg_info info;
	struct _pulse p, q;
	union {
		struct _pulse pulse;
		char text[100];
	} msg;
	iov_t v[2] = {{&p, 10}, {(char *)&p + 10, sizeof p - 10}};
	rcvid_t rcvid;

	for (long i = 0; i < 50; i++)
		CHECK(MsgSendPulse(coid, i % 2 ? -1 : 10, (int)i, i << PULSE_SHIFT) == 0);
	for (long i = 0; i < 50; i++) {
		memset(&msg, 0xff, sizeof msg);
		CHECK_EQUAL(i % 2 ? MsgReceive(chid, &msg, sizeof msg, &info) : MsgReceivePulse(chid, &msg, sizeof msg, NULL), 0);
		CHECK_EQUAL(msg.pulse.type, _PULSE_TYPE);
		CHECK_EQUAL(msg.pulse.subtype, _PULSE_SUBTYPE);
		CHECK_EQUAL(msg.pulse.code, i);
		CHECK_EQUAL(msg.pulse.value.sival_long, i << PULSE_SHIFT);
		CHECK(msg.pulse.scoid > 0);
	}
	CHECK(MsgSendPulsePtr(coid, -1, 3, &c) == 0);
	memset(&p, 0, sizeof p);
	CHECK_EQUAL(MsgReceivev(chid, v, 2, NULL), 0);
	CHECK(p.code == 3 && p.value.sival_ptr == &c);
	CHECK(MsgSendPulse(coid, -1, 4, -1) == 0);
	CHECK_EQUAL(MsgReceivePulsev(chid, v, 2, NULL), 0);
	CHECK(p.code == 4 && p.value.sival_int == -1);

	/* MsgReceivePulse leaves a message to MsgReceive, and finds pulses behind it. */
	start_client(&c);
	do /* until the message is there */
		CHECK_ERRNO((TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &soon, NULL),
			     MsgReceivePulse(chid, &p, sizeof p, NULL)), ETIMEDOUT);
	while (0);
	CHECK(MsgSendPulse(coid, -1, 5, 0) == 0);
	CHECK_EQUAL(MsgReceivePulse(chid, &q, sizeof q, NULL), 0);
	CHECK_EQUAL(q.code, 5);
	CHECK(!c.back);
	MUST((rcvid = MsgReceive(chid, &msg, sizeof msg, &info)) > 0);
	CHECK(memcmp(msg.text, "question", 8) == 0);
	CHECK(MsgReply(rcvid, 3, NULL, 0) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 3);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Receives the message of a client with a timeout, which may be over before. */
static rcvid_t receive_from(struct client *c, int chid, void *b, size_t n, struct _msg_info *info)
{
	const uint64_t soon = 5 * MS;
	rcvid_t rcvid;

	for (;;) {
		start_client(c);
		do {
			TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &soon, NULL);
			rcvid = MsgReceive(chid, b, n, info);
		} while (rcvid == -1 && !c->back);
		if (rcvid > 0)
			return rcvid;
		join(c->thread);
	}
}

static void timeouts(void)
{
	const unsigned both = _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY;
	int chid = channel(0), coid = attach(chid);
	uint64_t ns = 20 * MS, left = 1;
	struct client c = {.coid = coid, .msg = "first", .bytes = 5, .timeout = &ns};
	char b[100], reply[10] = "";
	struct sigevent event;
	double start = now();
	rcvid_t rcvid;

	/* never received, and so never seen */
	CHECK(TimerTimeout(CLOCK_MONOTONIC, both, NULL, &ns, &left) == 0);
	CHECK_EQUAL(left, 0);
	CHECK_ERRNO(MsgSend(coid, "gone", 4, NULL, 0), ETIMEDOUT);
	CHECK(now() - start >= 0.020);
	SIGEV_UNBLOCK_INIT(&event);
	CHECK(TimerTimeout(CLOCK_REALTIME, both, &event, &ns, NULL) == 0);
	CHECK_ERRNO(MsgSend(coid, "gone", 4, NULL, 0), ETIMEDOUT);
	/* nothing there */
	CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL) == 0);
	CHECK_ERRNO(MsgReceive(chid, b, sizeof b, NULL), ETIMEDOUT);
	CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL) == 0);
	CHECK_ERRNO(MsgReceivePulse(chid, b, sizeof b, NULL), ETIMEDOUT);
	/* no time: do not wait */
	start = now();
	CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL) == 0);
	CHECK_ERRNO(MsgReceive(chid, b, sizeof b, NULL), ETIMEDOUT);
	CHECK(TimerTimeout(CLOCK_MONOTONIC, both, NULL, NULL, NULL) == 0);
	CHECK_ERRNO(MsgSend(coid, "gone", 4, NULL, 0), ETIMEDOUT);
	CHECK(now() - start < 5);
	/* but what is there is received */
	CHECK(MsgSendPulse(coid, -1, 1, 0) == 0);
	CHECK(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL) == 0);
	CHECK_EQUAL(MsgReceive(chid, b, sizeof b, NULL), 0);

	/* received and not answered: the answer is late, the next request gets its own */
	rcvid = receive_from(&c, chid, b, sizeof b, NULL);
	CHECK(memcmp(b, "first", 5) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, -1);
	CHECK_EQUAL(c.error, ETIMEDOUT);
	CHECK_ERRNO(MsgReply(rcvid, 1, "late", 4), ESRCH);
	c = (struct client){.coid = coid, .msg = "second", .bytes = 6, .reply = reply, .room = 10};
	start_client(&c);
	MUST((rcvid = MsgReceive(chid, b, sizeof b, NULL)) > 0);
	CHECK(memcmp(b, "second", 6) == 0);
	CHECK(MsgReply(rcvid, 2, "own", 4) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 2);
	CHECK(strcmp(reply, "own") == 0);

	/* a timeout for another state, and one that was used already, do not fire */
	ns = MS;
	c = (struct client){.coid = coid, .msg = "third", .bytes = 5};
	start_client(&c);
	CHECK(TimerTimeout(CLOCK_MONOTONIC, both, NULL, &ns, NULL) == 0);
	MUST((rcvid = MsgReceive(chid, b, sizeof b, NULL)) > 0);
	delay(20);
	CHECK(!c.back);
	CHECK(MsgReply(rcvid, 0, NULL, 0) == 0);
	join(c.thread);
	start_client(&c);
	MUST((rcvid = MsgReceive(chid, b, sizeof b, NULL)) > 0);
	CHECK(MsgReply(rcvid, 0, NULL, 0) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 0);

	SIGEV_PULSE_INIT(&event, coid, -1, 1, 1);
	CHECK_ERRNO(TimerTimeout(CLOCK_MONOTONIC, both, &event, &ns, NULL), ENOSYS);
	CHECK_ERRNO(TimerTimeout(12345, both, NULL, &ns, NULL), EINVAL);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

/* With UNBLOCK the server decides when its client comes back. */
static void unblock(void)
{
	int chid = channel(_NTO_CHF_UNBLOCK), coid = attach(chid);
	const uint64_t ns = 20 * MS;
	char reply[10] = "";
	struct client c = {.coid = coid, .msg = "q", .bytes = 1, .reply = reply, .room = 10, .timeout = &ns};
	struct _msg_info info;
	struct _pulse pulse;
	rcvid_t rcvid;
	char b[100];

	/* SEND-blocked it comes back at once */
	start_client(&c);
	join(c.thread);
	CHECK_EQUAL(c.error, ETIMEDOUT);

	rcvid = receive_from(&c, chid, b, sizeof b, &info);
	CHECK_EQUAL(MsgReceive(chid, &pulse, sizeof pulse, NULL), 0);
	CHECK_EQUAL(pulse.code, _PULSE_CODE_UNBLOCK);
	CHECK_EQUAL(pulse.value.sival_long, rcvid);
	CHECK_EQUAL(pulse.scoid, info.scoid);
	CHECK(MsgInfo(rcvid, &info) == 0);
	CHECK(info.flags & _NTO_MI_UNBLOCK_REQ);
	delay(20);
	CHECK(!c.back);
	CHECK(MsgReply(rcvid, 5, "answer", 7) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, 5);
	CHECK(strcmp(reply, "answer") == 0);

	rcvid = receive_from(&c, chid, b, sizeof b, &info);
	CHECK_EQUAL(MsgReceive(chid, &pulse, sizeof pulse, NULL), 0);
	CHECK(MsgError(pulse.value.sival_long, EINTR) == 0);
	join(c.thread);
	CHECK_EQUAL(c.status, -1);
	CHECK_EQUAL(c.error, EINTR);
	ConnectDetach(coid);
	ChannelDestroy(chid);
}

static void check_client(int scoid)
{
	struct {
		struct _client_info client;
		gid_t more[64];
	} got;
	gid_t groups[72];
	int n = getgroups(72, groups);

	memset(&got, 0xff, sizeof got);
	CHECK(ConnectClientInfo(scoid, &got.client, 72) == 0);
	CHECK(got.client.pid == getpid() && got.client.nd == 0 && got.client.sid == getsid(0));
	CHECK(got.client.cred.euid == geteuid() && got.client.cred.ruid == getuid() && got.client.cred.suid == geteuid());
	CHECK(got.client.cred.egid == getegid() && got.client.cred.rgid == getgid() && got.client.cred.sgid == getegid());
	CHECK_EQUAL(got.client.cred.ngroups, n);
	CHECK(memcmp(got.client.cred.grouplist, groups, n * sizeof *groups) == 0);
	memset(&got, 0xff, sizeof got);
	CHECK(ConnectClientInfo(scoid, &got.client, 0) == 0); /* asks how many there are */
	CHECK_EQUAL(got.client.cred.ngroups, n);

	struct _client_info *all = NULL, *none = NULL;
	MUST(ConnectClientInfoExt(scoid, &all, _NTO_CLIENTINFO_GETGROUPS | _NTO_CLIENTINFO_GETTYPEID) == 0);
	CHECK(all->pid == getpid() && all->cred.euid == geteuid());
	CHECK_EQUAL(all->cred.ngroups, n);
	CHECK(memcmp((char *)all + offsetof(struct _client_info, cred.grouplist), groups, n * sizeof *groups) == 0);
	CHECK(ConnectClientInfoExt(scoid, &none, 0) == 0 && none->pid == getpid());
	CHECK_EQUAL(none->cred.ngroups, 0);
	CHECK_ERRNO(ConnectClientInfoExt(scoid, &none, 4), EINVAL);
	CHECK_ERRNO(ConnectClientInfoExt(scoid, NULL, 0), EFAULT);
	CHECK(ClientInfoExtFree(&all) == 0 && all == NULL);
	CHECK(ClientInfoExtFree(&none) == 0 && none == NULL);
	CHECK_ERRNO(ClientInfoExtFree(NULL), EFAULT);
}

static void connections(void)
{
	int chid = channel(_NTO_CHF_DISCONNECT), coid, second, third;
	struct _server_info server;
	struct _client_info client;
	struct client c = {.msg = "x", .bytes = 1};
	struct _msg_info info;
	struct _pulse pulse;
	rcvid_t rcvid;
	char b[100];

	coid = ConnectAttach(ND_LOCAL_NODE, getpid(), chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC);
	CHECK(coid >= 0x40000001);
	second = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
	CHECK(second >= 0x40000001 && second != coid);
	third = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL | 500, 0); /* the other bits mean nothing */
	CHECK(third >= 0x40000001 && third < 0x40000000 + 500);
	CHECK(ConnectDetach(third) == 0);
	memset(&server, 0xff, sizeof server);
	CHECK_EQUAL(ConnectServerInfo(0, coid, &server), coid);
	CHECK(server.pid == getpid() && server.chid == chid && server.coid == coid && server.nd == 0);
	CHECK_EQUAL(ConnectServerInfo(getpid(), second, NULL), second);

	c.coid = second;
	start_client(&c);
	MUST((rcvid = MsgReceive(chid, b, sizeof b, &info)) > 0);
	CHECK_EQUAL(server.scoid, info.scoid);
	CHECK(info.tid != gettid() && kill(info.tid, 0) == 0);
	check_client(info.scoid);
	check_client(-1);
	CHECK_ERRNO(ConnectClientInfo(info.scoid, &client, -1), EINVAL);
	CHECK_ERRNO(ConnectClientInfo(info.scoid, NULL, 0), EFAULT);
	CHECK_ERRNO(ConnectClientInfo(info.scoid + 1, &client, 0), EINVAL);
	struct _client_info *nobody = NULL;
	CHECK_ERRNO(ConnectClientInfoExt(info.scoid + 1, &nobody, 0), EINVAL);
	CHECK(nobody == NULL);
	CHECK(MsgReply(rcvid, 0, NULL, 0) == 0);
	join(c.thread);

	CHECK(ConnectDetach(coid) == 0);
	CHECK(ConnectDetach(second) == 0);
	CHECK_EQUAL(MsgReceive(chid, &pulse, sizeof pulse, NULL), 0);
	CHECK_EQUAL(pulse.code, _PULSE_CODE_DISCONNECT);
	CHECK_EQUAL(pulse.scoid, info.scoid);
	CHECK(ConnectDetach(pulse.scoid) == 0);
	CHECK_ERRNO(ConnectDetach(pulse.scoid), EINVAL);
	CHECK_ERRNO(ConnectServerInfo(1, coid, NULL), ENOSYS);
	ChannelDestroy(chid);
}

static void names(const char *name)
{
	char long_name[400];
	name_attach_t *a, *b;
	dispatch_t *dpp;
	int chid, coid;

	memset(long_name, 'x', sizeof long_name);
	long_name[sizeof long_name - 1] = 0;
	CHECK_ERRNO(name_open(name, 0), ENOENT);
	CHECK_ERRNO(name_open(NULL, 0), EINVAL);
	CHECK_ERRNO(name_open("", 0), EINVAL);
	CHECK_ERRNO(name_open("/x", 0), EINVAL);
	CHECK_ERRNO(name_open("a/../b", 0), EINVAL);
	CHECK_ERRNO(name_open(long_name, 0), ENAMETOOLONG);
	CHECK_ERRNO(name_attach(NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(name_attach(NULL, "", 0), EINVAL);
	CHECK_ERRNO(name_attach(NULL, "/x", 0), EINVAL);
	CHECK_ERRNO(name_attach(NULL, long_name, 0), ENAMETOOLONG);
	CHECK_ERRNO(name_attach(NULL, name, 0x80), EINVAL);
	CHECK_ERRNO(name_attach(NULL, name, NAME_FLAG_ATTACH_GLOBAL), ENOSYS);

	/* a channel of its own, which goes with the name */
	MUST(a = name_attach(NULL, name, 0));
	CHECK(a->dpp != NULL && a->chid > 0 && a->zero[0] == 0);
	CHECK_ERRNO(name_attach(NULL, name, 0), EEXIST);
	MUST((coid = name_open(name, 0)) != -1);
	CHECK(coid >= 0x40000001);
	CHECK(name_close(coid) == 0);
	chid = a->chid;
	CHECK_ERRNO(name_detach(a, 0x80), EINVAL);
	CHECK(name_detach(a, 0) == 0);
	CHECK_ERRNO(name_detach(a, 0), EINVAL);
	CHECK_ERRNO(name_detach(NULL, 0), EINVAL);
	CHECK_ERRNO(ChannelDestroy(chid), EINVAL);
	CHECK_ERRNO(name_open(name, 0), ENOENT);

	/* one that stays */
	MUST(a = name_attach(NULL, name, 0));
	dpp = a->dpp;
	chid = a->chid;
	CHECK(name_detach(a, NAME_FLAG_DETACH_SAVEDPP) == 0);
	CHECK_ERRNO(name_open(name, 0), ENOENT);
	MUST((coid = attach(chid)) != -1);
	MUST(b = name_attach(dpp, name, 0));
	CHECK_EQUAL(b->chid, chid);
	CHECK(name_detach(b, 0) == 0);
	CHECK_ERRNO(MsgSendPulse(coid, -1, 1, 0), EBADF);
	ConnectDetach(coid);

	/* the program's own */
	chid = channel(_NTO_CHF_FIXED_PRIORITY | _NTO_CHF_DISCONNECT);
	CHECK_ERRNO(dispatch_create_channel(chid, 2), EINVAL);
	MUST(dpp = dispatch_create_channel(chid, 0));
	MUST(a = name_attach(dpp, name, 0));
	CHECK(a->dpp == dpp && a->chid == chid);
	CHECK_ERRNO(name_attach(dpp, name, 0), EEXIST);
	CHECK(name_detach(a, NAME_FLAG_DETACH_SAVEDPP) == 0);
	CHECK(dispatch_destroy(dpp) == 0);
	CHECK_ERRNO(ChannelDestroy(chid), EINVAL);
	CHECK_ERRNO(dispatch_destroy(NULL), EINVAL);
	MUST(dpp = dispatch_create());
	CHECK(dispatch_destroy(dpp) == 0);
}

/* One thread waits for pulses and one for anything: each message is received. */
static atomic_int pulses_got;

static void *pulse_thread(void *p)
{
	struct _pulse pulse;

	while (MsgReceivePulse(*(int *)p, &pulse, sizeof pulse, NULL) == 0)
		pulses_got++;
	return NULL;
}

static void *answer_thread(void *p)
{
	char b[100];
	rcvid_t rcvid;

	while ((rcvid = MsgReceive(*(int *)p, b, sizeof b, NULL)) >= 0)
		if (rcvid == 0)
			pulses_got++;
		else
			CHECK(MsgReply(rcvid, 0, NULL, 0) == 0);
	return NULL;
}

static void two_receivers(void)
{
	int chid = channel(0), coid = attach(chid);
	pthread_t a = thread(pulse_thread, &chid), b = thread(answer_thread, &chid);
	const uint64_t patience = 5000 * MS;

	for (int i = 0; i < 200 && !faults; i++) {
		TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, NULL, &patience, NULL);
		CHECK_EQUAL(MsgSend(coid, "x", 1, NULL, 0), 0);
		CHECK(MsgSendPulse(coid, -1, 1, 0) == 0);
		if (i % 3 == 0)
			delay(1); /* until both sleep */
	}
	while (pulses_got < 200 && !faults)
		delay(1);
	ChannelDestroy(chid);
	join(a);
	join(b);
	ConnectDetach(coid);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "receivers") == 0) {
		two_receivers();
		return result();
	}
	send_forms();
	large_messages();
	negative_errno();
	plain_errno();
	read_write(100);
	read_write(1 << 20);
	pulses();
	timeouts();
	unblock();
	connections();
	names(argc > 2 ? argv[2] : "messages-test");
	return result();
}
