//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// registration is what registers for an object of this process on a link.
func registration(t testing.TB, fd int) *wire.Register {
	t.Helper()
	d, err := memory.Describe(fd)
	require.NoError(t, err)
	return &wire.Register{Secret: d.Origin.Secret, Serial: d.Origin.Serial, Number: 1}
}

// A linked is a peer without the library that has registered for an object and
// answers when it is told to.
type linked struct {
	fd   int // of the object
	link testproc.Raw
	once *sync.Once
}

func (p linked) close() {
	p.once.Do(func() {
		p.link.Close()
		unix.Close(p.fd)
	})
}

func newLinked(t testing.TB) linked {
	t.Helper()
	p := linked{newRevocable(t), greetLink(t, ownSocket(t)), new(sync.Once)}
	t.Cleanup(p.close)
	require.NoError(t, p.link.Say(registration(t, p.fd)))
	return p
}

// asked receives what the creator wants revoked.
func (p linked) asked(t testing.TB) *wire.Revoke {
	t.Helper()
	return testproc.MustReceive[*wire.Revoke](t, p.link)
}

func (p linked) confirm(t testing.TB, f *wire.Revoke) {
	t.Helper()
	require.NoError(t, p.link.Say(&wire.Revoked{ID: f.ID}))
}

// TestConcurrentRevokes: the answer to a Revoke may be taken by the thread of
// another one, which has to tell. Nothing else comes that would wake the first.
func TestConcurrentRevokes(t *testing.T) {
	check := noLeak(t)
	defer procnto.LookForDead(procnto.RevokeTimeout)() // who was not told sleeps on
	const threads = 3
	var peers []linked
	for range threads {
		peers = append(peers, newLinked(t))
	}
	rounds := 3000
	if testing.Short() || raceEnabled {
		rounds = 500
	}
	var longest time.Duration
	errs := make(chan error, threads)
	for range rounds {
		start := time.Now()
		var demands [threads]*wire.Revoke
		for _, p := range peers {
			go func() { errs <- procnto.Revoke(p.fd, -1) }()
		}
		for i, p := range peers {
			demands[i] = p.asked(t)
		}
		for i, p := range peers {
			p.confirm(t, demands[i])
		}
		for range peers {
			require.NoError(t, <-errs)
		}
		longest = max(longest, time.Since(start))
		require.Less(t, longest, procnto.RevokeTimeout*95/100, "a Revoke was not told that it is done")
	}
	for _, p := range peers {
		p.close()
	}
	check()
}

// TestCreatorGetsItsObjectBack: a process without a descriptor of its object can
// still be reached when it gets one again.
func TestCreatorGetsItsObjectBack(t *testing.T) {
	check := noLeak(t)
	fd := newRevocable(t)
	child := testproc.Start(t, "node")
	h, err := procnto.CreateHandle(fd, child.PID(), os.O_RDWR, 0)
	require.NoError(t, err)
	got := child.Do("open", h, os.O_RDWR).Int()
	unix.Close(fd)
	back, err := procnto.OpenHandle(child.Do("handle", got, os.Getpid(), os.O_RDWR).Uint64(), os.O_RDWR)
	require.NoError(t, err)
	own := child.Do("handle", got, child.PID(), os.O_RDONLY).Uint64()
	child.Do("map", own, os.O_RDONLY, 1)
	require.NoError(t, procnto.Revoke(back, child.PID()))
	require.True(t, child.Do("revoked", own).Bool())
	child.Kill()
	unix.Close(back)
	check()
}

