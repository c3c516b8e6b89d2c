//go:build linux

package hostile_test

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// dial connects as one who soon gives up: a process that has no room for more does
// not answer.
func dial(name string) (testproc.Raw, error) { return testproc.DialWithin(2*time.Second, name) }

// backlog is how many connections may wait for a listener of these tests.
const backlog = 128

// hasTaken reports whether the other side has taken all that it was sent, or is
// gone.
func hasTaken(c testproc.Raw) bool {
	n, err := unix.IoctlGetInt(c.FD, unix.SIOCOUTQ)
	return err != nil || n == 0
}

// sendBlockers sends a packet with so many blockers. Whoever does not let them
// be sent is safe.
func sendBlockers(c testproc.Raw, b []byte, count int) error {
	var fds []int
	for range count {
		fd, _, err := testproc.NewBlocker()
		if err != nil {
			return err
		}
		fds = append(fds, fd)
	}
	err := c.Send(b, fds...)
	for _, fd := range fds {
		if err != nil {
			testproc.CloseBlocker(fd)
		} else {
			unix.Close(fd)
		}
	}
	switch err {
	case syscall.EPERM, syscall.EPIPE, syscall.ECONNRESET:
		return nil
	}
	return err
}

// unixSockets returns this process's sockets to the process pid.
func unixSockets(pid int) (found []testproc.Raw) {
	for _, fd := range openDescriptors() {
		domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err != nil || domain != unix.AF_UNIX || isListening(fd) {
			continue
		}
		if cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil && int(cred.Pid) == pid {
			found = append(found, testproc.Raw{FD: fd})
		}
	}
	return found
}

func isListening(fd int) bool {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && n == 1
}

func openDescriptors() (fds []int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			fds = append(fds, fd)
		}
	}
	return fds
}
