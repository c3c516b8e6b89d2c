/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* The calls for shared memory: errno, windows, mappings. A second process is
   this program once more. */
#define _GNU_SOURCE
#include "check.h"

#include <setjmp.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define NO_HANDLE ((shm_handle_t)0)
#define ALL_ONES (~(shm_handle_t)0)

extern char **environ;

static const size_t page = 4096;
static int ours[2], theirs[2]; /* pipes to and from the other process */
static pid_t other;

static sigjmp_buf fault;

static void on_fault(int signal)
{
	siglongjmp(fault, signal);
}

static int faults_on_write(volatile char *p)
{
	struct sigaction action = {.sa_handler = on_fault}, old;
	int signal;

	sigaction(SIGSEGV, &action, &old);
	if ((signal = sigsetjmp(fault, 1)) == 0)
		*p = 'x';
	sigaction(SIGSEGV, &old, NULL);
	return signal;
}

static int faults_on_read(volatile char *p)
{
	struct sigaction action = {.sa_handler = on_fault}, old;
	int signal;

	sigaction(SIGSEGV, &action, &old);
	if ((signal = sigsetjmp(fault, 1)) == 0)
		(void)*p;
	sigaction(SIGSEGV, &old, NULL);
	return signal;
}

/* What the other process does with a handle; each is answered by a result or
   -errno. */
struct request {
	char what; /* o: open, d: delete, m: open by maker, w: write to memory, h: map, t: touch what h mapped, u: unmap it */
	int access;
	pid_t maker;
	shm_handle_t handle;
};

static int serve_requests(void)
{
	char *mapped = MAP_FAILED;
	struct request r;
	int fd = -1;

	while (read(0, &r, sizeof r) == sizeof r) {
		long answer = -1;
		switch (r.what) {
		case 'o':
			answer = fd = shm_open_handle(r.handle, r.access);
			break;
#if _NTO_VERSION >= 800
		case 'm':
			answer = fd = shm_open_handle_pid(r.handle, r.access, r.maker);
			break;
#endif
		case 'd':
			answer = shm_delete_handle(r.handle);
			break;
		case 'h':
			mapped = mmap_handle(NULL, page, PROT_READ | (r.access == O_RDWR ? PROT_WRITE : 0), MAP_SHARED, r.handle, 0);
			answer = mapped == MAP_FAILED ? -1 : 0;
			break;
		case 't':
			answer = faults_on_read(mapped);
			break;
		case 'u':
			answer = munmap(mapped, page);
			break;
		case 'w': {
			char *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			answer = p == MAP_FAILED ? -1 : (strcpy(p, "from the other process"), 0);
			break;
		}
		}
		if (answer == -1)
			answer = -errno;
		if (write(1, &answer, sizeof answer) != sizeof answer)
			return 1;
	}
	return 0;
}

static long ask(char what, shm_handle_t handle, int access, pid_t maker)
{
	struct request r = {what, access, maker, handle};
	long answer;

	MUST(write(ours[1], &r, sizeof r) == sizeof r);
	MUST(read(theirs[0], &answer, sizeof answer) == sizeof answer);
	return answer;
}

static void start_other(char *self)
{
	char *argv[] = {self, "other", NULL};
	posix_spawn_file_actions_t actions;

	MUST(pipe2(ours, O_CLOEXEC) == 0 && pipe2(theirs, O_CLOEXEC) == 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ours[0], 0);
	posix_spawn_file_actions_adddup2(&actions, theirs[1], 1);
	MUST(posix_spawn(&other, "/proc/self/exe", &actions, NULL, argv, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ours[0]);
	close(theirs[1]);
}

static int object(off_t size)
{
	int fd;

	MUST((fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600)) != -1);
	MUST(ftruncate(fd, size) == 0);
	return fd;
}

static shm_handle_t handle_for(int fd, pid_t pid, int access)
{
	shm_handle_t h;

	MUST(shm_create_handle(fd, pid, access, &h, 0) == 0);
	return h;
}

