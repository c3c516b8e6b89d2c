//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// touch reads memory: EFAULT if it cannot.
func touch(b []byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = syscall.EFAULT
		}
	}()
	touched = b[0]
	return nil
}

var touched byte

// sealMapping keeps memory mapped as it is for good.
func sealMapping(b []byte) error {
	const mseal = 462 // of all architectures
	_, _, errno := unix.Syscall(mseal, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// bequeath lets a process have a connection that outlives this one.
func (n *node) bequeath(a arguments) ([]any, error) { // conn
	heir := exec.Command("cat")
	heir.Stdin = os.Stdin // ends with the test
	heir.ExtraFiles = []*os.File{os.NewFile(uintptr(a.int(0)), "")}
	return nil, heir.Start()
}

// falseCreator makes the node listen as itself without the host's library: it
// hands out handles of a revocable object that it is the creator of, confirms
// registrations, and does on links what behave says.
func (n *node) falseCreator(arguments) ([]any, error) {
	name, err := procnto.ProcessSocket(os.Getpid())
	if err != nil {
		return nil, err
	}
	w, err := rawListen(name)
	if err != nil {
		return nil, err
	}
	fd, err := anObject(1, "trap")
	if err == nil {
		err = unix.Fchmod(fd, 0o644|unix.S_ISVTX)
	}
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := w.accept()
			if err != nil {
				return
			}
			go n.create(c, fd)
		}
	}()
	return []any{os.Getpid()}, nil
}

func (n *node) create(c wire, object int) {
	defer c.close()
	hello, _, _, err := c.receive(0)
	if err != nil || c.send(procnto.Frame{Kind: procnto.Welcome}.Encode()) != nil {
		return
	}
	if hello.Kind == procnto.HelloLink {
		n.mu.Lock()
		n.links = append(n.links, c)
		n.mu.Unlock()
		for {
			if _, _, _, err := c.receive(0); err != nil && err != syscall.EAGAIN {
				n.mu.Lock()
				n.linksEnded++
				n.mu.Unlock()
				return
			}
		}
	}
	for {
		f, _, _, err := c.receive(0)
		if err != nil {
			return
		}
		a := procnto.Frame{Kind: procnto.Answer, ID: f.ID}
		n.mu.Lock()
		act := n.act
		n.mu.Unlock()
		switch f.Kind {
		case procnto.MapRequest, procnto.OpenRequest:
			start, _ := procnto.StartTime(os.Getpid())
			a.COID, a.C = int32(os.Getpid()), start
			fd, err := unix.Open(pathOf(object), int(f.Number)|unix.O_CLOEXEC, 0)
			if err != nil || c.send(a.Encode(), fd) != nil {
				return
			}
			unix.Close(fd)
			continue
		case procnto.ClaimRequest:
			if act == "busy" {
				a.Errno = int32(syscall.EBUSY)
			}
		case procnto.RegisterRequest:
			if act == "late" { // long enough for what is not needed to go
				n.waitForEnd(time.Second)
			}
		}
		if c.send(a.Encode()) != nil {
			return
		}
	}
}

// waitForEnd waits until a link has ended, but not for ever.
func (n *node) waitForEnd(limit time.Duration) {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		n.mu.Lock()
		ended := n.linksEnded > 0
		n.mu.Unlock()
		if ended {
			return
		}
	}
}

// shareRevocable gives a child an object of this process and returns the handle
// by which the child knows its mapping.
func shareRevocable(t testing.TB, fd int, c *child) (h uint64) {
	t.Helper()
	h, err := procnto.CreateHandle(fd, c.pid(), os.O_RDONLY, procnto.OptNoFD)
	require.NoError(t, err)
	c.do("map", h, os.O_RDONLY, 1)
	c.do("touch", h)
	return h
}

func requireFault(t testing.TB, c *child, h uint64) {
	t.Helper()
	_, errno := c.try("touch", h)
	require.Equal(t, syscall.EFAULT, errno)
}

