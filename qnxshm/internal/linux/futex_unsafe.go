//go:build linux

package linux

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWait = 0
	futexWake = 1
)

// FutexWait sleeps while word, which other processes may share, has the value, at
// most until the deadline unless that is zero: then ETIMEDOUT. It may return sooner
// than it has to.
func FutexWait(word *atomic.Uint32, value uint32, deadline time.Time) error {
	var left unix.Timespec
	timeout, err := until(deadline, &left)
	if err != nil {
		return err
	}
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(value), uintptr(unsafe.Pointer(timeout)), 0, 0)
	if errno == syscall.ETIMEDOUT {
		return errno
	}
	return nil
}

// FutexWake wakes so many of those that sleep on word.
func FutexWake(word *atomic.Uint32, n int) {
	unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, uintptr(n), 0, 0, 0)
}
