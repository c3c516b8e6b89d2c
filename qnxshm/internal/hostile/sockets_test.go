//go:build linux

package hostile_test

import (
	"errors"
	"os"
	"strconv"
	"sync"
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

// closeTakes is for how long closing a blocker blocks.
const closeTakes = 10 // s

// A blocker is a descriptor whose last close blocks: a socket with data that its
// peer does not take. All stay in here until the process ends.
var (
	blockersMu      sync.Mutex
	peersOfBlockers []int
)

func newBlocker() (fd int, err error) {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(listener)
	const small = 4096
	unix.SetsockoptInt(listener, unix.SOL_SOCKET, unix.SO_RCVBUF, small)
	if err = unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		err = unix.Listen(listener, 1)
	}
	if err != nil {
		return -1, err
	}
	at, err := unix.Getsockname(listener)
	if err != nil {
		return -1, err
	}
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, small)
	if err = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: closeTakes}); err == nil {
		err = unix.Connect(fd, at)
	}
	var peer int
	if err == nil {
		peer, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	blockersMu.Lock()
	peersOfBlockers = append(peersOfBlockers, peer)
	blockersMu.Unlock()
	for full := 0; full < 3; full++ { // some goes on to the peer for a while
		for {
			n, err := unix.SendmsgN(fd, make([]byte, small), nil, nil, unix.MSG_DONTWAIT)
			if err != nil {
				break
			}
			if n > 0 {
				full = 0
			}
		}
		time.Sleep(time.Millisecond)
	}
	return fd, nil
}

// blocksInClose makes sure that a blocker is one.
func blocksInClose() error {
	fd, err := newBlocker()
	if err != nil {
		return err
	}
	closed := make(chan struct{})
	go func() { unix.Close(fd); close(closed) }()
	select {
	case <-closed:
		return errors.New("closing the descriptor did not block")
	case <-time.After(50 * time.Millisecond):
	}
	last := len(peersOfBlockers) - 1
	unix.Close(peersOfBlockers[last]) // with something unread: that ends it
	peersOfBlockers = peersOfBlockers[:last]
	<-closed
	return nil
}

// sendBlockers sends a packet with so many descriptors. Whoever does not let them
// be sent is safe.
func sendBlockers(c testproc.Raw, b []byte, count int) error {
	var fds []int
	for range count {
		fd, err := newBlocker()
		if err != nil {
			return err
		}
		fds = append(fds, fd)
	}
	err := c.Send(b, fds...)
	for _, fd := range fds {
		if err != nil { // nobody else has it
			unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
		}
		unix.Close(fd)
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
