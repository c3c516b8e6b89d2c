//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
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

// touch reads memory: EFAULT if it cannot.
func touch(b []byte) error { return faulting(func() { touched = b[0] }) }

// faulting calls what may access memory that is not there: EFAULT.
func faulting(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = syscall.EFAULT
		}
	}()
	f()
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

// falseCreator makes the node listen as itself without the host's library: it
// hands out handles of a revocable object that it is the creator of, and reads what
// is said on links. What it says to claims and of links behave says.
func (n *node) falseCreator() error {
	fd, err := anObject(1, "trap")
	if err == nil {
		_, err = memory.Control(fd, nto.ControlRevocable, 0, 0, func() error { return nil })
	}
	if err != nil {
		return err
	}
	return n.bad.Listen(plainSocket(os.Getpid()), func(c testproc.Raw, act string) { n.create(c, act, fd) })
}

func (n *node) create(c testproc.Raw, act string, object int) {
	defer c.Close()
	hello, err := c.ReceiveFrame()
	if err != nil {
		return
	}
	welcome := new(wire.Welcome)
	if hello.Kind() == wire.KindHelloLink && act == "full" {
		welcome.Errno = int32(syscall.EAGAIN)
	}
	if act == "silent" {
		welcome.Flags = wire.LinkAnswers
	}
	if c.Say(welcome) != nil || welcome.Errno != 0 {
		return
	}
	if hello.Kind() == wire.KindHelloLink {
		n.mu.Lock()
		n.links = append(n.links, c)
		n.mu.Unlock()
		if act == "deaf" {
			select {}
		}
		for err == nil || err == syscall.EAGAIN {
			_, err = c.ReceiveFrame()
		}
		return
	}
	for {
		f, err := c.ReceiveFrame()
		if err != nil || n.answerAsCreator(c, f, object) != nil {
			return
		}
	}
}

func (n *node) answerAsCreator(c testproc.Raw, f wire.Frame, object int) error {
	switch f := f.(type) {
	case *wire.Map:
		return grantTrap(c, f.Handle, f.Access, object)
	case *wire.Open:
		return grantTrap(c, f.Handle, f.Access, object)
	case *wire.Claim:
		a := &wire.Answer{ID: f.Handle}
		if n.bad.Act() == "busy" {
			a.Errno = int32(syscall.EBUSY)
		}
		return c.Say(a)
	}
	return syscall.EPROTO
}

func grantTrap(c testproc.Raw, handle uint64, access int32, object int) error {
	fd, err := unix.Open(pathOf(object), int(access)|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return c.Say(&wire.Granted{Handle: handle}, fd)
}

// askAll sends a revocation on all links of a false creator.
func (n *node) askAll(dev, ino, secret uint64, serial uint32, pid int32) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := &wire.Revoke{ID: 1, Dev: dev, Ino: ino, Secret: secret, Serial: serial, PID: pid}
	for _, l := range n.links {
		if err := l.Say(f); err != nil {
			return err
		}
	}
	if len(n.links) == 0 {
		return syscall.ENOENT
	}
	return nil
}

// askAllAbout lets a false creator ask for the revocation of an object.
func askAllAbout(t testing.TB, c *testproc.Child, fd int, pid int) {
	t.Helper()
	d, err := memory.Describe(fd)
	require.NoError(t, err)
	testproc.Eventually(t, testproc.Patience, func() bool { // links come a moment later
		err = c.Err("askall", d.Key.Dev, d.Key.Ino, d.Origin.Secret, d.Origin.Serial, pid)
		return testproc.ErrnoOf(err) != syscall.ENOENT
	}, "no link")
	require.NoError(t, err)
}

// TestRevokeWhatStays: nil would be a lie.
func TestRevokeWhatStays(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	child := testproc.Start(t, "node")
	h := shareRevocable(t, fd, child)
	err := child.Err("seal", h)
	if testproc.ErrnoOf(err) == syscall.ENOSYS {
		t.Skip("mseal came with Linux 6.10")
	}
	require.NoError(t, err)
	err = procnto.Revoke(fd, child.PID())
	require.ErrorIs(t, err, qnxerr.ErrRevokePending)
	require.ErrorContains(t, err, fmt.Sprint(child.PID()))
	child.Do("touch", h)
}

