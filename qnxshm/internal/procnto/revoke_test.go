//go:build linux

package procnto_test

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// newRevocable is newObject of one page that can be revoked.
func newRevocable(t testing.TB) (fd int) {
	t.Helper()
	fd = newObject(t, 1, "secret")
	_, err := procnto.Control(fd, procnto.ControlRevocable, 0, 0)
	require.NoError(t, err)
	return fd
}

// A linked is a peer without the library that has registered for an object and
// answers when it is told to.
type linked struct {
	fd   int // of the object
	link wire
	once *sync.Once
}

func (p linked) close() {
	p.once.Do(func() {
		p.link.close()
		unix.Close(p.fd)
	})
}

func newLinked(t testing.TB, token uint64) linked {
	t.Helper()
	fd := newRevocable(t)
	var st unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &st))
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	link := reach(t, name)
	p := linked{fd, link, new(sync.Once)}
	t.Cleanup(p.close)
	require.NoError(t, link.send(procnto.Frame{Kind: procnto.HelloLink, ID: token}.Encode()))
	require.Equal(t, procnto.Welcome, link.mustReceive(t).Kind)
	w := greet(t, name)
	defer w.close()
	require.NoError(t, w.send(procnto.Frame{Kind: procnto.RegisterRequest, ID: token, A: int64(st.Dev), B: int64(st.Ino), C: 1}.Encode()))
	require.Zero(t, w.mustReceive(t).Errno)
	return p
}

// TestConcurrentRevokes: the answer to a Revoke may be taken by the thread of
// another one, which has to tell. Nothing else comes that would wake the first.
func TestConcurrentRevokes(t *testing.T) {
	check := noLeak(t)
	const threads = 3
	var peers []linked
	for i := range threads {
		peers = append(peers, newLinked(t, uint64(i+1)))
	}
	rounds := 3000
	if testing.Short() || raceEnabled {
		rounds = 500
	}
	var longest time.Duration
	errs := make(chan error, threads)
	for range rounds {
		start := time.Now()
		var answers [threads][]byte
		for _, p := range peers {
			go func() { errs <- procnto.Revoke(p.fd, -1) }()
		}
		for i, p := range peers {
			f := p.link.mustReceive(t)
			require.Equal(t, procnto.RevokeFrame, f.Kind)
			answers[i] = procnto.Frame{Kind: procnto.RevokedFrame, ID: f.ID}.Encode()
		}
		for i, p := range peers {
			require.NoError(t, p.link.send(answers[i]))
		}
		for range peers {
			require.NoError(t, <-errs)
		}
		longest = max(longest, time.Since(start))
		require.Less(t, longest, 700*time.Millisecond, "a Revoke was not told that it is done")
	}
	for _, p := range peers {
		p.close()
	}
	check()
}

