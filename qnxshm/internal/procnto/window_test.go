//go:build linux

package procnto_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

var page = int64(os.Getpagesize())

// newWindow returns a window of some pages of an object of this process, for
// the caller to close.
func newWindow(t testing.TB, fd, access int, offset, size int64) int {
	t.Helper()
	h, err := procnto.CreateSubrangeHandle(fd, os.Getpid(), access, 0, size, offset)
	require.NoError(t, err)
	w, err := procnto.OpenHandle(h, access)
	require.NoError(t, err)
	return w
}

func requireSize(t testing.TB, want int64, fd int) {
	t.Helper()
	size, err := procnto.ObjectSize(fd)
	require.NoError(t, err)
	require.Equal(t, want, size)
}

// numbered is an object of n pages; each begins with its number.
func numbered(t testing.TB, n int) int {
	t.Helper()
	fd := newObject(t, n, "")
	for i := range int64(n) {
		_, err := unix.Pwrite(fd, []byte{byte(i)}, i*page)
		require.NoError(t, err)
	}
	return fd
}

func requirePage(t testing.TB, want byte, fd int, offset int64) {
	t.Helper()
	mem, err := procnto.Map(fd, os.O_RDONLY, offset, page)
	require.NoError(t, err)
	require.Equal(t, want, mem[0])
	require.NoError(t, procnto.Unmap(mem))
}

// TestWindowSurvives: whatever is done to the number of a descriptor, a window
// stays one, and nothing else becomes one.
func TestWindowSurvives(t *testing.T) {
	for _, access := range []int{os.O_RDONLY, os.O_RDWR} {
		whole := numbered(t, 8)
		w := newWindow(t, whole, access, 2*page, 3*page)
		requireSize(t, 3*page, w)
		requirePage(t, 2, w, 0)

		dup, err := unix.Dup(w)
		require.NoError(t, err)
		high, err := unix.FcntlInt(uintptr(w), unix.F_DUPFD_CLOEXEC, 400)
		require.NoError(t, err)
		unix.Close(w)
		for _, fd := range []int{dup, high} {
			requireSize(t, 3*page, fd)
			requirePage(t, 4, fd, 2*page)
			_, err := procnto.Map(fd, os.O_RDONLY, 3*page, page)
			requireErrno(t, syscall.ENXIO, err)
			requireErrno(t, syscall.EPERM, procnto.Truncate(fd, page))
		}
		// The number now means the whole object, and then the window again.
		require.NoError(t, unix.Dup3(whole, dup, unix.O_CLOEXEC))
		requireSize(t, 8*page, dup)
		requirePage(t, 7, dup, 7*page)
		require.NoError(t, unix.Dup3(high, dup, unix.O_CLOEXEC))
		requireSize(t, 3*page, dup)
		unix.Close(dup)
		got, err := unix.FcntlInt(uintptr(whole), unix.F_DUPFD_CLOEXEC, dup)
		require.NoError(t, err)
		requireSize(t, 8*page, got)
		unix.Close(got)

		// A window of the window, after which the first one goes.
		inner := newWindow(t, high, access, page, page)
		requirePage(t, 3, inner, 0)
		_, err = procnto.CreateSubrangeHandle(inner, os.Getpid(), access, 0, 2*page, 0)
		requireErrno(t, syscall.EINVAL, err)
		unix.Close(high)
		requirePage(t, 3, inner, 0)
		requireSize(t, page, inner)
		// A handle of a window opens a window, also when that is closed by then.
		h, err := procnto.CreateHandle(inner, os.Getpid(), access, 0)
		require.NoError(t, err)
		unix.Close(inner)
		unix.Close(whole)
		last, err := procnto.OpenHandle(h, access)
		require.NoError(t, err)
		requireSize(t, page, last)
		requirePage(t, 3, last, 0)
		unix.Close(last)
	}
}

// TestManyWindows tells many windows of one object apart.
func TestManyWindows(t *testing.T) {
	const n = 64
	whole := numbered(t, n)
	defer unix.Close(whole)
	fds := make([]int, n)
	for i := range fds {
		fds[i] = newWindow(t, whole, os.O_RDONLY, int64(i)*page, page)
	}
	for i, fd := range fds {
		requirePage(t, byte(i), fd, 0)
		unix.Close(fd)
	}
	requireSize(t, n*page, whole)
}

// TestRegistryForgets: what is closed without a call of this module is
// forgotten, what is open is not.
func TestRegistryForgets(t *testing.T) {
	const bound = 3000 // some times what is open, and what is not worth a sweep
	whole := numbered(t, 4)
	defer unix.Close(whole)
	w := newWindow(t, whole, os.O_RDONLY, page, page)
	defer unix.Close(w)
	most := 0
	seen := func() { most = max(most, procnto.RegistryEntries()) }
	for range 5000 {
		fd, err := procnto.OpenAnonymous(os.O_RDWR, 0o600)
		require.NoError(t, err)
		require.NoError(t, unix.Close(fd))
		seen()
	}
	require.Less(t, most, bound)
	for range 3000 {
		require.NoError(t, unix.Close(newWindow(t, whole, os.O_RDONLY, 2*page, page)))
		seen()
	}
	require.Less(t, most, bound)
	requireSize(t, page, w)
	requirePage(t, 1, w, 0)
	requireSize(t, 4*page, whole)
}

// TestLockedObject: somebody else's lock on an object is no reason to hang.
func TestLockedObject(t *testing.T) {
	for _, access := range []int{os.O_RDONLY, os.O_WRONLY} {
		maker, opener := startChild(t), startChild(t)
		fd := maker.number("object", 2)
		maker.do("lock", fd)
		h := maker.handle("windowhandle", fd, opener.pid(), access)
		opener.try("open", h, access)
		opener.do("object", 1) // it can go on
	}
}
