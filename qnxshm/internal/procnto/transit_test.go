//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// An asker is an opener without the library, for which this process has made a
// handle and whose request it has answered.
type asker struct {
	*child
	conn    int
	handle  uint64
	objects int // of this process before
}

// ask returns an asker in whose socket the descriptor lies.
func ask(t testing.TB) *asker {
	t.Helper()
	a := &asker{child: startChild(t), objects: objects(t)}
	fd := newObject(t, 1, "hello")
	defer unix.Close(fd)
	a.ask(t, procnto.OpenRequest, fd)
	return a
}

// ask makes a handle of fd and asks for its descriptor.
func (a *asker) ask(t testing.TB, kind uint16, fd int) {
	t.Helper()
	var err error
	a.handle, err = procnto.CreateHandle(fd, a.pid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	a.conn = a.number("dial", name)
	a.do("rawsend", a.conn, quote(procnto.Frame{Kind: procnto.HelloHandles}.Encode()))
	a.do("rawreceive", a.conn, 0)
	a.do("rawsend", a.conn, quote(procnto.Frame{Kind: kind, ID: a.handle, Number: int32(os.O_RDONLY)}.Encode()))
	answer := a.do("rawreceive", a.conn, unix.MSG_PEEK)
	require.Equal(t, strconv.Itoa(int(procnto.Answer)), answer[0])
	require.Equal(t, "0", answer[1])
}

func (a *asker) openErr(t testing.TB) syscall.Errno {
	t.Helper()
	_, errno := a.try("open", a.handle, os.O_RDONLY)
	return errno
}

// objects is the number of descriptors of objects that this process has.
func objects(t testing.TB) (n int) {
	t.Helper()
	for _, to := range descriptors(t, os.Getpid()) {
		if strings.HasPrefix(to, "/memfd:qnxshm") {
			n++
		}
	}
	return n
}

// released checks that the maker does not keep the object alive any more.
func (a *asker) released(t testing.TB) {
	t.Helper()
	eventually(t, leakLimit, func() bool { return objects(t) <= a.objects }, "the object is still open: %v", kinds(t, os.Getpid()))
}

// TestTransit ends the way of a descriptor to its recipient in all the ways
// there are.
func TestTransit(t *testing.T) {
	tests := map[string]func(t *testing.T, a *asker){
		"killed before it has taken it": func(t *testing.T, a *asker) {
			a.kill()
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
		},
		"closed without reading: unused again": func(t *testing.T, a *asker) {
			a.do("rawclose", a.conn)
			require.Zero(t, a.openErr(t))
			require.Equal(t, syscall.ESRCH, a.openErr(t))
		},
		"closed without reading, then deleted": func(t *testing.T, a *asker) {
			a.do("rawclose", a.conn)
			require.NoError(t, procnto.DeleteHandle(a.handle))
			require.Equal(t, syscall.ESRCH, a.openErr(t))
		},
		"taken, connection open": func(t *testing.T, a *asker) {
			require.Equal(t, "1", a.do("rawreceive", a.conn, 0)[3])
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
			a.released(t)
			require.Equal(t, syscall.ESRCH, a.openErr(t))
		},
		"taken, nobody asks": func(t *testing.T, a *asker) {
			a.do("rawreceive", a.conn, 0)
			a.released(t)
		},
		"taken, then closed": func(t *testing.T, a *asker) {
			a.do("rawreceive", a.conn, 0)
			a.do("rawclose", a.conn)
			require.Equal(t, syscall.ESRCH, a.openErr(t))
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
		},
		"taken, then killed": func(t *testing.T, a *asker) {
			a.do("rawreceive", a.conn, 0)
			a.kill()
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
		},
		"deleted on its way, then refused": func(t *testing.T, a *asker) {
			// The maker cannot know yet, but nobody else can have it now.
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
			a.do("rawclose", a.conn)
			require.Equal(t, syscall.ESRCH, a.openErr(t))
		},
		"deleted on its way, then taken": func(t *testing.T, a *asker) {
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
			require.Equal(t, "1", a.do("rawreceive", a.conn, 0)[3])
		},
		"second thread waits, first refuses": func(t *testing.T, a *asker) {
			a.do("openlater", a.handle, os.O_RDONLY)
			a.do("rawclose", a.conn)
			a.do("opened")
		},
		"second thread waits, first takes": func(t *testing.T, a *asker) {
			a.do("openlater", a.handle, os.O_RDONLY)
			a.do("rawreceive", a.conn, 0)
			_, errno := a.try("opened")
			require.Equal(t, syscall.ESRCH, errno)
		},
		"many threads wait, first refuses": func(t *testing.T, a *asker) {
			for range 16 {
				a.do("openlater", a.handle, os.O_RDONLY)
			}
			a.do("rawclose", a.conn)
			got := 0
			for range 16 {
				_, errno := a.try("opened")
				require.Contains(t, []syscall.Errno{0, syscall.ESRCH}, errno)
				if errno == 0 {
					got++
				}
			}
			require.Equal(t, 1, got)
		},
		"another request instead of an answer": func(t *testing.T, a *asker) {
			// Whoever goes on has taken what came before.
			a.do("rawsend", a.conn, quote(procnto.Frame{Kind: procnto.DeleteRequest, ID: a.handle}.Encode()))
			eventually(t, patience, func() bool { return procnto.UnusedHandles() == 0 }, "the handle is still there")
			require.Equal(t, syscall.ESRCH, a.openErr(t))
		},
		"asked and closed at once": func(t *testing.T, a *asker) {
			a.do("rawclose", a.conn)
			name, err := procnto.ProcessSocket(os.Getpid())
			require.NoError(t, err)
			for range 20 {
				conn := a.number("dial", name)
				a.do("rawsend", conn, quote(procnto.Frame{Kind: procnto.HelloHandles}.Encode()))
				a.do("rawreceive", conn, 0)
				a.do("rawsend", conn, quote(procnto.Frame{Kind: procnto.OpenRequest, ID: a.handle}.Encode()))
				a.do("rawclose", conn)
			}
			require.Zero(t, a.openErr(t))
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			a := ask(t)
			run(t, a)
			a.kill()
			a.released(t)
			eventually(t, leakLimit, func() bool { return procnto.UnusedHandles() == 0 }, "handles stay")
		})
	}
}

