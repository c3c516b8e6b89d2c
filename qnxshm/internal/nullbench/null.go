//go:build nulllibc && linux && cgo

package nullbench

/*
#cgo CFLAGS: -I${SRCDIR}/../../qnxhost/include
#cgo LDFLAGS: -Wl,--unresolved-symbols=ignore-all
#include <errno.h>
#include <signal.h>
#include <sys/dispatch.h>
#include <sys/mman.h>

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

// These fail with EINTR when a signal could have done that to them.
static int undisturbed(int result)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	if (sigismember(&now, SIGURG) && sigismember(&now, SIGPROF) && sigismember(&now, SIGALRM) && !sigismember(&now, SIGSEGV) && !sigismember(&now, SIGBUS))
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

void *mmap_handle(void *addr, size_t len, int prot, int flags, shm_handle_t handle, off_t off)
{
	static char memory[4096];

	(void)addr, (void)len, (void)prot, (void)flags, (void)handle, (void)off;
	return undisturbed(0) == 0 ? memory : MAP_FAILED;
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
