//go:build linux

package memory

import (
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

const (
	// Deprecated, without effect.
	controlHints = nto.ControlGlobal | nto.ControlPrivate | nto.ControlLowerProt | nto.ControlLazyWrite | nto.ControlHighUsage | nto.ControlNoDefrag
	// Of hardware, which the host has none of.
	controlTargetOnly = nto.ControlPhysical | nto.ControlRepeat | nto.ControlTypedMemory | nto.ControlHasSpecial

	controlKnown = nto.ControlAnonymous | nto.ControlSeal | nto.ControlRevocable | nto.ControlLazy | nto.ControlGetFlags |
		controlHints | controlTargetOnly
	// At least one of these must be there.
	controlActs = nto.ControlAnonymous | nto.ControlPhysical | nto.ControlSeal | nto.ControlRevocable | nto.ControlGetFlags | nto.ControlTypedMemory
)

// The kernel keeps a sealed object's size; nobody can take that back.
const objectSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW

var errNamed = qnxerr.Cause{Errno: syscall.ENOSYS, Text: "on the host only anonymous objects can be sealed or made revocable"}

// Control is shm_ctl. serve is called before an object becomes revocable: others
// will want to be told of revocations. Its error ends the call.
func Control(fd int, flags uint32, paddr, size uint64, serve func() error) (uint32, error) {
	if err := checkControl(flags, paddr, size); err != nil {
		return 0, err
	}
	d, err := Describe(fd)
	var access int
	if err == nil {
		access, err = d.Access()
	}
	if err == nil && !d.Object {
		err = syscall.EBADF
	}
	if err != nil {
		return 0, err
	}
	if flags == nto.ControlGetFlags {
		return d.flags(), nil
	}
	if d.Window.Size > 0 || access != syscall.O_RDWR || d.flags()&nto.ControlSeal != 0 {
		return 0, syscall.EPERM
	}
	// What cannot be done in the end is not begun.
	end, err := newEnd(fd, flags, size)
	if err != nil {
		return 0, err
	}
	mark := flags&nto.ControlRevocable != 0 && !d.Revocable()
	if err := d.permits(flags); err != nil {
		return 0, err
	}
	if mark {
		if err := serve(); err != nil {
			return 0, err
		}
		if err := mayMark(fd); err != nil {
			return 0, err
		}
	}
	if flags&nto.ControlAnonymous != 0 {
		if err := allocate(fd, end, flags&nto.ControlLazy != 0); err != nil {
			return 0, err
		}
	}
	if mark {
		if err := markRevocable(fd); err != nil {
			return 0, err
		}
	}
	if flags&nto.ControlSeal != 0 {
		return 0, seal(fd)
	}
	return 0, nil
}

// newEnd is the size that an object is to have: size counts from the descriptor's
// offset.
func newEnd(fd int, flags uint32, size uint64) (int64, error) {
	if flags&nto.ControlAnonymous == 0 {
		return 0, nil
	}
	offset, err := unix.Seek(fd, 0, unix.SEEK_CUR)
	if err != nil {
		return 0, err
	}
	if uint64(math.MaxInt64-offset) < size {
		return 0, syscall.ENOMEM
	}
	return offset + int64(size), nil
}

// checkControl checks what does not depend on the object.
func checkControl(flags uint32, paddr, size uint64) error {
	switch {
	case flags&^controlKnown != 0, flags&controlActs == 0,
		flags&nto.ControlGetFlags != 0 && flags != nto.ControlGetFlags,
		flags&nto.ControlLazy != 0 && flags&nto.ControlAnonymous == 0:
		return syscall.EINVAL
	case flags&controlTargetOnly != 0:
		return qnxerr.Cause{Errno: syscall.ENOSYS, Text: "only a target has physical, typed and special memory"}
	case flags&nto.ControlAnonymous == 0 && size != 0, paddr != 0:
		return syscall.EINVAL
	case size > math.MaxInt64:
		return syscall.ENOMEM
	}
	return nil
}

// permits says why the object cannot be made revocable or be sealed. A process
// other than the creator cannot mark it: the creator would not know that others
// have to reach it.
func (d Descriptor) permits(flags uint32) error {
	if flags&nto.ControlRevocable != 0 {
		if !d.Origin.Known() {
			return errNamed
		}
		if !d.Origin.Own() {
			return qnxerr.Cause{Errno: syscall.EPERM, Text: "on the host only its creator can make an object revocable"}
		}
	}
	if flags&nto.ControlSeal != 0 && !sealable(d.FD) {
		return errNamed
	}
	return nil
}

// mayMark reports whether markRevocable will be permitted: it takes the owner of
// the file, or root.
func mayMark(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if euid := unix.Geteuid(); euid != 0 && uint32(euid) != st.Uid {
		return qnxerr.Cause{Errno: syscall.EPERM, Text: "the process has another user id than when it created the object"}
	}
	return nil
}

func markRevocable(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	return unix.Fchmod(fd, st.Mode&0o7777|revocableBit)
}

// flags are what GET_FLAGS tells.
func (d Descriptor) flags() (flags uint32) {
	if d.Size > 0 {
		flags |= nto.ControlAnonymous // what every object of the host is made of
	}
	if d.Mode&revocableBit != 0 {
		flags |= nto.ControlRevocable
	}
	if seals, err := unix.FcntlInt(uintptr(d.FD), unix.F_GET_SEALS, 0); err == nil && seals&objectSeals == objectSeals {
		flags |= nto.ControlSeal
	}
	return flags
}

// sealable reports whether fd is of a file that can be sealed or is.
func sealable(fd int) bool {
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	return err == nil && (seals&unix.F_SEAL_SEAL == 0 || seals&objectSeals == objectSeals)
}

// seal is called for a sealable object. EPERM is of one that somebody else has
// sealed meanwhile.
func seal(fd int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, objectSeals|unix.F_SEAL_SEAL)
	return err
}