// claim lets an asker say that it has mapped what it was sent.
func (a *asker) claim(t testing.TB) syscall.Errno {
	t.Helper()
	a.do("rawsend", a.conn, quote(procnto.Frame{Kind: procnto.ClaimRequest, ID: a.handle}.Encode()))
	answer := a.do("rawreceive", a.conn, 0)
	require.Equal(t, strconv.Itoa(int(procnto.Answer)), answer[0])
	errno, err := strconv.Atoi(answer[1])
	require.NoError(t, err)
	return syscall.Errno(errno)
}

// TestMapTransit: to take the descriptor out of the socket is not yet to have
// mapped it.
func TestMapTransit(t *testing.T) {
	tests := map[string]func(t *testing.T, a *asker, fd int){
		"claimed": func(t *testing.T, a *asker, fd int) {
			require.Zero(t, a.claim(t))
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
			require.Equal(t, syscall.ESRCH, a.claim(t), "once only")
		},
		"claimed after the maker has looked": func(t *testing.T, a *asker, fd int) {
			_, err := procnto.CreateHandle(fd, a.pid(), os.O_RDONLY, 0)
			require.NoError(t, err)
			require.Equal(t, syscall.EBUSY, a.openErrRaw(t), "the maker has looked, and waits for the claim")
			require.Zero(t, a.claim(t))
		},
		"deleted, then claimed": func(t *testing.T, a *asker, fd int) {
			// The maker is too late, as after an open.
			requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
			require.Zero(t, a.claim(t))
		},
		"revoked, then claimed": func(t *testing.T, a *asker, fd int) {
			require.NoError(t, procnto.Revoke(fd, a.pid()))
			require.Equal(t, syscall.ESRCH, a.claim(t))
		},
		"closed instead": func(t *testing.T, a *asker, fd int) {
			a.do("rawclose", a.conn)
			require.Zero(t, a.openErr(t), "the handle is kept")
		},
		"killed instead": func(t *testing.T, a *asker, fd int) { a.kill() },
		"another request instead": func(t *testing.T, a *asker, fd int) {
			a.do("rawsend", a.conn, quote(procnto.Frame{Kind: procnto.DeleteRequest, ID: a.handle}.Encode()))
			a.do("rawreceive", a.conn, 0)
			require.Equal(t, syscall.ESRCH, a.claim(t))
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			a := &asker{child: startChild(t), objects: objects(t)}
			fd := newObject(t, 1, "hello")
			_, err := procnto.Control(fd, procnto.ControlRevocable, 0, 0)
			require.NoError(t, err)
			a.ask(t, procnto.MapRequest, fd)
			require.Equal(t, "1", a.do("rawreceive", a.conn, 0)[3])
			run(t, a, fd)
			unix.Close(fd)
			a.kill()
			a.released(t)
			eventually(t, leakLimit, func() bool { return procnto.UnusedHandles() == 0 }, "handles stay")
		})
	}
}

// openErrRaw is the errno of an open on a connection of its own, which does not
// wait for the handle.
func (a *asker) openErrRaw(t testing.TB) syscall.Errno {
	t.Helper()
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	conn := a.number("dial", name)
	a.do("rawsend", conn, quote(procnto.Frame{Kind: procnto.HelloHandles}.Encode()))
	a.do("rawreceive", conn, 0)
	a.do("rawsend", conn, quote(procnto.Frame{Kind: procnto.OpenRequest, ID: a.handle}.Encode()))
	answer := a.do("rawreceive", conn, 0)
	a.do("rawclose", conn)
	errno, err := strconv.Atoi(answer[1])
	require.NoError(t, err)
	return syscall.Errno(errno)
}