func openBy(t testing.TB, fd int, c *child, access int) (theirs int) {
	t.Helper()
	h, err := procnto.CreateHandle(fd, c.pid(), access, 0)
	require.NoError(t, err)
	return c.number("open", h, access)
}

// TestRevokeWhatStays: nil would be a lie.
func TestRevokeWhatStays(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	child := startChild(t)
	h := shareRevocable(t, fd, child)
	_, errno := child.try("seal", h)
	if errno == syscall.ENOSYS {
		t.Skip("mseal came with Linux 6.10")
	}
	require.Zero(t, errno)
	err := procnto.Revoke(fd, child.pid())
	require.ErrorIs(t, err, qnxerr.ErrRevokePending)
	require.ErrorContains(t, err, fmt.Sprint(child.pid()))
	child.do("touch", h)
}

// TestRevokeOnlyOfOwn: a name can be opened past the creator, who would not know
// of the mapping; and of a mark that others make.
func TestRevokeOnlyOfOwn(t *testing.T) {
	fd, err := procnto.OpenObject(fmt.Sprint("qnxshm-test-", os.Getpid(), "-", time.Now().UnixNano()), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	require.NoError(t, err)
	defer unix.Close(fd)
	path, err := os.Readlink(pathOf(fd))
	require.NoError(t, err)
	defer procnto.UnlinkObject(filepath.Base(path))
	_, err = procnto.Control(fd, procnto.ControlRevocable, 0, 0)
	requireErrno(t, syscall.ENOSYS, err)
	requireErrno(t, syscall.EINVAL, procnto.Revoke(fd, -1))

	fd = newObject(t, 1, "plain")
	defer unix.Close(fd)
	child := startChild(t)
	theirs := openBy(t, fd, child, os.O_RDWR)
	_, errno := child.try("control", theirs, procnto.ControlRevocable)
	require.Equal(t, syscall.EPERM, errno)
	requireErrno(t, syscall.EINVAL, procnto.Revoke(fd, -1))
	_, err = procnto.Control(fd, procnto.ControlRevocable, 0, 0)
	require.NoError(t, err)
}

// TestMapRevocableByInheritance: of a descriptor that was inherited or sent
// nobody knows the creator.
func TestMapRevocableByInheritance(t *testing.T) {
	fd, err := anObject(1, "")
	require.NoError(t, err)
	defer unix.Close(fd)
	made, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	require.NoError(t, err)
	defer unix.Close(made)
	require.NoError(t, unix.Ftruncate(made, 4096))
	mem, err := procnto.Map(made, os.O_RDWR, 0, 4096)
	require.NoError(t, err)
	require.NoError(t, procnto.Unmap(mem))
	require.NoError(t, unix.Fchmod(made, 0o644|unix.S_ISVTX))
	_, err = procnto.Map(made, os.O_RDWR, 0, 4096)
	requireErrno(t, syscall.EBADF, err)
}

// TestRevokeAsksOnlyWhomItConcerns: a process that has the same object, and is
// stopped.
func TestRevokeAsksOnlyWhomItConcerns(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	one, other := startChild(t), startChild(t)
	h1, h2 := shareRevocable(t, fd, one), shareRevocable(t, fd, other)
	other.stop()
	require.NoError(t, procnto.Revoke(fd, one.pid()))
	requireFault(t, one, h1)
	require.NoError(t, other.cmd.Process.Signal(syscall.SIGCONT))
	other.do("touch", h2)

	// One that may have made handles for it is asked.
	maker := startChild(t)
	theirs := openBy(t, fd, maker, os.O_RDWR)
	maker.handle("handle", theirs, one.pid(), os.O_RDONLY)
	maker.stop()
	err := procnto.Revoke(fd, one.pid())
	require.ErrorIs(t, err, qnxerr.ErrRevokePending)
	require.ErrorContains(t, err, fmt.Sprint(maker.pid()))
}

// TestRevokeWithoutRoom: a process that reads nothing is not taken for one that
// has confirmed, and gets it all later.
func TestRevokeWithoutRoom(t *testing.T) {
	check := noLeak(t)
	p := newLinked(t, 1)
	const calls = 800
	errs := make(chan error, calls)
	for range calls {
		go func() { errs <- procnto.Revoke(p.fd, -1) }()
	}
	for range calls {
		require.ErrorIs(t, <-errs, qnxerr.ErrRevokePending)
	}
	last := uint64(0)
	go func() { errs <- procnto.Revoke(p.fd, -1) }()
	for ended := false; !ended; {
		f := p.link.mustReceive(t)
		require.Equal(t, procnto.RevokeFrame, f.Kind)
		last = max(last, f.ID)
		require.NoError(t, p.link.send(procnto.Frame{Kind: procnto.RevokedFrame, ID: f.ID}.Encode()))
		select {
		case err := <-errs:
			require.NoError(t, err)
			ended = true
		default:
			ended = f.ID > calls
		}
	}
	require.Greater(t, last, uint64(calls))
	p.close()
	check()
}

// passedOn has a child make a handle, for this process, of an object that this
// process is the creator of. The handle is then on its way on a connection
// without the library, and the child stopped.
func passedOn(t testing.TB, fd int) (maker *child, w wire, h uint64) {
	t.Helper()
	maker = startChild(t)
	theirs := openBy(t, fd, maker, os.O_RDWR)
	h = maker.handle("handle", theirs, os.Getpid(), os.O_RDONLY)
	name, err := procnto.ProcessSocket(maker.pid())
	require.NoError(t, err)
	w = greet(t, name)
	t.Cleanup(w.close)
	require.NoError(t, w.send(procnto.Frame{Kind: procnto.MapRequest, ID: h, Number: int32(os.O_RDONLY)}.Encode()))
	require.Zero(t, w.mustReceive(t).Errno)
	maker.stop()
	return maker, w, h
}

// TestClaimAfterRevoke: what the creator has revoked before the recipient claimed
// stays revoked, in whatever order the maker sees that.
func TestClaimAfterRevoke(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	maker, w, h := passedOn(t, fd)
	require.ErrorIs(t, procnto.Revoke(fd, -1), qnxerr.ErrRevokePending)
	require.NoError(t, w.send(procnto.Frame{Kind: procnto.ClaimRequest, ID: h}.Encode()))
	require.NoError(t, maker.cmd.Process.Signal(syscall.SIGCONT))
	require.Equal(t, int32(syscall.ESRCH), w.mustReceive(t).Errno)
}

// TestRevokeAfterMakers: one may map with a handle after it was asked, as long as
// the handle's maker was not.
func TestRevokeAfterMakers(t *testing.T) {
	p := newLinked(t, 1)
	maker, w, h := passedOn(t, p.fd)
	require.NoError(t, w.send(procnto.Frame{Kind: procnto.ClaimRequest, ID: h}.Encode()))
	done := make(chan error, 1)
	go func() { done <- procnto.Revoke(p.fd, -1) }()
	for range 2 {
		f := p.link.mustReceive(t)
		require.Equal(t, procnto.RevokeFrame, f.Kind)
		require.NoError(t, p.link.send(procnto.Frame{Kind: procnto.RevokedFrame, ID: f.ID}.Encode()))
		require.NoError(t, maker.cmd.Process.Signal(syscall.SIGCONT))
	}
	require.NoError(t, <-done)
}

// TestRevokeByStranger: a process may be the creator of something that this one
// has, but not of all.
func TestRevokeByStranger(t *testing.T) {
	child := startChild(t)
	child.do("falsecreator")
	trap, err := procnto.MapHandle(uint64(child.pid())<<42|1, os.O_RDONLY, int64(os.Getpagesize()), child.pid())
	require.NoError(t, err)
	defer procnto.Unmap(trap)
	fd := newRevocable(t)
	defer unix.Close(fd)
	mine, err := procnto.Map(fd, os.O_RDWR, 0, int64(os.Getpagesize()))
	require.NoError(t, err)
	defer procnto.Unmap(mine)
	h, err := procnto.CreateHandle(fd, os.Getpid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	revoke := func(b []byte) {
		var st unix.Stat_t
		require.NoError(t, unix.Stat(fmt.Sprintf("/proc/self/fd/%d", fd), &st))
		key := []any{st.Dev, st.Ino}
		if b != nil {
			key = mapped(t, b)
		}
		child.do("askall", key[0], key[1], -1)
	}
	revoke(nil)
	revoke(trap)
	eventually(t, patience, func() bool { return touch(trap) != nil }, "the creator could not revoke")
	require.NoError(t, touch(mine))
	require.NoError(t, procnto.DeleteHandle(h), "it is still there")
}

// mapped returns device and inode of what is mapped.
func mapped(t testing.TB, b []byte) []any {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	at := fmt.Sprintf("%x-", uintptr(unsafe.Pointer(&b[0])))
	for line := range strings.Lines(string(maps)) {
		// start-end protection offset major:minor inode
		if f := strings.Fields(line); strings.HasPrefix(line, at) {
			var major, minor uint32
			_, err := fmt.Sscanf(f[3], "%x:%x", &major, &minor)
			require.NoError(t, err)
			return []any{unix.Mkdev(major, minor), f[4]}
		}
	}
	require.FailNow(t, "not mapped")
	return nil
}

// askAll sends a revocation on all links of a false creator.
func (n *node) askAll(a arguments) ([]any, error) { // dev ino pid
	n.mu.Lock()
	defer n.mu.Unlock()
	f := procnto.Frame{Kind: procnto.RevokeFrame, ID: 1, A: int64(a.int(0)), B: int64(a.int(1)), Number: int32(a.int(2))}
	for _, l := range n.links {
		if err := l.send(f.Encode()); err != nil {
			return nil, err
		}
	}
	if len(n.links) == 0 {
		return nil, syscall.ENOENT
	}
	return nil, nil
}

// TestClaimAlwaysBusy: a maker that wants the mapping to be made again and again.
func TestClaimAlwaysBusy(t *testing.T) {
	child := startChild(t)
	child.do("falsecreator")
	child.do("behave", "busy")
	_, err := procnto.MapHandle(uint64(child.pid())<<42|1, os.O_RDONLY, int64(os.Getpagesize()), child.pid())
	requireErrno(t, syscall.ESRCH, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.NotContains(t, string(maps), "memfd:qnxshm")
}

// TestRegistrationTakesLong: a link on which nothing happens for some time, but
// that a call waits for.
func TestRegistrationTakesLong(t *testing.T) {
	child := startChild(t)
	child.do("falsecreator")
	child.do("behave", "late")
	fd, err := procnto.OpenHandle(uint64(child.pid())<<42|1, os.O_RDONLY)
	require.NoError(t, err)
	defer unix.Close(fd)
	h, err := procnto.CreateHandle(fd, os.Getpid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	var st unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &st))
	child.do("askall", st.Dev, st.Ino, os.Getpid())
	eventually(t, patience, func() bool {
		_, err := procnto.OpenHandle(h, os.O_WRONLY)
		return errnoOf(err) == syscall.ESRCH
	}, "the handle was not revoked")
}

// TestRegisterWhatever: a peer cannot fill this process's memory, nor register in
// the name of another one.
func TestRegisterWhatever(t *testing.T) {
	check := noLeak(t)
	p := newLinked(t, 7)
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	w := greet(t, name)
	register := func(token uint64, dev, ino uint64) syscall.Errno {
		require.NoError(t, w.send(procnto.Frame{Kind: procnto.RegisterRequest, ID: token, A: int64(dev), B: int64(ino), C: 1}.Encode()))
		return syscall.Errno(w.mustReceive(t).Errno)
	}
	before := procnto.Registrations()
	for ino := range uint64(100) {
		require.Equal(t, syscall.ESRCH, register(7, 1<<40, ino))
	}
	require.Equal(t, before, procnto.Registrations())
	require.Equal(t, syscall.ENOTCONN, register(8, 1, 1))
	w.close()
	p.close()
	check()
}

// TestRegistrationsEnd: a creator of ever new buffers, and a recipient that always
// has one of them.
func TestRegistrationsEnd(t *testing.T) {
	first := newRevocable(t)
	defer unix.Close(first)
	child := startChild(t)
	kept := shareRevocable(t, first, child)
	for range 300 {
		fd := newRevocable(t)
		h := shareRevocable(t, fd, child)
		child.do("unmap", h)
		unix.Close(fd)
	}
	eventually(t, patience, func() bool { return procnto.Registrations() < 150 }, "%v registrations", lazy(func() any { return procnto.Registrations() }))
	require.NoError(t, procnto.Revoke(first, child.pid()))
	requireFault(t, child, kept)
}

// TestRevokeDeadWithHeir: the link of a process may outlive it.
func TestRevokeDeadWithHeir(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	var st unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &st))
	name, err := procnto.ProcessSocket(os.Getpid())
	require.NoError(t, err)
	child := startChild(t)
	link, w := child.number("dial", name), child.number("dial", name)
	say := func(conn int, f procnto.Frame) {
		child.do("rawsend", conn, quote(f.Encode()))
		child.do("rawreceive", conn, 0)
	}
	say(link, procnto.Frame{Kind: procnto.HelloLink, ID: 1})
	say(w, procnto.Frame{Kind: procnto.HelloHandles})
	say(w, procnto.Frame{Kind: procnto.RegisterRequest, ID: 1, A: int64(st.Dev), B: int64(st.Ino), C: 1})
	child.do("bequeath", link)
	require.ErrorIs(t, procnto.Revoke(fd, child.pid()), qnxerr.ErrRevokePending)
	require.NoError(t, child.cmd.Process.Kill())
	require.NoError(t, procnto.Revoke(fd, child.pid()))
}

