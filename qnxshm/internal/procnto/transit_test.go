//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// An asker is an opener without the library, for which this process has made a
// handle and whose request it has answered.
type asker struct {
	*testproc.Child
	conn    int
	handle  uint64
	objects int // of this process before
}

// ask returns an asker in whose socket the descriptor lies.
func ask(t testing.TB) *asker {
	t.Helper()
	a := &asker{Child: testproc.Start(t, "node"), objects: objects(t, os.Getpid())}
	fd := newObject(t, 1, "hello")
	defer unix.Close(fd)
	a.makeHandle(t, fd)
	a.ask(t, &wire.Open{Handle: a.handle, Access: int32(os.O_RDONLY)})
	return a
}

func (a *asker) makeHandle(t testing.TB, fd int) {
	t.Helper()
	var err error
	a.handle, err = procnto.CreateHandle(fd, a.PID(), os.O_RDONLY, 0)
	require.NoError(t, err)
}

// connect connects as an opener of handles.
func (a *asker) connect(t testing.TB) (conn int) {
	t.Helper()
	conn = a.Do("dial", ownSocket(t)).Int()
	a.Do("rawsend", conn, testproc.Encode(new(wire.HelloHandles)))
	a.Do("rawreceive", conn, 0)
	return conn
}

// ask asks for the descriptor of the handle.
func (a *asker) ask(t testing.TB, f wire.Frame) {
	t.Helper()
	a.conn = a.connect(t)
	a.Do("rawsend", a.conn, testproc.Encode(f))
	var got [3]int // kind, errno, descriptors
	a.Do("rawreceive", a.conn, unix.MSG_PEEK).Into(&got)
	require.Equal(t, [3]int{int(wire.KindGranted), 0, 1}, got)
}

// errnoOn is the answer to a request.
func (a *asker) errnoOn(t testing.TB, conn int, f wire.Frame) syscall.Errno {
	t.Helper()
	a.Do("rawsend", conn, testproc.Encode(f))
	answer := a.Do("rawreceive", conn, 0)
	require.EqualValues(t, wire.KindAnswer, answer.At(0).Int())
	return syscall.Errno(answer.At(1).Int())
}

// take takes the descriptor out of the socket.
func (a *asker) take(t testing.TB) {
	t.Helper()
	require.Equal(t, 1, a.Do("rawreceive", a.conn, 0).At(2).Int())
}

func (a *asker) openErr(t testing.TB) syscall.Errno {
	t.Helper()
	err := a.Err("open", a.handle, os.O_RDONLY)
	return testproc.ErrnoOf(err)
}

// released checks that the maker does not keep the object alive any more.
func (a *asker) released(t testing.TB) {
	t.Helper()
	testproc.Eventually(t, testproc.LeakLimit, func() bool { return objects(t, os.Getpid()) <= a.objects }, "the object is still open: %v", testproc.Kinds(os.Getpid()))
}

// end ends the asker, of whom nothing stays.
func (a *asker) end(t testing.TB) {
	t.Helper()
	a.Kill()
	a.released(t)
	testproc.Eventually(t, testproc.LeakLimit, func() bool { return procnto.UnusedHandles() == 0 }, "handles stay")
}

// TestTransit ends the way of a descriptor to its recipient in all the ways
// there are.
func TestTransit(t *testing.T) {
	for name, run := range transits {
		t.Run(name, func(t *testing.T) {
			a := ask(t)
			run(t, a)
			a.end(t)
		})
	}
}