static pid_t zombie(void)
{
	char *argv[] = {"true", NULL};
	siginfo_t info;
	pid_t pid;

	MUST(posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0);
	MUST(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
	return pid;
}

static void create(void)
{
	int fd = object(page), pipes[2], read_only, fd2;
	shm_handle_t h = 1, g = 2;
	pid_t dead = zombie(), self = getpid();
	struct stat st;

	CHECK_ERRNO(shm_create_handle(fd, self, O_WRONLY | O_RDWR, &h, 0), EINVAL);
	CHECK_ERRNO(shm_create_handle(fd, self, O_RDWR | O_CREAT, &h, 0), EINVAL);
	CHECK_ERRNO(shm_create_handle(fd, self, -1, &h, 0), EINVAL);
	CHECK_ERRNO(shm_create_handle(fd, self, O_RDWR, &h, 0x80), EINVAL);
	CHECK_ERRNO(shm_create_handle(fd, self, O_RDWR, &h, 0x2), EINVAL);
	CHECK_ERRNO(shm_create_handle(-1, self, O_RDWR, &h, 0), EBADF);
	CHECK_ERRNO(shm_create_handle(300, self, O_RDWR, &h, 0), EBADF);
	CHECK_ERRNO(shm_create_handle(fd, self, O_RDWR, NULL, 0), EFAULT);
	MUST(pipe2(pipes, O_CLOEXEC) == 0);
	CHECK_ERRNO(shm_create_handle(pipes[0], self, O_RDONLY, &h, 0), EBADF);
	close(pipes[0]);
	close(pipes[1]);
	CHECK_ERRNO(shm_create_handle(fd, 0, O_RDWR, &h, 0), ESRCH);
	CHECK_ERRNO(shm_create_handle(fd, -7, O_RDWR, &h, 0), ESRCH);
	CHECK_ERRNO(shm_create_handle(fd, 0x7fffffff, O_RDWR, &h, 0), ESRCH);
	CHECK_ERRNO(shm_create_handle(fd, dead, O_RDWR, &h, 0), ESRCH);
	waitpid(dead, NULL, 0);
	CHECK_ERRNO(shm_create_handle(fd, dead, O_RDWR, &h, 0), ESRCH);
	CHECK_ERRNO(shm_create_handle(-1, self, 5, &h, 0), EINVAL);
	CHECK_ERRNO(shm_create_handle(-1, self, O_RDWR, &h, 0x80), EINVAL);
	CHECK_ERRNO(shm_create_handle(fd, -7, 5, &h, 0), EINVAL);
	CHECK_ERRNO(shm_create_handle(-1, -7, O_RDWR, &h, 0), EBADF);
	CHECK_EQUAL(h, 1); /* untouched so far */

	CHECK(shm_create_handle(fd, self, O_RDONLY, &h, 0) == 0);
	CHECK(shm_create_handle(fd, self, O_RDONLY, &g, 0) == 0);
	CHECK(h != g && h != NO_HANDLE && h != ALL_ONES);
	CHECK((read_only = shm_open_handle(h, O_RDONLY)) != -1);
	CHECK((fcntl(read_only, F_GETFL) & O_ACCMODE) == O_RDONLY && fcntl(read_only, F_GETFD) == FD_CLOEXEC);
	CHECK_ERRNO(shm_create_handle(read_only, self, O_RDWR, &h, 0), EACCES);
	CHECK_ERRNO(shm_create_handle(read_only, self, O_WRONLY, &h, 0), EACCES);
	CHECK_ERRNO(shm_create_handle(read_only, -7, O_RDWR, &h, 0), EACCES);
	CHECK(shm_create_handle(read_only, self, O_RDONLY, &h, 0) == 0);
	CHECK(shm_delete_handle(h) == 0);
	CHECK(shm_delete_handle(g) == 0);
	/* an object of size 0, a duplicate */
	fd2 = dup(object(0));
	h = handle_for(fd2, self, O_RDWR);
	CHECK(ftruncate(fd2, 100) == 0);
	close(fd2);
	CHECK((fd2 = shm_open_handle(h, O_RDWR)) != -1);
	CHECK(fstat(fd2, &st) == 0 && st.st_size == 100);
	close(fd2);
	close(read_only);
	close(fd);
}

static void open_and_delete(void)
{
	int fd = object(page), got;
	pid_t self = getpid();
	shm_handle_t h;

	CHECK_ERRNO(shm_open_handle(NO_HANDLE, O_RDWR), ESRCH);
	CHECK_ERRNO(shm_open_handle(ALL_ONES, O_RDWR), EBADF);
	CHECK_ERRNO(shm_open_handle(0x123456789abcdefULL, O_RDWR), ESRCH);
	CHECK_ERRNO(shm_open_handle(NO_HANDLE, 5), EINVAL);

	h = handle_for(fd, self, O_RDONLY);
	CHECK_ERRNO(shm_open_handle(h + 1, O_RDONLY), ESRCH);
	CHECK_ERRNO(shm_open_handle(h, O_RDWR), EACCES);
	CHECK_ERRNO(shm_open_handle(h, O_WRONLY), EACCES);
	CHECK_ERRNO(shm_open_handle(h, O_RDONLY | O_TRUNC), EINVAL);
	CHECK_ERRNO(shm_open_handle(h, 3), EINVAL);
	CHECK((got = shm_open_handle(h, O_RDONLY | O_CLOEXEC)) != -1); /* kept all the time */
	close(got);
	CHECK_ERRNO(shm_open_handle(h, O_RDONLY), ESRCH);
	CHECK_ERRNO(shm_delete_handle(h), ESRCH);
	h = handle_for(fd, self, O_WRONLY);
	CHECK_ERRNO(shm_open_handle(h, O_RDONLY), EACCES);
	CHECK_ERRNO(shm_open_handle(h, O_RDWR), EACCES);
	CHECK((got = shm_open_handle(h, O_WRONLY)) != -1);
	CHECK_ERRNO(mmap(NULL, page, PROT_WRITE, MAP_SHARED, got, 0), EACCES);
	close(got);

	CHECK_ERRNO(shm_delete_handle(NO_HANDLE), ESRCH);
	CHECK_ERRNO(shm_delete_handle(ALL_ONES), ESRCH);
	h = handle_for(fd, self, O_RDWR);
	CHECK(shm_delete_handle(h) == 0);
	CHECK_ERRNO(shm_delete_handle(h), ESRCH);
	CHECK_ERRNO(shm_open_handle(h, O_RDWR), ESRCH);

#if _NTO_VERSION >= 800
	h = handle_for(fd, self, O_RDWR);
	CHECK_ERRNO(shm_open_handle_pid(h, O_RDWR, 0), ESRCH);
	CHECK_ERRNO(shm_open_handle_pid(h, O_RDWR, -1), ESRCH);
	CHECK_ERRNO(shm_open_handle_pid(h, O_RDWR, other), ESRCH);
	CHECK((got = shm_open_handle_pid(h, O_RDWR, self)) != -1);
	close(got);
#endif

	/* the other process */
	h = handle_for(fd, self, O_RDWR);
	CHECK_EQUAL(ask('o', h, O_RDWR, 0), -ESRCH);
	CHECK_EQUAL(ask('d', h, 0, 0), -ESRCH);
	CHECK(shm_delete_handle(h) == 0);
	h = handle_for(fd, other, O_RDONLY);
	CHECK_ERRNO(shm_open_handle(h, O_RDONLY), ESRCH);
	CHECK_EQUAL(ask('o', h, O_RDWR, 0), -EACCES);
#if _NTO_VERSION >= 800
	CHECK_EQUAL(ask('m', h, O_RDONLY, other), -ESRCH);
	CHECK(ask('m', h, O_RDONLY, self) > 0);
#else
	CHECK(ask('o', h, O_RDONLY, 0) > 0);
#endif
	CHECK_EQUAL(ask('w', h, 0, 0), -EACCES);
	CHECK_EQUAL(ask('o', h, O_RDONLY, 0), -ESRCH);
	h = handle_for(fd, other, O_RDWR);
	CHECK(ask('d', h, 0, 0) == 0);
	CHECK_EQUAL(ask('o', h, O_RDWR, 0), -ESRCH);
	h = handle_for(fd, other, O_RDWR);
	char *p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	close(fd); /* the mapping and the handle keep the object */
	CHECK(ask('o', h, O_RDWR, 0) > 0);
	CHECK_EQUAL(ask('w', 0, 0, 0), 0);
	CHECK(strcmp(p, "from the other process") == 0);
	CHECK(munmap(p, page) == 0);
}

#if _NTO_VERSION >= 800
static void windows(void)
{
	int fd = object(4 * page), w, copy, nested;
	char *all = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *p;
	pid_t self = getpid();
	shm_handle_t h = 1;
	struct stat st;

	MUST(all != MAP_FAILED);
	for (int i = 0; i < 4; i++)
		sprintf(all + i * page, "page %d", i);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, O_RDWR, &h, 0, page + 1, 0), EINVAL);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, O_RDWR, &h, 0, page, 1), EINVAL);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, O_RDWR, &h, 0, 0, 0), EINVAL);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, O_RDWR, &h, 0, (size_t)-page, 0), EINVAL);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, O_RDWR, &h, 0, page, -(off_t)page), EINVAL);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, O_RDWR, &h, 0, page, 4 * page), EINVAL);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, 3, &h, 0, page, 0), EINVAL);
	CHECK_ERRNO(shm_create_subrange_handle(-1, self, O_RDWR, &h, 0, page, 0), EBADF);
	CHECK_ERRNO(shm_create_subrange_handle(fd, 0, O_RDWR, &h, 0, page, 0), ESRCH);
	CHECK_ERRNO(shm_create_subrange_handle(fd, self, O_RDWR, NULL, 0, page, 0), EFAULT);
	/* size comes before offset */
	CHECK(shm_create_subrange_handle(fd, self, O_RDWR, &h, 0, 2 * page, page) == 0);
	CHECK((w = shm_open_handle(h, O_RDWR)) != -1);
	CHECK(fstat(w, &st) == 0 && st.st_size == (off_t)(2 * page) && S_ISREG(st.st_mode));
	CHECK(fstat(fd, &st) == 0 && st.st_size == (off_t)(4 * page));
	CHECK_ERRNO(ftruncate(w, page), EPERM);
	CHECK_ERRNO(mmap(NULL, 3 * page, PROT_READ, MAP_SHARED, w, 0), ENXIO);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_SHARED, w, 2 * page), ENXIO);
	CHECK_ERRNO(mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, w, page), ENXIO);
	CHECK((p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, w, 0)) != MAP_FAILED);
	CHECK(strcmp(p, "page 1") == 0 && strcmp(p + page, "page 2") == 0);
	strcpy(p, "changed");
	CHECK(strcmp(all + page, "changed") == 0);
	CHECK(munmap(p, 2 * page) == 0);
	/* a duplicate, and a window of the window */
	CHECK((copy = dup(w)) != -1);
	close(w);
	CHECK(fstat(copy, &st) == 0 && st.st_size == (off_t)(2 * page));
	CHECK_ERRNO(shm_create_subrange_handle(copy, self, O_RDWR, &h, 0, 2 * page, page), EINVAL);
	CHECK(shm_create_subrange_handle(copy, self, O_RDONLY, &h, 0, page, page) == 0);
	CHECK((nested = shm_open_handle(h, O_RDONLY)) != -1);
	CHECK((p = mmap64(NULL, page, PROT_READ, MAP_SHARED, nested, 0)) != MAP_FAILED);
	CHECK(strcmp(p, "page 2") == 0);
	munmap(p, page);
	munmap(all, 4 * page);
	close(nested);
	close(copy);
	close(fd);
}
#endif

