//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// squat takes socket names of a process, each in one of the ways of squatters, and
// keeps them.
func (n *node) squat(a arguments) ([]any, error) { // pid way names
	pid := a.int(0)
	if pid == 0 {
		pid = os.Getpid()
	}
	for i := range a.int(2) {
		name := plainSocket(pid)
		if i > 0 {
			name = fmt.Sprintf("%s/%016x", name, i)
		}
		if err := squatters[a[1]](name); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

var squatters = map[string]func(name string) error{
	"listens": func(name string) error {
		_, err := rawListen(name, 128)
		return err
	},
	"has": func(name string) error {
		_, err := rawBind(name)
		return err
	},
	"full": func(name string) error {
		if _, err := rawListen(name, 0); err != nil {
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
			maker, squatter, opener := startChild(t), startChild(t), startChild(t)
			if tt.self {
				squatter = maker
			}
			if tt.old {
				requireOldKernel(t, opener)
			}
			squatter.do("squat", maker.pid(), tt.way, tt.names)
			fd := maker.number("object", 1)
			for i := range 4 {
				h := maker.handle("handle", fd, opener.pid(), os.O_RDONLY)
				began := time.Now()
				if i%2 == 0 {
					opener.do("open", h, os.O_RDONLY)
				} else {
					opener.do("delete", h)
				}
				if took := time.Since(began); i == 0 {
					t.Log("the first took", took)
					require.Less(t, took, scaled(tt.limit))
				}
			}
			// And who has dialled the maker once knows where it is.
			began := time.Now()
			opener.do("attach", maker.pid())
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
func (n *node) attach(a arguments) ([]any, error) { // pid
	_, _, err := procnto.Dial(a.int(0), new(wire.HelloAttach))
	if errnoOf(err) != syscall.ESRCH {
		return nil, fmt.Errorf("refused with %w", err)
	}
	return nil, nil
}

// TestNobodyBehindTheName: a process that does not serve, and a squatter that has
// its name.
func TestNobodyBehindTheName(t *testing.T) {
	check := noLeak(t)
	for _, way := range []string{"has", "listens"} { // "full": see TestMakerIsBusy
		process, squatter := startChild(t), startChild(t)
		squatter.do("squat", process.pid(), way, 3)
		for range 20 {
			requireErrno(t, syscall.ESRCH, openObject(handleOf(process), os.O_RDONLY), way)
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(handleOf(process)), way)
		}
		process.kill()
		squatter.kill()
	}
	check()
}

// TestMakerIsBusy: a maker whose queue is full for as long as anybody waits. (Or one
// whose name somebody has for whom that is so: nobody can tell.)
func TestMakerIsBusy(t *testing.T) {
	t.Parallel()
	maker := startChild(t)
	maker.do("squat", 0, "full", 1)
	began := time.Now()
	err := openObject(handleOf(maker), os.O_RDONLY)
	requireErrno(t, syscall.EAGAIN, err)
	require.ErrorContains(t, err, "did not answer")
	require.Less(t, time.Since(began), procnto.PeerTimeout+3*time.Second)
}

// TestMakerIsSlow: it welcomes nobody for longer than another name is tried after,
// but it is there.
func TestMakerIsSlow(t *testing.T) {
	maker := startChild(t)
	fd := maker.number("object", 1)
	h := maker.handle("handle", fd, os.Getpid(), os.O_RDONLY)
	maker.stop()
	done := make(chan error, 1)
	go func() { done <- openObject(h, os.O_RDONLY) }()
	time.Sleep(300 * time.Millisecond)
	maker.goOn()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(patience):
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
	var all []*child
	for range makers {
		all = append(all, startChild(t))
	}
	sockets := func() (n int) {
		for fd, to := range descriptors(t, os.Getpid()) {
			if fd >= 512 && len(to) > 7 && to[:7] == "socket:" {
				n++
			}
		}
		return n
	}
	before := sockets()
	for range 3 {
		for _, maker := range all {
			h := maker.handle("handle", maker.number("object", 1), os.Getpid(), os.O_RDONLY)
			require.NoError(t, openObject(h, os.O_RDONLY))
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(h))
		}
	}
	require.Equal(t, before+makers, sockets(), "one each")
	time.Sleep(300 * time.Millisecond) // no time ends them
	require.Equal(t, before+makers, sockets())
	for _, maker := range all {
		maker.kill()
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
	first := startChild(t)
	pid := first.pid()
	conn := first.number("dial", ownSocket(t))
	first.do("rawsend", conn, quoted(new(wire.HelloHandles)))
	first.do("rawreceive", conn, 0)
	mute := first.number("dial", ownSocket(t)) // has not said hello yet
	pidfd, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	defer unix.Close(pidfd)
	inherit := func(conn int) raw {
		fd, err := unix.PidfdGetfd(pidfd, conn, 0)
		if err != nil {
			t.Skip("pidfd_getfd is not permitted:", err)
		}
		return raw{fd}
	}
	w, late := inherit(conn), inherit(mute)
	defer w.close()
	defer late.close()
	first.kill()
	second := startChildOfPID(t, pid)
	h, err := procnto.CreateHandle(fd, pid, os.O_RDONLY, 0)
	require.NoError(t, err)
	defer procnto.DeleteHandle(h)
	for _, w := range []raw{w, late} {
		if w.fd == late.fd {
			if w.say(new(wire.HelloHandles)) != nil {
				continue
			}
			if _, _, _, err := w.receive(0); err != nil {
				continue // as it should be
			}
		}
		if w.say(&wire.Open{Handle: h}) == nil {
			if f, _, fds, err := w.receive(0); err == nil {
				require.Zero(t, fds, "the handle of another process")
				require.Equal(t, int32(syscall.ESRCH), f.(*wire.Answer).Errno)
			}
		}
	}
	second.do("open", h, os.O_RDONLY)
}

// startChildOfPID starts one with that number, if nobody else gets it.
func startChildOfPID(t testing.TB, pid int) *child {
	t.Helper()
	for range 20 {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", strconv.AppendInt(nil, int64(pid-1), 10), 0); err != nil {
			t.Skip("pids cannot be chosen:", err)
		}
		c := startChild(t)
		if c.pid() == pid {
			return c
		}
		c.kill()
	}
	t.Skip("somebody else got the pid")
	return nil
}

// TestServerWithoutPidfds: a process that cannot find out who has connected is there
// all the same. Who takes it for gone would not register with it.
func TestServerWithoutPidfds(t *testing.T) {
	server := startChild(t)
	server.do("serve", procnto.Space()+"procnto-test/"+fmt.Sprint(server.pid()))
	if text, errno := server.try("nopidfds"); errno != 0 {
		t.Skip("no seccomp filter: ", text)
	}
	_, _, err := procnto.Dial(server.pid(), new(wire.HelloHandles))
	requireErrno(t, syscall.EAGAIN, err)
}
