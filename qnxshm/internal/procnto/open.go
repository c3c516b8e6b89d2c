//go:build linux

package procnto

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// The way of a handle through the recipient's side: OpenHandle or MmapHandle say
// what to do with the descriptor (take), use finds the maker, useForeign asks it
// (ask.go), accept checks what came, and the answer is taken from the queue, or a
// mapping claimed, when take has succeeded.

// OpenHandle is shm_open_handle.
func OpenHandle(id uint64, access int) (fd int, err error) {
	return OpenHandlePID(id, access, MakerOf(id))
}

// OpenHandlePID is shm_open_handle_pid.
func OpenHandlePID(id uint64, access, maker int) (fd int, err error) {
	access, err = accessMode(access &^ syscall.O_CLOEXEC)
	if err != nil {
		return linux.NoFD, err
	}
	fd = linux.NoFD
	err = useHandle(false, id, access, maker, func(r received) error {
		err := memory.Adopt(r.fd, r.key, r.window, r.origin)
		if err == nil && r.revocable && r.origin.Own() {
			_, err = Serve() // others will want to register
		}
		if err == nil {
			fd = r.fd
		}
		return err
	})
	if err != nil && fd >= 0 { // taken, but the maker does not agree
		unix.Close(fd)
	}
	if err != nil {
		return linux.NoFD, err
	}
	return fd, nil
}

// received is what a handle was turned into.
type received struct {
	fd        int
	key       memory.Key
	window    memory.Window
	origin    memory.Origin
	revocable bool
}

// useHandle turns a handle of this process into a descriptor for take, which owns
// it when it succeeds, and has to undo what it did if useHandle fails after all.
// Only a use that succeeds uses the handle up. One for a mapping has a descriptor
// that the program never sees.
func useHandle(mapping bool, id uint64, access, maker int, take func(received) error) error {
	switch {
	case id == allOnes:
		return syscall.EBADF
	case MakerOf(id) == 0 || MakerOf(id) != maker:
		return syscall.ESRCH
	}
	if err := linux.TimersWork(); err != nil {
		return err
	}
	if maker == self().pid {
		return useOwn(mapping, id, access, take)
	}
	return useForeign(mapping, id, access, maker, take)
}

// useOwn is useHandle of a handle that this process made for itself. It is doomed
// while take is at it, so that nobody else can use it.
func useOwn(mapping bool, id uint64, access int, take func(received) error) error {
	a, r, err := beginOwn(mapping, id, access)
	if err != nil {
		return err
	}
	if r.fd, err = a.open(linux.NoFD, access); err == nil {
		r.revocable = memory.MarkedRevocable(r.fd)
		if err = take(r); err != nil {
			unix.Close(r.fd)
		}
	}
	tables.lock()
	defer tables.unlock()
	releaseAnchor(a)
	h := handles.handles[id]
	switch {
	case h == nil:
	case h.revoked || err == nil:
		if h.revoked && mapping && err == nil {
			err = syscall.ESRCH
		}
		destroy(h)
	default:
		h.doomed = false
	}
	return err
}

// beginOwn keeps the handle from all others, and its anchor.
func beginOwn(mapping bool, id uint64, access int) (*anchor, received, error) {
	tables.lock()
	defer tables.unlock()
	h := handles.handles[id]
	if h == nil || h.recipient.pid != self().pid || h.doomed {
		return nil, received{}, syscall.ESRCH
	}
	if err := h.permits(mapping, access); err != nil {
		return nil, received{}, err
	}
	h.doomed = true
	h.anchor.refs++
	return h.anchor, received{key: h.anchor.object.key, window: h.window, origin: h.anchor.object.origin}, nil
}

