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
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// prompt is how long a call may take whatever strangers do.
var prompt = scaled(50 * time.Millisecond)

// prompt requires that a server makes handles, and serves, promptly.
func (s *scene) prompt(t testing.TB, fd int) {
	t.Helper()
	for range 20 {
		began := time.Now()
		h := s.server.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
		require.Less(t, time.Since(began), prompt)
		s.server.Do("delete", h)
	}
	s.served(t)
}

// TestDescriptorThatBlocksInClose: a stranger sends sockets that linger, which cost
// whoever closes them seconds.
func TestDescriptorThatBlocksInClose(t *testing.T) {
	for name, old := range map[string]bool{"refused by the kernel": false, "refused by the server": true} {
		t.Run(name, func(t *testing.T) {
			eve := startStranger(t, stranger)
			eve.Do("blockers")
			s := newScene(t, 1500, old)
			fd := s.server.Do("object", 1).Int()
			for _, hello := range []bool{false, true} {
				sent := eve.Do("sendblockers", s.socket, 400, hello).Int()
				if !old && sent > 0 {
					require.Equal(t, 400, sent)
					t.Skip("SO_PASSRIGHTS came with Linux 6.16")
				}
				s.prompt(t, fd)
			}
			s.server.Do("close", fd)
			if !old { // else they wait for being closed
				s.unharmed(t)
			}
			eve.Kill()
		})
	}
}

// TestFloodOfAnotherUser: a stranger that has its share of the server's connections,
// all of which it needs, does not cost others theirs.
func TestFloodOfAnotherUser(t *testing.T) {
	const limit = 1500
	const places = (limit - 512) / 4 * 3
	s := newScene(t, limit, false)
	fd := s.server.Do("object", 1).Int()
	eve, other := startStranger(t, stranger), startStranger(t, stranger)
	got := eve.Do("occupy", s.socket, 2000).Int()
	require.Equal(t, places/8, got)
	require.Zero(t, other.Do("occupy", s.socket, 2000).Int(), "the share is the user's")
	s.prompt(t, fd)
	h := s.server.Do("handle", fd, other.PID(), os.O_RDONLY).Uint64()
	err := other.Err("open", h, os.O_RDONLY)
	testproc.WantErrno(t, syscall.EAGAIN, err)
	// More of them have half of the places together.
	for uid := uint32(stranger + 1); uid < stranger+8; uid++ {
		got += startStranger(t, uid).Do("occupy", s.socket, 2000).Int()
	}
	require.Equal(t, places/2, got)
	s.prompt(t, fd)
	eve.Kill()
	testproc.Eventually(t, testproc.Patience, func() bool {
		err := other.Err("open", h, os.O_RDONLY)
		return err == nil
	}, "no place again")
}

// TestTooManyConnections: whoever has no place is told so, and the errno is not
// that of something that does not exist.
func TestTooManyConnections(t *testing.T) {
	s := newScene(t, 600, false)
	s.good.Do("pause")
	fd := s.server.Do("object", 1).Int()
	h := s.server.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
	full := testproc.Start(t, "node")
	full.Do("occupy", s.socket, 1000)
	for range 200 {
		err := openObject(h, os.O_RDONLY)
		testproc.WantErrno(t, syscall.EAGAIN, err)
		require.ErrorContains(t, err, "too many connections")
		testproc.WantErrno(t, syscall.EAGAIN, procnto.DeleteHandle(h))
		_, _, err = procnto.Dial(s.server.PID(), new(wire.HelloAttach))
		testproc.WantErrno(t, syscall.EAGAIN, err)
		_, _, err = procnto.DialName(s.name, new(wire.HelloName))
		testproc.WantErrno(t, syscall.EAGAIN, err)
	}
	full.Kill()
	testproc.Eventually(t, testproc.Patience, func() bool { return openObject(h, os.O_RDONLY) == nil }, "no place again")
	s.good.Do("resume")
	s.served(t)
}

// TestAcrossUsers: handles for, and of, another user's process.
func TestAcrossUsers(t *testing.T) {
	eve := startStranger(t, stranger)
	fd := newObject(t, 1, "hello")
	defer unix.Close(fd)
	h, err := procnto.CreateHandle(fd, eve.PID(), os.O_RDONLY, 0)
	require.NoError(t, err)
	eve.Do("map", h, os.O_RDONLY, 1)
	eve.Do("touch", h)
	revocable := newRevocable(t)
	defer unix.Close(revocable)
	for range 100 {
		h := shareRevocable(t, revocable, eve)
		require.NoError(t, procnto.Revoke(revocable, -1))
		requireFault(t, eve, h)
		eve.Do("unmap", h)
	}
	theirs := eve.Do("object", 1).Int()
	got, err := procnto.OpenHandle(eve.Do("handle", theirs, os.Getpid(), os.O_RDONLY).Uint64(), os.O_RDONLY)
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
	maker := testproc.Start(t, "node")
	eve.Do("squat", maker.PID(), "listens", 300)
	fd := maker.Do("object", 1).Int()
	for range 5 {
		h := maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
		began := time.Now()
		require.NoError(t, openObject(h, os.O_RDONLY))
		require.Less(t, time.Since(began), prompt)
	}
	maker.Kill()
	check()
}

// TestGuessedRegistration: who has not got the object registers in vain, and Revoke
// does not wait for it.
func TestGuessedRegistration(t *testing.T) {
	eve := startStranger(t, stranger)
	fd := newRevocable(t)
	defer unix.Close(fd)
	link := linkOf(t, eve)
	for guess := range uint64(100) {
		f := registration(t, fd)
		f.Secret = guess
		eve.Do("rawsend", link, testproc.Encode(f))
	}
	eve.Stop()
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
	link := linkOf(t, eve)
	before := procnto.Mappers()
	err := eve.Err("rawrepeat", link, testproc.Encode(registration(t, fd)), 100_000)
	require.Contains(t, []syscall.Errno{syscall.EPIPE, syscall.ECONNRESET}, testproc.ErrnoOf(err))
	testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Mappers() <= before }, "still registered")
	require.NoError(t, procnto.Revoke(fd, -1))
}
