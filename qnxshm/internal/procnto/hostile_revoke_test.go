//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"os/exec"
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

// bequeath lets a process have a connection that outlives this one.
func (n *node) bequeath(a arguments) ([]any, error) { // conn
	heir := exec.Command("cat")
	heir.Stdin = os.Stdin // ends with the test
	heir.ExtraFiles = []*os.File{os.NewFile(uintptr(a.int(0)), "")}
	return nil, heir.Start()
}

// falseCreator makes the node listen as itself without the host's library: it
// hands out handles of a revocable object that it is the creator of, and reads what
// is said on links. What it says to claims and of links behave says.
func (n *node) falseCreator(arguments) ([]any, error) {
	w, err := rawListen(plainSocket(os.Getpid()), 128)
	if err != nil {
		return nil, err
	}
	fd, err := anObject(1, "trap")
	if err == nil {
		_, err = memory.Control(fd, nto.ControlRevocable, 0, 0, func() error { return nil })
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
	return nil, nil
}

func (n *node) create(c raw, object int) {
	defer c.close()
	hello, _, _, err := c.receive(0)
	if err != nil {
		return
	}
	n.mu.Lock()
	act := n.act
	n.mu.Unlock()
	welcome := new(wire.Welcome)
	if hello.Kind() == wire.KindHelloLink && act == "full" {
		welcome.Errno = int32(syscall.EAGAIN)
	}
	if act == "silent" {
		welcome.Flags = wire.LinkAnswers
	}
	if c.say(welcome) != nil || welcome.Errno != 0 {
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
			_, _, _, err = c.receive(0)
		}
		return
	}
	for {
		f, _, _, err := c.receive(0)
		if err != nil || n.answerAsCreator(c, f, object) != nil {
			return
		}
	}
}

func (n *node) answerAsCreator(c raw, f wire.Frame, object int) error {
	switch f := f.(type) {
	case *wire.Map:
		return grantTrap(c, f.Handle, f.Access, object)
	case *wire.Open:
		return grantTrap(c, f.Handle, f.Access, object)
	case *wire.Claim:
		a := &wire.Answer{ID: f.Handle}
		n.mu.Lock()
		if n.act == "busy" {
			a.Errno = int32(syscall.EBUSY)
		}
		n.mu.Unlock()
		return c.say(a)
	}
	return syscall.EPROTO
}