static void mappings(void)
{
	int fd = object(2 * page), handle_only;
	char *p, *q;

	/* the numbers of the system this runs on */
	CHECK_ERRNO(mmap(NULL, page, 3, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, 1, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, 0, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_TYPE, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_PRIVATE | 0x20 | 0x100000, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_SHARED | 0x40000, fd, 0), EINVAL); /* MAP_HANDLE, in 8.0 */
	CHECK_ERRNO(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 1), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_SHARED, fd, -(off_t)page), EINVAL);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_SHARED, 300, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_PHYS | MAP_SHARED, NOFD, 0), ENOSYS);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ, MAP_ANON | MAP_PRIVATE, fd, 0), EINVAL);
	CHECK((p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, NOFD, 0)) != MAP_FAILED);
	*p = 'x';
	CHECK(munmap(p, page) == 0);
	CHECK_ERRNO(munmap(p, 0), EINVAL);

	CHECK((p = mmap(NULL, page, PROT_READ | PROT_WRITE | PROT_NOCACHE, MAP_SHARED, fd, page)) != MAP_FAILED);
	CHECK_EQUAL(faults_on_write(p), 0);
	CHECK(mprotect(p, page, PROT_READ) == 0);
	CHECK_EQUAL(faults_on_write(p), SIGSEGV);
	CHECK(mprotect(p, page, PROT_READ | PROT_WRITE) == 0);
	CHECK_EQUAL(faults_on_write(p), 0);
	CHECK_ERRNO(mprotect(p, page, 3), EINVAL);
	CHECK_ERRNO(mprotect(p, page, PROT_READ | 0x1000), EINVAL);
	CHECK(mprotect(p, page, PROT_NONE) == 0);
	CHECK_EQUAL(faults_on_write(p), SIGSEGV);
	/* in place of another one */
	CHECK((q = mmap(p, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0)) == p);
	CHECK_EQUAL(faults_on_write(p), 0);
	CHECK(msync(p, page, MS_SYNC | MS_CACHE_ONLY) == 0);
	CHECK_ERRNO(munmap_flags(p, page, 7), EINVAL);
	CHECK(munmap_flags(p, page, 0) == 0);

	/* what only a target does */
	CHECK_ERRNO(shm_ctl_special(fd, SHMCTL_ANON, 0, page, 0), ENOSYS);
	CHECK_ERRNO(shm_ctl(fd, SHMCTL_PHYS, page, page), ENOSYS);

	/* a regular file is one as ever */
	struct stat st;
	FILE *file = tmpfile();
	MUST(file && (handle_only = dup(fileno(file))) != -1);
	fclose(file);
	CHECK(ftruncate(handle_only, 10) == 0);
	CHECK(fstat(handle_only, &st) == 0 && st.st_size == 10);
	CHECK((p = mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, handle_only, 0)) != MAP_FAILED);
	munmap(p, 10);
	close(handle_only);
	CHECK_ERRNO(fstat(handle_only, &st), EBADF);
	CHECK_ERRNO(ftruncate(handle_only, 1), EBADF);
	close(fd);
}