// useForeign is useHandle of a handle that another process made.
func useForeign(mapping bool, id uint64, access, pid int, take func(received) error) error {
	var f wire.Frame = &wire.Open{Handle: id, Access: int32(access)}
	if mapping {
		f = &wire.Map{Handle: id, Access: int32(access)}
	}
	deadline := time.Now().Add(PeerTimeout)
	for {
		r, err := ask(pid, f, unix.MSG_PEEK)
		if err != nil {
			return err
		}
		err = r.accept(id, access, take)
		if err == nil && mapping {
			err = r.claim(id)
		}
		r.end()
		if err != syscall.EBUSY {
			return err
		}
		// Another thread of this process is just opening it.
		if time.Now().After(deadline) {
			return NotAnswering(pid)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// accept gives the descriptor that came with the answer, which is still in the
// queue, to take, unless the answer is an error or something is wrong with it.
// Ending the connection with the answer still in the queue tells the maker that
// the handle was not used.
func (r *request) accept(id uint64, access int, take func(received) error) error {
	if a, ok := r.got.Frame.(*wire.Answer); ok && a.ID == id && a.Errno != 0 && r.got.FD == linux.NoFD && !r.got.Lost {
		if r.c.packet.Drop(r.c.fd) != nil {
			r.drop()
		}
		if errno := syscall.Errno(a.Errno); errno != syscall.EAGAIN {
			return errno
		}
		return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the maker of the handle has no descriptor left; the handle is kept"}
	}
	g, ok := r.got.Frame.(*wire.Granted)
	if !ok || g.Handle != id {
		r.drop()
		return PeerError(wire.ErrMalformed, r.process.pid)
	}
	if r.got.Lost {
		r.drop()
		return outOfDescriptors()
	}
	w := memory.Window{Offset: g.Offset, Size: g.Size}
	key, revocable, ok := memory.CheckReceived(r.got.FD, access, w)
	if !ok {
		r.drop()
		return qnxerr.Cause{Errno: syscall.ESRCH, Text: "what the maker sent is not the memory that was asked for"}
	}
	got := received{fd: r.got.FD, key: key, window: w, revocable: revocable}
	if revocable { // whatever the maker says
		got.origin, _ = memory.OriginOf(got.fd)
	}
	if err := take(got); err != nil {
		r.drop()
		return err
	}
	r.got.FD = linux.NoFD // take has it
	if r.c.packet.Drop(r.c.fd) != nil {
		r.drop()
		return syscall.ESRCH
	}
	return nil
}

// claim uses up the handle of a mapping that was made.
func (r *request) claim(id uint64) error {
	if err := r.again(&wire.Claim{Handle: id}); err != nil {
		r.drop() // tells the maker that the handle was not used
		return PeerError(err, r.process.pid)
	}
	if r.answer(id) != nil {
		return syscall.ESRCH // not another turn, whatever the maker says
	}
	return nil
}

// outOfDescriptors finds out why the kernel could not give this process a
// descriptor.
func outOfDescriptors() error {
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
		return syscall.EMFILE // somebody has closed one meanwhile
	}
	if err == syscall.ENFILE {
		return err
	}
	return syscall.EMFILE
}

// DeleteHandle is shm_delete_handle.
func DeleteHandle(id uint64) error {
	maker := MakerOf(id)
	switch {
	case maker == 0 || id == allOnes:
		return syscall.ESRCH
	case maker == self().pid:
		return deleteOwn(id)
	}
	if err := linux.TimersWork(); err != nil {
		return NoDescriptors(err)
	}
	return tell(maker, id, &wire.Delete{Handle: id})
}

// Mmap is mmap with QNX's numbers. NOFD is -1.
func Mmap(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64) (unsafe.Pointer, error) {
	p, d, err := memory.Mmap(addr, length, prot, flags, fd, offset)
	if err == nil && d.Revocable() {
		err = registerMapping(d, p, length)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// registerMapping tells the creator of a mapping, which ends if that fails.
func registerMapping(d memory.Descriptor, p unsafe.Pointer, length uint64) error {
	if err := register(d.Origin, d.Key); err != nil {
		memory.Munmap(p, length)
		return NoDescriptors(err)
	}
	return nil
}

// MmapHandle is mmap_handle_pid: memory straight from a handle, which is used up
// if that works.
func MmapHandle(addr unsafe.Pointer, length uint64, prot, flags uint32, id uint64, maker int, offset int64) (unsafe.Pointer, error) {
	if err := memory.CheckMap(length, prot, flags, offset); err != nil {
		return nil, err
	}
	if flags&nto.MapAnon != 0 {
		return nil, syscall.EINVAL
	}
	access := syscall.O_RDONLY
	if prot&nto.ProtWrite != 0 && flags&nto.MapType == nto.MapShared {
		access = syscall.O_RDWR
	}
	var p unsafe.Pointer
	err := useHandle(true, id, access, maker, func(r received) (err error) {
		p, err = memory.MapReceived(addr, length, prot, flags, r.fd, offset, r.key, r.window, r.origin, r.revocable)
		if err == nil && r.revocable {
			err = register(r.origin, r.key)
		}
		if err == nil {
			unix.Close(r.fd)
		}
		return err
	})
	if err != nil && p != nil {
		memory.Munmap(p, length)
	}
	if err != nil {
		return nil, NoDescriptors(err)
	}
	return p, nil
}

// Map is Mmap with MAP_SHARED for an access mode.
func Map(fd, access int, offset, length int64) ([]byte, error) {
	prot, err := memory.ProtOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := Mmap(nil, uint64(length), prot, nto.MapShared, fd, offset)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// MapWhole is Map of all that fd has.
func MapWhole(fd, access int) ([]byte, error) {
	d, err := memory.Describe(fd)
	if err != nil {
		return nil, err
	}
	length := d.Length()
	prot, err := memory.ProtOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := d.Map(nil, uint64(length), prot, nto.MapShared, 0)
	if err == nil && d.Revocable() {
		err = registerMapping(d, p, uint64(length))
	}
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// MapHandle is MmapHandle with MAP_SHARED for an access mode.
func MapHandle(id uint64, access int, length int64, maker int) ([]byte, error) {
	prot, err := memory.ProtOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := MmapHandle(nil, uint64(length), prot, nto.MapShared, id, maker, 0)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// Control is shm_ctl.
func Control(fd int, flags uint32, paddr, size uint64) (uint32, error) {
	return memory.Control(fd, flags, paddr, size, func() error {
		_, err := Serve() // others will want to register
		return NoDescriptors(err)
	})
}
