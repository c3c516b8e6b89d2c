//go:build linux && !amd64

package linux

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pollNow is poll that does not wait.
func pollNow(p *unix.PollFd) syscall.Errno {
	var zero unix.Timespec
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(p)), 1, uintptr(unsafe.Pointer(&zero)), 0, 0, 0)
	return errno
}
