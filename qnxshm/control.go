package qnxshm

import (
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// ControlFlags are what [Control] does to an object, and what it tells of one
// (SHMCTL_*).
type ControlFlags uint32

const (
	ControlAnonymous   ControlFlags = nto.ControlAnonymous   // 0x1, SHMCTL_ANON: give the object memory, up to size
	ControlPhysical    ControlFlags = nto.ControlPhysical    // 0x2, SHMCTL_PHYS: physical or contiguous memory; target only
	ControlSeal        ControlFlags = nto.ControlSeal        // 0x4, SHMCTL_SEAL: nobody can change the layout any more
	ControlRevocable   ControlFlags = nto.ControlRevocable   // 0x8, SHMCTL_REVOCABLE: mappings made from now on can be revoked
	ControlLazy        ControlFlags = nto.ControlLazy        // 0x400, SHMCTL_LAZY: with ControlAnonymous, memory on first touch
	ControlTypedMemory ControlFlags = nto.ControlTypedMemory // 0x2000, SHMCTL_TYMEM: memory from the typed memory of descriptor paddr; target only
	ControlGetFlags    ControlFlags = nto.ControlGetFlags    // 0x4000, SHMCTL_GET_FLAGS: only return the flags
)

// Control gives the object behind fd memory, or attributes, or tells its flags.
// fd is open for reading and writing, except for [ControlGetFlags], and is only
// lent. size, in bytes, is the new size with [ControlAnonymous], counted from fd's
// offset, and 0 otherwise; an object never shrinks by it: a smaller size only gives
// that part memory. paddr is 0 but for [ControlPhysical] and [ControlTypedMemory]. Several flags may be given
// in one call. The result is 0, or the flags with [ControlGetFlags], of which only
// [ControlSeal] and [ControlRevocable] should be relied on.
//
// Errors:
//
//	EINVAL  unknown flags, a combination that makes no sense, or a size or paddr
//	        that the flags have no use for
//	EBADF   fd is not open, or not a shared-memory object; host: or an
//	        inherited window (see CreateHandle)
//	EPERM   the object is sealed; or fd is a window, or not open for writing;
//	        host: ControlRevocable by a process that has not created the object,
//	        or has changed its user id since
//	ENOMEM  no memory
//	ENOSYS  host: memory that only a target has; ControlSeal or ControlRevocable
//	        on an object that has a name
//	EAGAIN  host: ControlRevocable, and this process has no descriptor left to
//	        serve others with
//
// Host and target: a target has more flags and rules, of hardware and abilities,
// and passes them all on. Whether descriptors must be open for writing there is
// not documented.
//
// Since QNX SDP 7.0; [ControlSeal], [ControlRevocable] and [ControlGetFlags] since
// 7.1.
//
// Implements: int shm_ctl(int fd, int flags, uint64_t paddr, uint64_t size)
func Control(fd int, flags ControlFlags, paddr, size uint64) (ControlFlags, error) {
	result, err := control(fd, flags, paddr, size)
	if err != nil {
		return 0, wrap(err, "shm_ctl", "fd %d, %#x, %#x, %d", fd, uint32(flags), paddr, size)
	}
	return result, nil
}

// Control gives the object memory, or attributes, or tells its flags, as the
// package's Control does with a descriptor. Seal, MakeRevocable and Flags are what
// it is mostly used for, and [Create] for memory.
//
// Errors are those of the package's Control.
func (o *Object) Control(flags ControlFlags, paddr, size uint64) (ControlFlags, error) {
	return o.control("Control", flags, paddr, size)
}

// Seal freezes the layout of the object: nobody, its creator included, can
// change its size any more (EPERM), so that those who have mapped it need not
// fear to lose memory. The content can still be changed. It cannot be undone.
//
// Errors are those of [Control].
func (o *Object) Seal() error {
	_, err := o.control("Seal", ControlSeal, 0, 0)
	return err
}

// MakeRevocable marks the object: mappings made from now on can be taken back.
// Do so before making handles, and before Seal, after which it is too late.
//
// Errors are those of [Control].
func (o *Object) MakeRevocable() error {
	_, err := o.control("MakeRevocable", ControlRevocable, 0, 0)
	return err
}

// Flags returns the attributes of the object, such as [ControlSeal]: a recipient
// may ask before it trusts the object not to shrink. One that has only a mapping
// ([HandleNoFD]) cannot ask, and reads with [Mapping.View] or [Mapping.ReadAt].
//
// Errors are those of [Control].
func (o *Object) Flags() (ControlFlags, error) { return o.control("Flags", ControlGetFlags, 0, 0) }

func (o *Object) control(method string, flags ControlFlags, paddr, size uint64) (ControlFlags, error) {
	fd, ok := o.enter()
	if !ok {
		return 0, qnxerr.Closed("qnxshm: Object." + method)
	}
	defer o.leave()
	return Control(fd, flags, paddr, size)
}
