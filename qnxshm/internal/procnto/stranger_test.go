//go:build linux

package procnto_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// prompt is how long a call may take whatever strangers do.
var prompt = scaled(50 * time.Millisecond)

// prompt requires that a server makes handles, and serves, promptly.
func (s *scene) prompt(t testing.TB, fd int) {
	t.Helper()
	for range 20 {
		began := time.Now()
		h := s.server.handle("handle", fd, os.Getpid(), os.O_RDONLY)
		require.Less(t, time.Since(began), prompt)
		s.server.do("delete", h)
	}
	s.served(t)
}

// TestDescriptorThatBlocksInClose: a stranger sends sockets that linger, which cost
// whoever closes them a minute.
func TestDescriptorThatBlocksInClose(t *testing.T) {
	for name, old := range map[string]bool{"refused by the kernel": false, "refused by the server": true} {
		t.Run(name, func(t *testing.T) {
			eve := startStranger(t, stranger)
			if _, errno := eve.try("lingering"); errno != 0 {
				t.Skip("no socket lingers here")
			}
			s := newScene(t, 1500, old)
			fd := s.server.number("object", 1)
			for _, hello := range []int{0, 1} {
				sent := eve.number("linger", s.socket, 400, hello)
				if !old && sent > 0 {
					require.Equal(t, 400, sent)
					t.Skip("SO_PASSRIGHTS came with Linux 6.16")
				}
				s.prompt(t, fd)
			}
			s.server.do("close", fd)
			if !old { // else they wait for being closed
				s.unharmed(t)
			}
			eve.kill()
		})
	}
}

// TestFloodOfAnotherUser: a stranger that has its share of the server's connections,
// all of which it needs, does not cost others theirs.
func TestFloodOfAnotherUser(t *testing.T) {
	const limit = 1500
	const places = (limit - 512) / 4 * 3
	s := newScene(t, limit, false)
	fd := s.server.number("object", 1)
	eve, other := startStranger(t, stranger), startStranger(t, stranger)
	got := eve.number("occupy", s.socket, 2000)
	require.Equal(t, places/8, got)
	require.Zero(t, other.number("occupy", s.socket, 2000), "the share is the user's")
	s.prompt(t, fd)
	h := s.server.handle("handle", fd, other.pid(), os.O_RDONLY)
	_, errno := other.try("open", h, os.O_RDONLY)
	require.Equal(t, syscall.EAGAIN, errno)
	// More of them have half of the places together.
	for uid := uint32(stranger + 1); uid < stranger+8; uid++ {
		got += startStranger(t, uid).number("occupy", s.socket, 2000)
	}
	require.Equal(t, places/2, got)
	s.prompt(t, fd)
	eve.kill()
	eventually(t, patience, func() bool {
		_, errno := other.try("open", h, os.O_RDONLY)
		return errno == 0
	}, "no place again")
}

// TestTooManyConnections: whoever has no place is told so, and the errno is not
// that of something that does not exist.
func TestTooManyConnections(t *testing.T) {
	s := newScene(t, 600, false)
	s.good.do("pause", 1)
	fd := s.server.number("object", 1)
	h := s.server.handle("handle", fd, os.Getpid(), os.O_RDONLY)
	full := startChild(t)
	full.do("occupy", s.socket, 1000)
	for range 200 {
		err := openObject(h, os.O_RDONLY)
		requireErrno(t, syscall.EAGAIN, err)
		require.ErrorContains(t, err, "too many connections")
		requireErrno(t, syscall.EAGAIN, procnto.DeleteHandle(h))
		_, _, err = procnto.Dial(s.server.pid(), new(wire.HelloAttach))
		requireErrno(t, syscall.EAGAIN, err)
		_, _, err = procnto.DialName(s.name, new(wire.HelloName))
		requireErrno(t, syscall.EAGAIN, err)
	}
	full.kill()
	eventually(t, patience, func() bool { return openObject(h, os.O_RDONLY) == nil }, "no place again")
	s.good.do("pause", 0)
	s.served(t)
}

// TestAcrossUsers: handles for, and of, another user's process.
func TestAcrossUsers(t *testing.T) {
	eve := startStranger(t, stranger)
	fd := newObject(t, 1, "hello")
	defer unix.Close(fd)
	h, err := procnto.CreateHandle(fd, eve.pid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	eve.do("map", h, os.O_RDONLY, 1)
	eve.do("touch", h)
	revocable := newRevocable(t)
	defer unix.Close(revocable)
	for range 100 {
		h := shareRevocable(t, revocable, eve)
		require.NoError(t, procnto.Revoke(revocable, -1))
		requireFault(t, eve, h)
		eve.do("unmap", h)
	}
	theirs := eve.number("object", 1)
	got, err := procnto.OpenHandle(eve.handle("handle", theirs, os.Getpid(), os.O_RDONLY), os.O_RDONLY)
	require.NoError(t, err)
	mem, err := procnto.MapWhole(got, os.O_RDONLY)
	require.NoError(t, err)
	require.NoError(t, touch(mem))
	require.NoError(t, memory.Unmap(mem))
	require.NoError(t, memory.CloseDescriptor(got))
}

// TestStrangerTakesTheName: of a process, before that serves, and thousands that it
// could have taken instead.
func TestStrangerTakesTheName(t *testing.T) {
	eve := startStranger(t, stranger)
	check := noLeak(t)
	maker := startChild(t)
	eve.do("squat", maker.pid(), "listens", 300)
	fd := maker.number("object", 1)
	for range 5 {
		h := maker.handle("handle", fd, os.Getpid(), os.O_RDONLY)
		began := time.Now()
		require.NoError(t, openObject(h, os.O_RDONLY))
		require.Less(t, time.Since(began), prompt)
	}
	maker.kill()
	check()
}

// TestGuessedRegistration: who has not got the object registers in vain, and Revoke
// does not wait for it.
func TestGuessedRegistration(t *testing.T) {
	eve := startStranger(t, stranger)
	fd := newRevocable(t)
	defer unix.Close(fd)
	link := eve.number("dial", ownSocket(t))
	eve.do("rawsend", link, quoted(new(wire.HelloLink)))
	require.Equal(t, "0", eve.do("rawreceive", link, 0)[1])
	for guess := range uint64(100) {
		f := registration(t, fd)
		f.Secret = guess
		eve.do("rawsend", link, quoted(f))
	}
	eve.stop()
	began := time.Now()
	require.NoError(t, procnto.Revoke(fd, -1))
	require.Less(t, time.Since(began), prompt)
}

// TestAnswersThatNobodyReads: to another user's registrations. They are not kept for
// ever.
func TestAnswersThatNobodyReads(t *testing.T) {
	eve := startStranger(t, stranger)
	fd := newRevocable(t)
	defer unix.Close(fd)
	link := eve.number("dial", ownSocket(t))
	eve.do("rawsend", link, quoted(new(wire.HelloLink)))
	require.Equal(t, "0", eve.do("rawreceive", link, 0)[1])
	before := procnto.Mappers()
	_, errno := eve.try("rawsend", link, quoted(registration(t, fd)), 100_000)
	require.Contains(t, []syscall.Errno{syscall.EPIPE, syscall.ECONNRESET}, errno)
	eventually(t, patience, func() bool { return procnto.Mappers() <= before }, "still registered")
	require.NoError(t, procnto.Revoke(fd, -1))
}
