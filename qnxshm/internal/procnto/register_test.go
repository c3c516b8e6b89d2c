//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"sync/atomic"
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
)

// Registrations have no answer: these tests are about what is still on its way.

// words are of memory that processes share.
func word(mem []byte, i int) *uint64 { return (*uint64)(unsafe.Pointer(&mem[8*i])) }

// waitFor waits until a word is no less than want. Both processes may have one
// processor.
func waitFor(w *uint64, want uint64) error {
	for deadline := time.Now().Add(testproc.Patience); atomic.LoadUint64(w) < want; {
		if time.Now().After(deadline) {
			return syscall.ETIMEDOUT
		}
		unix.Nanosleep(&unix.Timespec{Nsec: 1}, nil)
	}
	return nil
}

// TestRevokeTakesInWhatHasCome: who had registered when Revoke was called is asked,
// also when this process has much to read before.
func TestRevokeTakesInWhatHasCome(t *testing.T) {
	other := newRevocable(t)
	defer unix.Close(other)
	before := registration(t, other)
	rounds := 300
	if testing.Short() || raceEnabled {
		rounds = 100
	}
	for i := range rounds {
		p := linked{fd: newRevocable(t), link: greetLink(t, ownSocket(t))}
		for range i % 150 {
			require.NoError(t, p.link.Say(before))
		}
		require.NoError(t, p.link.Say(registration(t, p.fd)))
		done := make(chan error, 1)
		go func() { done <- procnto.Revoke(p.fd, -1) }()
		p.confirm(t, p.asked(t))
		require.NoError(t, <-done)
		p.link.Close()
		unix.Close(p.fd)
	}
}

// TestRevokeTakesInAllLinks: more of them have something to say than one look at them
// tells of.
func TestRevokeTakesInAllLinks(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	f := registration(t, fd)
	var links []testproc.Raw
	for range 100 {
		w := greetLink(t, ownSocket(t))
		defer w.Close()
		links = append(links, w)
	}
	for _, w := range links {
		require.NoError(t, w.Say(f))
	}
	done := make(chan error, 1)
	go func() { done <- procnto.Revoke(fd, -1) }()
	for _, w := range links {
		linked{link: w}.confirm(t, linked{link: w}.asked(t))
	}
	require.NoError(t, <-done)
}

// loud begins links on which peers register without end, until the test is over. It
// returns how often they have.
func loud(t testing.TB, links int) *atomic.Int64 {
	t.Helper()
	fd := newRevocable(t)
	packet := testproc.Encode(registration(t, fd))
	var said atomic.Int64
	var open []testproc.Raw
	ended := make(chan struct{})
	for range links {
		w := greetLink(t, ownSocket(t))
		open = append(open, w)
		go func() {
			for w.Send(packet) == nil {
				said.Add(1)
			}
			ended <- struct{}{}
		}()
	}
	t.Cleanup(func() {
		for _, w := range open {
			unix.Shutdown(w.FD, unix.SHUT_RDWR)
		}
		for range open {
			<-ended
		}
		for _, w := range open {
			w.Close()
		}
		unix.Close(fd)
	})
	return &said
}

// TestRevokeDoesNotWaitForTheLoud: a peer that registers without end is read as far
// as it had come.
func TestRevokeDoesNotWaitForTheLoud(t *testing.T) {
	said := loud(t, 4)
	fd := newRevocable(t)
	defer unix.Close(fd)
	const much = 20_000
	for said.Load() < much {
		began := time.Now()
		require.NoError(t, procnto.Revoke(fd, -1))
		require.Less(t, time.Since(began), procnto.RevokeTimeout)
	}
}

// TestRevokeFromOneThatIsGone: it had registered for the object, and nobody has read
// that yet.
func TestRevokeFromOneThatIsGone(t *testing.T) {
	loud(t, 32)
	fd, other := newRevocable(t), newRevocable(t)
	defer unix.Close(fd)
	defer unix.Close(other)
	for range 5 {
		child := testproc.Start(t, "node")
		link := linkOf(t, child)
		child.Do("rawrepeat", link, testproc.Encode(registration(t, other)), 150)
		child.Do("rawsend", link, testproc.Encode(registration(t, fd)))
		child.Kill()
		require.NoError(t, procnto.Revoke(fd, child.PID()))
	}
}

// keepMapping maps an object as often as the creator says, and writes to it all the
// time until it is revoked. Of the gate, which both processes have, the first word
// says how often it is to be mapped, the second how often it was.
func keepMapping(fd int, handleOfGate, times uint64) error {
	gate, err := procnto.MapHandle(handleOfGate, os.O_RDWR, page, procnto.MakerOf(handleOfGate))
	if err != nil {
		return err
	}
	defer memory.Unmap(gate)
	for i := range times {
		if err := waitFor(word(gate, 0), i+1); err != nil {
			return err
		}
		mem, err := procnto.MapWhole(fd, os.O_RDWR)
		if err != nil {
			return err
		}
		atomic.StoreUint64(word(gate, 1), i+1)
		for deadline := time.Now().Add(testproc.Patience); !memory.Revoked(unsafe.Pointer(&mem[0])); {
			faulting(func() { // until it is revoked
				for range 100 { // the race detector's atomics cannot be recovered from
					*word(mem, 0)++
				}
			})
			if time.Now().After(deadline) {
				return syscall.ETIMEDOUT
			}
		}
		if err := memory.Unmap(mem); err != nil {
			return err
		}
	}
	return nil
}

