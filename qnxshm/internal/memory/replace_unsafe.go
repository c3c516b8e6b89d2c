//go:build linux

package memory

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

func mprotect(p unsafe.Pointer, length uintptr, prot int) error {
	_, _, errno := unix.Syscall(unix.SYS_MPROTECT, uintptr(p), length, uintptr(prot))
	if errno != 0 {
		return errno
	}
	return nil
}

// replaceByNothing makes memory inaccessible for ever, and gives its pages back
// unless the kernel has no room for another mapping, even in place of one, or may
// not lock more memory.
func replaceByNothing(p unsafe.Pointer, length uintptr) error {
	const flags = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_FIXED | unix.MAP_NORESERVE
	if mmapNothing(p, length, flags) == nil {
		return nil
	}
	return mprotect(p, length, unix.PROT_NONE)
}