static shm_handle_t secure_handle(int fd, pid_t pid, int access)
{
	shm_handle_t h;

	MUST(shm_create_handle(fd, pid, access, &h, SHM_CREATE_HANDLE_OPT_NOFD) == 0);
	return h;
}

static void secure(void)
{
	shm_handle_t h, unused;
	int fd = object(0);
	char *p, *q;

	CHECK_ERRNO(shm_revoke(fd, other), EINVAL);
	CHECK_ERRNO(shm_revoke(300, other), EBADF);
	CHECK_EQUAL(shm_ctl(fd, SHMCTL_ANON | SHMCTL_REVOCABLE | SHMCTL_SEAL, 0, page), 0);
	CHECK_EQUAL(shm_ctl(fd, SHMCTL_GET_FLAGS, 0, 0) & (SHMCTL_REVOCABLE | SHMCTL_SEAL), SHMCTL_REVOCABLE | SHMCTL_SEAL);
	CHECK_ERRNO(shm_ctl(fd, SHMCTL_ANON, 0, 2 * page), EPERM);
	CHECK_ERRNO(ftruncate(fd, 0), EPERM);
	CHECK_ERRNO(shm_revoke(fd, 0), ESRCH);
	CHECK_ERRNO(shm_revoke(fd, -2), ESRCH);
	CHECK_EQUAL(shm_revoke(fd, other), 0); /* which has nothing */

	/* the other process loses its memory, this one not */
	CHECK((p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED);
	h = secure_handle(fd, other, O_RDONLY);
	unused = secure_handle(fd, other, O_RDONLY);
	CHECK_EQUAL(ask('o', h, O_RDONLY, 0), -EACCES);
	CHECK_EQUAL(ask('h', h, O_RDWR, 0), -EACCES);
	CHECK_EQUAL(ask('h', h, O_RDONLY, 0), 0);
	CHECK_EQUAL(ask('t', 0, 0, 0), 0);
	CHECK_EQUAL(shm_revoke(fd, other), 0);
	CHECK_EQUAL(ask('t', 0, 0, 0), SIGSEGV);
	CHECK_EQUAL(ask('u', 0, 0, 0), 0);
	CHECK_EQUAL(ask('h', unused, O_RDONLY, 0), -ESRCH);
	CHECK_EQUAL(faults_on_write(p), 0);

	/* everybody */
	h = secure_handle(fd, getpid(), O_RDWR);
	CHECK_ERRNO(mmap_handle(NULL, page, PROT_READ, 0, h, 0), EINVAL);
#if _NTO_VERSION >= 800
	CHECK_ERRNO(mmap_handle_pid(NULL, page, PROT_READ, MAP_SHARED, h, other, 0), ESRCH);
	CHECK((q = mmap_handle_pid(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, h, getpid(), 0)) != MAP_FAILED);
#else
	CHECK((q = mmap_handle(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, h, 0)) != MAP_FAILED);
#endif
	CHECK_EQUAL(faults_on_write(q), 0);
	CHECK_EQUAL(shm_revoke(fd, -1), 0);
	CHECK_EQUAL(faults_on_read(p), SIGSEGV);
	CHECK_EQUAL(faults_on_write(q), SIGSEGV);
	CHECK_ERRNO(mprotect(p, page, PROT_READ), EACCES);
	CHECK_EQUAL(faults_on_read(p), SIGSEGV);
	CHECK_EQUAL(munmap(p, page), 0);
	CHECK_EQUAL(munmap(q, page), 0);
	close(fd);
}

/* What changes the size of the object behind fd is refused. The system's own
   calls have the system's own numbers. */
static void not_resized(int fd)
{
	static const off_t sizes[] = {0, 1, 5000, 8191, 8193, 16384};
	struct stat st;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		CHECK_ERRNO(ftruncate(fd, sizes[i]), EPERM);
		CHECK_ERRNO(syscall(SYS_ftruncate, fd, sizes[i]), EPERM);
		CHECK_ERRNO(shm_ctl(fd, SHMCTL_ANON, 0, sizes[i]), EPERM);
	}
	CHECK_ERRNO(pwrite(fd, "more", 4, 2 * page), EPERM);
	CHECK_ERRNO(syscall(SYS_fallocate, fd, 0, (off_t)0, (off_t)3 * page), EPERM);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (off_t)(2 * page));
	CHECK_EQUAL(ask('t', 0, 0, 0), 0);
}

