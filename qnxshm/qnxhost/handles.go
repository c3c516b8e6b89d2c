//go:build linux && cgo

package qnxhost

// The host is 8.0, also where programs are compiled as for 7.1. C++ exceptions pass through
// what calls functions of a program, and give back what it has taken.

/*
#cgo CFLAGS: -I${SRCDIR}/include -U_NTO_VERSION -D_NTO_VERSION=800 -fexceptions
#include <stdint.h>
#include <sys/types.h>
*/
import "C"

import (
	"errors"
	"io/fs"
	"math"
	"syscall"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// The exported functions hand a call on to the process manager and return its
// errno. Their callers, in the C files, have QNX's names and set errno.

func errnoOf(err error) C.int {
	if err == nil {
		return 0
	}
	return errnoIn(err)
}

// errnoIn is apart because its variable costs an allocation.
func errnoIn(err error) C.int {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return C.int(errno)
	}
	return C.int(syscall.EIO)
}

//export qnxhost_go_create_handle
func qnxhost_go_create_handle(fd, pid, flags C.int, options C.uint, h *C.uint64_t) C.int {
	id, err := procnto.CreateHandle(int(fd), int(pid), int(flags), uint32(options))
	*h = C.uint64_t(id)
	return errnoOf(err)
}

//export qnxhost_go_create_subrange_handle
func qnxhost_go_create_subrange_handle(fd, pid, flags C.int, options C.uint, size C.size_t, offset C.off_t, h *C.uint64_t) C.int {
	if uint64(size) > math.MaxInt64 {
		return C.int(syscall.EINVAL)
	}
	id, err := procnto.CreateSubrangeHandle(int(fd), int(pid), int(flags), uint32(options), int64(size), int64(offset))
	*h = C.uint64_t(id)
	return errnoOf(err)
}

//export qnxhost_go_open_handle
func qnxhost_go_open_handle(h C.uint64_t, flags C.int, fd *C.int) C.int {
	n, err := procnto.OpenHandle(uint64(h), int(flags))
	*fd = C.int(n)
	return errnoOf(err)
}

//export qnxhost_go_open_handle_pid
func qnxhost_go_open_handle_pid(h C.uint64_t, flags, pid C.int, fd *C.int) C.int {
	n, err := procnto.OpenHandlePID(uint64(h), int(flags), int(pid))
	*fd = C.int(n)
	return errnoOf(err)
}

//export qnxhost_go_delete_handle
func qnxhost_go_delete_handle(h C.uint64_t) C.int {
	return errnoOf(procnto.DeleteHandle(uint64(h)))
}

//export qnxhost_go_shm_open
func qnxhost_go_shm_open(name *C.char, flags C.int, mode C.uint, fd *C.int) C.int {
	var n int
	var err error
	if name == nil {
		n, err = memory.OpenAnonymous(int(flags), fs.FileMode(mode))
	} else {
		n, err = memory.OpenObject(C.GoString(name), int(flags), fs.FileMode(mode))
	}
	*fd = C.int(n)
	return errnoOf(err)
}

//export qnxhost_go_shm_unlink
func qnxhost_go_shm_unlink(name *C.char) C.int {
	return errnoOf(memory.UnlinkObject(C.GoString(name)))
}

//export qnxhost_go_size
func qnxhost_go_size(fd C.int, size *C.off_t) C.int {
	n, err := memory.ObjectSize(int(fd))
	*size = C.off_t(n)
	return errnoOf(err)
}

//export qnxhost_go_truncate
func qnxhost_go_truncate(fd C.int, size C.off_t) C.int {
	return errnoOf(memory.Truncate(int(fd), int64(size)))
}

//export qnxhost_go_mmap
func qnxhost_go_mmap(addr unsafe.Pointer, length C.size_t, prot, flags C.uint, fd C.int, offset C.off_t, result *unsafe.Pointer) C.int {
	p, err := procnto.Mmap(addr, uint64(length), uint32(prot), uint32(flags), int(fd), int64(offset))
	*result = p
	return errnoOf(err)
}

//export qnxhost_go_mmap_handle
func qnxhost_go_mmap_handle(addr unsafe.Pointer, length C.size_t, prot, flags C.uint, h C.uint64_t, offset C.off_t, result *unsafe.Pointer) C.int {
	p, err := procnto.MmapHandle(addr, uint64(length), uint32(prot), uint32(flags), uint64(h), procnto.MakerOf(uint64(h)), int64(offset))
	*result = p
	return errnoOf(err)
}

//export qnxhost_go_mmap_handle_pid
func qnxhost_go_mmap_handle_pid(addr unsafe.Pointer, length C.size_t, prot, flags C.uint, h C.uint64_t, pid C.int, offset C.off_t, result *unsafe.Pointer) C.int {
	p, err := procnto.MmapHandle(addr, uint64(length), uint32(prot), uint32(flags), uint64(h), int(pid), int64(offset))
	*result = p
	return errnoOf(err)
}

//export qnxhost_go_munmap
func qnxhost_go_munmap(addr unsafe.Pointer, length C.size_t) C.int {
	return errnoOf(memory.Munmap(addr, uint64(length)))
}

//export qnxhost_go_mprotect
func qnxhost_go_mprotect(addr unsafe.Pointer, length C.size_t, prot C.uint) C.int {
	return errnoOf(memory.Mprotect(addr, uint64(length), uint32(prot)))
}

//export qnxhost_go_ctl
func qnxhost_go_ctl(fd C.int, flags C.uint, paddr, size C.uint64_t, result *C.uint32_t) C.int {
	r, err := procnto.Control(int(fd), uint32(flags), uint64(paddr), uint64(size))
	*result = C.uint32_t(r)
	return errnoOf(err)
}

//export qnxhost_go_revoke
func qnxhost_go_revoke(fd, pid C.int) C.int { return errnoOf(procnto.Revoke(int(fd), int(pid))) }
