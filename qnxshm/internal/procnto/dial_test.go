//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// squat takes socket names of a process, each in one of the ways of squatters, and
// keeps them.
func squat(pid int, way string, names int) error {
	if pid == 0 {
		pid = os.Getpid()
	}
	for i := range names {
		name := plainSocket(pid)
		if i > 0 {
			name = fmt.Sprintf("%s/%016x", name, i)
		}
		if err := squatters[way](name); err != nil {
			return err
		}
	}
	return nil
}

var squatters = map[string]func(name string) error{
	"listens": func(name string) error {
		_, err := testproc.Listen(name, 128)
		return err
	},
	"has": func(name string) error {
		_, err := testproc.Bind(name)
		return err
	},
	"full": func(name string) error {
		if _, err := testproc.Listen(name, 0); err != nil {
			return err
		}
		for { // until the queue is full
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
			if err == nil {
				err = unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + name})
			}
			if err == syscall.EAGAIN {
				return unix.Close(fd)
			}
			if err != nil {
				return err
			}
		}
	},
}

// TestSquatters: somebody else has the maker's name. The maker takes another one,
// and its openers find it in no more than a moment.
func TestSquatters(t *testing.T) {
	for _, tt := range []struct {
		way   string
		names int
		self  bool // the squatter is the maker, to all that the kernel tells
		old   bool // the opener's kernel
		limit time.Duration
	}{
		{"listens", 1, false, false, 50 * time.Millisecond},
		{"has", 1, false, false, 50 * time.Millisecond},
		{"full", 1, false, false, 50 * time.Millisecond},
		{"listens", 300, false, false, 100 * time.Millisecond},
		{"has", 300, false, false, 100 * time.Millisecond},
		{"full", 300, false, false, 100 * time.Millisecond},
		{"listens", 5000, false, false, 2 * time.Second},
		// As a child does that a dead process of the same number has left behind.
		{"listens", 1, true, false, 500 * time.Millisecond},
		{"listens", 1, true, true, 500 * time.Millisecond},
		{"listens", 10, true, true, 2 * time.Second},
		{"has", 20, true, true, 500 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(tt.way, tt.names, tt.self, tt.old), func(t *testing.T) {
			maker, squatter, opener := testproc.Start(t, "node"), testproc.Start(t, "node"), testproc.Start(t, "node")
			if tt.self {
				squatter = maker
			}
			if tt.old {
				requireOldKernel(t, opener)
			}
			squatter.Do("squat", maker.PID(), tt.way, tt.names)
			fd := maker.Do("object", 1).Int()
			for i := range 4 {
				h := maker.Do("handle", fd, opener.PID(), os.O_RDONLY).Uint64()
				began := time.Now()
				if i%2 == 0 {
					opener.Do("open", h, os.O_RDONLY)
				} else {
					opener.Do("delete", h)
				}
				if took := time.Since(began); i == 0 {
					t.Log("the first took", took)
					require.Less(t, took, scaled(tt.limit))
				}
			}
			// And who has dialled the maker once knows where it is.
			began := time.Now()
			opener.Do("attach", maker.PID())
			require.Less(t, time.Since(began), scaled(50*time.Millisecond))
		})
	}
}

// scaled is a time for a machine that has other things to do.
func scaled(d time.Duration) time.Duration {
	if raceEnabled {
		return 10 * d
	}
	return 4 * d
}

// attach makes a connection of a kind that the process refuses.
func attach(pid int) error {
	_, _, err := procnto.Dial(pid, new(wire.HelloAttach))
	if testproc.ErrnoOf(err) != syscall.ESRCH {
		return fmt.Errorf("refused with %w", err)
	}
	return nil
}

// TestNobodyBehindTheName: a process that does not serve, and a squatter that has
// its name.
func TestNobodyBehindTheName(t *testing.T) {
	check := noLeak(t)
	for _, way := range []string{"has", "listens"} { // "full": see TestMakerIsBusy
		process, squatter := testproc.Start(t, "node"), testproc.Start(t, "node")
		squatter.Do("squat", process.PID(), way, 3)
		for range 20 {
			testproc.WantErrno(t, syscall.ESRCH, openObject(handleOf(process), os.O_RDONLY), way)
			testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(handleOf(process)), way)
		}
		process.Kill()
		squatter.Kill()
	}
	check()
}

// TestMakerIsBusy: a maker whose queue is full for as long as anybody waits. (Or one
// whose name somebody has for whom that is so: nobody can tell.)
func TestMakerIsBusy(t *testing.T) {
	testproc.TakesLong(t, "waits for who never answers")
	t.Parallel()
	maker := testproc.Start(t, "node")
	maker.Do("squat", 0, "full", 1)
	began := time.Now()
	err := openObject(handleOf(maker), os.O_RDONLY)
	testproc.WantErrno(t, syscall.EAGAIN, err)
	require.ErrorContains(t, err, "did not answer")
	require.Less(t, time.Since(began), procnto.PeerTimeout+3*time.Second)
}

