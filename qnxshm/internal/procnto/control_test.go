//go:build linux

package procnto_test

import (
	"math"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// TestControlLeavesMemory: the kernel would rather kill processes than refuse. A
// large object that has no memory yet is no smaller for that.
func TestControlLeavesMemory(t *testing.T) {
	const large, left = 512 << 20, 8 << 20
	fd := newObject(t, 0, "")
	defer unix.Close(fd)
	require.NoError(t, procnto.Truncate(fd, large))
	used := func() int64 {
		var st unix.Stat_t
		require.NoError(t, unix.Fstat(fd, &st))
		return st.Blocks * 512
	}
	before := used()
	end := procnto.LimitMemory(fd, left)
	defer end()
	_, err := procnto.Control(fd, procnto.ControlAnon, 0, large+4096)
	requireErrno(t, syscall.ENOMEM, err)
	require.Equal(t, before, used())
	size, err := procnto.ObjectSize(fd)
	require.NoError(t, err)
	require.EqualValues(t, large, size)
	for _, size := range []uint64{math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64, 1 << 50} {
		_, err = procnto.Control(fd, procnto.ControlAnon, 0, size)
		requireErrno(t, syscall.ENOMEM, err, size)
	}

	other := newObject(t, 0, "")
	defer unix.Close(other)
	_, err = procnto.Control(other, procnto.ControlAnon, 0, left)
	require.NoError(t, err)
}
