package procnto

import (
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

var pageSize = int64(os.Getpagesize())

// Map is mmap with MAP_SHARED: length bytes from offset on of the object or
// window behind fd.
func Map(fd, access int, offset, length int64) ([]byte, error) {
	access, err := accessMode(access)
	if err != nil || length <= 0 || offset < 0 || offset%pageSize != 0 {
		return nil, syscall.EINVAL
	}
	d, err := describe(fd)
	if err != nil {
		return nil, err
	}
	if access == syscall.O_WRONLY {
		return nil, syscall.EACCES
	}
	if w := d.window; w.size > 0 {
		if offset > w.size || length > w.size-offset {
			return nil, syscall.ENXIO
		}
		offset += w.offset
	}
	if length > math.MaxInt || offset > math.MaxInt64-length {
		return nil, syscall.ENOMEM
	}
	prot := unix.PROT_READ
	if access == syscall.O_RDWR {
		prot |= unix.PROT_WRITE
	}
	// The kernel checks the descriptor's own access mode.
	return unix.Mmap(fd, offset, int(length), prot, unix.MAP_SHARED)
}

// Unmap is munmap of memory that Map has returned.
func Unmap(b []byte) error { return unix.Munmap(b) }

// ObjectSize is the size of the object or window behind fd.
func ObjectSize(fd int) (int64, error) {
	d, err := describe(fd)
	if err != nil {
		return 0, err
	}
	if d.window.size > 0 {
		return d.window.size, nil
	}
	return d.size, nil
}

// Truncate is ftruncate. A window cannot be resized.
func Truncate(fd int, size int64) error {
	d, err := describe(fd)
	if err != nil {
		return err
	}
	if d.window.size > 0 {
		return syscall.EPERM
	}
	return ignoringEINTR(func() error { return unix.Ftruncate(fd, size) })
}

// CloseDescriptor is close.
func CloseDescriptor(fd int) error { return unix.Close(fd) }

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
