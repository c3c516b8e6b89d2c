//go:build qnx && cgo

package qnxshm

/*
#cgo linux CFLAGS: -I${SRCDIR}/qnxhost/include

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if !defined _NTO_VERSION && (!defined __QNX__ || __QNX__ < 800)
#error "cannot tell the release of QNX: <sys/neutrino.h> defines no _NTO_VERSION; give it, such as CGO_CFLAGS=-D_NTO_VERSION=710"
#elif !defined _NTO_VERSION
#define _NTO_VERSION 800
#elif _NTO_VERSION < 710
#error "shared-memory handles need QNX SDP 7.1 or QNX OS 8.0"
#endif

_Static_assert(sizeof(off_t) == 8, "sizes and offsets have 64 bits; where off_t can, try CGO_CFLAGS=-D_FILE_OFFSET_BITS=64");
_Static_assert(sizeof(shm_handle_t) <= 8, "a handle has at most 64 bits");
_Static_assert((shm_handle_t)-1 > 0, "a handle is an unsigned integer");
_Static_assert(O_RDONLY == 0 && O_WRONLY == 1 && O_RDWR == 2, "Access has these numbers");

// Each function makes one call and returns its result and errno by value, so
// that nothing of the Go side escapes to the heap. A call that only 8.0 has answers
// ENOSYS when built for an older release, and a limit EINVAL.
//
// The Go runtime signals its threads at any time, to preempt them or to take a profile,
// and a call that ends with EINTR for that can hardly be repeated: a descriptor may be
// closed, a handle used up. So signals wait until the call is over, faults excepted,
// unless the manual's list of errors has no EINTR: docs/target.md has the table.

struct qnxshm_result {
	uint64_t value;
	int error; // 0: the call succeeded
};

static inline sigset_t qnxshm_block_signals(void) {
	sigset_t set, old;
	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGTRAP);
	sigdelset(&set, SIGABRT);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	return old;
}

static inline struct qnxshm_result qnxshm_result_of(int64_t value) {
	struct qnxshm_result r = {(uint64_t)value, value == -1 ? errno : 0};
	return r;
}

// What a call made with signals blocked has returned, after which they come.
static inline struct qnxshm_result qnxshm_undisturbed(struct qnxshm_result r, const sigset_t *old) {
	pthread_sigmask(SIG_SETMASK, old, NULL);
	return r;
}

static inline struct qnxshm_result qnxshm_create_handle(int fd, pid_t pid, int flags, unsigned options) {
	shm_handle_t h = 0;
	struct qnxshm_result r = qnxshm_result_of(shm_create_handle(fd, pid, flags, &h, options));
	r.value = h;
	return r;
}

static inline struct qnxshm_result qnxshm_create_subrange_handle(int fd, pid_t pid, int flags, unsigned options, size_t size, off_t offset) {
#if _NTO_VERSION >= 800
	shm_handle_t h = 0;
	struct qnxshm_result r = qnxshm_result_of(shm_create_subrange_handle(fd, pid, flags, &h, options, size, offset));
	r.value = h;
	return r;
#else
	(void)fd, (void)pid, (void)flags, (void)options, (void)size, (void)offset;
	struct qnxshm_result r = {0, ENOSYS};
	return r;
#endif
}

static inline struct qnxshm_result qnxshm_open_handle(uint64_t h, int flags) {
	return qnxshm_result_of(shm_open_handle((shm_handle_t)h, flags));
}

static inline struct qnxshm_result qnxshm_open_handle_pid(uint64_t h, int flags, pid_t maker) {
#if _NTO_VERSION >= 800
	return qnxshm_result_of(shm_open_handle_pid((shm_handle_t)h, flags, maker));
#else
	(void)h, (void)flags, (void)maker;
	struct qnxshm_result r = {0, ENOSYS};
	return r;
#endif
}

static inline struct qnxshm_result qnxshm_delete_handle(uint64_t h) {
	return qnxshm_result_of(shm_delete_handle((shm_handle_t)h));
}

static inline struct qnxshm_result qnxshm_open_anonymous(int flags, mode_t mode) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(shm_open(SHM_ANON, flags, mode)), &old);
}

static inline struct qnxshm_result qnxshm_open_object(const void *name, int flags, mode_t mode) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(shm_open(name, flags, mode)), &old);
}

static inline struct qnxshm_result qnxshm_unlink_object(const void *name) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(shm_unlink(name)), &old);
}

static inline struct qnxshm_result qnxshm_size(int fd) {
	struct stat st;
	sigset_t old = qnxshm_block_signals();
	struct qnxshm_result r = qnxshm_undisturbed(qnxshm_result_of(fstat(fd, &st)), &old);
	r.value = r.error ? 0 : (uint64_t)st.st_size;
	return r;
}

static inline struct qnxshm_result qnxshm_truncate(int fd, off_t size) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(ftruncate(fd, size)), &old);
}

static inline struct qnxshm_result qnxshm_close(int fd) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(close(fd)), &old);
}

static inline struct qnxshm_result qnxshm_control(int fd, unsigned flags, uint64_t paddr, uint64_t size) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(shm_ctl(fd, (int)flags, paddr, size)), &old);
}

struct qnxshm_mapping {
	void *addr;
	int error;
};

// Of a call made with signals blocked.
static inline struct qnxshm_mapping qnxshm_mapping_of(void *addr, const sigset_t *old) {
	struct qnxshm_mapping m = {addr, addr == MAP_FAILED ? errno : 0};
	pthread_sigmask(SIG_SETMASK, old, NULL);
	return m;
}

static inline int qnxshm_prot(int access) {
	return access == O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;
}

static inline struct qnxshm_mapping qnxshm_map(int fd, int access, off_t offset, size_t length) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_mapping_of(mmap(NULL, length, qnxshm_prot(access), MAP_SHARED, fd, offset), &old);
}

static inline struct qnxshm_mapping qnxshm_map_handle(uint64_t h, int access, size_t length) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_mapping_of(mmap_handle(NULL, length, qnxshm_prot(access), MAP_SHARED, (shm_handle_t)h, 0), &old);
}

static inline struct qnxshm_mapping qnxshm_map_handle_pid(uint64_t h, int access, size_t length, pid_t maker) {
#if _NTO_VERSION >= 800
	sigset_t old = qnxshm_block_signals();
	return qnxshm_mapping_of(mmap_handle_pid(NULL, length, qnxshm_prot(access), MAP_SHARED, (shm_handle_t)h, maker, 0), &old);
#else
	(void)h, (void)access, (void)length, (void)maker;
	struct qnxshm_mapping m = {MAP_FAILED, ENOSYS};
	return m;
#endif
}

static inline struct qnxshm_result qnxshm_unmap(void *addr, size_t length) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(munmap(addr, length)), &old);
}

static inline struct qnxshm_result qnxshm_revoke(int fd, pid_t pid) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(shm_revoke(fd, pid)), &old);
}

static inline struct qnxshm_result qnxshm_protect(void *addr, size_t length, int access) {
	sigset_t old = qnxshm_block_signals();
	return qnxshm_undisturbed(qnxshm_result_of(mprotect(addr, length, qnxshm_prot(access))), &old);
}

struct qnxshm_limit {
	uint64_t cur, max; // all ones: none
	int error;
};

#if _NTO_VERSION >= 800
_Static_assert(sizeof(rlim_t) == 8, "a limit has 64 bits");

// The largest numbers, RLIM_INFINITY and what lies above it, are no limit.
static inline struct qnxshm_limit qnxshm_handle_limit(void) {
	struct rlimit l = {0, 0};
	struct qnxshm_limit r = {0, 0, 0};
	if (getrlimit(RLIMIT_SHM_HANDLES_NP, &l) == -1)
		r.error = errno;
	r.cur = l.rlim_cur >= RLIM_INFINITY ? UINT64_MAX : l.rlim_cur;
	r.max = l.rlim_max >= RLIM_INFINITY ? UINT64_MAX : l.rlim_max;
	return r;
}

static inline struct qnxshm_result qnxshm_set_handle_limit(uint64_t cur, uint64_t max) {
	struct rlimit l;
	l.rlim_cur = cur >= RLIM_INFINITY ? RLIM_INFINITY : cur;
	l.rlim_max = max >= RLIM_INFINITY ? RLIM_INFINITY : max;
	return qnxshm_result_of(setrlimit(RLIMIT_SHM_HANDLES_NP, &l));
}
#else
static inline struct qnxshm_limit qnxshm_handle_limit(void) {
	struct qnxshm_limit r = {0, 0, EINVAL};
	return r;
}

static inline struct qnxshm_result qnxshm_set_handle_limit(uint64_t cur, uint64_t max) {
	(void)cur, (void)max;
	struct qnxshm_result r = {0, EINVAL};
	return r;
}
#endif
*/
import "C"

