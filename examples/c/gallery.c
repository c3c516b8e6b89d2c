/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/*
 * A daemon that owns memory, and three clients one after the other: one looks at what it
 * is lent until that is taken back, one is killed while it has the lock that all share,
 * and one stops the daemon. A part of the picture is lent since 8.0 only.
 *
 * Prints:
 *
 *	look: pictures came
 *	look: as a descriptor: refused
 *	look: the picture: 1 2 3 4
 *	look: its third part: *
 *	look: when it was taken back: a fault
 *	look: what the daemon does not know: ENOSYS
 *	die: killed
 *	stop: two clients have left, and the lock was recovered
 */
#include <errno.h>
#include <fcntl.h>
#include <process.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iomsg.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/procmgr.h>
#include <sys/slog2.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = _IO_MAX + 1, PICTURE, PART, TAKE_BACK, COUNTS, STOP, UNKNOWN = _IO_MAX + 50 };

struct request {
	uint16_t type, part;
};

struct loan {
	shm_handle_t handle;
	uint64_t size;
};

struct counts {
	int left, recovered;
};

union message {
	uint16_t type;
	struct _pulse pulse;
	struct request request;
};

/* What the daemon and its clients share. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	int pictures, stopping;
};

static long page;

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static struct {
	struct queue *queue;
	int queue_fd, picture_fd;
	struct counts counts; /* with the queue's lock */
} own;

static void make_queue(void)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;

	own.queue_fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
	if (own.queue_fd == -1 || ftruncate(own.queue_fd, sizeof *own.queue) == -1)
		fail("shm_open, ftruncate");
	own.queue = mmap(NULL, sizeof *own.queue, PROT_READ | PROT_WRITE, MAP_SHARED, own.queue_fd, 0);
	if (own.queue == MAP_FAILED)
		fail("mmap");
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
	if (pthread_mutex_init(&own.queue->lock, &mutex) != EOK || pthread_cond_init(&own.queue->filled, &cond) != EOK)
		fail("pthread_mutex_init, pthread_cond_init");
}

/* Four pages, with which nothing can be done but what the daemon allows. */
static void make_picture(void)
{
	unsigned char *p;
	int i;

	own.picture_fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
	if (own.picture_fd == -1 || shm_ctl(own.picture_fd, SHMCTL_ANON | SHMCTL_REVOCABLE, 0, (uint64_t)(4 * page)) == -1)
		fail("shm_open, shm_ctl");
	p = mmap(NULL, (size_t)(4 * page), PROT_READ | PROT_WRITE, MAP_SHARED, own.picture_fd, 0);
	if (p == MAP_FAILED || shm_ctl(own.picture_fd, SHMCTL_SEAL, 0, 0) == -1)
		fail("mmap, shm_ctl");
	for (i = 0; i < 4; i++)
		p[i * page] = (unsigned char)(i + 1);
	munmap(p, (size_t)(4 * page));
}

/* The client that had the lock may have died with it. */
static void lock(void)
{
	int error = pthread_mutex_lock(&own.queue->lock);

	if (error == EOWNERDEAD) {
		own.counts.recovered++;
		error = pthread_mutex_consistent(&own.queue->lock);
	}
	if (error != EOK) {
		errno = error;
		fail("pthread_mutex_lock");
	}
}

static void *produce(void *arg)
{
	int stopping;

	pthread_setname_np(0, "producer");
	do {
		lock();
		own.queue->pictures++;
		stopping = own.queue->stopping;
		pthread_cond_broadcast(&own.queue->filled);
		pthread_mutex_unlock(&own.queue->lock);
		delay(1);
	} while (!stopping);
	return arg;
}

static int lend(const struct request *r, pid_t pid, struct loan *loan)
{
	switch (r->type) {
	case QUEUE:
		loan->size = sizeof *own.queue;
		return shm_create_handle(own.queue_fd, pid, O_RDWR, &loan->handle, 0);
	case PICTURE:
		loan->size = (uint64_t)(4 * page);
		return shm_create_handle(own.picture_fd, pid, O_RDONLY, &loan->handle, SHM_CREATE_HANDLE_OPT_NOFD);
#if _NTO_VERSION >= 800
	case PART:
		loan->size = (uint64_t)page;
		return shm_create_subrange_handle(own.picture_fd, pid, O_RDONLY, &loan->handle, SHM_CREATE_HANDLE_OPT_NOFD,
						  (size_t)page, r->part * page);
#endif
	case TAKE_BACK:
		return shm_revoke(own.picture_fd, pid);
	}
	errno = ENOSYS;
	return -1;
}

