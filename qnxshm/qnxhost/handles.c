/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "face.h"

/* Functions that the system has too are linked by other names, which the headers give
   them: qnxhost_mmap is the one that programs call. */

int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options)
{
	uint64_t h = 0;
	int error = handlep ? QNXHOST_CALL(qnxhost_go_create_handle(fd, pid, flags, options, &h)) : EFAULT;

	if (error == 0)
		*handlep = h;
	return qnxhost_result(error);
}

int shm_create_subrange_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options, size_t size, off_t offset)
{
	uint64_t h = 0;
	int error = handlep ? QNXHOST_CALL(qnxhost_go_create_subrange_handle(fd, pid, flags, options, size, offset, &h)) : EFAULT;

	if (error == 0)
		*handlep = h;
	return qnxhost_result(error);
}

static int descriptor(int error, int fd)
{
	return error == 0 ? fd : qnxhost_result(error);
}

int shm_open_handle(shm_handle_t handle, int flags)
{
	int fd = -1;
	int error = QNXHOST_CALL(qnxhost_go_open_handle(handle, flags, &fd));

	return descriptor(error, fd);
}

int shm_open_handle_pid(shm_handle_t handle, int flags, pid_t pid)
{
	int fd = -1;
	int error = QNXHOST_CALL(qnxhost_go_open_handle_pid(handle, flags, pid, &fd));

	return descriptor(error, fd);
}

int shm_delete_handle(shm_handle_t handle)
{
	return qnxhost_result(QNXHOST_CALL(qnxhost_go_delete_handle(handle)));
}

int shm_open(const char *name, int oflag, mode_t mode)
{
	int fd = -1;
	char *path = name == SHM_ANON ? NULL : (char *)name;
	int error = name ? QNXHOST_CALL(qnxhost_go_shm_open(path, path ? oflag : oflag & ~O_ANON, mode, &fd)) : EFAULT;

	return descriptor(error, fd);
}

int shm_unlink(const char *name)
{
	if (name == NULL)
		return qnxhost_result(EFAULT);
	if (name == SHM_ANON)
		return qnxhost_result(EINVAL);
	return qnxhost_result(QNXHOST_CALL(qnxhost_go_shm_unlink((char *)name)));
}

static void *mapping(int error, void *p)
{
	if (error == 0)
		return p;
	errno = error;
	return MAP_FAILED;
}

/* The system takes an address in the first page for none, where it may choose, and
   where it may not, for one that is not the beginning of a page. */
static int without_first_page(void **addr, int flags)
{
	if (*addr == NULL || !qnxhost_in_first_page(*addr))
		return 0;
	*addr = NULL;
	return flags & MAP_FIXED && !qnxhost_forked() ? EINVAL : 0;
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	void *p = MAP_FAILED;
	int error = without_first_page(&addr, flags);

	if (error == 0)
		error = QNXHOST_CALL(qnxhost_go_mmap(addr, len, prot, flags, fd, off, &p));

	return mapping(error, p);
}

void *mmap_handle(void *addr, size_t len, int prot, int flags, shm_handle_t handle, off_t off)
{
	void *p = MAP_FAILED;
	int error = without_first_page(&addr, flags);

	if (error == 0)
		error = QNXHOST_CALL(qnxhost_go_mmap_handle(addr, len, prot, flags, handle, off, &p));

	return mapping(error, p);
}

void *mmap_handle_pid(void *addr, size_t len, int prot, int flags, shm_handle_t handle, pid_t pid, off_t off)
{
	void *p = MAP_FAILED;
	int error = without_first_page(&addr, flags);

	if (error == 0)
		error = QNXHOST_CALL(qnxhost_go_mmap_handle_pid(addr, len, prot, flags, handle, pid, off, &p));

	return mapping(error, p);
}

int munmap(void *addr, size_t len)
{
	int error = without_first_page(&addr, MAP_FIXED);

	if (error)
		return qnxhost_result(error);
	return qnxhost_result(QNXHOST_CALL(qnxhost_go_munmap(addr, len)));
}

int munmap_flags(void *addr, size_t len, unsigned flags)
{
	if (flags != 0)
		return qnxhost_result(EINVAL);
	return munmap(addr, len);
}

int mprotect(void *addr, size_t len, int prot)
{
	int error = without_first_page(&addr, MAP_FIXED);

	if (error)
		return qnxhost_result(error);
	return qnxhost_result(QNXHOST_CALL(qnxhost_go_mprotect(addr, len, prot)));
}

/* Caches of the host are coherent: what concerns only them has nothing to do. */
int msync(void *addr, size_t len, int flags)
{
	enum { SYSTEM_ASYNC = 1, SYSTEM_INVALIDATE = 2, SYSTEM_SYNC = 4 };
	extern int system_msync(void *, size_t, int) __asm__("msync");
	int systems = 0;

	if (flags & ~(MS_ASYNC | MS_SYNC | MS_INVALIDATE | MS_INVALIDATE_ICACHE | MS_CACHE_ONLY | MS_CLEAN_ONLY))
		return qnxhost_result(EINVAL);
	if (flags & MS_ASYNC)
		systems |= SYSTEM_ASYNC;
	if (flags & MS_SYNC)
		systems |= SYSTEM_SYNC;
	if (flags & MS_INVALIDATE)
		systems |= SYSTEM_INVALIDATE;
	return system_msync(addr, len, systems);
}

/* A window has a size of its own, and keeps it. The rest of what fstat tells is
   the file's. */
extern int system_fstat(int, struct stat *) __asm__("fstat");

int fstat(int fd, struct stat *st)
{
	off_t size;
	int result = system_fstat(fd, st);

	if (result == 0 && S_ISREG(st->st_mode) && QNXHOST_CALL(qnxhost_go_size(fd, &size)) == 0)
		st->st_size = size;
	return result;
}

int ftruncate(int fd, off_t length)
{
	return qnxhost_result(QNXHOST_CALL(qnxhost_go_truncate(fd, length)));
}

int shm_ctl(int fd, int flags, uint64_t paddr, uint64_t size)
{
	uint32_t result = 0;
	int error = QNXHOST_CALL(qnxhost_go_ctl(fd, flags, paddr, size, &result));

	return error == 0 ? (int)result : qnxhost_result(error);
}

int shm_revoke(int fd, pid_t pid)
{
	return qnxhost_result(QNXHOST_CALL(qnxhost_go_revoke(fd, pid)));
}

/* What the host cannot do. */

int mem_offset64(const void *addr, int fd, size_t len, off64_t *offset, size_t *contiguous)
{
	const uintptr_t page = (uintptr_t)addr & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	unsigned char in_core;

	(void)fd, (void)len, (void)offset, (void)contiguous;
	return qnxhost_result(mincore((void *)page, 1, &in_core) == 0 ? ENOTSUP : EACCES);
}

int mem_offset(const void *addr, int fd, size_t len, off_t *offset, size_t *contiguous)
{
	return mem_offset64(addr, fd, len, offset, contiguous);
}

int shm_ctl_special(int fd, int flags, uint64_t paddr, uint64_t size, unsigned special)
{
	(void)fd, (void)flags, (void)paddr, (void)size, (void)special;
	return qnxhost_result(ENOSYS);
}