import (
	"io/fs"
	"math"
	"strings"
	"syscall"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// The target backend: each call goes to QNX's libc. shm_stub.go is its twin for
// the host; the docs stand in the portable files.

const handleSize = int(C.sizeof_shm_handle_t)

// The numbers of the portable files are the header's: any other index does not
// compile.
var _ = [1]struct{}{}[(HandleNoFD^C.SHM_CREATE_HANDLE_OPT_NOFD)|
	HandleOptions((ControlAnonymous^C.SHMCTL_ANON)|(ControlPhysical^C.SHMCTL_PHYS)|(ControlSeal^C.SHMCTL_SEAL)|
		(ControlRevocable^C.SHMCTL_REVOCABLE)|(ControlLazy^C.SHMCTL_LAZY)|(ControlTypedMemory^C.SHMCTL_TYMEM)|
		(ControlGetFlags^C.SHMCTL_GET_FLAGS))]

// cInt makes a C int of n. One that does not fit becomes -1, which is neither a
// descriptor, nor a process, nor an access mode: libc answers accordingly.
func cInt(n int) C.int {
	if n < math.MinInt32 || n > math.MaxInt32 {
		return -1
	}
	return C.int(n)
}

// errorOf is the error of a call, nil if it succeeded.
func errorOf(errno C.int) error {
	if errno == 0 {
		return nil
	}
	return syscall.Errno(errno)
}

// fits reports whether h is a shm_handle_t; libc would see another number.
func fits(h Handle) bool { return handleSize == 8 || uint64(h)>>(8*handleSize%64) == 0 }

// known reports whether opts has no bits but those that are for programs: libc
// has one more, of its own, and need not refuse it.
func known(opts HandleOptions) bool { return opts&^C.SHM_CREATE_HANDLE_OPT_NOFD == 0 }

func createHandle(fd, pid int, access Access, opts HandleOptions) (Handle, error) {
	if !known(opts) {
		return 0, syscall.EINVAL
	}
	r := C.qnxshm_create_handle(cInt(fd), C.pid_t(cInt(pid)), cInt(int(access)), C.unsigned(opts))
	if r.error != 0 {
		return 0, errorOf(r.error)
	}
	return Handle(r.value), nil
}

func createSubrangeHandle(fd, pid int, access Access, opts HandleOptions, size, offset int64) (Handle, error) {
	if size < 0 || size > math.MaxInt || offset < 0 || !known(opts) {
		return 0, syscall.EINVAL
	}
	r := C.qnxshm_create_subrange_handle(cInt(fd), C.pid_t(cInt(pid)), cInt(int(access)), C.unsigned(opts), C.size_t(size), C.off_t(offset))
	if r.error != 0 {
		return 0, errorOf(r.error)
	}
	return Handle(r.value), nil
}

func openHandle(h Handle, access Access) (int, error) {
	if !fits(h) {
		return -1, syscall.ESRCH
	}
	r := C.qnxshm_open_handle(C.uint64_t(h), cInt(int(access)))
	return int(int64(r.value)), errorOf(r.error)
}

func openHandlePID(h Handle, access Access, maker int) (int, error) {
	if !fits(h) {
		return -1, syscall.ESRCH
	}
	r := C.qnxshm_open_handle_pid(C.uint64_t(h), cInt(int(access)), C.pid_t(cInt(maker)))
	return int(int64(r.value)), errorOf(r.error)
}

func deleteHandle(h Handle) error {
	if !fits(h) {
		return syscall.ESRCH
	}
	return errorOf(C.qnxshm_delete_handle(C.uint64_t(h)).error)
}

func openAnonymous(flags int, perm fs.FileMode) (int, error) {
	r := C.qnxshm_open_anonymous(cInt(flags), C.mode_t(perm.Perm()))
	return int(int64(r.value)), errorOf(r.error)
}

func openObject(name string, flags int, perm fs.FileMode) (int, error) {
	path, err := cString(name)
	if err != nil {
		return -1, err
	}
	r := C.qnxshm_open_object(path, cInt(flags), C.mode_t(perm.Perm()))
	return int(int64(r.value)), errorOf(r.error)
}

func unlinkObject(name string) error {
	path, err := cString(name)
	if err != nil {
		return err
	}
	return errorOf(C.qnxshm_unlink_object(path).error)
}

// cString makes a C string in Go memory, good for one call.
func cString(s string) (unsafe.Pointer, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return nil, syscall.EINVAL
	}
	return unsafe.Pointer(unsafe.SliceData(append([]byte(s), 0))), nil
}

