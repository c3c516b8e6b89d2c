/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What stands for the rest of QNX: clocks, scheduling, threads, names as files, logs. */

#define _GNU_SOURCE
#include "check.h"

#include <mqueue.h>
#include <process.h>
#include <sys/procmgr.h>
#include <sys/slog.h>
#include <sys/slog2.h>
#include <sys/slogcodes.h>
#include <sys/syspage.h>

static void clocks(void)
{
	struct _clockperiod period = {10000, 0}, old = {0, 0};
	struct _clockadjust adjust = {1, 1};
	uint64_t a = 0, b = 0, start = ClockCycles();
	struct timespec t;

	CHECK(ClockTime(CLOCK_REALTIME, NULL, &a) == 0);
	clock_gettime(CLOCK_REALTIME, &t);
	CHECK(a <= (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec && a / 1000000000 + 60 > (uint64_t)t.tv_sec);
	CHECK(ClockTime(CLOCK_SOFTTIME, NULL, &b) == 0 && b >= a);
	CHECK_ERRNO(ClockTime(99, NULL, &a), EINVAL);
	CHECK_EQUAL(ClockTime_r(99, NULL, &a), -EINVAL);
	CHECK_ERRNO(ClockTime(CLOCK_MONOTONIC, &a, NULL), EINVAL);
	CHECK(ClockPeriod(CLOCK_REALTIME, &period, &old, 0) == 0 && old.nsec == 1000000 && old.fract == 0);
	CHECK(ClockPeriod(CLOCK_REALTIME, NULL, &old, 0) == 0 && old.nsec == 10000);
	CHECK_ERRNO(ClockPeriod(CLOCK_MONOTONIC, NULL, &old, 0), EINVAL);
	CHECK(ClockAdjust(CLOCK_REALTIME, NULL, &adjust) == 0 && adjust.tick_count == 0);
	adjust.tick_count = 1;
	CHECK_ERRNO(ClockAdjust(CLOCK_REALTIME, &adjust, NULL), ENOTSUP);
	CHECK(ClockTime((clockid_t)ClockId(0, 0), NULL, &a) == 0);
	CHECK(ClockTime((clockid_t)ClockId(getpid(), gettid()), NULL, &a) == 0);
	CHECK_ERRNO(ClockId(getppid(), 0), ENOTSUP);
	CHECK_EQUAL(SYSPAGE_ENTRY(qtime)->cycles_per_sec, 1000000000);
	CHECK(_syspage_ptr->num_cpu >= 1 && time(NULL) >= SYSPAGE_ENTRY(qtime)->boot_time);
	nsec2timespec(&t, 2500000000);
	CHECK(t.tv_sec == 2 && t.tv_nsec == 500000000 && timespec2nsec(&t) == 2500000000);
	start = ClockCycles();
	CHECK(nanospin_ns(1000000) == 0 && ClockCycles() - start >= 1000000);
	CHECK_EQUAL(delay(5), 0);
	CHECK(ClockCycles() - start >= 5000000);
}

static atomic_int fired;

static void on_timer(union sigval value)
{
	fired = value.sival_int;
}

static void kernel_timers(void)
{
	struct _itimer t = {1000000, 0}, old;
	struct _timer_info info;
	struct sigevent event;
	timer_t by_name;
	int id, next;

	SIGEV_THREAD_INIT(&event, on_timer, 31, NULL);
	CHECK((id = TimerCreate(CLOCK_MONOTONIC, &event)) > 0);
	CHECK(TimerSettime(id, 0, &t, NULL) == 0);
	while (fired != 31)
		delay(1);
	SIGEV_NONE_INIT(&event);
	CHECK((next = TimerCreate(CLOCK_SOFTTIME, &event)) > id);
	t = (struct _itimer){3600000000000, 5};
	CHECK(TimerSettime(next, TIMER_PRECISE, &t, NULL) == 0);
	CHECK(TimerSettime(next, TIMER_TOLERANCE, &t, NULL) == 0);
	CHECK_EQUAL(TimerInfo(0, next, 0, &info), next);
	CHECK(info.flags == (_NTO_TI_ACTIVE | _NTO_TI_TOD_BASED) && info.otime.nsec <= t.nsec && info.otime.nsec > t.nsec / 2);
	CHECK(info.itime.nsec > t.nsec && info.itime.interval_nsec == 5 && info.notify == SIGEV_NONE);
	CHECK_EQUAL(TimerInfo(getpid(), 0, _NTO_TIMER_SEARCH, &info), id);
	CHECK_EQUAL(TimerInfo(0, id + 1, _NTO_TIMER_SEARCH, &info), next);
	CHECK_ERRNO(TimerInfo(0, next + 1, _NTO_TIMER_SEARCH, &info), EINVAL);
	CHECK_ERRNO(TimerInfo(getppid(), id, 0, &info), EPERM);
	CHECK(TimerSettime(next, 0, &(struct _itimer){0, 0}, &old) == 0 && old.nsec > t.nsec / 2 && old.interval_nsec == 5);
	CHECK_ERRNO(TimerSettime(next, 0, NULL, NULL), EFAULT);
	CHECK_EQUAL(TimerDestroy_r(id), 0);
	CHECK_EQUAL(TimerDestroy_r(id), -EINVAL);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &by_name) == 0 && by_name == id); /* the lowest that is free */
	CHECK(timer_delete(by_name) == 0 && TimerDestroy(next) == 0);
	CHECK_EQUAL(TimerCreate_r(99, &event), -EINVAL);
}

