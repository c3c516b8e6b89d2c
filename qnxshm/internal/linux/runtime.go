//go:build linux

package linux

import (
	"sync/atomic"
	"syscall"
	"time"

	// x/sys has the Linux calls that package syscall lacks: memfd_create,
	// pidfd_open, and raw access to sendmsg and recvmsg.
	"golang.org/x/sys/unix"
)

// Go's runtime ends the program when the first timer of the process, or the
// first file that package os opens, finds no descriptor for the runtime's
// poller. A library must not do that to a program whose descriptors are used
// up, so the host opens files without package os, and begins each call that may
// need a timer with TimersWork.

var timersStarted atomic.Bool

// TimersWork returns EMFILE or ENFILE while the runtime could not start timers.
func TimersWork() error {
	if timersStarted.Load() {
		return nil
	}
	// What the runtime's poller needs.
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	eventfd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	unix.Close(epfd)
	if err != nil {
		return err
	}
	unix.Close(eventfd)
	time.AfterFunc(time.Hour, func() {}).Stop()
	timersStarted.Store(true)
	return nil
}

// IgnoringEINTR makes a call again for as long as a signal interrupts it.
func IgnoringEINTR(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
