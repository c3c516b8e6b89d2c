//go:build linux

package memory_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

func requireSize(t testing.TB, want int64, fd int) {
	t.Helper()
	size, err := memory.ObjectSize(fd)
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
	p, _, err := memory.Mmap(nil, uint64(page), nto.ProtRead, nto.MapShared, fd, offset)
	require.NoError(t, err)
	require.Equal(t, want, *(*byte)(p))
	require.NoError(t, memory.Munmap(p, uint64(page)))
}

func requireOutside(t testing.TB, fd int, offset int64) {
	t.Helper()
	_, _, err := memory.Mmap(nil, uint64(page), nto.ProtRead, nto.MapShared, fd, offset)
	testproc.WantErrno(t, syscall.ENXIO, err)
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
			requireOutside(t, fd, 3*page)
			testproc.WantErrno(t, syscall.EPERM, memory.Truncate(fd, page))
			_, err := memory.Control(fd, nto.ControlSeal, 0, 0, nil)
			testproc.WantErrno(t, syscall.EPERM, err)
		}
		// The number now means the whole object, and then the window again.
		require.NoError(t, unix.Dup3(whole, dup, unix.O_CLOEXEC))
		requireSize(t, 8*page, dup)
		requirePage(t, 7, dup, 7*page)
		require.NoError(t, unix.Dup3(high, dup, unix.O_CLOEXEC))
		requireSize(t, 3*page, dup)
		unix.Close(dup)

		// A window of the window, after which the first one goes.
		inner := newWindow(t, high, access, page, page)
		requirePage(t, 3, inner, 0)
		d := describe(t, inner)
		_, err = d.Window.Within(0, 2*page, d.Size)
		testproc.WantErrno(t, syscall.EINVAL, err)
		unix.Close(high)
		unix.Close(whole)
		memory.Forget()
		requirePage(t, 3, inner, 0)
		requireSize(t, page, inner)
		unix.Close(inner)
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

// TestLockedObject: somebody else's lock on an object is no reason to hang.
func TestLockedObject(t *testing.T) {
	for _, access := range []int{os.O_RDONLY, os.O_WRONLY} {
		fd := newObject(t, 2, "")
		all := unix.Flock_t{Type: unix.F_WRLCK, Whence: unix.SEEK_SET}
		require.NoError(t, unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &all))
		got := reopened(t, fd, access)
		d := describe(t, fd)
		err := memory.Adopt(got, d.Key, memory.Window{Offset: page, Size: page}, d.Origin)
		requireCause(t, syscall.EAGAIN, err, "locked")
		unix.Close(got)
		unix.Close(fd)
	}
}

// TestOthersWindow: of a window that another process was given nobody here knows
// which part it is. It is not the whole object for that, whichever other
// descriptors this process has, and in whatever order it looks at them.
func TestOthersWindow(t *testing.T) {
	var files []*os.File
	if !testproc.Rerunning() {
		whole := newObject(t, 4, "A")
		window := newWindow(t, whole, os.O_RDONLY, page, page)
		files = []*os.File{os.NewFile(uintptr(whole), "whole"), os.NewFile(uintptr(window), "window")}
		defer files[0].Close()
		defer files[1].Close()
	}
	testproc.Options{Files: files}.Rerun(t, func(t *testing.T) {
		const whole, window = 3, 4
		refused := func() {
			t.Helper()
			_, err := memory.Describe(window)
			testproc.WantErrno(t, syscall.EBADF, err)
			_, _, err = memory.Mmap(nil, uint64(page), nto.ProtRead, nto.MapShared, window, 0)
			testproc.WantErrno(t, syscall.EBADF, err)
		}
		known := func() {
			t.Helper()
			d := describe(t, whole)
			require.True(t, d.Object)
			require.Equal(t, 4*page, d.Length())
		}
		refused()
		known()
		refused()
		memory.Sweep()
		memory.Sweep()
		memory.Sweep()
		refused()
		memory.Forget()
		known()
		refused()
		own := newWindow(t, whole, os.O_RDONLY, 2*page, 2*page)
		refused()
		known()
		requireSize(t, 2*page, own)
		unix.Close(own)
		refused()
		// Once the window is nowhere any more, the whole object is as any other.
		unix.Close(window)
	})
}