func grantTrap(c raw, handle uint64, access int32, object int) error {
	fd, err := unix.Open(pathOf(object), int(access)|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return c.say(&wire.Granted{Handle: handle}, fd)
}

// askAll sends a revocation on all links of a false creator.
func (n *node) askAll(a arguments) ([]any, error) { // dev ino secret serial pid
	n.mu.Lock()
	defer n.mu.Unlock()
	f := &wire.Revoke{ID: 1, Dev: a.id(0), Ino: a.id(1), Secret: a.id(2), Serial: uint32(a.id(3)), PID: int32(a.int(4))}
	for _, l := range n.links {
		if err := l.say(f); err != nil {
			return nil, err
		}
	}
	if len(n.links) == 0 {
		return nil, syscall.ENOENT
	}
	return nil, nil
}

// askAllAbout lets a false creator ask for the revocation of an object.
func askAllAbout(t testing.TB, c *child, fd int, pid int) {
	t.Helper()
	d, err := memory.Describe(fd)
	require.NoError(t, err)
	c.do("askall", d.Key.Dev, d.Key.Ino, d.Origin.Secret, d.Origin.Serial, pid)
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

// passedOn has a child make a handle, for this process, of an object that this
// process is the creator of. The handle is then on its way on a connection
// without the library, and the child stopped.
func passedOn(t testing.TB, fd int) (maker *child, w raw, h uint64) {
	t.Helper()
	maker = startChild(t)
	theirs := openBy(t, fd, maker, os.O_RDWR)
	h = maker.handle("handle", theirs, os.Getpid(), os.O_RDONLY)
	w = greet(t, maker.socket())
	t.Cleanup(w.close)
	require.NoError(t, w.say(&wire.Map{Handle: h, Access: int32(os.O_RDONLY)}))
	w.requireGranted(t)
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
	require.NoError(t, w.say(&wire.Claim{Handle: h}))
	maker.goOn()
	require.Equal(t, syscall.ESRCH, w.errno(t))
}

// TestRevokeAfterMakers: one may map with a handle after it was asked, as long as
// the handle's maker was not.
func TestRevokeAfterMakers(t *testing.T) {
	p := newLinked(t)
	maker, w, h := passedOn(t, p.fd)
	require.NoError(t, w.say(&wire.Claim{Handle: h}))
	done := make(chan error, 1)
	go func() { done <- procnto.Revoke(p.fd, -1) }()
	for range 2 {
		p.confirm(t, p.asked(t))
		maker.goOn()
	}
	require.NoError(t, <-done)
}

// TestRevokeByStranger: a process may be the creator of something that this one
// has, but not of all.
func TestRevokeByStranger(t *testing.T) {
	child := startChild(t)
	child.do("falsecreator")
	trapFD, err := procnto.OpenHandle(handleOf(child), os.O_RDONLY)
	require.NoError(t, err)
	defer unix.Close(trapFD)
	trap, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.pid())
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
	eventually(t, patience, func() bool { return touch(trap) != nil }, "the creator could not revoke")
	require.NoError(t, touch(mine))
	require.NoError(t, procnto.DeleteHandle(h), "it is still there")
}

// TestRevokeOfHandles: the creator may also have the handles of its object that
// this process has made.
func TestRevokeOfHandles(t *testing.T) {
	child := startChild(t)
	child.do("falsecreator")
	fd, err := procnto.OpenHandle(handleOf(child), os.O_RDONLY)
	require.NoError(t, err)
	defer unix.Close(fd)
	h, err := procnto.CreateHandle(fd, os.Getpid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	askAllAbout(t, child, fd, os.Getpid())
	eventually(t, patience, func() bool {
		_, err := procnto.OpenHandle(h, os.O_WRONLY)
		return errnoOf(err) == syscall.ESRCH
	}, "the handle was not revoked")
}

// TestClaimAlwaysBusy: a maker that wants the mapping to be made again and again.
func TestClaimAlwaysBusy(t *testing.T) {
	child := startChild(t)
	child.do("falsecreator")
	child.do("behave", "busy")
	_, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.pid())
	requireErrno(t, syscall.ESRCH, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.NotContains(t, string(maps), "memfd:qnxshm")
}

// TestRegistrationWithoutLink: a creator that is there, but turns the connection away
// on which it is to learn of a mapping, because it has too many, has not said that
// nobody can revoke it.
func TestRegistrationWithoutLink(t *testing.T) {
	child := startChild(t)
	child.do("falsecreator")
	child.do("behave", "full")
	_, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.pid())
	requireErrno(t, syscall.EAGAIN, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.NotContains(t, string(maps), "memfd:qnxshm")
	child.do("behave", "well")
	mem, err := procnto.MapHandle(handleOf(child), os.O_RDONLY, page, child.pid())
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
		require.NoError(t, p.link.say(f))
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
	child := startChild(t)
	h := shareRevocable(t, other, child)
	unused, err := procnto.CreateHandle(other, child.pid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	require.NoError(t, procnto.Revoke(other, -1))
	requireFault(t, child, h)
	requireErrno(t, syscall.ESRCH, procnto.DeleteHandle(unused))
	child.kill()
	unix.Close(other)
	unix.Close(unshared)
	p.close()
	check()
}

// TestWithdraw: only an earlier registration, and only the peer's own.
func TestWithdraw(t *testing.T) {
	p := newLinked(t)
	q := greetLink(t, ownSocket(t))
	defer q.close()
	r := registration(t, p.fd)
	withdraw := &wire.Withdraw{Secret: r.Secret, Serial: r.Serial, Number: 5}
	require.NoError(t, q.say(withdraw), "of another link")
	withdraw.Number = 0
	require.NoError(t, p.link.say(withdraw), "an earlier one")
	done := make(chan error, 1)
	go func() { done <- procnto.Revoke(p.fd, -1) }()
	p.confirm(t, p.asked(t))
	require.NoError(t, <-done)
	before := procnto.Registrations()
	withdraw.Number = 1
	require.NoError(t, p.link.say(withdraw))
	eventually(t, patience, func() bool { return procnto.Registrations() < before }, "still registered")
	require.NoError(t, procnto.Revoke(p.fd, -1), "nobody is asked")
}

// TestRevokeDeadWithHeir: the link of a process may outlive it.
func TestRevokeDeadWithHeir(t *testing.T) {
	fd := newRevocable(t)
	defer unix.Close(fd)
	child := startChild(t)
	link := child.number("dial", ownSocket(t))
	child.do("rawsend", link, quoted(new(wire.HelloLink)))
	require.Equal(t, "0", child.do("rawreceive", link, 0)[1])
	child.do("rawsend", link, quoted(registration(t, fd)))
	child.do("bequeath", link)
	require.ErrorIs(t, procnto.Revoke(fd, child.pid()), qnxerr.ErrRevokePending)
	require.NoError(t, child.cmd.Process.Kill())
	require.NoError(t, retry(func() error { // the heir is there until the test has ended
		return unix.Waitid(unix.P_PID, child.pid(), nil, unix.WEXITED|unix.WNOWAIT, nil)
	}))
	require.NoError(t, procnto.Revoke(fd, child.pid()))
}
