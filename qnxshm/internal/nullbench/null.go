//go:build nulllibc && linux && cgo

package nullbench

/*
#cgo CFLAGS: -I${SRCDIR}/../../qnxhost/include
#cgo LDFLAGS: -Wl,--unresolved-symbols=ignore-all
#include <errno.h>
#include <signal.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>

// The null libc: it has what is measured, and nothing else is called.

int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options)
{
	(void)fd, (void)pid, (void)flags, (void)options;
	*handlep = 42;
	return 0;
}

int shm_open_handle(shm_handle_t handle, int flags)
{
	(void)handle, (void)flags;
	return 3;
}

int shm_delete_handle(shm_handle_t handle)
{
	(void)handle;
	return 0;
}

// These fail with EINTR when a signal could have done that to them, or a fault could not
// be told.
static int undisturbed(int result)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	if (sigismember(&now, SIGURG) && sigismember(&now, SIGPROF) && sigismember(&now, SIGALRM) && !sigismember(&now, SIGSEGV) && !sigismember(&now, SIGBUS) &&
	    !sigismember(&now, SIGFPE) && !sigismember(&now, SIGILL) && !sigismember(&now, SIGTRAP) && !sigismember(&now, SIGABRT))
		return result;
	errno = EINTR;
	return -1;
}

int qnxhost_shm_open(const char *name, int oflag, mode_t mode) { return (void)name, (void)oflag, (void)mode, undisturbed(3); }
int qnxhost_shm_unlink(const char *name) { return (void)name, undisturbed(0); }
int qnxhost_ftruncate(int fd, off_t length) { return (void)fd, (void)length, undisturbed(0); }
int shm_ctl(int fd, int flags, uint64_t paddr, uint64_t size) { return (void)fd, (void)flags, (void)paddr, (void)size, undisturbed(1); }
int shm_revoke(int fd, pid_t pid) { return (void)fd, (void)pid, undisturbed(0); }
int name_open(const char *name, int flags) { return (void)name, (void)flags, undisturbed(5); }


int system_mprotect(void *addr, size_t len, int prot) __asm__("mprotect");

// A page that cannot be read.
static void *page(void)
{
	static char memory[4096] __attribute__((aligned(4096)));

	if (undisturbed(0) == 0 && system_mprotect(memory, sizeof memory, PROT_NONE) == 0)
		return memory;
	return MAP_FAILED;
}

void *mmap_handle(void *addr, size_t len, int prot, int flags, shm_handle_t handle, off_t off)
{
	(void)addr, (void)len, (void)prot, (void)flags, (void)handle, (void)off;
	return page();
}

void *mmap_handle_pid(void *addr, size_t len, int prot, int flags, shm_handle_t handle, pid_t pid, off_t off)
{
	(void)addr, (void)len, (void)prot, (void)flags, (void)handle, (void)pid, (void)off;
	return page();
}

int qnxhost_close(int fd) { return (void)fd, undisturbed(0); }
int qnxhost_fstat(int fd, struct stat *st) { return (void)fd, st->st_size = 4096, undisturbed(0); }
int qnxhost_munmap(void *addr, size_t len) { return (void)addr, (void)len, undisturbed(0); }

void *qnxhost_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	(void)addr, (void)len, (void)prot, (void)flags, (void)fd, (void)off;
	return page();
}

// As if the mapping had been revoked.
int qnxhost_mprotect(void *addr, size_t len, int prot)
{
	(void)addr, (void)len, (void)prot;
	if (undisturbed(0) == 0)
		errno = ENOMEM;
	return -1;
}

static name_attach_t attached;

dispatch_t *dispatch_create_channel(int chid, unsigned flags) { return (void)chid, (void)flags, undisturbed(0) == 0 ? (dispatch_t *)&attached : NULL; }
name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags)
{
	(void)path, (void)flags;
	attached.dpp = dpp;
	return undisturbed(0) == 0 ? &attached : NULL;
}
int name_detach(name_attach_t *attach, unsigned flags) { return (void)attach, (void)flags, undisturbed(0); }
int dispatch_destroy(dispatch_t *dpp) { return (void)dpp, undisturbed(0); }

int ChannelCreate_r(unsigned flags) { return (void)flags, 1; }
int ChannelDestroy(int chid) { return (void)chid, 0; }
int ChannelDestroy_r(int chid) { return (void)chid, 0; }
int ConnectAttach_r(uint32_t nd, pid_t pid, int chid, unsigned index, int flags) { return (void)nd, (void)pid, (void)chid, (void)flags, (int)(index & 0xffff) + 5; }
int ConnectDetach_r(int coid) { return (void)coid, 0; }
int TimerTimeout_r(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime)
{
	(void)id, (void)flags, (void)notify, (void)ntime, (void)otime;
	return undisturbed(0) == 0 ? 0 : -EINTR;
}
long MsgSend_r(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes)
{
	(void)coid, (void)smsg, (void)sbytes, (void)rmsg, (void)rbytes;
	return undisturbed(0) == 0 ? 0 : -EINTR;
}
long MsgSendv_r(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts)
{
	(void)coid, (void)siov, (void)sparts, (void)riov, (void)rparts;
	return undisturbed(0) == 0 ? 0 : -EINTR;
}
int64_t MsgReceive_r(int chid, void *msg, size_t bytes, struct _msg_info *info)
{
	(void)chid, (void)msg, (void)bytes, (void)info;
	return undisturbed(0) == 0 ? 0 : -EINTR;
}

static int disturbed(void)
{
	return undisturbed(0) == -1;
}

static inline void nullbench_empty(void) {}
*/
import "C"

// HandleBits is the width of the shm_handle_t that the null libc has.
const HandleBits = 8 * int(C.sizeof_shm_handle_t)

// Empty is an empty cgo call.
func Empty() { C.nullbench_empty() }

// Disturbed reports whether signals reach the calling thread, as they should.
func Disturbed() bool { return C.disturbed() != 0 }