// TestRevokeBeforeClaim: a maker that was stopped finds a creator's Revoke and the
// claim of a recipient that came later, and may be about to look at the handle in
// transit. Whatever it sees first, the handle was revoked: a Revoke that has given
// up waiting tells nobody else.
func TestRevokeBeforeClaim(t *testing.T) {
	maker := testproc.Start(t, "node")
	fd := newRevocable(t)
	defer unix.Close(fd)
	h, err := procnto.CreateHandle(fd, maker.PID(), os.O_RDONLY, 0)
	require.NoError(t, err)
	theirs := maker.Do("open", h, os.O_RDONLY).Int()
	for range 20 {
		h := maker.Do("handle", theirs, os.Getpid(), os.O_RDONLY).Uint64()
		own, err := procnto.MapWhole(fd, os.O_RDONLY)
		require.NoError(t, err)
		recipient := greet(t, plainSocket(maker.PID()))
		require.NoError(t, recipient.Say(&wire.Map{Handle: h, Access: int32(os.O_RDONLY)}))
		requireGranted(t, recipient)
		asked := time.Now()
		maker.Stop()
		ended := make(chan error)
		go func() { ended <- procnto.Revoke(fd, os.Getpid()) }()
		// The process gives up its own mapping before it asks others.
		testproc.Eventually(t, testproc.Patience, func() bool { return memory.Revoked(unsafe.Pointer(&own[0])) }, "no revocation")
		require.NoError(t, memory.Unmap(own))
		testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Demands() > 0 }, "nobody was asked")
		require.NoError(t, recipient.Say(&wire.Claim{Handle: h}))
		time.Sleep(time.Until(asked.Add(8 * time.Millisecond))) // then the maker looks
		maker.Continue()
		require.Equal(t, syscall.ESRCH, answered(t, recipient), "the claim of a handle that was revoked")
		require.NoError(t, <-ended)
		recipient.Close()
	}
}

// shareRevocable gives a child an object of this process and returns the handle
// by which the child knows its mapping.
func shareRevocable(t testing.TB, fd int, c *testproc.Child) (h uint64) {
	t.Helper()
	h, err := procnto.CreateHandle(fd, c.PID(), os.O_RDONLY, nto.HandleNoFD)
	require.NoError(t, err)
	c.Do("map", h, os.O_RDONLY, 1)
	c.Do("touch", h)
	return h
}

func requireFault(t testing.TB, c *testproc.Child, h uint64) {
	t.Helper()
	err := c.Err("touch", h)
	testproc.WantErrno(t, syscall.EFAULT, err)
}

func openBy(t testing.TB, fd int, c *testproc.Child, access int) (theirs int) {
	t.Helper()
	h, err := procnto.CreateHandle(fd, c.PID(), access, 0)
	require.NoError(t, err)
	return c.Do("open", h, access).Int()
}

// TestRevokeAsksOnlyWhomItConcerns: a process that has the same object, and is
// stopped.
func TestRevokeAsksOnlyWhomItConcerns(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	one, other := testproc.Start(t, "node"), testproc.Start(t, "node")
	h1, h2 := shareRevocable(t, fd, one), shareRevocable(t, fd, other)
	other.Stop()
	require.NoError(t, procnto.Revoke(fd, one.PID()))
	requireFault(t, one, h1)
	other.Continue()
	other.Do("touch", h2)

	// One that may have made handles for it is asked.
	maker := testproc.Start(t, "node")
	theirs := openBy(t, fd, maker, os.O_RDWR)
	maker.Do("handle", theirs, one.PID(), os.O_RDONLY).Uint64()
	maker.Stop()
	err := procnto.Revoke(fd, one.PID())
	require.ErrorIs(t, err, qnxerr.ErrRevokePending)
	require.ErrorContains(t, err, fmt.Sprint(maker.PID()))
}

// TestRevokeOnlyOfOwn: what others have marked revocable.
func TestRevokeOnlyOfOwn(t *testing.T) {
	fd := newObject(t, 1, "plain")
	defer unix.Close(fd)
	child := testproc.Start(t, "node")
	theirs := openBy(t, fd, child, os.O_RDWR)
	err := child.Err("control", theirs, nto.ControlRevocable)
	testproc.WantErrno(t, syscall.EPERM, err)
	testproc.WantErrno(t, syscall.EINVAL, procnto.Revoke(fd, -1))
	_, err = procnto.Control(fd, nto.ControlRevocable, 0, 0)
	require.NoError(t, err)
	require.NoError(t, procnto.Revoke(fd, -1))
	testproc.WantErrno(t, syscall.ESRCH, procnto.Revoke(fd, 1<<22-1), "there is no such process")
	openBy(t, fd, child, os.O_RDWR)
	child.Kill()
	require.NoError(t, procnto.Revoke(fd, child.PID()), "it had the object")
	testproc.WantErrno(t, syscall.EBADF, procnto.Revoke(-1, -1))

	his := ofAnother(t)
	defer unix.Close(his)
	testproc.WantErrno(t, syscall.EPERM, procnto.Revoke(his, -1))
}

