//go:build linux

package memory

import (
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// Mmap is mmap with QNX's numbers. When the Descriptor that it returns is
// Revocable, the mapping was entered in the table of those that can be taken
// away.
func Mmap(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64) (unsafe.Pointer, Descriptor, error) {
	if err := CheckMap(length, prot, flags, offset); err != nil {
		return nil, Descriptor{}, err
	}
	d := Descriptor{FD: nto.NoFD}
	if flags&nto.MapAnon == 0 {
		var err error
		if d, err = Describe(fd); err != nil {
			return nil, Descriptor{}, err
		}
	} else if fd != nto.NoFD {
		return nil, Descriptor{}, syscall.EINVAL
	}
	p, err := d.Map(addr, length, prot, flags, offset)
	return p, d, err
}

// Map is Mmap of what d describes. The arguments were checked, by CheckMap or by
// ProtOf.
func (d Descriptor) Map(addr unsafe.Pointer, length uint64, prot, flags uint32, offset int64) (unsafe.Pointer, error) {
	if d.Mode&revocableBit != 0 && !d.Object && linux.IsMemory(d.FD) {
		return nil, qnxerr.Cause{Errno: syscall.EBADF, Text: "the object is revocable, and not known as one of this module's, so nobody could revoke it"}
	}
	return MapReceived(addr, length, prot, flags, d.FD, offset, d.Key, d.Window, d.Origin, d.Revocable())
}

// MapReceived maps a window of a descriptor that came with a handle and need not
// be known, so that it can be taken away if the object is revocable.
func MapReceived(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64, key Key, w Window, o Origin, revocable bool) (unsafe.Pointer, error) {
	p, err := w.mmap(addr, length, prot, flags, fd, offset)
	if err == nil && revocable {
		// Like a target, the host does not let a forked child have it.
		unix.Syscall(unix.SYS_MADVISE, uintptr(p), uintptr(length), unix.MADV_DONTFORK)
		mappings.add(objectID{key, o}, p, length)
	}
	return p, err
}

// mmap maps a range of the window of fd.
func (w Window) mmap(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64) (unsafe.Pointer, error) {
	if w.Size > 0 {
		if offset > w.Size || int64(length) > w.Size-offset {
			return nil, syscall.ENXIO
		}
		offset += w.Offset
	}
	if offset > math.MaxInt64-int64(length) {
		return nil, syscall.EOVERFLOW
	}
	// The kernel checks the descriptor's own access mode.
	var p unsafe.Pointer
	mmap := func() (err error) {
		p, err = unix.MmapPtr(fd, offset, addr, uintptr(length), hostProt(prot), hostFlags(flags))
		return err
	}
	var err error
	if flags&nto.MapFixed != 0 {
		err = mappings.change(uintptr(addr), length, mmap)
	} else {
		err = mmap()
	}
	return p, err
}

// Unmap is munmap of memory that a slice of a mapping shows.
func Unmap(b []byte) error { return Munmap(unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b))) }

// Munmap is munmap.
func Munmap(addr unsafe.Pointer, length uint64) error {
	if length == 0 || length > math.MaxInt {
		return syscall.EINVAL
	}
	return mappings.change(uintptr(addr), length, func() error { return unix.MunmapPtr(addr, uintptr(length)) })
}

// Mprotect is mprotect.
func Mprotect(addr unsafe.Pointer, length uint64, prot uint32) error {
	if prot&^nto.ProtMask != 0 {
		return syscall.EINVAL
	}
	if length > math.MaxInt {
		return syscall.ENOMEM
	}
	change := func() error { return mprotect(addr, uintptr(length), hostProt(prot)) }
	if prot == nto.ProtNone {
		return change()
	}
	revoked, err := mappings.protect(uintptr(addr), length, change)
	if revoked {
		return syscall.EACCES
	}
	return err
}
