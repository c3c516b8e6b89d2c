//go:build linux

package message_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestStoresAreBarriers: of two threads that each store a word and then look at the
// other's, one sees the other's store, with the race detector, too.
func TestStoresAreBarriers(t *testing.T) {
	mem, err := unix.Mmap(-1, 0, int(message.SegmentSize(0)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	defer unix.Munmap(mem)
	m := message.NewMemory(mem)
	bell, head := m.Bell(), m.Head()
	testproc.OneSeesTheOther(t,
		func(v uint32) uint32 { bell.Store(v); return head.Load() },
		func(v uint32) uint32 { head.Store(v); return bell.Load() })
	wake, state := m.Slot(0).Wake, m.Slot(0).State
	testproc.OneSeesTheOther(t,
		func(v uint32) uint32 { wake.Store(v); return uint32(state.Load()) },
		func(v uint32) uint32 { state.Store(uint64(v)); return wake.Load() })
}
