//go:build linux

package linux

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls on the path of every message, without x/sys's wrappers: those
// allocate, and tell the Go scheduler of each call, which costs more than a
// call that cannot block.

// Sendmsg is sendmsg.
func Sendmsg(fd int, hdr *unix.Msghdr, flags int) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if flags&unix.MSG_DONTWAIT != 0 {
		n, _, errno = unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(hdr)), uintptr(flags))
	} else {
		n, _, errno = unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(hdr)), uintptr(flags))
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Recvmsg is recvmsg.
func Recvmsg(fd int, hdr *unix.Msghdr, flags int) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if flags&unix.MSG_DONTWAIT != 0 {
		n, _, errno = unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(hdr)), uintptr(flags))
	} else {
		n, _, errno = unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(hdr)), uintptr(flags))
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// PollEvents is epoll_wait that does not wait.
func PollEvents(epfd int, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// PollIn reports the poll events that fd has now.
func PollIn(fd int) (revents int16, err error) {
	p := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	err = IgnoringEINTR(func() error { // a signal interrupts it, though it does not wait
		if errno := pollNow(&p); errno != 0 {
			return errno
		}
		return nil
	})
	return p.Revents, err
}

// GetFlags is fcntl with F_GETFL, which nothing can make slow.
func GetFlags(fd int) (int, error) {
	flags, _, errno := unix.RawSyscall(fcntlNumber, uintptr(fd), unix.F_GETFL, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(flags), nil
}

// Yield lets others run on this CPU.
func Yield() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// Send is send, which must not wait.
func Send(fd int, b []byte, flags int) error {
	var hdr unix.Msghdr
	iov := unix.Iovec{Base: unsafe.SliceData(b)}
	iov.SetLen(len(b))
	hdr.Iov = &iov
	hdr.SetIovlen(1)
	_, err := Sendmsg(fd, &hdr, flags|unix.MSG_DONTWAIT)
	return err
}
