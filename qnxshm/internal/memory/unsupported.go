//go:build !linux && !qnx

package memory

import (
	"io/fs"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// ErrUnsupported is the error of every call on systems that are neither host nor
// target. ENOSYS makes it match errors.ErrUnsupported.
var ErrUnsupported = qnxerr.Cause{
	Errno: syscall.ENOSYS,
	Text:  "not supported on " + runtime.GOOS + ": the host is Linux, the target QNX",
}

func OpenAnonymous(flags int, perm fs.FileMode) (fd int, err error) { return -1, ErrUnsupported }

func OpenObject(name string, flags int, perm fs.FileMode) (fd int, err error) {
	return -1, ErrUnsupported
}

func UnlinkObject(name string) error { return ErrUnsupported }

func ObjectSize(fd int) (int64, error) { return 0, ErrUnsupported }

func Truncate(fd int, size int64) error { return ErrUnsupported }

func CloseDescriptor(fd int) error { return ErrUnsupported }

func Unmap(b []byte) error { return ErrUnsupported }

func Revoked(unsafe.Pointer) bool { return false }

func Full() string { return "" }