// TestNoWindowAnyMore: nobody looks for windows once there are none.
func TestNoWindowAnyMore(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	fd := newObject(t, 2, "")
	defer unix.Close(fd)
	memory.Forget()
	window := reopened(t, fd, os.O_RDONLY)
	tag := unix.Flock_t{Type: unix.F_RDLCK, Whence: unix.SEEK_SET, Start: memory.FirstTag + 2, Len: 1}
	require.NoError(t, unix.FcntlFlock(uintptr(window), unix.F_OFD_SETLK, &tag))
	allocations := func() float64 {
		return testing.AllocsPerRun(100, func() {
			if d, err := memory.Describe(fd); err != nil || !d.Object {
				t.Error(err)
			}
		})
	}
	require.NotZero(t, allocations())
	_, err := memory.Describe(window)
	testproc.WantErrno(t, syscall.EBADF, err)
	unix.Close(window)
	require.Zero(t, allocations())
}

// FuzzWindowWithin asks for parts of windows: they lie inside, or are refused.
func FuzzWindowWithin(f *testing.F) {
	f.Add(int64(0), int64(0), int64(0), int64(4096), int64(8192))
	f.Add(int64(4096), int64(8192), int64(4096), int64(4096), int64(0))
	f.Add(int64(4096), int64(8192), int64(math.MaxInt64), int64(4096), int64(0))
	f.Add(int64(0), int64(0), int64(1), int64(math.MaxInt64), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, windowOffset, windowSize, offset, size, whole int64) {
		// Such windows exist; others are refused where they come in.
		if windowOffset < 0 || windowSize < 0 || whole < 0 || windowOffset > math.MaxInt64-windowSize || windowSize == 0 && windowOffset != 0 {
			return
		}
		got, err := memory.Window{Offset: windowOffset, Size: windowSize}.Within(offset, size, whole)
		limit := windowSize
		if limit == 0 {
			limit = whole
		}
		inside := offset >= 0 && size > 0 && offset <= limit && size <= limit-offset
		require.Equal(t, inside, err == nil)
		if !inside {
			return
		}
		require.Equal(t, size, got.Size)
		require.Equal(t, windowOffset+offset, got.Offset)
		require.GreaterOrEqual(t, got.Offset, windowOffset)
		require.LessOrEqual(t, got.Offset+got.Size, windowOffset+limit)
	})
}

// FuzzWindowTags reads what the kernel could say about a descriptor.
func FuzzWindowTags(f *testing.F) {
	lock := func(kind string, start, end any) []byte {
		return fmt.Appendf(nil, "pos:\t0\nflags:\t02100000\nlock:\t1: %s ADVISORY  READ -1 00:01:1027 %v %v\n", kind, start, end)
	}
	tag := uint64(memory.FirstTag + 2)
	f.Add([]byte("pos:\t0\nflags:\t02\n"))
	f.Add(lock("OFDLCK", tag, tag))
	f.Add(lock("POSIX", tag, tag))
	f.Add(lock("OFDLCK", tag, "EOF"))
	f.Add(lock("OFDLCK", 0, 0))
	f.Add(append(lock("OFDLCK", tag, tag), lock("OFDLCK", tag+2, tag+2)...))
	f.Fuzz(func(t *testing.T, info []byte) {
		for tag := range memory.WindowTags(info) {
			require.GreaterOrEqual(t, tag, uint64(memory.FirstTag))
			require.Contains(t, string(info), fmt.Sprint(tag))
		}
	})
}