// passedOn has a child make a handle, for this process, of an object that this
// process is the creator of. The handle is then on its way on a connection
// without the library, and the child stopped.
func passedOn(t testing.TB, fd int) (maker *testproc.Child, w testproc.Raw, h uint64) {
	t.Helper()
	maker = testproc.Start(t, "node")
	theirs := openBy(t, fd, maker, os.O_RDWR)
	h = maker.Do("handle", theirs, os.Getpid(), os.O_RDONLY).Uint64()
	w = greet(t, plainSocket(maker.PID()))
	t.Cleanup(w.Close)
	require.NoError(t, w.Say(&wire.Map{Handle: h, Access: int32(os.O_RDONLY)}))
	requireGranted(t, w)
	maker.Stop()
	return maker, w, h
}

// TestClaimAfterRevoke: what the creator has revoked before the recipient claimed
// stays revoked, in whatever order the maker sees that.
func TestClaimAfterRevoke(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	maker, w, h := passedOn(t, fd)
	require.ErrorIs(t, procnto.Revoke(fd, -1), qnxerr.ErrRevokePending)
	require.NoError(t, w.Say(&wire.Claim{Handle: h}))
	maker.Continue()
	require.Equal(t, syscall.ESRCH, answered(t, w))
}

// TestRevokeAfterMakers: one may map with a handle after it was asked, as long as
// the handle's maker was not.
func TestRevokeAfterMakers(t *testing.T) {
	p := newLinked(t)
	maker, w, h := passedOn(t, p.fd)
	require.NoError(t, w.Say(&wire.Claim{Handle: h}))
	done := make(chan error, 1)
	go func() { done <- procnto.Revoke(p.fd, -1) }()
	for range 2 {
		p.confirm(t, p.asked(t))
		maker.Continue()
	}
	require.NoError(t, <-done)
}

// TestRevokeByStranger: a process may be the creator of something that this one
// has, but not of all.
func TestRevokeByStranger(t *testing.T) {
	child := testproc.Start(t, "node")
	child.Do("falsecreator")
	trapFD, err := procnto.OpenHandle(handleOf(child), os.O_RDONLY)
	require.NoError(t, err)
	defer unix.Close(trapFD)
	trap, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.PID())
	require.NoError(t, err)
	defer memory.Unmap(trap)
	fd := newRevocable(t)
	defer unix.Close(fd)
	mine, err := procnto.Map(fd, os.O_RDWR, 0, page)
	require.NoError(t, err)
	defer memory.Unmap(mine)
	h, err := procnto.CreateHandle(fd, os.Getpid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	askAllAbout(t, child, fd, -1)
	askAllAbout(t, child, trapFD, -1)
	testproc.Eventually(t, testproc.Patience, func() bool { return touch(trap) != nil }, "the creator could not revoke")
	require.NoError(t, touch(mine))
	require.NoError(t, procnto.DeleteHandle(h), "it is still there")
}

// TestRevokeOfHandles: the creator may also have the handles of its object that
// this process has made.
func TestRevokeOfHandles(t *testing.T) {
	child := testproc.Start(t, "node")
	child.Do("falsecreator")
	fd, err := procnto.OpenHandle(handleOf(child), os.O_RDONLY)
	require.NoError(t, err)
	defer unix.Close(fd)
	h, err := procnto.CreateHandle(fd, os.Getpid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	askAllAbout(t, child, fd, os.Getpid())
	testproc.Eventually(t, testproc.Patience, func() bool {
		_, err := procnto.OpenHandle(h, os.O_WRONLY)
		return testproc.ErrnoOf(err) == syscall.ESRCH
	}, "the handle was not revoked")
}

// TestClaimAlwaysBusy: a maker that wants the mapping to be made again and again.
func TestClaimAlwaysBusy(t *testing.T) {
	child := testproc.Start(t, "node")
	child.Do("falsecreator")
	child.Do("behave", "busy")
	_, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.PID())
	testproc.WantErrno(t, syscall.ESRCH, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.NotContains(t, string(maps), "memfd:qnxshm")
}

// TestRegistrationWithoutLink: a creator that is there, but turns the connection away
// on which it is to learn of a mapping, because it has too many, has not said that
// nobody can revoke it.
func TestRegistrationWithoutLink(t *testing.T) {
	child := testproc.Start(t, "node")
	child.Do("falsecreator")
	child.Do("behave", "full")
	_, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.PID())
	testproc.WantErrno(t, syscall.EAGAIN, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.NotContains(t, string(maps), "memfd:qnxshm")
	child.Do("behave", "well")
	mem, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.PID())
	require.NoError(t, err)
	require.NoError(t, memory.Unmap(mem))
}

