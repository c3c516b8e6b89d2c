//go:build linux

package testproc

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BlockerTakes is for how long closing a blocker blocks.
const BlockerTakes = 10 * time.Second

// NewBlocker returns a descriptor whose last close blocks: a socket with data that
// its peer, which is to stay open, does not take.
func NewBlocker() (fd, peer int, err error) {
	const small = 4096
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, err
	}
	defer unix.Close(listener)
	unix.SetsockoptInt(listener, unix.SOL_SOCKET, unix.SO_RCVBUF, small)
	if err = unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		err = unix.Listen(listener, 1)
	}
	if err != nil {
		return -1, -1, err
	}
	at, err := unix.Getsockname(listener)
	if err != nil {
		return -1, -1, err
	}
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, -1, err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, small)
	linger := unix.Linger{Onoff: 1, Linger: int32(BlockerTakes / time.Second)}
	if err = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger); err == nil {
		err = unix.Connect(fd, at)
	}
	if err == nil {
		peer, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	}
	if err != nil {
		unix.Close(fd)
		return -1, -1, err
	}
	for full := 0; full < 10; full++ { // some goes on to the peer for a while
		for n := 1; n > 0; {
			if n, err = unix.SendmsgN(fd, make([]byte, small), nil, nil, unix.MSG_DONTWAIT); err == nil {
				full = 0
			}
		}
		time.Sleep(time.Millisecond)
	}
	return fd, peer, nil
}

// CloseBlocker closes a blocker that nobody else has, at once.
func CloseBlocker(fd int) {
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
	unix.Close(fd)
}

// NeedBlockers skips the test where closing a blocker does not block. It is a
// procedure, too.
func NeedBlockers(t testing.TB) {
	t.Helper()
	fd, peer, err := NewBlocker()
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() {
		unix.Close(fd)
		close(closed)
	}()
	select {
	case <-closed:
		t.Skip("closing a socket does not block here")
	case <-time.After(50 * time.Millisecond):
	}
	unix.Close(peer) // with something unread: that ends it
	<-closed
}