/* The creator tries to take memory from the other process, which trusts the seal. */
static void sealed(void)
{
	int fd = object(2 * page), again;
	char path[64];

	CHECK_EQUAL(shm_ctl(fd, SHMCTL_SEAL, 0, 0), 0);
	CHECK_ERRNO(shm_ctl(fd, SHMCTL_SEAL, 0, 0), EPERM);
	CHECK_ERRNO(shm_ctl(fd, SHMCTL_REVOCABLE, 0, 0), EPERM);
	CHECK_EQUAL(ask('h', secure_handle(fd, other, O_RDONLY), O_RDONLY, 0), 0);
	not_resized(fd);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	MUST((again = open(path, O_RDWR | O_CLOEXEC)) != -1);
	not_resized(again);
	CHECK_ERRNO(open(path, O_RDWR | O_TRUNC | O_CLOEXEC), EPERM);
	CHECK_ERRNO(truncate(path, 0), EPERM);
	not_resized(fd);
	CHECK_EQUAL(ask('u', 0, 0, 0), 0);
	close(again);
	close(fd);
}

/* What a forked child gets when it reads at p: 0, or the signal. */
static int read_in_child(const volatile char *p)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		(void)*p;
		_exit(0);
	}
	MUST(child != -1 && waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* Mappings that can be revoked are not for children (MAP_NOINHERIT). */
static void forks(void)
{
	int fd = object(page), got;
	char *before, *after, *straight, *again;
	shm_handle_t h;

	CHECK((before = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0)) != MAP_FAILED);
	MUST(shm_ctl(fd, SHMCTL_REVOCABLE, 0, 0) == 0);
	CHECK((after = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0)) != MAP_FAILED);
	h = secure_handle(fd, getpid(), O_RDONLY);
	CHECK((straight = mmap_handle(NULL, page, PROT_READ, MAP_SHARED, h, 0)) != MAP_FAILED);
	h = handle_for(fd, getpid(), O_RDONLY);
	MUST((got = shm_open_handle(h, O_RDONLY)) != -1);
	CHECK((again = mmap(NULL, page, PROT_READ, MAP_SHARED, got, 0)) != MAP_FAILED);
	CHECK_EQUAL(read_in_child(before), 0);
	CHECK_EQUAL(read_in_child(after), SIGSEGV);
	CHECK_EQUAL(read_in_child(straight), SIGSEGV);
	CHECK_EQUAL(read_in_child(again), SIGSEGV);
	CHECK_EQUAL(faults_on_read(after), 0);
	CHECK_EQUAL(shm_revoke(fd, -1), 0);
	CHECK_EQUAL(faults_on_read(before), 0);
	CHECK_EQUAL(read_in_child(again), SIGSEGV);
	munmap(before, page);
	munmap(after, page);
	munmap(straight, page);
	munmap(again, page);
	close(got);
	close(fd);
}