// TestProtectWhileRevoked: whoever has checked that memory is there must not make
// it accessible after it was taken away.
func TestProtectWhileRevoked(t *testing.T) {
	const read = 0x100 // PROT_READ of QNX
	fd := newRevocable(t)
	defer unix.Close(fd)
	page := os.Getpagesize()
	for range 2000 {
		mem, err := procnto.Map(fd, os.O_RDONLY, 0, int64(page))
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 2 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for procnto.Mprotect(unsafe.Pointer(&mem[0]), uint64(page), read) == nil {
				}
			}()
		}
		require.NoError(t, procnto.Revoke(fd, -1))
		err = touch(mem)
		wg.Wait()
		require.ErrorIs(t, err, syscall.EFAULT)
		require.ErrorIs(t, touch(mem), syscall.EFAULT)
		require.NoError(t, procnto.Unmap(mem))
	}
}

// TestStaleMappings: memory that was unmapped past this module is forgotten when
// something else is there.
func TestStaleMappings(t *testing.T) {
	const read, shared = 0x100, 1 // of QNX
	one, two := newRevocable(t), newRevocable(t)
	defer unix.Close(one)
	defer unix.Close(two)
	page := os.Getpagesize()
	var q unsafe.Pointer
	eventually(t, patience, func() bool { // until no other thread takes the place
		p, err := procnto.Mmap(nil, uint64(page), read, shared, one, 0)
		require.NoError(t, err)
		require.NoError(t, unix.MunmapPtr(p, uintptr(page)))
		got, err := procnto.Mmap(p, uint64(page), read, shared, two, 0)
		require.NoError(t, err)
		t.Cleanup(func() { procnto.Munmap(got, uint64(page)) })
		q = got
		return p == q
	}, "the kernel always chose another place")
	require.NoError(t, procnto.Revoke(one, -1))
	require.NoError(t, touch(unsafe.Slice((*byte)(q), page)))
}
