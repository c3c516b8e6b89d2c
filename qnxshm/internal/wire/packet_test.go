//go:build linux

package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// pair returns two ends of a connection.
func pair(t testing.TB) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

// noLeak returns what checks that as many descriptors are open as now.
func noLeak(t testing.TB) (check func()) {
	t.Helper()
	before, err := linux.OpenFDs()
	require.NoError(t, err)
	return func() {
		t.Helper()
		now, err := linux.OpenFDs()
		require.NoError(t, err)
		require.Len(t, now, len(before))
	}
}

// attach sends a packet with descriptors, as one could who does not use this
// package.
func attach(t testing.TB, fd int, packet []byte, fds ...int) error {
	t.Helper()
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return unix.Sendmsg(fd, packet, rights, nil, unix.MSG_NOSIGNAL)
}

// memfd is a descriptor that is closed after the test.
func memfd(t testing.TB) int {
	t.Helper()
	fd, err := linux.Memfd("wire-test")
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// TestPacket sends and receives with payloads of all lengths around the buffers'.
func TestPacket(t *testing.T) {
	a, b := pair(t)
	var p, q wire.Packet
	for _, n := range []int{0, 1, 9, 10, 11, 19, 20} {
		payload := bytes.Repeat([]byte{byte(n)}, n)
		require.NoError(t, p.Send(a, &wire.Answer{ID: uint64(n)}, payload, linux.NoFD))
		buf, rest := make([]byte, 10), make([]byte, 10)
		r, err := q.Receive(b, wire.OneRight, buf, rest, 0)
		require.NoError(t, err)
		require.Equal(t, wire.Receipt{Frame: &wire.Answer{ID: uint64(n)}, N: n, FD: linux.NoFD}, r)
		require.Equal(t, payload, append(buf, rest...)[:n])
	}
	require.NoError(t, p.Send(a, new(wire.Answer), make([]byte, 21), linux.NoFD))
	_, err := q.Receive(b, wire.OneRight, make([]byte, 10), make([]byte, 10), 0)
	require.ErrorIs(t, err, wire.ErrMalformed, "more than there is room for")
	_, err = q.Receive(b, wire.OneRight, nil, nil, unix.MSG_DONTWAIT)
	require.Equal(t, syscall.EAGAIN, err)
}

// TestSendDoesNotWait for a peer that does not read.
func TestSendDoesNotWait(t *testing.T) {
	a, _ := pair(t)
	var p wire.Packet
	var err error
	for i := 0; err == nil; i++ {
		require.Less(t, i, 100_000)
		require.Equal(t, i > 0, wire.UnreadBy(a))
		err = p.Send(a, new(wire.Bell), nil, linux.NoFD)
	}
	require.Equal(t, syscall.EAGAIN, err)
}

// TestRights: a descriptor comes through, and further ones do not stay.
func TestRights(t *testing.T) {
	a, b := pair(t)
	fd := memfd(t)
	check := noLeak(t)
	var p, q wire.Packet
	require.NoError(t, p.Send(a, new(wire.Granted), nil, fd))
	r, err := q.Receive(b, wire.OneRight, nil, nil, 0)
	require.NoError(t, err)
	require.NotEqual(t, linux.NoFD, r.FD)
	var sent, got unix.Stat_t
	require.NoError(t, errors.Join(unix.Fstat(fd, &sent), unix.Fstat(r.FD, &got)))
	require.Equal(t, sent.Ino, got.Ino)
	flags, err := unix.FcntlInt(uintptr(r.FD), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.Equal(t, unix.FD_CLOEXEC, flags&unix.FD_CLOEXEC)
	q.Discard(&r)
	require.Equal(t, linux.NoFD, r.FD)
	q.Discard(&r) // of nothing
	for _, n := range []int{2, 3, 253} {
		require.NoError(t, attach(t, a, encode(new(wire.Granted)), slices.Repeat([]int{fd}, n)...))
		r, err := q.Receive(b, wire.OneRight, nil, nil, 0)
		require.ErrorIs(t, err, wire.ErrMalformed, "%d descriptors", n)
		require.Equal(t, linux.NoFD, r.FD)
	}
	for _, packet := range [][]byte{{1}, make([]byte, 100), set(new(wire.Granted), 4, 9)} {
		require.NoError(t, attach(t, a, packet, fd))
		r, err := q.Receive(b, wire.OneRight, nil, nil, 0)
		require.Error(t, err)
		require.Equal(t, linux.NoFD, r.FD)
	}
	check()
}

// TestPeek: what was only looked at is still there, its descriptor anew each time.
func TestPeek(t *testing.T) {
	a, b := pair(t)
	fd := memfd(t)
	check := noLeak(t)
	var p, q wire.Packet
	require.NoError(t, p.Send(a, &wire.Granted{Handle: 1}, nil, fd))
	require.NoError(t, p.Send(a, &wire.Granted{Handle: 2}, nil, linux.NoFD))
	for range 3 {
		r, err := q.Await(b, wire.OneRight, nil, time.Time{}, 0, unix.MSG_PEEK)
		require.NoError(t, err)
		require.Equal(t, &wire.Granted{Handle: 1}, r.Frame)
		require.NotEqual(t, linux.NoFD, r.FD)
		q.Discard(&r)
		require.True(t, wire.UnreadBy(a))
	}
	require.NoError(t, q.Drop(b))
	r, err := q.Receive(b, wire.OneRight, nil, nil, 0)
	require.NoError(t, err)
	require.Equal(t, wire.Receipt{Frame: &wire.Granted{Handle: 2}, FD: linux.NoFD}, r)
	require.False(t, wire.UnreadBy(a))
	require.Equal(t, syscall.EAGAIN, q.Drop(b))
	check()
}

// TestNoRights: where none belongs a descriptor is not even taken out of the queue,
// though it is the kernel that refuses it if it can.
func TestNoRights(t *testing.T) {
	defer wire.LetRightsPass()()
	fd := memfd(t)
	for _, n := range []int{1, 2, 253} {
		a, b := pair(t)
		check := noLeak(t)
		var q wire.Packet
		require.NoError(t, attach(t, a, encode(new(wire.Open))))
		require.NoError(t, attach(t, a, encode(new(wire.Open)), slices.Repeat([]int{fd}, n)...))
		r, err := q.Receive(b, wire.NoRights, nil, nil, unix.MSG_DONTWAIT)
		require.NoError(t, err, "nothing is attached to the first")
		require.Equal(t, new(wire.Open), r.Frame)
		for range 3 {
			r, err = q.Receive(b, wire.NoRights, nil, nil, unix.MSG_DONTWAIT)
			require.ErrorIs(t, err, wire.ErrRights)
			require.Equal(t, linux.NoFD, r.FD)
		}
		check()
	}
}

// TestNoRoom: a descriptor that this process has no room for is told to be lost.
func TestNoRoom(t *testing.T) {
	a, b := pair(t)
	var p, q wire.Packet
	require.NoError(t, p.Send(a, new(wire.Granted), nil, memfd(t)))
	var lim unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &lim))
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: lim.Max}))
	r, err := q.Receive(b, wire.OneRight, nil, nil, unix.MSG_DONTWAIT)
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &lim))
	require.NoError(t, err)
	require.Equal(t, wire.Receipt{Frame: new(wire.Granted), FD: linux.NoFD, Lost: true}, r)
}