// TestTransitHangs: the answer to the first thread is never read.
func TestTransitHangs(t *testing.T) {
	t.Parallel()
	a := ask(t)
	_, errno := a.try("open", a.handle, os.O_RDONLY)
	require.Equal(t, syscall.EAGAIN, errno)
	a.do("rawclose", a.conn)
	require.Zero(t, a.openErr(t))
}

// TestMakerWithoutDescriptors has no room to serve an opener. That is no reason
// to tell the opener that there is no handle.
func TestMakerWithoutDescriptors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		free int  // low descriptors
		warm bool // the opener has a connection
	}{
		{"connected", 0, true},
		{"connected, low ones free", 3, true},
		{"not connected", 0, false},
		{"not connected, low ones free", 3, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			maker := startChild(t)
			maker.do("limit", 600)
			fd := maker.number("object", 1)
			h := maker.handle("handle", fd, os.Getpid(), os.O_RDONLY)
			if tt.warm {
				requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(h+1))
			}
			maker.do("fill", tt.free)
			got, err := procnto.OpenHandle(h, os.O_RDONLY)
			if err != nil { // with some free it may as well work
				requireErrno(t, syscall.EAGAIN, err)
				maker.do("unfill")
				got, err = procnto.OpenHandle(h, os.O_RDONLY)
				require.NoError(t, err, "the handle is kept")
			}
			require.NoError(t, procnto.CloseDescriptor(got))
		})
	}
}

// TestOpenerWithoutDescriptors tries an open with any number of descriptors
// left.
func TestOpenerWithoutDescriptors(t *testing.T) {
	fd := newObject(t, 1, "hello")
	defer unix.Close(fd)
	for free := range 6 {
		t.Run(fmt.Sprint(free), func(t *testing.T) {
			opener := startChild(t)
			opener.do("limit", 600)
			h, err := procnto.CreateHandle(fd, opener.pid(), os.O_RDONLY, 0)
			require.NoError(t, err)
			opener.do("fill", free)
			if _, errno := opener.try("open", h, os.O_RDONLY); errno != 0 {
				require.Equal(t, syscall.EMFILE, errno)
				opener.do("unfill")
				opener.do("open", h, os.O_RDONLY)
			}
		})
	}
}

// TestPIDUsedAgain: a connection that a process has left to another one does
// not make that one the later process of the same pid.
func TestPIDUsedAgain(t *testing.T) {
	if raceEnabled {
		t.Skip("starts of processes take so long with the race detector that others get the pid")
	}
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	fd := newObject(t, 1, "secret")
	defer unix.Close(fd)
	// There must be something to connect to.
	anchor, err := procnto.CreateHandle(fd, os.Getppid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	defer procnto.DeleteHandle(anchor)

	first := startChild(t)
	pid := first.pid()
	conn := first.number("dial", name)
	first.do("rawsend", conn, quote(procnto.Frame{Kind: procnto.HelloHandles}.Encode()))
	first.do("rawreceive", conn, 0)
	pidfd, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	defer unix.Close(pidfd)
	inherited, err := unix.PidfdGetfd(pidfd, conn, 0)
	if err != nil {
		t.Skip("pidfd_getfd is not permitted:", err)
	}
	w := wire{inherited}
	defer w.close()
	first.kill()

	// The kernel counts the start of processes in steps of 10 ms; two in one of
	// those cannot have the same pid unless somebody chooses it, as follows.
	unix.Nanosleep(&unix.Timespec{Nsec: 30e6}, nil)
	var second *child
	for range 20 {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", strconv.AppendInt(nil, int64(pid-1), 10), 0); err != nil {
			t.Skip("pids cannot be chosen:", err)
		}
		if second = startChild(t); second.pid() == pid {
			break
		}
		second.kill()
	}
	if second.pid() != pid {
		t.Skip("somebody else got the pid")
	}
	h, err := procnto.CreateHandle(fd, pid, os.O_RDONLY, 0)
	require.NoError(t, err)
	if w.send(procnto.Frame{Kind: procnto.OpenRequest, ID: h}.Encode()) == nil {
		f, _, fds, err := w.receive(0)
		if err == nil {
			require.Zero(t, fds, "the handle of another process")
			require.Equal(t, int32(syscall.ESRCH), f.Errno)
		}
	}
	second.do("open", h, os.O_RDONLY)
}

// TestConcurrentDeletes: each call gets its own answer, though all share a few
// connections.
func TestConcurrentDeletes(t *testing.T) {
	const calls = 400
	maker := startChild(t)
	fd := maker.number("object", 1)
	handles := make([]uint64, calls)
	for i := range handles {
		handles[i] = maker.handle("handle", fd, os.Getpid(), os.O_RDONLY)
		if i%2 == 1 {
			require.NoError(t, procnto.DeleteHandle(handles[i]))
		}
	}
	errs := make([]error, calls)
	var wg group
	for i, h := range handles {
		wg.Go(func() { errs[i] = procnto.DeleteHandle(h) })
	}
	wg.Wait()
	for i, err := range errs {
		if i%2 == 0 {
			require.NoError(t, err)
		} else {
			requireErrno(t, syscall.ESRCH, err)
		}
	}
}