// TestRevokeRightAfterMap: whatever another process had mapped when Revoke was called
// it cannot write to when that has returned.
func TestRevokeRightAfterMap(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	mem, err := procnto.MapWhole(fd, os.O_RDWR)
	require.NoError(t, err)
	defer memory.Unmap(mem)
	gateFD := newObject(t, 1, "")
	defer unix.Close(gateFD)
	gate, err := procnto.MapWhole(gateFD, os.O_RDWR)
	require.NoError(t, err)
	defer memory.Unmap(gate)
	child := testproc.Start(t, "node")
	theirs := openBy(t, fd, child, os.O_RDWR)
	h, err := procnto.CreateHandle(gateFD, child.PID(), os.O_RDWR, 0)
	require.NoError(t, err)
	rounds := 2000
	if testing.Short() || raceEnabled {
		rounds = 400
	}
	mapping := child.Begin("keepmapping", theirs, h, rounds)
	for i := range uint64(rounds) {
		atomic.StoreUint64(word(gate, 0), i+1)
		require.NoError(t, waitFor(word(gate, 1), i+1))
		err := procnto.Revoke(fd, child.PID())
		for err != nil { // it may be kept from the processor
			require.ErrorIs(t, err, qnxerr.ErrRevokePending)
			err = procnto.Revoke(fd, child.PID())
		}
		count := atomic.LoadUint64(word(mem, 0))
		for range i % 8 {
			unix.Nanosleep(&unix.Timespec{Nsec: 1}, nil)
		}
		require.Equal(t, count, atomic.LoadUint64(word(mem, 0)), "round %d: written after shm_revoke", i)
	}
	_, err = mapping.Wait()
	require.NoError(t, err)
}

// TestRevokeCrossesMap: a handle of the creator, and one of another maker, that is
// mapped while the object is revoked. The mapping is taken back, or never made.
func TestRevokeCrossesMap(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	maker, mapper := testproc.Start(t, "node"), testproc.Start(t, "node")
	theirs := openBy(t, fd, maker, os.O_RDWR)
	rounds := 1000
	if testing.Short() || raceEnabled {
		rounds = 200
	}
	kept := 0
	for i := range rounds {
		var h uint64
		if i%2 == 0 {
			h = maker.Do("handle", theirs, mapper.PID(), os.O_RDONLY).Uint64()
		} else {
			var err error
			h, err = procnto.CreateHandle(fd, mapper.PID(), os.O_RDONLY, nto.HandleNoFD)
			require.NoError(t, err)
		}
		mapping := mapper.Begin("map", h, os.O_RDONLY, 1)
		for until := time.Now().Add(time.Duration(i%100) * 5 * time.Microsecond); time.Now().Before(until); {
		}
		err := procnto.Revoke(fd, mapper.PID())
		for err != nil {
			require.ErrorIs(t, err, qnxerr.ErrRevokePending)
			err = procnto.Revoke(fd, mapper.PID())
		}
		if _, err := mapping.Wait(); err != nil {
			testproc.WantErrno(t, syscall.ESRCH, err)
			continue
		}
		kept++
		require.True(t, mapper.Do("revoked", h).Bool(), "round %d", i)
		mapper.Do("unmap", h)
	}
	t.Logf("of %d handles, %d were mapped before", rounds, kept)
}

// mapAll maps what is behind descriptors, with some threads, and keeps it under the
// numbers of these.
func (n *node) mapAll(fds []int) error {
	const threads = 4
	errs := make(chan error, threads)
	maps := make([][]byte, len(fds))
	for thread := range threads {
		go func() {
			var err error
			for i := thread; i < len(fds) && err == nil; i += threads {
				maps[i], err = procnto.MapWhole(fds[i], os.O_RDONLY)
			}
			errs <- err
		}()
	}
	var err error
	for range threads {
		if e := <-errs; e != nil {
			err = e
		}
	}
	for i, mem := range maps {
		n.mapped[uint64(fds[i])] = mem
	}
	return err
}

// TestLinksBreakWhileMapping: what is registered on a link that ends, or on the next
// one, is known in the end.
func TestLinksBreakWhileMapping(t *testing.T) {
	child := testproc.Start(t, "node")
	const many, breaks = 400, 5
	var fds, theirs []int
	for range many {
		fd := newRevocable(t)
		defer unix.Close(fd)
		fds, theirs = append(fds, fd), append(theirs, openBy(t, fd, child, os.O_RDONLY))
	}
	procnto.EndLinks()
	mapping := child.Begin("mapall", theirs)
	for range breaks {
		testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Mappers() > many/breaks/2 }, "the child does not map")
		procnto.EndLinks()
	}
	_, err := mapping.Wait()
	require.NoError(t, err)
	for i, fd := range fds {
		testproc.Eventually(t, testproc.Patience, func() bool {
			require.NoError(t, procnto.Revoke(fd, child.PID()))
			return child.Do("revoked", theirs[i]).Bool()
		}, "mapping %d is not known", i)
	}
}

