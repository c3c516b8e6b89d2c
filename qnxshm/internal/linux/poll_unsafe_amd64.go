//go:build linux

package linux

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pollNow is poll that does not wait. Not every architecture has it; it costs less
// than ppoll.
func pollNow(p *unix.PollFd) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_POLL, uintptr(unsafe.Pointer(p)), 1, 0)
	return errno
}
