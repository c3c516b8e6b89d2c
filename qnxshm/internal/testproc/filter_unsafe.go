//go:build linux

package testproc

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Filter puts a seccomp filter before the system calls of all threads.
func Filter(program []unix.SockFilter) error {
	const (
		setModeFilter = 1 // SECCOMP_SET_MODE_FILTER
		tsync         = 1 // SECCOMP_FILTER_FLAG_TSYNC
	)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: unsafe.SliceData(program)}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, tsync, uintptr(unsafe.Pointer(&p)))
	if errno != 0 {
		return errno
	}
	return nil
}