static void *ends(void *p)
{
	atomic_fetch_add((atomic_int *)p, 1);
	return NULL;
}

static void threads(void)
{
	struct sched_param parameters = {.sched_priority = 20};
	struct { struct _thread_name head; char more[20]; } name = {{-1, 20, ""}, ""};
	char got[_NTO_THREAD_NAME_MAX + 1] = "", longer[200];
	atomic_int ended = 0;
	pthread_attr_t attr;

	CHECK(pthread_create(NULL, NULL, ends, &ended) == 0);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	CHECK(pthread_attr_setschedpolicy(&attr, SCHED_RR) == 0 && pthread_attr_setschedparam(&attr, &parameters) == 0);
	CHECK(pthread_create(NULL, &attr, ends, &ended) == 0);
	while (ended < 2)
		delay(1);
	pthread_attr_destroy(&attr);

	CHECK(pthread_setname_np(0, "a name that is long") == 0);
	CHECK(pthread_getname_np(pthread_self(), got, sizeof got) == 0 && strcmp(got, "a name that is ") == 0);
	CHECK_EQUAL(pthread_getname_np(0, got, 3), E2BIG);
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	CHECK_EQUAL(pthread_setname_np(0, longer), E2BIG);
	CHECK(ThreadCtl(_NTO_TCTL_NAME, &name) == 0 && strcmp(name.head.name_buf, "a name that is ") == 0);
	name.head.new_name_len = 3;
	memcpy(name.head.name_buf, "new", 3);
	CHECK(ThreadCtl(_NTO_TCTL_NAME, &name) == 0 && strcmp(name.head.name_buf, "a name that is ") == 0);
	CHECK(pthread_getname_np(0, got, sizeof got) == 0 && strcmp(got, "new") == 0);
	CHECK_ERRNO(ThreadCtl(_NTO_TCTL_NAME, NULL), EFAULT);
	CHECK_ERRNO(ThreadCtl(_NTO_TCTL_IO, NULL), ENOTSUP);
	CHECK_EQUAL(ThreadCtl_r(_NTO_TCTL_THREADS_HOLD, NULL), -ENOTSUP);
}

