//go:build linux

package procnto

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// CreateHandle is shm_create_handle.
func CreateHandle(fd, pid, access int, options uint32) (uint64, error) {
	if _, err := accessMode(access); err != nil || options&^nto.HandleNoFD != 0 {
		return 0, syscall.EINVAL
	}
	return createHandle(fd, pid, access, options, nil)
}

var pageSize = int64(os.Getpagesize())

// CreateSubrangeHandle is shm_create_subrange_handle.
func CreateSubrangeHandle(fd, pid, access int, options uint32, size, offset int64) (uint64, error) {
	if _, err := accessMode(access); err != nil || options&^nto.HandleNoFD != 0 {
		return 0, syscall.EINVAL
	}
	if size <= 0 || offset < 0 || size%pageSize != 0 || offset%pageSize != 0 {
		return 0, qnxerr.Cause{Errno: syscall.EINVAL, Text: fmt.Sprintf("size and offset must be multiples of the page size, %d, and the size not 0", pageSize)}
	}
	return createHandle(fd, pid, access, options, &memory.Window{Offset: offset, Size: size})
}

// createHandle makes a handle of the object behind fd, or of a part of it, with
// checked access.
func createHandle(fd, pid, access int, options uint32, part *memory.Window) (uint64, error) {
	d, has, err := describeObject(fd)
	if err != nil {
		return 0, NoDescriptors(err)
	}
	w := d.Window
	if part != nil {
		if w, err = w.Within(part.Offset, part.Size, d.Size); err != nil {
			return 0, qnxerr.Cause{Errno: syscall.EINVAL, Text: "the part does not lie within the object"}
		}
	}
	if !covers(has, access) {
		return 0, syscall.EACCES
	}
	if pid != self().pid {
		if _, err := Serve(); err != nil {
			return 0, NoDescriptors(err)
		}
	}
	if d.Revocable() {
		return createRevocable(d, has, pid, access, options, w)
	}
	id, err := addHandle(d, has, pid, access, options, w)
	return id, NoDescriptors(err)
}

// describeObject is Describe and Access of an object; EBADF for all else.
func describeObject(fd int) (d memory.Descriptor, access int, err error) {
	if d, err = memory.Describe(fd); err == nil {
		access, err = d.Access()
	}
	switch {
	case err == syscall.EMFILE || err == syscall.ENFILE:
		return d, 0, err
	case err != nil || !d.Object:
		return d, 0, syscall.EBADF
	}
	return d, access, nil
}

// createRevocable lets the creator of the object know before that this process
// makes handles of it.
func createRevocable(d memory.Descriptor, has, pid, access int, options uint32, w memory.Window) (uint64, error) {
	if err := linux.TimersWork(); err != nil {
		return 0, NoDescriptors(err)
	}
	if d.Origin.Own() {
		sweepSharings()
		id, err := addHandle(d, has, pid, access, options, w)
		return id, NoDescriptors(err)
	}
	l, err := hold(d.Origin, d.Key, true)
	if err != nil {
		return 0, NoDescriptors(err)
	}
	defer l.letGo()
	id, err := addHandle(d, has, pid, access, options, w)
	return id, NoDescriptors(err)
}

// addHandle makes the handle.
func addHandle(d memory.Descriptor, has, pid, access int, options uint32, w memory.Window) (uint64, error) {
	tables.lock()
	defer tables.unlock()
	p, err := useProcess(pid)
	if err != nil {
		return 0, err
	}
	defer p.drop()
	if full() {
		return 0, syscall.EAGAIN
	}
	a, err := useAnchor(d, has)
	if err != nil {
		return 0, err
	}
	switch { // while the lock was not held
	case p.gone:
		err = syscall.ESRCH
	case handleLimit.reached(len(handles.handles)):
		err = syscall.EAGAIN
	}
	if err != nil {
		releaseAnchor(a)
		return 0, err
	}
	if d.Revocable() && d.Origin.Own() {
		sharingOf(d.Origin).grant(pid)
	}
	h := handles.newHandle()
	h.access, h.noFD, h.recipient, h.anchor, h.window = int8(access), options&nto.HandleNoFD != 0, &p.recipient, a, w
	handles.add(h, self().pid, linux.RandomUint64)
	return h.id, nil
}

// full reports whether no further handle may be made. Handles that were used, or
// whose recipient is gone, but are not known to be, do not count. The lock is held,
// but not while it looks for those.
func full() bool {
	if !handleLimit.reached(len(handles.handles)) {
		return false
	}
	tables.unlock()
	settleAll()
	tables.lock()
	noticeExits()
	return handleLimit.reached(len(handles.handles))
}

// useAnchor returns the anchor for a handle of what d describes, with one more use.
// The lock is held, but not while it makes one.
func useAnchor(d memory.Descriptor, access int) (*anchor, error) {
	key := anchorKey{d.Key, d.Tag, access}
	a := handles.anchors[key]
	if a == nil {
		tables.unlock()
		fd, err := anchorFD(d, key)
		tables.lock()
		if err != nil {
			return nil, err
		}
		if a = handles.anchors[key]; a == nil {
			return handles.addAnchor(key, d.Origin, fd), nil
		}
		tables.closeLater(fd) // another thread was faster
	}
	a.refs++
	return a, nil
}

// anchorFD duplicates the descriptor. The program may have closed it meanwhile, and
// have another one of that number.
func anchorFD(d memory.Descriptor, key anchorKey) (int, error) {
	fd, err := linux.DupHigh(d.FD)
	if err != nil {
		return linux.NoFD, err
	}
	if is, mode, err := describeObject(fd); err != nil || (anchorKey{is.Key, is.Tag, mode}) != key {
		unix.Close(fd)
		return linux.NoFD, syscall.EBADF
	}
	return fd, nil
}