/* Handles are for who asks, whom the kernel names. */
static void answer(int rcvid, const struct request *r, const struct _msg_info *info)
{
	struct _client_info client;
	struct counts counts;
	struct loan loan = {0, 0};

	if (ConnectClientInfo(info->scoid, &client, 0) == -1 || client.cred.euid != geteuid()) {
		MsgError(rcvid, EPERM);
	} else if (r->type == COUNTS || r->type == STOP) {
		lock();
		counts = own.counts;
		own.queue->stopping = r->type == STOP;
		pthread_mutex_unlock(&own.queue->lock);
		MsgReply(rcvid, EOK, &counts, sizeof counts);
	} else if (lend(r, info->pid, &loan) == -1) {
		MsgError(rcvid, errno);
	} else if (MsgReply(rcvid, EOK, &loan, sizeof loan) == -1) {
		shm_delete_handle(loan.handle); /* nobody is to use it */
	}
}

/* A target's procmgr_daemon lets who has started it go on. The host's keeps the process. */
static int be_daemon(const char *name)
{
	slog2_buffer_set_config_t config = {.num_buffers = 1, .buffer_set_name = "gallery", .verbosity_level = SLOG2_WARNING,
		.buffer_config = {{.buffer_name = "main", .num_pages = 4}}};
	slog2_buffer_t buffer;
	union message message;
	struct _msg_info info;
	name_attach_t *attached;
	pthread_t producer;
	int rcvid;

	if (procmgr_daemon(EXIT_SUCCESS, PROCMGR_DAEMON_NOCLOSE | PROCMGR_DAEMON_NODEVNULL | PROCMGR_DAEMON_NOCHDIR) == -1)
		fail("procmgr_daemon");
	if (slog2_register(&config, &buffer, 0) == -1)
		fail("slog2_register");
	slog2_set_default_buffer(buffer);
	make_queue();
	make_picture();
	attached = name_attach(NULL, name, 0);
	if (attached == NULL)
		fail("name_attach");
	slog2c(NULL, 1, SLOG2_INFO, "the gallery is open"); /* the level is for warnings */
	pthread_create(&producer, NULL, produce, NULL);
	do {
		rcvid = MsgReceive(attached->chid, &message, sizeof message, &info);
		if (rcvid > 0) {
			answer(rcvid, &message.request, &info);
		} else if (rcvid == 0 && message.pulse.code == _PULSE_CODE_DISCONNECT) {
			ConnectDetach(message.pulse.scoid);
			lock();
			own.counts.left++;
			pthread_mutex_unlock(&own.queue->lock);
		} else if (rcvid == 0 && message.pulse.code == _PULSE_CODE_UNBLOCK) {
			MsgError(message.pulse.value.sival_int, EINTR);
		}
	} while (rcvid != -1 && !(rcvid > 0 && message.type == STOP));
	pthread_join(producer, NULL);
	shm_revoke(own.picture_fd, -1);
	name_detach(attached, 0);
	return EXIT_SUCCESS;
}

static long ask(int coid, int type, int part, struct loan *loan)
{
	struct request r = {(uint16_t)type, (uint16_t)part};

	return MsgSend(coid, &r, sizeof r, loan, sizeof *loan);
}

static struct queue *open_queue(int coid)
{
	struct queue *queue;
	struct loan loan;
	struct stat st;
	int fd;