static void processors(void)
{
	unsigned mask = 0, one;
	struct { unsigned size, run, inherit; } masks = {1, 0, 0};

	CHECK(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET, &mask) == 0 && mask != 0);
	one = mask & -mask;
	CHECK(ThreadCtl(_NTO_TCTL_RUNMASK, (void *)(uintptr_t)one) == 0);
	CHECK(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT, &masks) == 0 && masks.run == one && masks.inherit == one);
	masks.run = mask;
	CHECK(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT, &masks) == 0 && masks.run == one);
	one = 0;
	CHECK(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET, &one) == 0 && one == mask);
	masks.size = 0;
	CHECK_ERRNO(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT, &masks), EINVAL);
}

static void scheduling(void)
{
	struct sched_param parameters = {0};
	struct _sched_info info;

	CHECK_EQUAL(getprio(0), 10);
	CHECK_EQUAL(setprio(0, 22), 10);
	CHECK_EQUAL(getprio(getpid()), 22);
	CHECK(SchedGet(0, 0, &parameters) != -1 && parameters.sched_priority == 22 && parameters.sched_curpriority == 22);
	CHECK_ERRNO(setprio(0, 0), EINVAL);
	CHECK_ERRNO(setprio(0, 256), EINVAL);
	CHECK_ERRNO(getprio(-3), ESRCH);
	CHECK_ERRNO(SchedGet(getppid(), 0, &parameters), EPERM);
	CHECK(SchedInfo(0, SCHED_RR, &info) == 0 && info.priority_min == 1 && info.priority_max == 255);
	CHECK_ERRNO(SchedInfo(0, 77, &info), EINVAL);
	CHECK(SchedYield() == 0 && setprio(0, 10) == 22);
	CHECK_ERRNO(SchedGet(0, getppid(), &parameters), ESRCH);
	errno = EXDEV;
	CHECK(SchedGet_r(0, getppid(), &parameters) == -ESRCH && SchedGet_r(-3, 0, NULL) == -ESRCH && errno == EXDEV);
}

/* A thread that was made without the headers: until it has used the library there is only
   what the system keeps. */
extern int systems_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) __asm__("pthread_create");

static atomic_int strangers_id, step;

static void *stranger(void *p)
{
	strangers_id = gettid();
	while (step < 1)
		delay(1);
	CHECK_EQUAL(getprio(0), 10);
	step = 2;
	while (step < 3)
		delay(1);
	CHECK_EQUAL(getprio(0), 12);
	return p;
}

static void scheduling_of_strangers(void)
{
	struct sched_param parameters = {.sched_priority = 12};
	pthread_t t;

	MUST(systems_create(&t, NULL, stranger, NULL) == 0);
	while (strangers_id == 0)
		delay(1);
	CHECK_EQUAL(SchedGet(0, strangers_id, NULL), SCHED_OTHER);
	CHECK_ERRNO(SchedSet(0, strangers_id, SCHED_OTHER, &parameters), EPERM);
	parameters.sched_priority = 100; /* more than the system has */
	CHECK_ERRNO(SchedSet(0, strangers_id, SCHED_RR, &parameters), EPERM);
	CHECK(SchedGet(0, strangers_id, &parameters) == SCHED_OTHER && parameters.sched_priority == 10);
	step = 1;
	while (step < 2)
		delay(1);
	parameters.sched_priority = 12;
	CHECK(SchedSet(0, strangers_id, SCHED_OTHER, &parameters) == 0);
	step = 3;
	join(t);
	CHECK_ERRNO(SchedSet(0, strangers_id, SCHED_OTHER, &parameters), ESRCH);
}

/* What a child of fork sets is its own. */
static void scheduling_after_fork(void)
{
	const struct sched_param parameters = {.sched_priority = 20};
	int status;
	pid_t child = fork();

	if (child == 0) {
		faults = 0;
		CHECK_EQUAL(pthread_setschedparam(pthread_self(), SCHED_RR, &parameters), 0);
		CHECK_EQUAL(getprio(0), 20);
		CHECK_EQUAL(pthread_setschedprio(pthread_self(), 30), 0);
		CHECK_EQUAL(getprio(0), 30);
		_exit(result());
	}
	MUST(waitpid(child, &status, 0) == child);
	CHECK_EQUAL(status, 0);
	CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
	CHECK_EQUAL(getprio(0), 10);
}

