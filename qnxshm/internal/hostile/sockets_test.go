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
)

// A conn is a socket to or from the host, without the host's library on this
// side.
type conn struct{ fd int }

func rawSocket() (conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, connType|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return conn{-1}, err
	}
	limit := unix.NsecToTimeval(int64(2 * time.Second))
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
	return conn{fd}, nil
}

func dial(name string) (conn, error) {
	c, err := rawSocket()
	if err != nil {
		return c, err
	}
	if err := retry(func() error { return unix.Connect(c.fd, &unix.SockaddrUnix{Name: "@" + name}) }); err != nil {
		unix.Close(c.fd)
		return conn{-1}, err
	}
	return c, nil
}

// bind takes a name, and listens there if it is told to.
func bind(name string, listen bool) (conn, error) {
	c, err := rawSocket()
	if err != nil {
		return c, err
	}
	err = unix.Bind(c.fd, &unix.SockaddrUnix{Name: "@" + name})
	if err == nil && listen {
		err = unix.Listen(c.fd, 128)
	}
	if err != nil {
		unix.Close(c.fd)
	}
	return c, err
}

func (c conn) send(b []byte, fds ...int) error {
	var control []byte
	if len(fds) > 0 {
		control = unix.UnixRights(fds...)
	}
	return retry(func() error { return unix.Sendmsg(c.fd, b, control, nil, unix.MSG_NOSIGNAL) })
}

func (c conn) receive() (packet, error) {
	b := make([]byte, 4096)
	var n int
	err := retry(func() (err error) { n, err = unix.Read(c.fd, b); return err })
	if err == nil && n == 0 {
		err = syscall.ECONNRESET
	}
	if err != nil {
		return packet{}, err
	}
	return decodePacket(b[:n])
}

// ask sends a packet and receives what comes back.
func (c conn) ask(p packet) (packet, error) {
	if err := c.send(p.encode()); err != nil {
		return packet{}, err
	}
	return c.receive()
}

// taken reports whether the other side has taken all that it was sent, or is
// gone.
func (c conn) taken() bool {
	n, err := unix.IoctlGetInt(c.fd, unix.SIOCOUTQ)
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
func (c conn) sendBlockers(b []byte, count int) error {
	var fds []int
	for range count {
		fd, err := newBlocker()
		if err != nil {
			return err
		}
		fds = append(fds, fd)
	}
	err := c.send(b, fds...)
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
func unixSockets(pid int) (found []conn) {
	for _, fd := range openDescriptors() {
		domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err != nil || domain != unix.AF_UNIX || isListening(fd) {
			continue
		}
		if cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil && int(cred.Pid) == pid {
			found = append(found, conn{fd})
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
