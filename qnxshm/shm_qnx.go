//go:build qnx && cgo

package qnxshm

/*
#cgo linux CFLAGS: -I${SRCDIR}/qnxhost/include

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(shm_handle_t) <= 8, "a handle has at most 64 bits");
_Static_assert((shm_handle_t)-1 > 0, "a handle is an unsigned integer");
_Static_assert(O_RDONLY == 0 && O_WRONLY == 1 && O_RDWR == 2, "Access has these numbers");

// Each function makes one call and returns its result and errno by value, so
// that nothing of the Go side escapes to the heap. What only 8.0 has answers
// ENOSYS when built for an older release.

struct qnxshm_result {
	uint64_t value;
	int error; // 0: the call succeeded
};

static inline struct qnxshm_result qnxshm_result_of(int64_t value) {
	struct qnxshm_result r = {(uint64_t)value, value == -1 ? errno : 0};
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
	return qnxshm_result_of(shm_open(SHM_ANON, flags, mode));
}

static inline struct qnxshm_result qnxshm_open_object(const void *name, int flags, mode_t mode) {
	return qnxshm_result_of(shm_open(name, flags, mode));
}

static inline struct qnxshm_result qnxshm_unlink_object(const void *name) {
	return qnxshm_result_of(shm_unlink(name));
}

static inline struct qnxshm_result qnxshm_size(int fd) {
	struct stat st;
	struct qnxshm_result r = qnxshm_result_of(fstat(fd, &st));
	r.value = r.error ? 0 : (uint64_t)st.st_size;
	return r;
}

static inline struct qnxshm_result qnxshm_truncate(int fd, off_t size) {
	return qnxshm_result_of(ftruncate(fd, size));
}

static inline struct qnxshm_result qnxshm_close(int fd) {
	return qnxshm_result_of(close(fd));
}

struct qnxshm_mapping {
	void *addr;
	int error;
};

static inline struct qnxshm_mapping qnxshm_map(int fd, int access, off_t offset, size_t length) {
	int prot = access == O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;
	struct qnxshm_mapping m;
	m.addr = mmap(NULL, length, prot, MAP_SHARED, fd, offset);
	m.error = m.addr == MAP_FAILED ? errno : 0;
	return m;
}

static inline struct qnxshm_result qnxshm_unmap(void *addr, size_t length) {
	return qnxshm_result_of(munmap(addr, length));
}
*/
import "C"

import (
	"io/fs"
	"math"
	"strings"
	"syscall"
	"unsafe"
)

// The target backend: each call goes to QNX's libc. shm_stub.go is its twin for
// the host; the docs stand in the portable files.

const handleSize = int(C.sizeof_shm_handle_t)

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
	if size < 0 || offset < 0 || !known(opts) {
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
	if access != ReadOnly && access != ReadWrite || length <= 0 || offset < 0 {
		return nil, syscall.EINVAL
	}
	if length > math.MaxInt {
		return nil, syscall.ENOMEM
	}
	m := C.qnxshm_map(cInt(fd), C.int(access), C.off_t(offset), C.size_t(length))
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

func unmapMemory(b []byte) error {
	return errorOf(C.qnxshm_unmap(unsafe.Pointer(unsafe.SliceData(b)), C.size_t(len(b))).error)
}