// TestMakerIsSlow: it welcomes nobody for longer than another name is tried after,
// but it is there.
func TestMakerIsSlow(t *testing.T) {
	maker := testproc.Start(t, "node")
	fd := maker.Do("object", 1).Int()
	h := maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
	maker.Stop()
	done := make(chan error, 1)
	go func() { done <- openObject(h, os.O_RDONLY) }()
	time.Sleep(300 * time.Millisecond)
	maker.Continue()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(testproc.Patience):
		require.FailNow(t, "the opener does not go on")
	}
}

// TestForgery: names of a process that it would not choose.
func TestForgery(t *testing.T) {
	for name, want := range map[string]bool{
		"/0123456789abcdef":  true,
		"":                   false, // the plain one is tried anyway
		"/":                  false,
		"/0123456789abcde":   false,
		"/0123456789abcdef0": false,
		"/0123456789ABCDEF":  false,
		"/0123456789abcde/":  false,
		"0/0123456789abcdef": false,
	} {
		require.Equal(t, want, procnto.IsSocketOf(plainSocket(77)+name, 77), name)
	}
	require.False(t, procnto.IsSocketOf(plainSocket(7)+"/0123456789abcdef", 77))
}

// TestConnectionsAreKept: for the next request, and some at most; the longest
// unused one goes first.
func TestConnectionsAreKept(t *testing.T) {
	check := noLeak(t)
	const makers = 3
	var all []*testproc.Child
	for range makers {
		all = append(all, testproc.Start(t, "node"))
	}
	sockets := func() (n int) {
		for fd, to := range testproc.Descriptors(t, os.Getpid()) {
			if fd >= 512 && len(to) > 7 && to[:7] == "socket:" {
				n++
			}
		}
		return n
	}
	before := sockets()
	for range 3 {
		for _, maker := range all {
			h := maker.Do("handle", maker.Do("object", 1).Int(), os.Getpid(), os.O_RDONLY).Uint64()
			require.NoError(t, openObject(h, os.O_RDONLY))
			testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(h))
		}
	}
	require.Equal(t, before+makers, sockets(), "one each")
	time.Sleep(300 * time.Millisecond) // no time ends them
	require.Equal(t, before+makers, sockets())
	for _, maker := range all {
		maker.Kill()
	}
	check()
}

// TestPIDUsedAgain: a connection that a process has left to another one does
// not make that one the later process of the same pid.
func TestPIDUsedAgain(t *testing.T) {
	if raceEnabled {
		t.Skip("starts of processes take so long with the race detector that others get the pid")
	}
	fd := newObject(t, 1, "secret")
	defer unix.Close(fd)
	first := testproc.Start(t, "node")
	pid := first.PID()
	conn := first.Do("dial", ownSocket(t)).Int()
	first.Do("rawsend", conn, testproc.Encode(new(wire.HelloHandles)))
	first.Do("rawreceive", conn, 0)
	mute := first.Do("dial", ownSocket(t)).Int() // has not said hello yet
	pidfd, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	defer unix.Close(pidfd)
	inherit := func(conn int) testproc.Raw {
		fd, err := unix.PidfdGetfd(pidfd, conn, 0)
		if err != nil {
			t.Skip("pidfd_getfd is not permitted:", err)
		}
		return testproc.Raw{FD: fd}
	}
	w, late := inherit(conn), inherit(mute)
	defer w.Close()
	defer late.Close()
	first.Kill()
	second := testproc.StartNumbered(t, "node", pid)
	if second == nil {
		t.Skip("somebody else got the pid")
	}
	h, err := procnto.CreateHandle(fd, pid, os.O_RDONLY, 0)
	require.NoError(t, err)
	defer procnto.DeleteHandle(h)
	for _, w := range []testproc.Raw{w, late} {
		if w.FD == late.FD {
			if w.Say(new(wire.HelloHandles)) != nil {
				continue
			}
			if _, err := w.ReceiveFrame(); err != nil {
				continue // as it should be
			}
		}
		if w.Say(&wire.Open{Handle: h}) == nil {
			if p, err := w.Receive(0); err == nil {
				require.Zero(t, p.CloseFDs(), "the handle of another process")
				require.Equal(t, int32(syscall.ESRCH), p.Frame.(*wire.Answer).Errno)
			}
		}
	}
	second.Do("open", h, os.O_RDONLY)
}

// TestServerWithoutPidfds: a process that cannot find out who has connected is there
// all the same. Who takes it for gone would not register with it.
func TestServerWithoutPidfds(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("serve", procnto.Space()+"procnto-test/"+fmt.Sprint(server.PID()))
	if err := server.Err("nopidfds"); err != nil {
		t.Skip("no seccomp filter: ", err)
	}
	_, _, err := procnto.Dial(server.PID(), new(wire.HelloHandles))
	testproc.WantErrno(t, syscall.EAGAIN, err)
}