// transits are ways of a descriptor that lies in the asker's socket.
var transits = map[string]func(t *testing.T, a *asker){
	"killed before it has taken it": func(t *testing.T, a *asker) {
		a.Kill()
		testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
	},
	"closed without reading: unused again": func(t *testing.T, a *asker) {
		a.Do("rawclose", a.conn)
		require.Zero(t, a.openErr(t))
		require.Equal(t, syscall.ESRCH, a.openErr(t))
	},
	"closed without reading, then deleted": func(t *testing.T, a *asker) {
		a.Do("rawclose", a.conn)
		require.NoError(t, procnto.DeleteHandle(a.handle))
		require.Equal(t, syscall.ESRCH, a.openErr(t))
	},
	"taken, connection open": func(t *testing.T, a *asker) {
		a.take(t)
		testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
		a.released(t)
		require.Equal(t, syscall.ESRCH, a.openErr(t))
	},
	"taken, nobody asks": func(t *testing.T, a *asker) {
		a.take(t)
		a.released(t)
	},
	"taken, then closed": func(t *testing.T, a *asker) {
		a.take(t)
		a.Do("rawclose", a.conn)
		require.Equal(t, syscall.ESRCH, a.openErr(t))
		testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
	},
	"taken, then killed": func(t *testing.T, a *asker) {
		a.take(t)
		a.Kill()
		testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
	},
	"taken, then asked for more": func(t *testing.T, a *asker) {
		a.take(t)
		require.Equal(t, syscall.ESRCH, a.errnoOn(t, a.conn, &wire.Open{Handle: a.handle, Access: int32(os.O_RDONLY)}))
	},
	"deleted on its way, then refused": func(t *testing.T, a *asker) {
		// The maker cannot know yet, but nobody else can have it now.
		testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
		a.Do("rawclose", a.conn)
		require.Equal(t, syscall.ESRCH, a.openErr(t))
	},
	"deleted on its way, then taken": func(t *testing.T, a *asker) {
		testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
		a.take(t)
	},
	"second thread waits, first refuses": func(t *testing.T, a *asker) {
		second := a.Begin("open", a.handle, os.O_RDONLY)
		a.Do("rawclose", a.conn)
		_, err := second.Wait()
		require.NoError(t, err)
	},
	"second thread waits, first takes": func(t *testing.T, a *asker) {
		second := a.Begin("open", a.handle, os.O_RDONLY)
		a.take(t)
		_, err := second.Wait()
		testproc.WantErrno(t, syscall.ESRCH, err)
	},
	"many threads wait, first refuses": manyWait,
	"another request instead of an answer": func(t *testing.T, a *asker) {
		// Whoever goes on has taken what came before.
		a.Do("rawsend", a.conn, testproc.Encode(&wire.Delete{Handle: a.handle}))
		testproc.Eventually(t, testproc.Patience, func() bool { return procnto.UnusedHandles() == 0 }, "the handle is still there")
		require.Equal(t, syscall.ESRCH, a.openErr(t))
	},
	"asked and closed at once": func(t *testing.T, a *asker) {
		a.Do("rawclose", a.conn)
		for range 20 {
			conn := a.connect(t)
			a.Do("rawsend", conn, testproc.Encode(&wire.Open{Handle: a.handle, Access: int32(os.O_RDONLY)}))
			a.Do("rawclose", conn)
		}
		require.Zero(t, a.openErr(t))
	},
}

func manyWait(t *testing.T, a *asker) {
	var calls []*testproc.Call
	for range 16 {
		calls = append(calls, a.Begin("open", a.handle, os.O_RDONLY))
	}
	a.Do("rawclose", a.conn)
	got := 0
	for _, call := range calls {
		_, err := call.Wait()
		require.Contains(t, []syscall.Errno{0, syscall.ESRCH}, testproc.ErrnoOf(err))
		if err == nil {
			got++
		}
	}
	require.Equal(t, 1, got)
}

// claim lets an asker say that it has mapped what it was sent.
func (a *asker) claim(t testing.TB) syscall.Errno {
	t.Helper()
	return a.errnoOn(t, a.conn, &wire.Claim{Handle: a.handle})
}

