//go:build linux

package memory

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// A Descriptor is what is known of a file descriptor of this process.
type Descriptor struct {
	FD     int
	Key    Key
	Origin Origin
	Mode   uint32 // of the file
	Size   int64
	Window Window
	Tag    uint64 // of the window's open file description
	Object bool   // a shared-memory object: of this module, on this system
}

// Access returns the access mode. A descriptor that was opened with O_PATH gives
// none, and counts as not open.
func (d Descriptor) Access() (int, error) {
	flags, err := linux.GetFlags(d.FD)
	if err == nil && flags&unix.O_PATH != 0 {
		err = syscall.EBADF
	}
	return flags & unix.O_ACCMODE, err
}

// Revocable reports whether mappings made now can be taken away.
func (d Descriptor) Revocable() bool { return d.Object && d.Mode&revocableBit != 0 }

// Length is of what the descriptor shows: the object or the window.
func (d Descriptor) Length() int64 {
	if d.Window.Size > 0 {
		return d.Window.Size
	}
	return d.Size
}

// revocableBit is how a revocable object is marked where each process that maps
// it can see it: the sticky bit has no other meaning for a file.
const revocableBit = unix.S_ISVTX
