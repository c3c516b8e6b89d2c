//go:build nulllibc && linux && cgo

package nullbench

/*
#cgo CFLAGS: -I${SRCDIR}/../../qnxhost/include
#cgo LDFLAGS: -Wl,--unresolved-symbols=ignore-all
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

static inline void nullbench_empty(void) {}
*/
import "C"

// HandleBits is the width of the shm_handle_t that the null libc has.
const HandleBits = 8 * int(C.sizeof_shm_handle_t)

// Empty is an empty cgo call.
func Empty() { C.nullbench_empty() }