/* A program that does not expect it. */
static int touch_revoked(void)
{
	int fd = object(page);
	volatile char *p;

	MUST(shm_ctl(fd, SHMCTL_REVOCABLE, 0, 0) == 0);
	MUST((p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0)) != MAP_FAILED);
	MUST(shm_revoke(fd, -1) == 0);
	return *p;
}

static void named(void)
{
	char name[64], missing[64];
	int a, b;

	snprintf(name, sizeof name, "/qnxhost-test-%d", getpid());
	snprintf(missing, sizeof missing, "/qnxhost-none-%d", getpid());
	CHECK_ERRNO(shm_open(missing, O_RDWR, 0), ENOENT);
	CHECK_ERRNO(shm_open(NULL, O_RDWR, 0), EFAULT);
	CHECK_ERRNO(shm_open(missing, O_WRONLY | O_CREAT, 0600), EINVAL);
	CHECK_ERRNO(shm_unlink(missing), ENOENT);
	CHECK_ERRNO(shm_unlink(NULL), EFAULT);
	CHECK_ERRNO(shm_unlink(SHM_ANON), EINVAL);
	MUST((a = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600)) != -1);
	CHECK_ERRNO(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK(fcntl(a, F_GETFD) == FD_CLOEXEC);
	CHECK((b = shm_open(name, O_RDONLY, 0)) != -1);
	CHECK_ERRNO(mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, b, 0), EACCES);
	CHECK_ERRNO(ftruncate(b, 5), EINVAL);
	CHECK_ERRNO(ftruncate(a, -5), EINVAL);
	CHECK(shm_unlink(name) == 0);
	CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
	close(a);
	close(b);
	CHECK((a = shm_open(SHM_ANON, O_RDWR | O_CREAT | O_ANON, 0)) != -1);
	close(a);
	CHECK((a = shm_open(SHM_ANON, O_RDWR, 0)) != -1);
	close(a);
	CHECK_ERRNO(shm_open(SHM_ANON, O_RDWR | O_APPEND, 0), EINVAL);
}