// TestMapTransit: to take the descriptor out of the socket is not yet to have
// mapped it.
func TestMapTransit(t *testing.T) {
	tests := map[string]func(t *testing.T, a *asker, fd int){
		"claimed": func(t *testing.T, a *asker, fd int) {
			require.Zero(t, a.claim(t))
			testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
			require.Equal(t, syscall.ESRCH, a.claim(t), "once only")
		},
		"claimed after the maker has looked": func(t *testing.T, a *asker, fd int) {
			conn := a.connect(t)
			require.Equal(t, syscall.EBUSY, a.errnoOn(t, conn, &wire.Open{Handle: a.handle, Access: int32(os.O_RDONLY)}),
				"the maker has looked, and waits for the claim")
			a.Do("rawclose", conn)
			require.Zero(t, a.claim(t))
		},
		"claimed later": func(t *testing.T, a *asker, fd int) {
			time.Sleep(3 * procnto.SettleIn) // the maker waits without looking
			require.Zero(t, a.claim(t))
		},
		"claimed for another one": func(t *testing.T, a *asker, fd int) {
			require.Equal(t, syscall.ESRCH, a.errnoOn(t, a.conn, &wire.Claim{Handle: a.handle + 1}))
		},
		"deleted, then claimed": func(t *testing.T, a *asker, fd int) {
			// The maker is too late, as after an open.
			testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(a.handle))
			require.Zero(t, a.claim(t))
		},
		"revoked, then claimed": func(t *testing.T, a *asker, fd int) {
			require.NoError(t, procnto.Revoke(fd, a.PID()))
			require.Equal(t, syscall.ESRCH, a.claim(t))
		},
		"closed instead": func(t *testing.T, a *asker, fd int) {
			a.Do("rawclose", a.conn)
			require.Zero(t, a.openErr(t), "the handle is kept")
		},
		"killed instead": func(t *testing.T, a *asker, fd int) { a.Kill() },
		"another request instead": func(t *testing.T, a *asker, fd int) {
			a.errnoOn(t, a.conn, &wire.Delete{Handle: a.handle})
			require.Equal(t, syscall.ESRCH, a.claim(t))
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			a := &asker{Child: testproc.Start(t, "node"), objects: objects(t, os.Getpid())}
			fd := newRevocable(t)
			a.makeHandle(t, fd)
			a.ask(t, &wire.Map{Handle: a.handle, Access: int32(os.O_RDONLY)})
			a.take(t)
			run(t, a, fd)
			unix.Close(fd)
			a.end(t)
		})
	}
}

// TestTransitHangs: the answer to the first thread is never read.
func TestTransitHangs(t *testing.T) {
	testproc.TakesLong(t, "waits for who never answers")
	t.Parallel()
	a := ask(t)
	require.Equal(t, syscall.EAGAIN, a.openErr(t))
	a.Do("rawclose", a.conn)
	require.Zero(t, a.openErr(t))
}

// TestOpenerStopped: an opener that does not take what it was sent, for whatever
// time, costs its maker nothing until it goes on. Then the object is given up.
func TestOpenerStopped(t *testing.T) {
	maker := testproc.Start(t, "node")
	fd := maker.Do("object", 1).Int()
	h := maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
	before := objects(t, maker.PID())
	maker.Do("close", fd)
	w := greet(t, plainSocket(maker.PID()))
	defer w.Close()
	require.NoError(t, w.Say(&wire.Open{Handle: h, Access: int32(os.O_RDONLY)}))
	time.Sleep(10 * procnto.SettleIn)
	requireIdle(t, maker.PID())
	require.Equal(t, before-1, objects(t, maker.PID()), "kept until it is taken")
	requireGranted(t, w)
	testproc.Eventually(t, testproc.LeakLimit, func() bool { return objects(t, maker.PID()) < before-1 }, "the maker was not told: %v", testproc.Kinds(maker.PID()))
	requireIdle(t, maker.PID())
	err := maker.Err("delete", h)
	testproc.WantErrno(t, syscall.ESRCH, err)
	// The connection is as good as before.
	next := maker.Do("handle", maker.Do("object", 1).Int(), os.Getpid(), os.O_RDONLY).Uint64()
	require.NoError(t, w.Say(&wire.Open{Handle: next, Access: int32(os.O_RDONLY)}))
	requireGranted(t, w)
}

// requireIdle requires that none of the threads of a process runs, for a while.
func requireIdle(t testing.TB, pid int) {
	t.Helper()
	const while, most = 300 * time.Millisecond, 10
	var runs uint64
	testproc.Eventually(t, testproc.Patience, func() bool { // what it was at may take its time
		before := switches(t, pid)
		time.Sleep(while)
		runs = switches(t, pid) - before
		return runs <= most
	}, "an idle process runs: %v times in %v", testproc.Lazy(func() any { return runs }), while)
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
			maker := testproc.Start(t, "node")
			maker.Do("limit", 600)
			fd := maker.Do("object", 1).Int()
			h := maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
			if tt.warm {
				testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(h+1))
			}
			maker.Do("fill", tt.free)
			err := openObject(h, os.O_RDONLY)
			if err != nil { // with some free it may as well work
				testproc.WantErrno(t, syscall.EAGAIN, err)
				maker.Do("unfill")
				require.NoError(t, openObject(h, os.O_RDONLY), "the handle is kept")
			}
		})
	}
}