// TestRegisterWhatever: a peer registers only for what it can show the secret of,
// and cannot fill this process's memory.
func TestRegisterWhatever(t *testing.T) {
	check := noLeak(t)
	p := newLinked(t)
	unshared := newRevocable(t)
	register := func(change func(*wire.Register)) int {
		f := registration(t, p.fd)
		change(f)
		require.NoError(t, p.link.Say(f))
		require.NoError(t, procnto.Revoke(unshared, -1)) // takes in what has come
		return procnto.Registrations()
	}
	before := register(func(*wire.Register) {})
	for name, change := range map[string]func(*wire.Register){
		"no secret":      func(f *wire.Register) { f.Secret = 0 },
		"another secret": func(f *wire.Register) { f.Secret++ },
		"another serial": func(f *wire.Register) { f.Serial++ },
		"no number":      func(f *wire.Register) { f.Number = 0 },
	} {
		require.Equal(t, before, register(change), name)
	}
	// Who may have one object cannot say that it is another one, or many.
	other := newRevocable(t)
	d, err := memory.Describe(other)
	require.NoError(t, err)
	require.Equal(t, before, register(func(f *wire.Register) { f.Serial = d.Origin.Serial }))
	require.Equal(t, before, register(func(f *wire.Register) { f.Number++ }), "its own, once more")
	child := testproc.Start(t, "node")
	h := shareRevocable(t, other, child)
	unused, err := procnto.CreateHandle(other, child.PID(), os.O_RDONLY, 0)
	require.NoError(t, err)
	require.NoError(t, procnto.Revoke(other, -1))
	requireFault(t, child, h)
	testproc.WantErrno(t, syscall.ESRCH, procnto.DeleteHandle(unused))
	child.Kill()
	unix.Close(other)
	unix.Close(unshared)
	p.close()
	check()
}

// TestWithdraw: only an earlier registration, and only the peer's own.
func TestWithdraw(t *testing.T) {
	p := newLinked(t)
	q := greetLink(t, ownSocket(t))
	defer q.Close()
	r := registration(t, p.fd)
	withdraw := &wire.Withdraw{Secret: r.Secret, Serial: r.Serial, Number: 5}
	require.NoError(t, q.Say(withdraw), "of another link")
	withdraw.Number = 0
	require.NoError(t, p.link.Say(withdraw), "an earlier one")
	done := make(chan error, 1)
	go func() { done <- procnto.Revoke(p.fd, -1) }()
	p.confirm(t, p.asked(t))
	require.NoError(t, <-done)
	before := procnto.Registrations()
	withdraw.Number = 1
	require.NoError(t, p.link.Say(withdraw))
	testproc.Eventually(t, testproc.Patience, func() bool { return procnto.Registrations() < before }, "still registered")
	require.NoError(t, procnto.Revoke(p.fd, -1), "nobody is asked")
}

// TestRevokeDeadWithHeir: the link of a process may outlive it.
func TestRevokeDeadWithHeir(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	child := testproc.Start(t, "node")
	link := linkOf(t, child)
	child.Do("rawsend", link, testproc.Encode(registration(t, fd)))
	heir := child.Do("bequeath", link).Int()
	t.Cleanup(func() { unix.Kill(heir, unix.SIGKILL) })
	require.ErrorIs(t, procnto.Revoke(fd, child.PID()), qnxerr.ErrRevokePending)
	child.Kill()
	require.NoError(t, procnto.Revoke(fd, child.PID()))
}