// TestEnd: who has closed is heard out first. Of what it has not read it tells.
func TestEnd(t *testing.T) {
	for _, unread := range []bool{false, true} {
		for _, sent := range []int{0, 1, 3} {
			t.Run(fmt.Sprint(unread, sent), func(t *testing.T) {
				a, b := pair(t)
				var p, q wire.Packet
				if unread {
					require.NoError(t, q.Send(b, new(wire.Open), nil, linux.NoFD))
				}
				for i := range sent {
					require.NoError(t, p.Send(a, &wire.Answer{ID: uint64(i)}, nil, linux.NoFD))
				}
				require.NoError(t, unix.Shutdown(a, unix.SHUT_RDWR)) // its number stays the test's
				closed, err := unix.FcntlInt(uintptr(a), unix.F_DUPFD_CLOEXEC, 0)
				require.NoError(t, err)
				null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
				require.NoError(t, err)
				require.NoError(t, unix.Dup3(null, a, unix.O_CLOEXEC))
				unix.Close(null)
				unix.Close(closed)
				for i := range sent {
					r, err := q.Receive(b, wire.OneRight, nil, nil, 0)
					require.NoError(t, err)
					require.Equal(t, &wire.Answer{ID: uint64(i)}, r.Frame)
				}
				r, err := q.Receive(b, wire.OneRight, nil, nil, 0)
				require.Equal(t, io.EOF, err)
				require.Equal(t, unread && sent == 0, r.Unread)
			})
		}
	}
}