func objectSize(fd int) (int64, error) {
	r := C.qnxshm_size(cInt(fd))
	return int64(r.value), errorOf(r.error)
}

func truncateObject(fd int, size int64) error {
	return errorOf(C.qnxshm_truncate(cInt(fd), C.off_t(size)).error)
}

func closeDescriptor(fd int) error { return errorOf(C.qnxshm_close(cInt(fd)).error) }

func mapMemory(fd int, access Access, offset, length int64) ([]byte, error) {
	if offset < 0 {
		return nil, syscall.EINVAL
	}
	if err := mappable(access, length); err != nil {
		return nil, err
	}
	return mapped(C.qnxshm_map(cInt(fd), C.int(access), C.off_t(offset), C.size_t(length)), length)
}

// mappable checks what C's unsigned length and its bits of protection cannot
// carry.
func mappable(access Access, length int64) error {
	switch {
	case access != ReadOnly && access != ReadWrite, length <= 0:
		return syscall.EINVAL
	case length > math.MaxInt:
		return syscall.ENOMEM
	}
	return nil
}

func mapped(m C.struct_qnxshm_mapping, length int64) ([]byte, error) {
	if m.error != 0 {
		return nil, errorOf(m.error)
	}
	return unsafe.Slice((*byte)(m.addr), length), nil
}

