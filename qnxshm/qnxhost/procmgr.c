/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* What QNX's process manager does for programs, as far as the system can. */

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/procmgr.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "face.h"

/* Descriptors from here on may be the library's. */
enum { FIRST_HIGH = 512 };

int procmgr_ability(pid_t pid, unsigned ability, ...)
{
	(void)ability;
	return pid < 0 || (pid != 0 && kill(pid, 0) == -1 && errno == ESRCH) ? ESRCH : 0;
}

int procmgr_event_notify(unsigned flags, const struct sigevent *event)
{
	(void)flags, (void)event;
	return 0;
}

int procmgr_event_notify_add(unsigned flags, const struct sigevent *event)
{
	static _Atomic int last;

	(void)flags;
	if (event == NULL)
		return qnxhost_result(EINVAL);
	return ++last;
}

int procmgr_event_notify_delete(int id)
{
	return qnxhost_result(id > 0 ? 0 : EINVAL);
}

/* Closes what may be the program's alone: below FIRST_HIGH, where the library's cannot
   be unless the limit has put it there. */
static void close_low(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur <= FIRST_HIGH)
		return;
	for (int fd = STDERR_FILENO + 1; fd < FIRST_HIGH; fd++)
		close(fd);
}

static int to_null(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd == -1)
		return -1;
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		if (dup2(fd, standard) == -1)
			return -1;
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

int procmgr_daemon(int status, unsigned flags)
{
	const unsigned all = PROCMGR_DAEMON_NOCHDIR | PROCMGR_DAEMON_NOCLOSE | PROCMGR_DAEMON_NODEVNULL | PROCMGR_DAEMON_KEEPUMASK;

	(void)status;
	if (flags & ~all)
		return qnxhost_result(EINVAL);
	setsid(); /* fails for the leader of a group, which stays what it is */
	if (!(flags & PROCMGR_DAEMON_NOCHDIR) && chdir("/") == -1)
		return -1;
	if (!(flags & PROCMGR_DAEMON_KEEPUMASK))
		umask(0);
	if (!(flags & PROCMGR_DAEMON_NOCLOSE))
		close_low();
	return flags & PROCMGR_DAEMON_NODEVNULL ? 0 : to_null();
}