// TestCreatorDoesNotRead: a creator that is stopped is told of as many mappings as its
// socket holds. For more a call waits as long as for any answer, and no other call
// does.
func TestCreatorDoesNotRead(t *testing.T) {
	creator := testproc.Start(t, "node")
	const many, threads = 1200, 4
	creator.Do("limit", 2*many)
	var theirs, fds []int
	for range many {
		fd := creator.Do("object", 1).Int()
		creator.Do("control", fd, nto.ControlRevocable)
		got, err := procnto.OpenHandle(creator.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64(), os.O_RDONLY)
		require.NoError(t, err)
		defer memory.CloseDescriptor(got)
		theirs, fds = append(theirs, fd), append(fds, got)
	}
	first, err := procnto.MapWhole(fds[0], os.O_RDONLY) // makes the link
	require.NoError(t, err)
	defer memory.Unmap(first)

	creator.Stop()
	maps := make([][]byte, many)
	var mapped atomic.Int32
	errs := make(chan error, threads)
	for thread := range threads {
		go func() {
			var err error
			for i := thread; i < many && err == nil; i += threads {
				if maps[i], err = procnto.MapWhole(fds[i], os.O_RDONLY); err == nil {
					mapped.Add(1)
				}
			}
			errs <- err
		}()
	}
	requireStuck(t, &mapped, many)
	own := newRevocable(t)
	defer unix.Close(own)
	began := time.Now()
	mem, err := procnto.MapWhole(fds[0], os.O_RDONLY)
	require.NoError(t, err, "it is registered")
	require.NoError(t, memory.Unmap(mem))
	require.NoError(t, procnto.Revoke(own, -1))
	require.Less(t, time.Since(began), time.Second)
	creator.Continue()
	for range threads {
		require.NoError(t, <-errs)
	}
	for i, fd := range theirs {
		creator.Do("revoke", fd, -1)
		require.True(t, memory.Revoked(unsafe.Pointer(&maps[i][0])), "object %d", i)
		require.NoError(t, memory.Unmap(maps[i]))
	}
}

// requireStuck waits until some have been counted, but not all, and no further ones
// come for a while.
func requireStuck(t testing.TB, count *atomic.Int32, all int32) {
	t.Helper()
	last, since := int32(0), time.Now()
	testproc.Eventually(t, testproc.Patience, func() bool {
		if n := count.Load(); n != last {
			last, since = n, time.Now()
		}
		return last > 0 && time.Since(since) > 100*time.Millisecond
	}, "they do not stop")
	require.Less(t, last, all)
}

// TestCreatorNeverReads: the call fails with what tells why, and leaves nothing. Nor
// does one that promises an answer and gives none.
func TestCreatorNeverReads(t *testing.T) {
	testproc.TakesLong(t, "waits for who never answers")
	silent := testproc.Start(t, "node")
	silent.Do("falsecreator")
	silent.Do("behave", "silent")
	unanswered := make(chan error)
	go func() {
		_, err := procnto.MapHandle(handleOf(silent), os.O_RDONLY, page, silent.PID())
		unanswered <- err
	}()
	creator := testproc.Start(t, "node")
	creator.Do("falsecreator")
	creator.Do("behave", "deaf")
	fd, err := procnto.OpenHandle(handleOf(creator), os.O_RDONLY)
	require.NoError(t, err)
	defer memory.CloseDescriptor(fd)
	d, err := memory.Describe(fd)
	require.NoError(t, err)
	const all = 10_000
	var registered atomic.Int32
	full := make(chan error)
	go func() { // what this process never had it can register as well
		var err error
		for by := d.Origin; err == nil && registered.Load() < all; registered.Add(1) {
			by.Serial++
			err = procnto.Register(by, d.Key)
		}
		full <- err
	}()
	requireStuck(t, &registered, all)
	began := time.Now()
	_, err = procnto.MapWhole(fd, os.O_RDONLY)
	testproc.WantErrno(t, syscall.EAGAIN, err)
	require.ErrorContains(t, err, fmt.Sprint(creator.PID()))
	require.GreaterOrEqual(t, time.Since(began), procnto.PeerTimeout)
	testproc.WantErrno(t, syscall.EAGAIN, <-full)
	testproc.WantErrno(t, syscall.EAGAIN, <-unanswered)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.NotContains(t, string(maps), "memfd:qnxshm")
	creator.Kill() // then nobody can revoke
	mem, err := procnto.MapWhole(fd, os.O_RDONLY)
	require.NoError(t, err)
	require.NoError(t, memory.Unmap(mem))
}
