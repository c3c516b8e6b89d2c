package procnto

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// Flags of Control, as QNX numbers them.
const (
	ctlAnon       = 0x1
	ctlPhys       = 0x2
	ctlSeal       = 0x4
	ctlRevocable  = 0x8
	ctlHints      = 0x10 | 0x20 | 0x40 | 0x80 | 0x200 | 0x1000 // deprecated, without effect
	ctlLazy       = 0x400
	ctlRepeat     = 0x800
	ctlTypedMem   = 0x2000
	ctlGetFlags   = 0x4000
	ctlHasSpecial = 0x8000

	// Of hardware, which the host has none of.
	ctlTargetOnly = ctlPhys | ctlRepeat | ctlTypedMem | ctlHasSpecial
	ctlKnown      = ctlAnon | ctlSeal | ctlRevocable | ctlHints | ctlLazy | ctlGetFlags | ctlTargetOnly
)

// The kernel keeps a sealed object's size; nobody can take that back.
const objectSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW

// revocableBit is how a revocable object is marked where each process that maps
// it can see it: the sticky bit has no other meaning for a file.
const revocableBit = unix.S_ISVTX

// Control is shm_ctl.
func Control(fd int, flags uint32, paddr, size uint64) (uint32, error) {
	switch {
	case flags&^ctlKnown != 0, flags&(ctlAnon|ctlPhys|ctlSeal|ctlRevocable|ctlGetFlags|ctlTypedMem) == 0,
		flags&ctlGetFlags != 0 && flags != ctlGetFlags, flags&ctlLazy != 0 && flags&ctlAnon == 0:
		return 0, syscall.EINVAL
	case flags&ctlTargetOnly != 0:
		return 0, qnxerr.Cause{Errno: syscall.ENOSYS, Text: "only a target has physical, typed and special memory"}
	case flags&ctlAnon == 0 && size != 0, paddr != 0:
		return 0, syscall.EINVAL
	case size > math.MaxInt64:
		return 0, syscall.ENOMEM
	}
	d, err := describe(fd)
	if err == nil {
		d, err = d.withAccess(fd)
	}
	if err != nil || !d.object {
		return 0, syscall.EBADF
	}
	if flags == ctlGetFlags {
		return d.flags(fd), nil
	}
	if d.window.size > 0 || d.access != syscall.O_RDWR || d.flags(fd)&ctlSeal != 0 {
		return 0, syscall.EPERM
	}
	if flags&ctlRevocable != 0 {
		if err := d.creator.canRevoke(); err != nil {
			return 0, err
		}
	}
	// What cannot be done in the end is not begun.
	mark := flags&ctlRevocable != 0 && !d.revocable()
	switch {
	case flags&ctlSeal != 0 && !sealable(fd):
		return 0, qnxerr.Cause{Errno: syscall.ENOSYS, Text: "on the host only anonymous objects can be sealed or made revocable"}
	case mark:
		if err := host.ownRevocable(); err != nil {
			return 0, noDescriptors(err)
		}
		if err := changeMode(fd, 0); err != nil {
			return 0, err
		}
	}
	if flags&ctlAnon != 0 && int64(size) > d.size {
		if err := d.allocate(fd, int64(size), flags&ctlLazy != 0); err != nil {
			return 0, err
		}
	}
	if mark {
		if err := changeMode(fd, revocableBit); err != nil {
			return 0, err
		}
	}
	if flags&ctlSeal != 0 {
		return 0, seal(fd)
	}
	return 0, nil
}

// canRevoke says why a process other than the creator cannot mark an object: the
// creator would not know that others have to reach it.
func (by creator) canRevoke() error {
	switch by {
	case thisProcess():
		return nil
	case creator{}:
		return qnxerr.Cause{Errno: syscall.ENOSYS, Text: "on the host only anonymous objects can be sealed or made revocable"}
	}
	return qnxerr.Cause{Errno: syscall.EPERM, Text: "on the host only its creator can make an object revocable"}
}

var changingMode sync.Mutex

// changeMode adds bits to the mode of an object of this process. No bits only
// tell whether that is permitted.
func changeMode(fd int, bits uint32) error {
	changingMode.Lock()
	defer changingMode.Unlock()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	return unix.Fchmod(fd, st.Mode&0o7777|bits)
}

// flags are what GET_FLAGS tells.
func (d descriptor) flags(fd int) (flags uint32) {
	if d.size > 0 {
		flags |= ctlAnon // what every object of the host is made of
	}
	if d.mode&revocableBit != 0 {
		flags |= ctlRevocable
	}
	if seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); err == nil && seals&objectSeals == objectSeals {
		flags |= ctlSeal
	}
	return flags
}

// allocate makes the object larger. Unless lazily, its memory is there
// afterwards. A failure leaves it as it was.
func (d descriptor) allocate(fd int, size int64, lazily bool) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	// An object may be larger than the memory that it has.
	if !lazily && size-st.Blocks*512 > memoryLeft() {
		return syscall.ENOMEM
	}
	var err error
	if !lazily {
		err = populate(fd, size)
	}
	if err == nil {
		// Unlike ftruncate this never shrinks what somebody else has just made
		// larger. Of a sparse object it takes the last page.
		err = ignoringEINTR(func() error { return unix.Fallocate(fd, 0, size-1, 1) })
	}
	if err != nil && !lazily {
		giveBack(fd, size)
	}
	if err == syscall.ENOSPC || err == syscall.EFBIG {
		return syscall.ENOMEM
	}
	return err
}

// populate gives the first size bytes of a file memory, also beyond its end.
func populate(fd int, size int64) error {
	piece := int64(64 << 20)
	for at := int64(0); at < size; {
		n := min(piece, size-at)
		if n > memoryLeft() { // others take some, too
			return syscall.ENOMEM
		}
		switch err := unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, at, n); err {
		case nil:
			at += n
		case syscall.EINTR:
			// Nothing of the piece was done. A smaller one has a better chance
			// before the next signal.
			piece = max(piece/4, pageSize)
		default:
			return err
		}
	}
	return nil
}

// giveBack frees the memory beyond a file's end.
func giveBack(fd int, size int64) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Size < size {
		ignoringEINTR(func() error {
			return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, st.Size, size-st.Size)
		})
	}
}

var memoryLeft = availableMemory

// reserve is the part of the system's memory that is left to others: 1/32.
const reserve = 32

// availableMemory is what the system can give without taking it away from other
// processes, which it does rather than refuse. Unknown, it is everything.
func availableMemory() (bytes int64) {
	info, err := readFile("/proc/meminfo")
	if err != nil {
		return math.MaxInt64
	}
	found := false
	for line := range strings.Lines(string(info)) {
		var name string
		var kB int64
		if n, _ := fmt.Sscanf(line, "%s %d kB", &name, &kB); n != 2 {
			continue
		}
		switch name {
		case "MemAvailable:", "SwapFree:":
			bytes += kB << 10
			found = true
		case "MemTotal:":
			bytes -= kB << 10 / reserve
		}
	}
	if !found {
		return math.MaxInt64
	}
	return bytes
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