// ofAnother is a descriptor of another process's revocable object.
func ofAnother(t testing.TB) int {
	t.Helper()
	child := testproc.Start(t, "node")
	theirs := child.Do("object", 1).Int()
	child.Do("control", theirs, nto.ControlRevocable)
	fd, err := procnto.OpenHandle(child.Do("handle", theirs, os.Getpid(), os.O_RDONLY).Uint64(), os.O_RDONLY)
	require.NoError(t, err)
	return fd
}

// TestRevokeWithoutRoom: a process that reads nothing is not taken for one that
// has confirmed, and gets it all later.
func TestRevokeWithoutRoom(t *testing.T) {
	check := noLeak(t)
	p := newLinked(t)
	const calls = 800
	errs := make(chan error, calls)
	for range calls {
		go func() { errs <- procnto.Revoke(p.fd, -1) }()
	}
	for range calls {
		require.ErrorIs(t, <-errs, qnxerr.ErrRevokePending)
	}
	go func() { // the peer catches up
		for {
			f, err := p.link.ReceiveFrame()
			if err != nil {
				return
			}
			p.link.Say(&wire.Revoked{ID: f.(*wire.Revoke).ID})
		}
	}()
	testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Revoke(p.fd, -1) == nil }, "the peer was not asked what it had no room for")
	unix.Shutdown(p.link.FD, unix.SHUT_RDWR)
	p.close()
	check()
}

// TestRegistrationsEnd: a creator of ever new buffers, and a recipient that always
// has one of them.
func TestRegistrationsEnd(t *testing.T) {
	first := newRevocable(t)
	defer unix.Close(first)
	child := testproc.Start(t, "node")
	kept := shareRevocable(t, first, child)
	procnto.ForgetShared() // else as many again as other tests have had
	before := procnto.Registrations()
	for range 300 {
		fd := newRevocable(t)
		h := shareRevocable(t, fd, child)
		child.Do("unmap", h)
		unix.Close(fd)
	}
	testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Registrations() < before+200 }, "%v registrations", testproc.Lazy(func() any { return procnto.Registrations() }))
	require.NoError(t, procnto.Revoke(first, child.PID()))
	requireFault(t, child, kept)
}

// TestRevokeLeavesNothing: not of calls, either, that nobody had to be asked for.
func TestRevokeLeavesNothing(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	child := testproc.Start(t, "node")
	h, err := procnto.CreateHandle(fd, child.PID(), os.O_RDONLY, 0)
	require.NoError(t, err)
	before := procnto.Registrations()
	for range 100 {
		require.NoError(t, procnto.Revoke(fd, os.Getpid()))
	}
	require.LessOrEqual(t, procnto.Registrations(), before)
	require.NoError(t, procnto.Revoke(fd, -1))
	testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(h))
}

// TestSweepSparesTheBeginning: who looks through its registrations, because it has
// just made one more, has not used that one yet.
func TestSweepSparesTheBeginning(t *testing.T) {
	child := testproc.Start(t, "node")
	for i := range 70 {
		fd := newRevocable(t)
		h := child.Do("handle", openBy(t, fd, child, os.O_RDONLY), os.Getpid(), os.O_RDONLY).Uint64()
		require.NoError(t, procnto.Revoke(fd, -1))
		unix.Close(fd)
		got, err := procnto.OpenHandle(h, os.O_RDONLY)
		unix.Close(got)
		testproc.WantErrno(t, syscall.ESRCH, err, "object", i)
	}
}