static void names_are_files(const char *name)
{
	name_attach_t *a = name_attach(NULL, name, 0);
	struct _msg_info info;
	struct _pulse p;
	char path[200];
	int coid, fd;

	MUST(a != NULL);
	snprintf(path, sizeof path, "/dev/name/local/%s", name);
	MUST((coid = open(path, O_RDWR)) != -1);
	CHECK(MsgSendPulse(coid, -1, 3, 4) == 0);
	CHECK(MsgReceivePulse(a->chid, &p, sizeof p, &info) == 0 && p.code == 3);
	CHECK(close(coid) == 0);
	CHECK_ERRNO(MsgSendPulse(coid, -1, 3, 4), EBADF);
	CHECK_ERRNO(close(coid), EBADF);
	CHECK(name_detach(a, 0) == 0);
	CHECK_ERRNO(open(path, O_RDWR), ENOENT);
	CHECK((fd = open("/dev/null", O_WRONLY)) >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	CHECK_ERRNO(close(fd), EBADF);
}

static void timeouts(void)
{
	int chid = channel(0);
	struct timespec t = {0, 1000000};
	struct _pulse p;

	CHECK(timer_timeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &t, NULL) == 0);
	CHECK_ERRNO(MsgReceivePulse(chid, &p, sizeof p, NULL), ETIMEDOUT);
	CHECK_EQUAL(timer_timeout_r(99, _NTO_TIMEOUT_RECEIVE, NULL, &t, NULL), -EINVAL);
	CHECK(ChannelDestroy(chid) == 0);
}

