//go:build linux

package wire

import (
	"sync"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

var bell = sync.OnceValue(func() []byte {
	b := new([FrameSize]byte)
	Encode(new(Bell), b)
	return b[:]
})

// Ring sends a Bell. It does not wait: EAGAIN when others are to be heard yet.
func Ring(fd int) error {
	return linux.IgnoringEINTR(func() error { return linux.Send(fd, bell(), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT) })
}