static void limits(void)
{
	struct rlimit l = {0, 0}, same;

	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_max > 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
	CHECK(prlimit(0, RLIMIT_NOFILE, NULL, &same) == 0 && same.rlim_cur == l.rlim_cur);
	CHECK_ERRNO(getrlimit(-1, &l), EINVAL);

#if _NTO_VERSION >= 800
	/* the limit that only QNX has */
	int fd = object(page);
	shm_handle_t h, h2;
	CHECK(getrlimit(RLIMIT_SHM_HANDLES_NP, &l) == 0 && l.rlim_cur == RLIM_INFINITY && l.rlim_max == RLIM_INFINITY);
	CHECK_ERRNO(getrlimit(RLIMIT_SHM_HANDLES_NP, NULL), EFAULT);
	CHECK_ERRNO(setrlimit(RLIMIT_SHM_HANDLES_NP, NULL), EFAULT);
	l.rlim_cur = 1;
	CHECK(setrlimit(RLIMIT_SHM_HANDLES_NP, &l) == 0);
	h = handle_for(fd, other, O_RDONLY);
	CHECK_ERRNO(shm_create_handle(fd, other, O_RDONLY, &h2, 0), EAGAIN);
	CHECK(shm_delete_handle(h) == 0);
	h = handle_for(fd, other, O_RDONLY);
	CHECK(shm_delete_handle(h) == 0);
	l.rlim_cur = 3;
	CHECK(prlimit(getpid(), RLIMIT_SHM_HANDLES_NP, &l, &same) == 0 && same.rlim_cur == 1);
	CHECK(prlimit(0, RLIMIT_SHM_HANDLES_NP, NULL, &same) == 0 && same.rlim_cur == 3);
	l.rlim_max = 2;
	CHECK_ERRNO(setrlimit(RLIMIT_SHM_HANDLES_NP, &l), EINVAL);
	CHECK_ERRNO(prlimit(other, RLIMIT_SHM_HANDLES_NP, NULL, &same), ENOSYS);
	CHECK_ERRNO(prlimit(-5, RLIMIT_SHM_HANDLES_NP, NULL, &same), ESRCH);
	close(fd);
#endif
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "other") == 0)
		return serve_requests();
	if (argc > 1 && strcmp(argv[1], "revoked") == 0)
		return touch_revoked();
	start_other(argv[0]);
	create();
	open_and_delete();
#if _NTO_VERSION >= 800
	windows();
#endif
	mappings();
	forks();
	secure();
	sealed();
	named();
	limits();
	close(ours[1]);
	CHECK(waitpid(other, NULL, 0) == other);
	return result();
}
