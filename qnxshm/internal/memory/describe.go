//go:build linux

package memory

import (
	"errors"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// Describe finds out about fd, any number a user may have passed.
//
// What counts is the descriptor, wherever it came from: also one that was
// inherited or sent is of an object. But a window that this process has not got
// by a handle is EBADF, because nothing tells which part it is. (One that comes
// past this module, of an object that this process has known as a whole since
// before anybody had a window of it, is not noticed: to look each time would cost
// more than all else.)
func Describe(fd int) (Descriptor, error) {
	if fd < 0 || fd > math.MaxInt32 {
		return Descriptor{}, syscall.EBADF
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Descriptor{}, err
	}
	d := Descriptor{FD: fd, Key: keyOf(&st), Mode: st.Mode, Size: st.Size}
	if objects.describe(&d) {
		return d, nil
	}
	known := d.Object
	if !known {
		if d.Origin, d.Object = recognise(fd, &st); !d.Object {
			return d, nil
		}
	}
	tags, err := tagsOf(fd)
	switch {
	case err != nil:
	case len(tags) > 0:
		err = objects.describeWindow(&d, tags)
	case !known:
		remember(d.Key, d.Origin, anyTagged(fd), 0, Window{})
	case !anyTagged(fd):
		objects.untagged(d.Key)
	}
	if err != nil {
		return Descriptor{}, err
	}
	return d, nil
}

// remember makes an object known, and a window of it unless tag is 0.
func remember(key Key, by Origin, tagged bool, tag uint64, w Window) {
	if objects.add(key, by, tagged, tag, w) {
		objects.sweep(see)
	}
}

// see lets the registry know that the process has a descriptor of what fd is of. A
// window may be another process's, or the descriptor closed by now.
func see(fd int) error {
	_, err := Describe(fd)
	if errors.Is(err, syscall.EBADF) {
		err = nil
	}
	return err
}

// ObjectSize is the size of the object or window behind fd.
func ObjectSize(fd int) (int64, error) {
	d, err := Describe(fd)
	if err != nil {
		return 0, err
	}
	return d.Length(), nil
}

// Truncate is ftruncate. A window cannot be resized.
func Truncate(fd int, size int64) error {
	d, err := Describe(fd)
	if err != nil {
		return err
	}
	if d.Window.Size > 0 {
		return syscall.EPERM
	}
	return linux.IgnoringEINTR(func() error { return unix.Ftruncate(fd, size) })
}

// CloseDescriptor is close.
func CloseDescriptor(fd int) error { return unix.Close(fd) }

// Adopt makes a descriptor that came by a handle known: an object, or a window of
// one. What this process knows of the object already counts, else the origin that
// its name tells, else what who has sent it says.
func Adopt(fd int, key Key, w Window, o Origin) error {
	var tag uint64
	if w.Size > 0 {
		var err error
		if tag, err = setWindowTag(fd); err != nil {
			return err
		}
	}
	if objects.addKnown(key, tag, w) {
		return nil
	}
	if named, ok := OriginOf(fd); ok {
		o = named
	}
	remember(key, o, tag != 0 || anyTagged(fd), tag, w)
	return nil
}

// CheckReceived trusts who has sent a descriptor no more than any peer: it must
// be of memory, and open for exactly that access. It returns the key of the
// object, and whether that was made revocable.
func CheckReceived(fd, access int, w Window) (key Key, revocable, ok bool) {
	if fd < 0 || !linux.IsMemory(fd) {
		return key, false, false
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return key, false, false
	}
	flags, err := linux.GetFlags(fd)
	if err != nil || flags&(unix.O_ACCMODE|unix.O_PATH) != access || !w.valid() {
		return key, false, false
	}
	return keyOf(&st), st.Mode&revocableBit != 0, true
}

// MarkedRevocable reports whether fd, which need not be known, is of an object
// that was made revocable.
func MarkedRevocable(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&revocableBit != 0
}