// TestRevokeOfParts: the kernel unmaps whole pages, whatever the length says.
func TestRevokeOfParts(t *testing.T) {
	const read, shared = 0x100, 1 // PROT_READ, MAP_SHARED of QNX
	fd := newRevocable(t)
	defer unix.Close(fd)
	page := os.Getpagesize()
	require.NoError(t, procnto.Truncate(fd, int64(4*page)))
	p, err := procnto.Mmap(nil, uint64(4*page-5), read, shared, fd, 0)
	require.NoError(t, err)
	at := func(page int) unsafe.Pointer { return unsafe.Add(p, page*os.Getpagesize()) }
	require.NoError(t, procnto.Munmap(p, 1))
	require.NoError(t, procnto.Munmap(at(2), uint64(page-1)))
	// What comes there is nobody's to take away.
	own, err := unix.MmapPtr(-1, 0, p, uintptr(page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED)
	require.NoError(t, err)
	require.Equal(t, p, own)
	require.NoError(t, procnto.Revoke(fd, -1))
	*(*byte)(p) = 1
	require.False(t, procnto.Revoked(at(0)))
	require.True(t, procnto.Revoked(at(1)))
	require.False(t, procnto.Revoked(at(2)))
	require.True(t, procnto.Revoked(at(3)))
	require.NoError(t, procnto.Munmap(p, uint64(4*page)))
	require.False(t, procnto.Revoked(at(1)))
}

// TestRevocableIsForgotten: the process can be asked about revocable objects only
// as long as it has one.
func TestRevocableIsForgotten(t *testing.T) {
	check := noLeak(t)
	fd := newRevocable(t)
	child := startChild(t)
	h, err := procnto.CreateHandle(fd, child.pid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	child.do("map", h, os.O_RDONLY, 1)
	child.kill()
	unix.Close(fd)
	closed := time.Now()
	check()
	require.Less(t, time.Since(closed), 2*time.Second)
}

// TestCreatorGetsItsObjectBack: a process that has no descriptor of its object
// left is not asked about it. When it gets one again it can be reached again.
func TestCreatorGetsItsObjectBack(t *testing.T) {
	check := noLeak(t)
	fd := newRevocable(t)
	child := startChild(t)
	h, err := procnto.CreateHandle(fd, child.pid(), os.O_RDWR, 0)
	require.NoError(t, err)
	got := child.number("open", h, os.O_RDWR)
	unix.Close(fd)
	eventually(t, leakLimit, func() bool { return !listening(t, os.Getpid()) }, "still serves")
	back, err := procnto.OpenHandle(child.handle("handle", got, os.Getpid(), os.O_RDWR), os.O_RDWR)
	require.NoError(t, err)
	own := child.handle("handle", got, child.pid(), os.O_RDONLY)
	child.do("map", own, os.O_RDONLY, 1)
	require.NoError(t, procnto.Revoke(back, child.pid()))
	require.Equal(t, []string{"true"}, child.do("revoked", own))
	child.kill()
	unix.Close(back)
	check()
}

// TestRevokeBeforeClaim: a maker that was stopped finds a creator's Revoke and the
// claim of a recipient that came later, and may be about to look at the handle in
// transit. Whatever it sees first, the handle was revoked: a Revoke that has given
// up waiting tells nobody else.
func TestRevokeBeforeClaim(t *testing.T) {
	maker := startChild(t)
	fd := newRevocable(t)
	defer unix.Close(fd)
	h, err := procnto.CreateHandle(fd, maker.pid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	theirs := maker.number("open", h, os.O_RDONLY)
	name, err := procnto.ProcessSocket(maker.pid())
	require.NoError(t, err)
	for range 20 {
		h := maker.handle("handle", theirs, os.Getpid(), os.O_RDONLY)
		own, err := procnto.MapWhole(fd, os.O_RDONLY)
		require.NoError(t, err)
		recipient := greet(t, name)
		require.NoError(t, recipient.send(procnto.Frame{Kind: procnto.MapRequest, ID: h, Number: int32(os.O_RDONLY)}.Encode()))
		require.Zero(t, recipient.mustReceive(t).Errno)
		asked := time.Now()
		maker.stop()
		ended := make(chan error)
		go func() { ended <- procnto.Revoke(fd, os.Getpid()) }()
		eventually(t, patience, func() bool { return procnto.Revoked(unsafe.Pointer(&own[0])) }, "no revocation")
		// With its own mapping gone the process has the others' in hand until it
		// has asked them.
		requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(uint64(os.Getpid())<<42|1))
		require.NoError(t, procnto.Unmap(own))
		require.NoError(t, recipient.send(procnto.Frame{Kind: procnto.ClaimRequest, ID: h}.Encode()))
		time.Sleep(time.Until(asked.Add(8 * time.Millisecond))) // then the maker looks
		require.NoError(t, maker.cmd.Process.Signal(syscall.SIGCONT))
		require.Equal(t, int32(syscall.ESRCH), recipient.mustReceive(t).Errno, "the claim of a handle that was revoked")
		require.NoError(t, <-ended)
		recipient.close()
	}
}
