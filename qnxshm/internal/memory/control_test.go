//go:build linux

package memory_test

import (
	"errors"
	"math"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

func nobodyToServe() error { return nil }

// control is Control that has to work.
func control(t testing.TB, fd int, flags uint32, size uint64) uint32 {
	t.Helper()
	got, err := memory.Control(fd, flags, 0, size, nobodyToServe)
	require.NoError(t, err)
	return got
}

// used is how much memory the object of fd has.
func used(t testing.TB, fd int) int64 {
	t.Helper()
	var st unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &st))
	return st.Blocks * 512
}

// TestControlLeavesMemory: the kernel would rather kill processes than refuse. A
// large object that has no memory yet is no smaller for that.
func TestControlLeavesMemory(t *testing.T) {
	const large, left = 512 << 20, 8 << 20
	fd := newObject(t, 0, "")
	defer unix.Close(fd)
	require.NoError(t, memory.Truncate(fd, large))
	before := used(t, fd)
	defer memory.LimitMemory(fd, left)()
	for _, size := range []uint64{large + uint64(page), large, large / 2} {
		_, err := memory.Control(fd, nto.ControlAnonymous, 0, size, nobodyToServe)
		requireCause(t, syscall.ENOMEM, err, "memory cgroup")
		require.Equal(t, before, used(t, fd))
		requireSize(t, large, fd)
	}
	for _, size := range []uint64{math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64, 1 << 50} {
		_, err := memory.Control(fd, nto.ControlAnonymous, 0, size, nobodyToServe)
		testproc.WantErrno(t, syscall.ENOMEM, err, size)
	}

	other := newObject(t, 0, "")
	defer unix.Close(other)
	control(t, other, nto.ControlAnonymous, left)
}

// TestControlGivesMemory: an object that has its size already, or more, gets the
// memory for what is asked, and keeps its content and its size.
func TestControlGivesMemory(t *testing.T) {
	fd := newObject(t, 16, "A")
	defer unix.Close(fd)
	before := used(t, fd)
	control(t, fd, nto.ControlAnonymous|nto.ControlLazy, uint64(8*page))
	control(t, fd, nto.ControlAnonymous, 0)
	require.Equal(t, before, used(t, fd))
	control(t, fd, nto.ControlAnonymous, uint64(8*page))
	require.GreaterOrEqual(t, used(t, fd), 8*page)
	if before < 16*page { // else the kernel gives memory by huge pages
		require.Less(t, used(t, fd), 16*page)
	}
	control(t, fd, nto.ControlAnonymous, uint64(16*page))
	require.GreaterOrEqual(t, used(t, fd), 16*page)
	requireSize(t, 16*page, fd)
	requirePage(t, 'A', fd, 0)
	requirePage(t, 0, fd, 15*page)

	// What is there already needs no more.
	defer memory.LimitMemory(fd, 0)()
	control(t, fd, nto.ControlAnonymous, uint64(16*page))
	_, err := memory.Control(fd, nto.ControlAnonymous, 0, uint64(17*page), nobodyToServe)
	testproc.WantErrno(t, syscall.ENOMEM, err)
	require.GreaterOrEqual(t, used(t, fd), 16*page)
	requireSize(t, 16*page, fd)
}

// TestControlOfAPart: what the object has elsewhere is of no use to the part that
// is asked for.
func TestControlOfAPart(t *testing.T) {
	const half = 8 << 20
	fd := newObject(t, 0, "")
	defer unix.Close(fd)
	require.NoError(t, memory.Truncate(fd, 2*half))
	require.NoError(t, unix.Fallocate(fd, 0, half, half))
	before := used(t, fd)
	defer memory.LimitMemory(fd, 0)()
	_, err := memory.Control(fd, nto.ControlAnonymous, 0, half, nobodyToServe)
	testproc.WantErrno(t, syscall.ENOMEM, err)
	require.Equal(t, before, used(t, fd))
}