static void memory(void)
{
	size_t contiguous;
	off_t offset;
	char *page = mmap(NULL, (size_t)__PAGESIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, NOFD, 0);

	MUST(page != MAP_FAILED);
	CHECK_ERRNO(mem_offset(NULL, NOFD, 1, &offset, &contiguous), EACCES);
	CHECK_ERRNO(mem_offset64(page + 5, NOFD, 1, &offset, &contiguous), ENOTSUP);
	errno = 0;
	CHECK(msync(page, 1, MS_SYNC | MS_INVALIDATE | MS_CACHE_ONLY) == 0);
	/* Together they are refused by the system, which thus got the bits that are meant. */
	CHECK_ERRNO(msync(page, 1, MS_ASYNC | MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(page, 1, 0x8), EINVAL);
	CHECK(munmap(page, (size_t)__PAGESIZE) == 0);
}

static void queues(void)
{
	struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
	struct sigevent event;
	char name[50];
	mqd_t q;

	snprintf(name, sizeof name, "/qnxhost-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q == (mqd_t)-1)
		return; /* the system has none */
	mq_unlink(name);
	CHECK(mq_getattr(q, &attr) == 0 && attr.mq_sendwait == 0 && attr.mq_maxmsg == 2);
	SIGEV_PULSE_INIT(&event, 1, 10, 1, 1);
	CHECK_ERRNO(mq_notify(q, &event), ENOTSUP);
	fired = 0;
	SIGEV_THREAD_INIT(&event, on_timer, 8, NULL);
	CHECK(mq_notify(q, &event) == 0 && mq_send(q, "m", 1, 0) == 0);
	while (fired != 8)
		delay(1);
	mq_close(q);
}

static void text(void)
{
	char b[70];

	CHECK(strcmp(itoa(-42, b, 10), "-42") == 0 && strcmp(itoa(255, b, 16), "ff") == 0 && strcmp(itoa(-1, b, 16), "ffffffff") == 0);
	CHECK(strcmp(ltoa(LONG_MIN, b, 10), "-9223372036854775808") == 0 && strcmp(ultoa(~0UL, b, 2) + 60, "1111") == 0);
	CHECK(strcmp(utoa(0, b, 8), "0") == 0 && *itoa(3, b, 1) == '\0');
}

static void processes(void)
{
	char *argv[] = {"sh", "-c", "exit $THREE", NULL}, *envp[] = {"THREE=3", NULL};
	int pid, status;

	status = spawnl(P_WAIT, "/bin/sh", "sh", "-c", "exit 5", NULL);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	status = spawnlpe(P_WAIT, "sh", "sh", "-c", "exit $THREE", NULL, envp);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK((pid = spawnvpe(P_NOWAIT, "sh", argv, envp)) > 0);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
	CHECK_ERRNO(spawnv(P_NOWAIT, "/nowhere", argv), ENOENT);
	CHECK_ERRNO(spawnvp(9, "sh", argv), EINVAL);
}

static void managers(void)
{
	struct sigevent event;

	SIGEV_NONE_INIT(&event);
	CHECK(procmgr_ability(0, PROCMGR_ADN_NONROOT | PROCMGR_AOP_ALLOW | PROCMGR_AID_MEM_PHYS, PROCMGR_AID_EOL) == 0);
	CHECK_EQUAL(procmgr_ability(-4, PROCMGR_AID_EOL), ESRCH);
	CHECK(procmgr_event_notify(PROCMGR_EVENT_SYNC, &event) == 0);
	CHECK(procmgr_event_notify_add(PROCMGR_EVENT_SYNC, &event) > 0);
	CHECK_ERRNO(procmgr_event_notify_delete(0), EINVAL);
	CHECK_ERRNO(procmgr_daemon(0, 0x100), EINVAL);
}

/* The process stays the same one, and its channels work. */
static void daemon_process(void)
{
	int id = getpid(), p[2], chid = channel(0), coid = attach(chid);
	struct _pulse pulse;

	MUST(pipe(p) == 0);
	CHECK(procmgr_daemon(0, PROCMGR_DAEMON_NODEVNULL) == 0);
	CHECK(getpid() == id && umask(022) == 0);
	CHECK_ERRNO(close(p[0]), EBADF);
	CHECK(MsgSendPulse(coid, -1, 9, 1) == 0 && MsgReceivePulse(chid, &pulse, sizeof pulse, NULL) == 0 && pulse.code == 9);
}

/* Prints to standard error, which who runs it looks at. */
static int logs(void)
{
	slog2_buffer_set_config_t config = {.num_buffers = 1, .buffer_set_name = "set", .verbosity_level = SLOG2_WARNING,
		.buffer_config = {{"buffer", 8}}};
	slog2_buffer_t buffer;

	CHECK(slogf(_SLOG_SETCODE(_SLOGC_TEST, 0), _SLOG_ERROR, "number %d\n", 5) > 0);
	CHECK(slog2_register(&config, &buffer, 0) == 0);
	CHECK(slog2f(buffer, 7, SLOG2_WARNING, "text %s", "here") == 0 && slog2f(buffer, 7, SLOG2_NOTICE, "not this") == 0);
	CHECK(slog2_set_default_buffer(buffer) == NULL && slog2c(NULL, 1, SLOG2_ERROR, "plain") == 0);
	CHECK(slog2_set_verbosity(buffer, SLOG2_DEBUG2) == 0 && slog2_get_verbosity(buffer) == SLOG2_DEBUG2);
	CHECK_ERRNO(slog2_register(NULL, &buffer, 0), EINVAL);
	CHECK_ERRNO(slog2c(buffer, 1, 8, "no such severity"), EINVAL);
	return result();
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "logs") == 0)
		return logs();
	MUST(argc > 1);
	clocks();
	kernel_timers();
	threads();
	processors();
	scheduling();
	scheduling_of_strangers();
	scheduling_after_fork();
	names_are_files(argv[1]);
	timeouts();
	memory();
	queues();
	text();
	processes();
	managers();
	daemon_process();
	return result();
}