// TestSayAndClose: whenever the receiver looks, it hears what was said before the
// end.
func TestSayAndClose(t *testing.T) {
	for range 3000 {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		var q wire.Packet
		require.NoError(t, q.Send(fds[1], new(wire.HelloHandles), nil, linux.NoFD)) // which is not read
		done := make(chan struct{})
		go func() {
			var p wire.Packet
			p.Send(fds[0], &wire.Welcome{Errno: 1}, nil, linux.NoFD)
			unix.Close(fds[0])
			close(done)
		}()
		r, err := q.Await(fds[1], wire.OneRight, nil, time.Time{}, 0, 0)
		<-done
		unix.Close(fds[1])
		require.NoError(t, err)
		require.Equal(t, &wire.Welcome{Errno: 1}, r.Frame)
	}
}

// TestAwait: how long.
func TestAwait(t *testing.T) {
	name := socketName(t)
	l := listen(t, name)
	const limit = 50 * time.Millisecond
	fd, err := wire.Connect(name, limit)
	require.NoError(t, err)
	defer unix.Close(fd)
	accepted, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(accepted)
	var p, q wire.Packet
	for _, wait := range []func() error{
		func() error { _, err := q.Await(fd, wire.OneRight, nil, time.Time{}, limit, 0); return err },
		func() error { _, err := q.Await(fd, wire.OneRight, nil, time.Now().Add(limit), 0, 0); return err },
	} {
		began := time.Now()
		require.Equal(t, syscall.ETIMEDOUT, wait())
		require.GreaterOrEqual(t, time.Since(began), limit-time.Millisecond)
	}
	require.NoError(t, p.Send(accepted, new(wire.Welcome), nil, linux.NoFD))
	r, err := q.Await(fd, wire.OneRight, nil, time.Time{}, limit, 0)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), r.From, "until the peer is trusted, packets tell who has sent them")
	wire.TrustPeer(fd)
	require.NoError(t, p.Send(accepted, new(wire.Welcome), nil, linux.NoFD))
	r, err = q.Await(fd, wire.OneRight, nil, time.Time{}, limit, 0)
	require.NoError(t, err)
	require.Zero(t, r.From)
}

// TestTakenIsTold: the kernel tells once that a packet has been taken, a moment before it
// has let go of all of it.
func TestTakenIsTold(t *testing.T) {
	a, b := pair(t)
	ended := make(chan struct{})
	go func() { // until the other end is shut down
		defer close(ended)
		for packet := make([]byte, 8); ; {
			if n, err := unix.Read(b, packet); n <= 0 && err != unix.EINTR {
				return
			}
		}
	}()
	defer func() {
		unix.Shutdown(a, unix.SHUT_RDWR)
		<-ended
	}()
	epfd, err := linux.NewEpoll()
	require.NoError(t, err)
	defer unix.Close(epfd)
	const taken = unix.EPOLLOUT | unix.EPOLLET
	require.NoError(t, linux.EpollAdd(epfd, a, taken, 1))
	events := make([]unix.EpollEvent, 1)
	for round := range 50_000 {
		_, err := unix.Write(a, make([]byte, 8))
		require.NoError(t, err)
		require.NoError(t, linux.EpollChange(epfd, a, taken, 1)) // which tells at once
		for told := 1; told > 0 && wire.UnreadBy(a); {
			told = 0
			for deadline := time.Now().Add(testproc.Patience); told == 0; {
				told, err = linux.PollEvents(epfd, events)
				require.NoError(t, err)
				require.True(t, told > 0 || time.Now().Before(deadline), "round %d: nothing is told; unread: %v", round, wire.UnreadBy(a))
			}
		}
	}
}
