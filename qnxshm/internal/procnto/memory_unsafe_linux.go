package procnto

import (
	"math"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

var pageSize = int64(os.Getpagesize())

// Protections and flags of Mmap, as QNX numbers them.
const (
	protRead    = 0x100
	protWrite   = 0x200
	protExec    = 0x400
	protNoCache = 0x800
	protAll     = protRead | protWrite | protExec | protNoCache

	mapShared  = 0x1
	mapPrivate = 0x2
	mapType    = 0x3
	mapFixed   = 0x10
	mapPhys    = 0x10000
	mapHandle  = 0x40000
	mapAnon    = 0x80000
	// mapRefused are the bits that are reserved, or that libc sets itself.
	mapRefused = 0xfff00000 | mapHandle
)

// Mmap is mmap with QNX's numbers. NOFD is -1.
func Mmap(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64) (unsafe.Pointer, error) {
	kind := flags & mapType
	switch {
	case length == 0, prot&^protAll != 0, flags&mapRefused != 0, kind != mapShared && kind != mapPrivate,
		offset < 0, offset%pageSize != 0, flags&mapAnon != 0 && fd != -1:
		return nil, syscall.EINVAL
	case flags&mapPhys != 0:
		return nil, qnxerr.Cause{Errno: syscall.ENOSYS, Text: "only a target has physical memory to map"}
	case length > math.MaxInt:
		return nil, syscall.ENOMEM
	}
	if flags&mapAnon == 0 {
		d, err := describe(fd)
		if err == nil {
			offset, err = d.locate(offset, length)
		}
		if err != nil {
			return nil, err
		}
	}
	if offset > math.MaxInt64-int64(length) {
		return nil, syscall.EOVERFLOW
	}
	// The kernel checks the descriptor's own access mode.
	return unix.MmapPtr(fd, offset, addr, uintptr(length), hostProt(prot), hostFlags(flags))
}

// locate returns where in the object an offset is that a descriptor has.
func (d descriptor) locate(offset int64, length uint64) (int64, error) {
	w := d.window
	if w.size > 0 && (offset > w.size || int64(length) > w.size-offset) {
		return 0, syscall.ENXIO
	}
	return w.offset + offset, nil
}

func hostProt(prot uint32) int {
	p := unix.PROT_NONE
	if prot&protRead != 0 {
		p |= unix.PROT_READ
	}
	if prot&protWrite != 0 {
		p |= unix.PROT_WRITE
	}
	if prot&protExec != 0 {
		p |= unix.PROT_EXEC
	}
	return p
}

// hostFlags translates what has a meaning on the host; the rest are hints.
func hostFlags(flags uint32) int {
	f := unix.MAP_SHARED
	if flags&mapType == mapPrivate {
		f = unix.MAP_PRIVATE
	}
	if flags&mapFixed != 0 {
		f |= unix.MAP_FIXED
	}
	if flags&mapAnon != 0 {
		f |= unix.MAP_ANON
	}
	return f
}

// Map is Mmap with MAP_SHARED for an access mode.
func Map(fd, access int, offset, length int64) ([]byte, error) {
	prot, err := protOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := Mmap(nil, uint64(length), prot, mapShared, fd, offset)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// MapWhole is Map of all that fd has.
func MapWhole(fd, access int) ([]byte, error) {
	d, err := describe(fd)
	if err != nil {
		return nil, err
	}
	length := d.length()
	prot, err := protOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := unix.MmapPtr(fd, d.window.offset, nil, uintptr(length), hostProt(prot), hostFlags(mapShared))
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

func protOf(access int, length int64) (prot uint32, err error) {
	switch {
	case length <= 0:
	case length > math.MaxInt:
		return 0, syscall.ENOMEM
	case access == syscall.O_RDONLY:
		return protRead, nil
	case access == syscall.O_RDWR:
		return protRead | protWrite, nil
	}
	return 0, syscall.EINVAL
}

// Unmap is munmap of memory that Map has returned.
func Unmap(b []byte) error { return Munmap(unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b))) }

// Munmap is munmap.
func Munmap(addr unsafe.Pointer, length uint64) error {
	if length == 0 {
		return syscall.EINVAL
	}
	return unix.MunmapPtr(addr, uintptr(length))
}

// Mprotect is mprotect.
func Mprotect(addr unsafe.Pointer, length uint64, prot uint32) error {
	if prot&^protAll != 0 {
		return syscall.EINVAL
	}
	_, _, errno := unix.Syscall(unix.SYS_MPROTECT, uintptr(addr), uintptr(length), uintptr(hostProt(prot)))
	if errno != 0 {
		return errno
	}
	return nil
}

// ObjectSize is the size of the object or window behind fd.
func ObjectSize(fd int) (int64, error) {
	d, err := describe(fd)
	if err != nil {
		return 0, err
	}
	return d.length(), nil
}

// length is of what the descriptor shows: the object or the window.
func (d descriptor) length() int64 {
	if d.window.size > 0 {
		return d.window.size
	}
	return d.size
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