func mapWhole(fd int, access Access) ([]byte, error) {
	size, err := objectSize(fd)
	if err != nil {
		return nil, err
	}
	return mapMemory(fd, access, 0, size)
}

func mapHandle(h Handle, access Access, length int64) ([]byte, error) {
	if err := mappable(access, length); err != nil {
		return nil, err
	}
	if !fits(h) {
		return nil, syscall.ESRCH
	}
	return mapped(C.qnxshm_map_handle(C.uint64_t(h), C.int(access), C.size_t(length)), length)
}

func mapHandlePID(h Handle, access Access, length int64, maker int) ([]byte, error) {
	if err := mappable(access, length); err != nil {
		return nil, err
	}
	if !fits(h) {
		return nil, syscall.ESRCH
	}
	return mapped(C.qnxshm_map_handle_pid(C.uint64_t(h), C.int(access), C.size_t(length), C.pid_t(cInt(maker))), length)
}

func unmapMemory(b []byte) error {
	return errorOf(C.qnxshm_unmap(unsafe.Pointer(unsafe.SliceData(b)), C.size_t(len(b))).error)
}

func control(fd int, flags ControlFlags, paddr, size uint64) (ControlFlags, error) {
	r := C.qnxshm_control(cInt(fd), C.unsigned(flags), C.uint64_t(paddr), C.uint64_t(size))
	if r.error != 0 {
		return 0, errorOf(r.error)
	}
	return ControlFlags(r.value), nil
}

func handleLimit() (cur, max uint64, err error) {
	l := C.qnxshm_handle_limit()
	return uint64(l.cur), uint64(l.max), errorOf(l.error)
}

func setHandleLimit(cur, max uint64) error {
	return errorOf(C.qnxshm_set_handle_limit(C.uint64_t(cur), C.uint64_t(max)).error)
}

func revoke(fd, pid int) error {
	process, err := revokedPID(pid)
	if err != nil {
		return err
	}
	errno := C.qnxshm_revoke(cInt(fd), process).error
	if errno == C.EAGAIN {
		return qnxerr.Pending{}
	}
	return errorOf(errno)
}

// revokedPID makes a pid_t of pid. To libc -1 is every process, so a number that
// does not fit must not become that.
func revokedPID(pid int) (C.pid_t, error) {
	if pid < math.MinInt32 || pid > math.MaxInt32 {
		return 0, syscall.ESRCH
	}
	return C.pid_t(pid), nil
}

// memoryRevoked reports whether a fault at p, in a mapping with that access,
// comes from a revocation: then the protection, which p has anyway, cannot be set any
// more, because there is no mapping (ENOMEM) or it may not have that access (EACCES).
// That it fails for another reason tells nothing.
func memoryRevoked(p *byte, access Access) bool {
	page := uintptr(syscall.Getpagesize())
	start := unsafe.Add(unsafe.Pointer(p), -int(uintptr(unsafe.Pointer(p))%page))
	errno := C.qnxshm_protect(start, C.size_t(page), C.int(access)).error
	return errno == C.ENOMEM || errno == C.EACCES
}

// memoryFull could tell what is full; the system does not.
func memoryFull() string { return "" }
