//go:build linux

package wire

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// MaxName is the length of a socket's name: sun_path less the zero byte before it
// and the one after.
const MaxName = 106

// Listen makes a socket that listens under an abstract name. What connects to it
// cannot attach descriptors to its packets, where the kernel can refuse them,
// unless AllowRights permits it.
func Listen(name string) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return linux.NoFD, err
	}
	if fd, err = linux.MoveHigh(fd); err != nil {
		return linux.NoFD, err
	}
	RefuseRights(fd)
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: "@" + name})
	if err == nil {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}
	if err != nil {
		unix.Close(fd)
		return linux.NoFD, err
	}
	return fd, nil
}

// rightsPass is set where the kernel cannot refuse what peers attach.
var rightsPass atomic.Bool

// CloseAccepted closes a connection that was accepted, and whose peer was not allowed
// to attach descriptors. Where the kernel cannot refuse them, that may take as long as
// the peer's user uid likes.
func CloseAccepted(uid uint32, fd int) {
	if rightsPass.Load() {
		linux.Dispose(uid, fd)
	} else {
		unix.Close(fd)
	}
}

// AllowRights lets the peer of an accepted connection attach descriptors.
func AllowRights(fd int) { unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSRIGHTS, 1) }

// RefuseRights lets the peer of a connection attach no descriptors any more, where the
// kernel can refuse them.
func RefuseRights(fd int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSRIGHTS, 0) != nil { // before Linux 6.16
		rightsPass.Store(true)
	}
}

// Connect connects to the socket of that name without waiting: EAGAIN when the
// listener's queue is full. Receiving on the connection waits no longer than
// answerIn, if that is not 0. Until TrustPeer is called, packets tell who has
// sent them.
func Connect(name string, answerIn time.Duration) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return linux.NoFD, err
	}
	if fd, err = linux.MoveHigh(fd); err != nil {
		return linux.NoFD, err
	}
	receiveIn := unix.NsecToTimeval(int64(answerIn))
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &receiveIn),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1))
	if err == nil {
		err = linux.IgnoringEINTR(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + name}) })
	}
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		unix.Close(fd)
		return linux.NoFD, err
	}
	return fd, nil
}

// TrustPeer ends that packets tell who has sent them.
func TrustPeer(fd int) { unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 0) }

// A Peer is the process at the other end of a connection: that which has connected,
// or which listened when this one did. The kernel says so.
type Peer struct {
	PID      int
	UID, GID uint32
}

// ErrForeignNamespace is a peer that has no pid here.
var ErrForeignNamespace = errors.New("the other process is in another pid namespace")

// PeerOf returns the peer of a connection.
func PeerOf(fd int) (Peer, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	p := Peer{int(cred.Pid), cred.Uid, cred.Gid}
	if p.PID <= 0 {
		err = ErrForeignNamespace
	}
	return p, err
}

// PeerLives reports whether the peer of a connection is there, so that its pid is
// not another process's by now: a connection outlives it where a child of it, or
// whom it has given it to, keeps it. Before Linux 6.5 nobody can tell. The error is
// the want of a descriptor to look with.
func PeerLives(fd int) (bool, error) {
	pidfd, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
	switch err {
	case nil:
		defer unix.Close(pidfd)
		return !linux.Exited(pidfd), nil
	case syscall.EMFILE, syscall.ENFILE:
		return false, err
	}
	return err == syscall.ENOPROTOOPT, nil
}

// UnreadBy reports whether the peer has not taken yet what it was sent.
//
// A packet that is unread counts with what the kernel has for it, hundreds of bytes.
// When it has been taken, the kernel keeps one byte of it until it has told so.
func UnreadBy(fd int) bool {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	return err == nil && n > 1
}