// TestWithdrawalsWaitForRoom: one who uses many registrations no more has more to say
// at once than a creator has room for.
func TestWithdrawalsWaitForRoom(t *testing.T) {
	testproc.TakesLong(t, "thousands of objects")
	procnto.ForgetShared() // others count, too
	t.Cleanup(procnto.ForgetShared)
	child := testproc.Start(t, "node")
	const many = 2100 // with the second half of them comes the sweep
	before := procnto.Registrations()
	for range 2 {
		var used []uint64
		for range many {
			fd := newRevocable(t)
			used = append(used, shareRevocable(t, fd, child))
			unix.Close(fd)
		}
		for _, h := range used {
			child.Do("unmap", h)
		}
	}
	testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Registrations()-before <= 2*many+200 }, "%v registrations",
		testproc.Lazy(func() any { return procnto.Registrations() - before }))
}

// TestRevokeWhileMapping: a process may be about to map with a handle that it has
// made for itself. It has the mapping and loses it, or the handle.
func TestRevokeWhileMapping(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	plain := newObject(t, 1, "others")
	defer unix.Close(plain)
	stop, stopped := make(chan struct{}), make(chan struct{})
	for range 3 { // who keep the tables busy
		go func() {
			defer func() { stopped <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
					h, err := procnto.CreateHandle(plain, os.Getpid(), os.O_RDONLY, 0)
					if err == nil {
						procnto.DeleteHandle(h)
					}
				}
			}
		}()
	}
	rounds := 5000
	if testing.Short() || raceEnabled {
		rounds = 1000
	}
	for range rounds {
		h, err := procnto.CreateHandle(fd, os.Getpid(), os.O_RDONLY, 0)
		require.NoError(t, err)
		revoked := make(chan error)
		go func() { revoked <- procnto.Revoke(fd, os.Getpid()) }()
		mem, mapped := procnto.MapHandle(h, os.O_RDONLY, page, os.Getpid())
		require.NoError(t, <-revoked)
		if mapped == nil {
			left := !memory.Revoked(unsafe.Pointer(&mem[0]))
			require.NoError(t, memory.Unmap(mem))
			require.False(t, left, "neither the handle nor the mapping was revoked")
		}
	}
	close(stop)
	for range 3 {
		<-stopped
	}
}

// TestNothingOwed: a process that has caught up with everything is not taken for slow,
// also where a later revocation has replaced an earlier one.
func TestNothingOwed(t *testing.T) {
	p := newLinked(t)
	run := func(n int) {
		errs := make(chan error, n)
		for range n {
			go func() { errs <- procnto.Revoke(p.fd, -1) }()
		}
		for range n {
			<-errs
		}
	}
	const many = 500 // more than there is room for
	run(many)
	// What it confirms it need not have read: the socket stays full.
	id := p.asked(t).ID
	for i := range uint64(2 * many) {
		require.NoError(t, p.link.Say(&wire.Revoked{ID: id - many + i}))
	}
	testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Owed() == 0 }, "these are confirmed")
	run(10) // each replaces the one before
	go func() {
		for {
			f, err := p.link.ReceiveFrame()
			if err != nil {
				return
			}
			p.link.Say(&wire.Revoked{ID: f.(*wire.Revoke).ID})
		}
	}()
	testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Revoke(p.fd, -1) == nil && procnto.Owed() == 0 }, "%v are owed",
		testproc.Lazy(func() any { return procnto.Owed() }))
	unix.Shutdown(p.link.FD, unix.SHUT_RDWR) // ends the receiver
}

// TestLostLink: a link may end while both processes live. What the other one has
// mapped is registered anew.
func TestLostLink(t *testing.T) {
	child := testproc.Start(t, "node")
	fd := newRevocable(t)
	defer unix.Close(fd)
	mapping := shareRevocable(t, fd, child)
	registered := func() {
		t.Helper()
		testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Mappers() == 1 }, "%v are registered, and not the child alone",
			testproc.Lazy(func() any { return procnto.Mappers() }))
	}
	for range 3 {
		registered()
		procnto.EndLinks()
	}
	registered()
	require.NoError(t, procnto.Revoke(fd, child.PID()))
	requireFault(t, child, mapping)
}