// TestWindowTags reads the lines that FuzzWindowTags can say little about.
func TestWindowTags(t *testing.T) {
	tag := uint64(memory.FirstTag + 2)
	info := fmt.Sprintf("pos:\t0\n"+
		"lock:\t1: OFDLCK ADVISORY  READ -1 00:01:1027 %[1]d %[1]d\n"+
		"lock:\t2: POSIX  ADVISORY  WRITE 77 00:01:1027 %[2]d %[2]d\n"+
		"lock:\t3: OFDLCK ADVISORY  WRITE -1 00:01:1027 %[3]d %[3]d\n"+
		"lock:\t4: OFDLCK ADVISORY  READ -1 00:01:1027 0 EOF\n", tag, tag+2, tag+4)
	require.Equal(t, []uint64{tag, tag + 4}, slices.Collect(memory.WindowTags([]byte(info))))
}

// TestCheckReceived: what a peer sends is memory, with the access that was asked
// for, or it is refused.
func TestCheckReceived(t *testing.T) {
	fd := newObject(t, 2, "")
	defer unix.Close(fd)
	readOnly := reopened(t, fd, os.O_RDONLY)
	defer unix.Close(readOnly)
	path := reopened(t, fd, unix.O_PATH)
	defer unix.Close(path)
	pipe := make([]int, 2)
	require.NoError(t, unix.Pipe2(pipe, unix.O_CLOEXEC))
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	file, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer file.Close()

	good := memory.Window{Offset: page, Size: page}
	key, revocable, ok := memory.CheckReceived(fd, os.O_RDWR, good)
	require.True(t, ok)
	require.Equal(t, describe(t, fd).Key, key)
	require.False(t, revocable)
	_, _, ok = memory.CheckReceived(readOnly, os.O_RDONLY, memory.Window{})
	require.True(t, ok)
	for _, c := range []struct {
		fd, access int
		w          memory.Window
	}{
		{linux.NoFD, os.O_RDWR, good},
		{readOnly, os.O_RDWR, good},
		{fd, os.O_RDONLY, good},
		{path, os.O_RDONLY, good},
		{pipe[0], os.O_RDONLY, good},
		{int(file.Fd()), os.O_RDONLY, good},
		{fd, os.O_RDWR, memory.Window{Offset: -page, Size: page}},
		{fd, os.O_RDWR, memory.Window{Offset: page, Size: -page}},
		{fd, os.O_RDWR, memory.Window{Offset: 1, Size: page}},
		{fd, os.O_RDWR, memory.Window{Offset: 0, Size: 1}},
		{fd, os.O_RDWR, memory.Window{Offset: page, Size: 0}},
		{fd, os.O_RDWR, memory.Window{Offset: math.MaxInt64 / page * page, Size: page}},
	} {
		_, _, ok := memory.CheckReceived(c.fd, c.access, c.w)
		require.False(t, ok, "%+v", c)
	}
}

// TestTagsOf reads the kernel's own words.
func TestTagsOf(t *testing.T) {
	whole := newObject(t, 2, "")
	defer unix.Close(whole)
	window := newWindow(t, whole, os.O_WRONLY, page, page)
	defer unix.Close(window)
	tags, err := memory.TagsOf(whole)
	require.NoError(t, err)
	require.Empty(t, tags)
	tags, err = memory.TagsOf(window)
	require.NoError(t, err)
	require.Equal(t, []uint64{describe(t, window).Tag}, tags)
	// Another one that has it, as the recipient of another user would.
	require.NoError(t, memory.Adopt(window, describe(t, whole).Key, memory.Window{Offset: page, Size: page}, memory.Origin{}))
	tags, err = memory.TagsOf(window)
	require.NoError(t, err)
	require.Len(t, slices.Compact(tags), 2)
	_, err = memory.TagsOf(1 << 20)
	testproc.WantErrno(t, syscall.EBADF, err)
}
