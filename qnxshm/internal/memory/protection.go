//go:build linux

package memory

import (
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

var pageSize = int64(os.Getpagesize())

// mapRefused are the flags of mmap that are reserved, or that libc sets itself.
const mapRefused = 0xfff00000 | nto.MapHandle

// CheckMap checks the arguments of mmap that do not depend on what is mapped.
func CheckMap(length uint64, prot, flags uint32, offset int64) error {
	kind := flags & nto.MapType
	switch {
	case length == 0, prot&^nto.ProtMask != 0, flags&mapRefused != 0, kind != nto.MapShared && kind != nto.MapPrivate,
		offset < 0, offset%pageSize != 0:
		return syscall.EINVAL
	case flags&nto.MapPhys != 0:
		return qnxerr.Cause{Errno: syscall.ENOSYS, Text: "only a target has physical memory to map"}
	case length > math.MaxInt:
		return syscall.ENOMEM
	}
	return nil
}

// ProtOf is the protection for an access mode.
func ProtOf(access int, length int64) (prot uint32, err error) {
	switch {
	case length <= 0:
	case length > math.MaxInt:
		return 0, syscall.ENOMEM
	case access == syscall.O_RDONLY:
		return nto.ProtRead, nil
	case access == syscall.O_RDWR:
		return nto.ProtRead | nto.ProtWrite, nil
	}
	return 0, syscall.EINVAL
}

func hostProt(prot uint32) int {
	p := unix.PROT_NONE
	if prot&nto.ProtRead != 0 {
		p |= unix.PROT_READ
	}
	if prot&nto.ProtWrite != 0 {
		p |= unix.PROT_WRITE
	}
	if prot&nto.ProtExec != 0 {
		p |= unix.PROT_EXEC
	}
	return p
}

// hostFlags translates what has a meaning on the host; the rest are hints.
func hostFlags(flags uint32) int {
	f := unix.MAP_SHARED
	if flags&nto.MapType == nto.MapPrivate {
		f = unix.MAP_PRIVATE
	}
	if flags&nto.MapFixed != 0 {
		f |= unix.MAP_FIXED
	}
	if flags&nto.MapAnon != 0 {
		f |= unix.MAP_ANON
	}
	return f
}