	if (ask(coid, QUEUE, 0, &loan) == -1)
		fail("QUEUE");
	fd = shm_open_handle(loan.handle, O_RDWR);
	if (fd == -1)
		fail("shm_open_handle");
	if (fstat(fd, &st) == -1 || (uint64_t)st.st_size != loan.size)
		fail("fstat");
	queue = mmap(NULL, sizeof *queue, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (queue == MAP_FAILED)
		fail("mmap");
	return queue;
}

static void wait_for_pictures(struct queue *queue)
{
	struct timespec end;
	int error = EOK;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 100;
	pthread_mutex_lock(&queue->lock);
	while (queue->pictures < 5 && error == EOK)
		error = pthread_cond_timedwait(&queue->filled, &queue->lock, &end);
	pthread_mutex_unlock(&queue->lock);
	printf("look: pictures %s\n", error == EOK ? "came" : "did not come");
}

static sigjmp_buf taken_back;

static void on_fault(int signo)
{
	siglongjmp(taken_back, signo);
}

static void look(int coid)
{
	struct sigaction action;
	struct loan loan;
	volatile unsigned char *picture, *part;

	wait_for_pictures(open_queue(coid));
	if (ask(coid, PICTURE, 0, &loan) == -1)
		fail("PICTURE");
	printf("look: as a descriptor: %s\n", shm_open_handle(loan.handle, O_RDONLY) == -1 ? "refused" : "opened");
	picture = mmap_handle(NULL, loan.size, PROT_READ, MAP_SHARED, loan.handle, 0);
	if (picture == MAP_FAILED)
		fail("mmap_handle");
	printf("look: the picture: %d %d %d %d\n", picture[0], picture[page], picture[2 * page], picture[3 * page]);
	if (ask(coid, PART, 2, &loan) == -1) {
		printf("look: its third part: %s\n", errno == ENOSYS ? "not before 8.0" : strerror(errno));
	} else {
		part = mmap_handle(NULL, loan.size, PROT_READ, MAP_SHARED, loan.handle, 0);
		if (part == MAP_FAILED)
			fail("mmap_handle");
		printf("look: its third part: %d\n", part[0]);
	}

	memset(&action, 0, sizeof action);
	action.sa_handler = on_fault;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (ask(coid, TAKE_BACK, 0, &loan) == -1)
		fail("TAKE_BACK");
	if (sigsetjmp(taken_back, 1) == 0)
		printf("look: when it was taken back: still %d\n", picture[0]);
	else
		printf("look: when it was taken back: a fault\n");
	if (ask(coid, UNKNOWN, 0, &loan) == -1)
		printf("look: what the daemon does not know: %s\n", errno == ENOSYS ? "ENOSYS" : strerror(errno));
}

/* Waits until the daemon has seen what became of the others. */
static void stop(int coid)
{
	struct request r = {COUNTS, 0};
	struct counts counts = {0, 0};

	while (counts.left < 2 || counts.recovered < 1) {
		delay(5);
		if (MsgSend(coid, &r, sizeof r, &counts, sizeof counts) == -1)
			fail("COUNTS");
	}
	printf("stop: two clients have left, and the lock was recovered\n");
	r.type = STOP;
	if (MsgSend(coid, &r, sizeof r, NULL, 0) == -1)
		fail("STOP");
}

static int be_client(const char *what, const char *name)
{
	int coid;

	while ((coid = name_open(name, 0)) == -1 && errno == ENOENT)
		delay(10);
	if (coid == -1)
		fail("name_open");
	if (strcmp(what, "look") == 0)
		look(coid);
	if (strcmp(what, "die") == 0) {
		pthread_mutex_lock(&open_queue(coid)->lock);
		kill(getpid(), SIGKILL);
	}
	if (strcmp(what, "stop") == 0)
		stop(coid);
	name_close(coid);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	static const char *parts[] = {"daemon", "look", "die", "stop"};
	const char *name = argc > 1 ? argv[1] : "gallery";
	pid_t pids[4];
	int status, i;

	page = sysconf(_SC_PAGESIZE);
	if (argc > 2)
		return strcmp(argv[2], "daemon") == 0 ? be_daemon(name) : be_client(argv[2], name);
	for (i = 0; i < 4; i++) {
		pids[i] = spawnl(P_NOWAIT, argv[0], argv[0], name, parts[i], NULL);
		if (pids[i] == -1 || (i > 0 && waitpid(pids[i], &status, 0) == -1))
			fail("spawnl, waitpid");
		if (i == 2 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			printf("die: killed\n");
		else if (i > 0 && status != 0)
			return EXIT_FAILURE;
		fflush(stdout);
	}
	if (waitpid(pids[0], &status, 0) == -1 || status != 0)
		fail("the daemon");
	return EXIT_SUCCESS;
}