// TestOpenerWithoutDescriptors tries an open with any number of descriptors
// left.
func TestOpenerWithoutDescriptors(t *testing.T) {
	fd := newObject(t, 1, "hello")
	defer unix.Close(fd)
	for free := range 8 {
		t.Run(fmt.Sprint(free), func(t *testing.T) {
			opener := testproc.Start(t, "node")
			opener.Do("limit", 600)
			h, err := procnto.CreateHandle(fd, opener.PID(), os.O_RDONLY, 0)
			require.NoError(t, err)
			opener.Do("fill", free)
			if err := opener.Err("open", h, os.O_RDONLY); err != nil {
				testproc.WantErrno(t, syscall.EMFILE, err)
				opener.Do("unfill")
				opener.Do("open", h, os.O_RDONLY)
			}
		})
	}
}

// TestConcurrentDeletes: each call gets its own answer, though all share a few
// connections.
func TestConcurrentDeletes(t *testing.T) {
	const calls = 400
	maker := testproc.Start(t, "node")
	fd := maker.Do("object", 1).Int()
	handles := make([]uint64, calls)
	for i := range handles {
		handles[i] = maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
		if i%2 == 1 {
			require.NoError(t, procnto.DeleteHandle(handles[i]))
		}
	}
	errs := make([]error, calls)
	var wg sync.WaitGroup
	for i, h := range handles {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = procnto.DeleteHandle(h)
		}()
	}
	wg.Wait()
	for i, err := range errs {
		if i%2 == 0 {
			require.NoError(t, err)
		} else {
			testproc.WantErrno(t, syscall.ESRCH, err)
		}
	}
}

// TestMakerIsGone: its handles end with it, what was obtained does not.
func TestMakerIsGone(t *testing.T) {
	maker := testproc.Start(t, "node")
	fd := maker.Do("object", 1).Int()
	first := maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
	second := maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
	got, err := procnto.OpenHandle(first, os.O_RDONLY)
	require.NoError(t, err)
	maker.Kill()
	testproc.WantErrno(t, syscall.ESRCH, openObject(second, os.O_RDONLY))
	testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(second))
	mem, err := procnto.MapWhole(got, os.O_RDONLY)
	require.NoError(t, err)
	require.NoError(t, memory.CloseDescriptor(got))
	require.Contains(t, string(mem), fmt.Sprint("from ", maker.PID()))
	require.NoError(t, memory.Unmap(mem))
}

// TestHandleLimit: handles that are used up, or whose recipient is gone, do not
// count.
func TestHandleLimit(t *testing.T) {
	fd := newObject(t, 1, "")
	defer unix.Close(fd)
	cur, most, err := procnto.HandleLimit()
	require.NoError(t, err)
	require.NoError(t, procnto.SetHandleLimit(2, most))
	defer func() { require.NoError(t, procnto.SetHandleLimit(cur, most)) }()
	one, other := testproc.Start(t, "node"), testproc.Start(t, "node")
	create := func(c *testproc.Child) (uint64, error) { return procnto.CreateHandle(fd, c.PID(), os.O_RDONLY, 0) }
	h, err := create(one)
	require.NoError(t, err)
	_, err = create(other)
	require.NoError(t, err)
	_, err = create(other)
	testproc.WantErrno(t, syscall.EAGAIN, err)
	one.Do("open", h, os.O_RDONLY)
	_, err = create(other)
	require.NoError(t, err, "one was used")
	other.Kill()
	h, err = create(one)
	require.NoError(t, err, "the recipient of both is gone")
	_, err = procnto.CreateHandle(fd, other.PID(), os.O_RDONLY, nto.HandleNoFD)
	testproc.WantErrno(t, syscall.ESRCH, err)
	require.NoError(t, procnto.DeleteHandle(h))
}

// TestNotTakenOldKernel: a maker that has to look first whether a descriptor comes
// with a packet still learns that the last one it sent was not taken.
func TestNotTakenOldKernel(t *testing.T) {
	maker := testproc.Start(t, "node")
	requireOldKernel(t, maker)
	fd := maker.Do("object", 1).Int()
	for range 20 {
		h := maker.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
		w := greet(t, plainSocket(maker.PID()))
		require.NoError(t, w.Say(&wire.Open{Handle: h}))
		p, err := w.Receive(unix.MSG_PEEK)
		require.NoError(t, err)
		p.CloseFDs()
		w.Close()
		require.NoError(t, openObject(h, os.O_RDONLY), "the handle was not used")
	}
}
