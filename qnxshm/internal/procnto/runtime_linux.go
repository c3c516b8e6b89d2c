package procnto

import (
	"encoding/binary"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Go's runtime ends the program when the first timer of the process, or the
// first file that package os opens, finds no descriptor for the runtime's
// poller. A library must not do that to a program whose descriptors are used
// up, so this package opens files without package os, and begins each call that
// may need a timer with timersWork.

var timersStarted atomic.Bool

// timersWork returns EMFILE or ENFILE while the runtime could not start timers.
func timersWork() error {
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

// readFile reads a file of /proc. The error is an errno.
func readFile(path string) ([]byte, error) {
	var fd int
	err := ignoringEINTR(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var content []byte
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return content, nil
		default:
			content = append(content, buf[:n]...)
		}
	}
}

// openFDs returns the numbers of the process's descriptors.
func openFDs() ([]string, error) {
	fd, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var names []string
	buf := make([]byte, 8192)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n == 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

// randomUint64 is for handles and tokens, which should not be guessed.
// crypto/rand would start a timer.
func randomUint64() uint64 {
	var b [8]byte
	for {
		if n, err := unix.Getrandom(b[:], 0); n == len(b) && err == nil {
			return binary.NativeEndian.Uint64(b[:])
		}
	}
}
