/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

#ifndef QNXHOST_SYS_MMAN_H
#define QNXHOST_SYS_MMAN_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>
#ifndef __x86_64__
#include <unistd.h> /* __PAGESIZE */
#endif
#include_next <sys/mman.h>

#undef PROT_NONE
#undef PROT_READ
#undef PROT_WRITE
#undef PROT_EXEC
#define PROT_NONE 0x000
#define PROT_READ 0x100
#define PROT_WRITE 0x200
#define PROT_EXEC 0x400
#define PROT_NOCACHE 0x800
#define PROT_MASK 0xf00

#undef MAP_SHARED
#undef MAP_PRIVATE
#undef MAP_TYPE
#undef MAP_FIXED
#undef MAP_STACK
#undef MAP_ANON
#undef MAP_ANONYMOUS
#undef MAP_FILE
#undef MAP_NORESERVE
#define MAP_SHARED 0x1
#define MAP_PRIVATE 0x2
#define MAP_TYPE 0x3
#define MAP_FIXED 0x10
#define MAP_ELF 0x20
#define MAP_LAZY 0x80
#define MAP_STACK 0x1000
#define MAP_BELOW 0x2000
#define MAP_NOINIT 0x4000
#define MAP_PHYS 0x10000
#define MAP_NOINHERIT 0x20000
#if _NTO_VERSION >= 800
#define MAP_HANDLE 0x40000
#endif
#define MAP_ANON 0x80000
#define MAP_ANONYMOUS MAP_ANON
#define MAP_SYSRAM 0x01000000
#define MAP_FILE 0
#define MAP_NORESERVE 0
#define MAP_RENAME 0
#define MAP_NOSYNCFILE 0

#undef MS_ASYNC
#undef MS_SYNC
#undef MS_INVALIDATE
#define MS_ASYNC 1
#define MS_SYNC 2
#define MS_INVALIDATE 4
#define MS_INVALIDATE_ICACHE 0x01000000
#define MS_CACHE_ONLY 0x02000000
#define MS_CLEAN_ONLY 0x04000000

/* The system's own bits mean something else above. Better they do not compile. */
#undef PROT_GROWSDOWN
#undef PROT_GROWSUP
#undef PROT_BTI
#undef PROT_MTE
#undef MAP_32BIT
#undef MAP_ABOVE4G
#undef MAP_DENYWRITE
#undef MAP_DROPPABLE
#undef MAP_EXECUTABLE
#undef MAP_FIXED_NOREPLACE
#undef MAP_GROWSDOWN
#undef MAP_HUGETLB
#undef MAP_HUGE_MASK
#undef MAP_HUGE_SHIFT
#undef MAP_LOCKED
#undef MAP_NONBLOCK
#undef MAP_POPULATE
#undef MAP_SHARED_VALIDATE
#undef MAP_SYNC

#ifdef __x86_64__
#define __PAGESIZE 4096
#else
#define __PAGESIZE ((int)sysconf(_SC_PAGESIZE))
#endif

#define SHM_ANON ((char *)-1)

#define SHMCTL_ANON 0x1
#define SHMCTL_PHYS 0x2
#define SHMCTL_SEAL 0x4
#define SHMCTL_REVOCABLE 0x8
#define SHMCTL_GLOBAL 0x10
#define SHMCTL_PRIV 0x20
#define SHMCTL_LOWERPROT 0x40
#define SHMCTL_LAZYWRITE 0x80
#define SHMCTL_HIGHUSAGE 0x200
#define SHMCTL_LAZY 0x400
#define SHMCTL_REPEAT 0x800
#define SHMCTL_NODEFRAG 0x1000
#define SHMCTL_TYMEM 0x2000
#define SHMCTL_GET_FLAGS 0x4000
#define SHMCTL_HAS_SPECIAL 0x8000

#define SHM_CREATE_HANDLE_OPT_NOFD 0x1

/* Nobody outside QNX knows the width in 7.1, so code must do without knowing.
   libqnxhost's handles have 64 bits: a program compiled with narrow ones gets
   other names to link with, which a test has to provide. */
#if defined QNXHOST_SHM_HANDLE_BITS && QNXHOST_SHM_HANDLE_BITS == 32
typedef uint32_t shm_handle_t;
#define shm_create_handle qnxhost_32_shm_create_handle
#define shm_create_subrange_handle qnxhost_32_shm_create_subrange_handle
#define shm_open_handle qnxhost_32_shm_open_handle
#define shm_open_handle_pid qnxhost_32_shm_open_handle_pid
#define shm_delete_handle qnxhost_32_shm_delete_handle
#define mmap_handle qnxhost_32_mmap_handle
#define mmap_handle_pid qnxhost_32_mmap_handle_pid
#elif !defined QNXHOST_SHM_HANDLE_BITS || QNXHOST_SHM_HANDLE_BITS == 64
typedef uint64_t shm_handle_t;
#else
#error "qnxhost: QNXHOST_SHM_HANDLE_BITS is 32 or 64"
#endif

QNXHOST_BEGIN

/* What the system has too, understanding the numbers above. */
int shm_open(const char *name, int oflag, mode_t mode) QNXHOST_LABEL(shm_open);
int shm_unlink(const char *name) QNXHOST_LABEL(shm_unlink);
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off) QNXHOST_LABEL_NTH(mmap);
void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t off) QNXHOST_LABEL_NTH(mmap);
int munmap(void *addr, size_t len) QNXHOST_LABEL_NTH(munmap);
int mprotect(void *addr, size_t len, int prot) QNXHOST_LABEL_NTH(mprotect);
int msync(void *addr, size_t len, int flags) QNXHOST_LABEL(msync);

int munmap_flags(void *addr, size_t len, unsigned flags);

int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options);
int shm_open_handle(shm_handle_t handle, int flags);
int shm_delete_handle(shm_handle_t handle);
void *mmap_handle(void *addr, size_t len, int prot, int flags, shm_handle_t handle, off_t off);
#if _NTO_VERSION >= 800
int shm_create_subrange_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options, size_t size, off_t offset);
int shm_open_handle_pid(shm_handle_t handle, int flags, pid_t pid);
void *mmap_handle_pid(void *addr, size_t len, int prot, int flags, shm_handle_t handle, pid_t pid, off_t off);
#endif

/* The host tells no physical addresses. */
int mem_offset(const void *addr, int fd, size_t len, off_t *offset, size_t *contiguous);
int mem_offset64(const void *addr, int fd, size_t len, off64_t *offset, size_t *contiguous);

int shm_ctl(int fd, int flags, uint64_t paddr, uint64_t size);
int shm_ctl_special(int fd, int flags, uint64_t paddr, uint64_t size, unsigned special);
int shm_revoke(int fd, pid_t pid);

QNXHOST_END

#endif
