// The baseline: what a C programmer writes by hand for the same work, two
// processes and one SOCK_SEQPACKET socket with blocking calls.
//
//   baseline message SIZE   so many bytes to the server and back
//   baseline handoff        8-byte request, 8-byte token back; token, descriptor
//                           back by SCM_RIGHTS; then mmap, read, munmap, close
//   baseline spin           nothing, but that as fast as it can
//
// With the last argument "apart" the two are kept on a CPU each: left alone,
// the scheduler may put both on one, for a while or for ever.
//
// What is too long for a packet goes through a SOCK_STREAM socket.
//
// It is driven as the Go processes are: "run N" on standard input, one JSON
// object on standard output, end of input ends it.

#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PACKET = 4096, PAGE = 4096 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put(int s, const void *p, size_t n)
{
	if (send(s, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
}

static void get(int s, void *p, size_t n)
{
	if (recv(s, p, n, MSG_WAITALL) != (ssize_t)n)
		die("recv");
}

static void put_descriptor(int s, int fd)
{
	char byte = 0;
	struct iovec iov = {&byte, 1};
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof control.buf};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	if (sendmsg(s, &m, MSG_NOSIGNAL) != 1)
		die("sendmsg");
}

static int get_descriptor(int s)
{
	char byte;
	int fd;
	struct iovec iov = {&byte, 1};
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof control.buf};
	if (recvmsg(s, &m, MSG_CMSG_CLOEXEC) != 1)
		die("recvmsg");
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS) {
		fprintf(stderr, "baseline: no descriptor came\n");
		exit(1);
	}
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static void *room(size_t size)
{
	void *b = calloc(1, size);
	if (!b)
		die("calloc");
	return b;
}

static void message_server(int s, size_t size)
{
	char *b = room(size);
	while (recv(s, b, size, MSG_WAITALL) > 0)
		put(s, b, size);
}

static void message_client(int s, size_t size, long n)
{
	char *b = room(size);
	while (n-- > 0) {
		put(s, b, size);
		get(s, b, size);
	}
	free(b);
}

static void handoff_server(int s)
{
	char path[64];
	uint64_t request, token = 0;
	int fd = memfd_create("baseline", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, PAGE) || pwrite(fd, "x", 1, 0) != 1)
		die("memfd");
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int window = open(path, O_RDONLY | O_CLOEXEC); // the client may only read
	if (window < 0)
		die(path);
	while (recv(s, &request, sizeof request, 0) > 0) {
		token++;
		put(s, &token, sizeof token);
		get(s, &request, sizeof request);
		if (request != token) {
			fprintf(stderr, "baseline: wrong token\n");
			exit(1);
		}
		put_descriptor(s, window);
	}
}

static void handoff_client(int s, long n)
{
	while (n-- > 0) {
		uint64_t request = 1, token;
		put(s, &request, sizeof request);
		get(s, &token, sizeof token);
		put(s, &token, sizeof token);
		int fd = get_descriptor(s);
		volatile char *p = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			die("mmap");
		if (p[0] != 'x') {
			fprintf(stderr, "baseline: wrong memory\n");
			exit(1);
		}
		if (munmap((void *)p, PAGE) || close(fd))
			die("munmap, close");
	}
}

// keep_to keeps the process to one CPU of those that it may use.
static void keep_to(int n)
{
	cpu_set_t all, one;
	if (sched_getaffinity(0, sizeof all, &all))
		die("sched_getaffinity");
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && n-- == 0)
			CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one))
		die("sched_setaffinity");
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// spin keeps a CPU busy until the end of standard input.
static int spin(void)
{
	char byte;
	pid_t busy = fork();
	if (busy < 0)
		die("fork");
	if (!busy) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			__asm__ volatile("");
	}
	printf("{\"ID\":0}\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	kill(busy, SIGKILL);
	waitpid(busy, 0, 0);
	return 0;
}

int main(int argc, char **argv)
{
	int spins = argc == 2 && !strcmp(argv[1], "spin");
	int handoff = argc > 1 && !strcmp(argv[1], "handoff");
	int message = argc > 2 && !strcmp(argv[1], "message");
	int apart = argc > 2 && !strcmp(argv[argc - 1], "apart");
	size_t size = message ? strtoul(argv[2], 0, 10) : 0;
	int s[2], id;
	long n;
	if (spins)
		return spin();
	if (!handoff && !size) {
		fprintf(stderr, "usage: baseline message SIZE [apart] | handoff [apart] | spin\n");
		return 2;
	}
	if (socketpair(AF_UNIX, (size > PACKET ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0, s))
		die("socketpair");
	pid_t server = fork();
	if (server < 0)
		die("fork");
	if (!server) {
		close(s[0]);
		if (apart)
			keep_to(1);
		if (handoff)
			handoff_server(s[1]);
		else
			message_server(s[1], size);
		_exit(0);
	}
	close(s[1]);
	if (apart)
		keep_to(0);
	printf("{\"ID\":0}\n");
	fflush(stdout);
	/* Requests and answers are those of package testproc. */
	while (scanf(" {\"ID\":%d,\"Name\":\"run\",\"Args\":[%ld]}", &id, &n) == 2) {
		long long start = now();
		if (handoff)
			handoff_client(s[0], n);
		else
			message_client(s[0], size, n);
		printf("{\"ID\":%d,\"Values\":[{\"NS\":%lld}]}\n", id, now() - start);
		fflush(stdout);
	}
	close(s[0]);
	waitpid(server, 0, 0);
	return 0;
}