// TestControlFails: an object that was to become larger, and for which the memory
// ended on the way, has what it had.
func TestControlFails(t *testing.T) {
	const piece = 64 << 20
	fd := newObject(t, 4, "A")
	defer unix.Close(fd)
	control(t, fd, nto.ControlAnonymous, uint64(4*page))
	before := used(t, fd)
	// At first all is there; by the second piece somebody has taken some.
	looks := 0
	defer memory.MemoryLeft(func() int64 {
		if looks++; looks > 1 {
			return 0
		}
		return math.MaxInt64
	})()
	_, err := memory.Control(fd, nto.ControlAnonymous, 0, 2*piece, nobodyToServe)
	testproc.WantErrno(t, syscall.ENOMEM, err)
	require.Equal(t, 2, looks)
	require.Equal(t, before, used(t, fd))
	requireSize(t, 4*page, fd)
	requirePage(t, 'A', fd, 0)
}

// TestControlServes: what makes an object revocable is called before, and its
// failure is Control's.
func TestControlServes(t *testing.T) {
	fd := newObject(t, 1, "")
	defer unix.Close(fd)
	calls := 0
	odd := errors.New("odd")
	serve := func() error {
		calls++
		require.False(t, memory.MarkedRevocable(fd))
		return odd
	}
	_, err := memory.Control(fd, nto.ControlRevocable|nto.ControlAnonymous, 0, uint64(8*page), serve)
	require.ErrorIs(t, err, odd)
	require.False(t, memory.MarkedRevocable(fd))
	requireSize(t, page, fd)
	require.Equal(t, 1, calls)
	_, err = memory.Control(fd, nto.ControlSeal, 0, 0, serve)
	require.NoError(t, err)
	require.Equal(t, 1, calls)

	fd = newRevocable(t, 1)
	defer unix.Close(fd)
	require.True(t, memory.MarkedRevocable(fd))
	require.True(t, describe(t, fd).Revocable())
	_, err = memory.Control(fd, nto.ControlRevocable, 0, 0, serve)
	require.NoError(t, err)
	require.Equal(t, 1, calls)
	require.EqualValues(t, nto.ControlRevocable|nto.ControlAnonymous, control(t, fd, nto.ControlGetFlags, 0))
}

// TestControlRefuses says why.
func TestControlRefuses(t *testing.T) {
	_, fd := named(t)
	for _, flags := range []uint32{nto.ControlSeal, nto.ControlRevocable} {
		_, err := memory.Control(fd, flags, 0, 0, nobodyToServe)
		requireCause(t, syscall.ENOSYS, err, "anonymous")
	}
	control(t, fd, nto.ControlAnonymous, uint64(page))
	requireSize(t, page, fd)

	fd = newObject(t, 1, "")
	defer unix.Close(fd)
	for _, flags := range []uint32{0, 1 << 16, nto.ControlLazy, nto.ControlGetFlags | nto.ControlSeal, nto.ControlGlobal} {
		_, err := memory.Control(fd, flags, 0, 0, nobodyToServe)
		testproc.WantErrno(t, syscall.EINVAL, err, flags)
	}
	_, err := memory.Control(fd, nto.ControlSeal, 0, 1, nobodyToServe)
	testproc.WantErrno(t, syscall.EINVAL, err)
	for _, flags := range []uint32{nto.ControlPhysical, nto.ControlTypedMemory, nto.ControlAnonymous | nto.ControlRepeat} {
		_, err := memory.Control(fd, flags, 0, 0, nobodyToServe)
		requireCause(t, syscall.ENOSYS, err, "target")
	}
	for _, bad := range []int{-1, math.MaxInt, 1 << 20} {
		_, err := memory.Control(bad, nto.ControlSeal, 0, 0, nobodyToServe)
		testproc.WantErrno(t, syscall.EBADF, err)
	}
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	_, err = memory.Control(int(file.Fd()), nto.ControlGetFlags, 0, 0, nobodyToServe)
	testproc.WantErrno(t, syscall.EBADF, err)
	readOnly := reopened(t, fd, os.O_RDONLY)
	defer unix.Close(readOnly)
	_, err = memory.Control(readOnly, nto.ControlSeal, 0, 0, nobodyToServe)
	testproc.WantErrno(t, syscall.EPERM, err)
	control(t, fd, nto.ControlSeal, 0)
	_, err = memory.Control(fd, nto.ControlAnonymous, 0, uint64(2*page), nobodyToServe)
	testproc.WantErrno(t, syscall.EPERM, err)
	require.NotZero(t, nto.ControlSeal&control(t, readOnly, nto.ControlGetFlags, 0))
}
