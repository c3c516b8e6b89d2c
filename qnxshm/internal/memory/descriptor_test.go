//go:build linux

package memory_test

import (
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestOwn: an object knows who created it, and nobody else can say so.
func TestOwn(t *testing.T) {
	fd := newObject(t, 1, "")
	defer unix.Close(fd)
	o := describe(t, fd).Origin
	require.True(t, o.Own())
	require.True(t, o.Known())
	require.EqualValues(t, os.Getpid(), o.PID)
	got, ok := memory.OriginOf(fd)
	require.True(t, ok)
	require.Equal(t, o, got)

	require.False(t, memory.Origin{}.Known())
	require.False(t, memory.Origin{}.Own())
	for _, wrong := range []memory.Origin{
		{PID: o.PID, Serial: o.Serial, Secret: o.Secret ^ 1},
		{PID: o.PID, Serial: o.Serial + 1, Secret: o.Secret},
		{PID: o.PID + 1, Serial: o.Serial, Secret: o.Secret},
		{PID: o.PID, Serial: o.Serial},
	} {
		require.True(t, wrong.Known())
		require.False(t, wrong.Own())
	}
	require.NotEqual(t, o.Secret, memory.NewOrigin().Secret)
}

// TestInherited: a descriptor from another process is as good as one of this
// process's own, and tells whose the object is.
func TestInherited(t *testing.T) {
	var files []*os.File
	if !testproc.Rerunning() {
		_, name := named(t)
		plain, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
		require.NoError(t, err)
		defer unix.Close(plain)
		anonymous := newRevocable(t, 2)
		defer unix.Close(anonymous)
		for _, fd := range []int{anonymous, name, plain} {
			dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			require.NoError(t, err)
			files = append(files, os.NewFile(uintptr(dup), "object"))
			defer files[len(files)-1].Close()
		}
	}
	testproc.Options{Files: files}.Rerun(t, func(t *testing.T) {
		const anonymous, named, plain = 3, 4, 5
		d := describe(t, anonymous)
		require.True(t, d.Object)
		require.True(t, d.Revocable())
		require.EqualValues(t, os.Getppid(), d.Origin.PID)
		require.False(t, d.Origin.Own())
		_, err := memory.Control(anonymous, nto.ControlRevocable, 0, 0, nobodyToServe)
		requireCause(t, syscall.EPERM, err, "creator")
		p, got, err := memory.Mmap(nil, uint64(page), nto.ProtRead, nto.MapShared, anonymous, page)
		require.NoError(t, err)
		require.Equal(t, d, got)
		require.True(t, memory.Mapped(d.Key, d.Origin))
		require.True(t, memory.Revoke(d.Key, memory.Origin{}), "of another origin there is nothing")
		require.True(t, memory.Mapped(d.Key, d.Origin))
		require.True(t, memory.Revoke(d.Key, d.Origin))
		require.True(t, memory.Revoked(p))
		require.NoError(t, memory.Munmap(p, uint64(page)))

		d = describe(t, named)
		require.True(t, d.Object)
		require.False(t, d.Origin.Known())
		require.False(t, describe(t, plain).Object)
	})
}

// TestNotObjects: what is no object is described as none, whatever it is.
func TestNotObjects(t *testing.T) {
	dir, err := os.Open("/dev/shm")
	require.NoError(t, err)
	defer dir.Close()
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	var below *os.File
	if sub, err := os.MkdirTemp("/dev/shm", "memory"); err == nil {
		defer os.RemoveAll(sub)
		below, err = os.Create(sub + "/file")
		require.NoError(t, err)
		defer below.Close()
	}
	for _, f := range []*os.File{dir, null, below} {
		if f != nil {
			require.False(t, describe(t, int(f.Fd())).Object, f.Name())
		}
	}
	for _, name := range []string{"qnxshm", "qnxshm:1.2:3", "qnxshm:0.1:0123456789abcdef", "qnxshm:1.2:0123456789ABCDEF", "xqnxshm:1.2:0123456789abcdef"} {
		fd, err := linux.Memfd(name)
		require.NoError(t, err)
		require.False(t, describe(t, fd).Object, name)
		// A mark on what nobody could revoke.
		require.NoError(t, unix.Ftruncate(fd, page))
		require.NoError(t, unix.Fchmod(fd, 0o600|unix.S_ISVTX))
		_, _, err = memory.Mmap(nil, uint64(page), nto.ProtRead, nto.MapShared, fd, 0)
		requireCause(t, syscall.EBADF, err, "revocable")
		unix.Close(fd)
	}
	path := reopened(t, int(null.Fd()), unix.O_PATH)
	defer unix.Close(path)
	_, err = describe(t, path).Access()
	testproc.WantErrno(t, syscall.EBADF, err)
}

// FuzzOriginOfLink reads what /proc could say of a descriptor.
func FuzzOriginOfLink(f *testing.F) {
	for _, link := range []string{
		"/memfd:qnxshm:12.3:0123456789abcdef (deleted)", "/memfd:qnxshm:4194304.3:0123456789abcdef (deleted)",
		"/memfd:qnxshm:12.3:0123456789abcdef", "/memfd:qnxshm:+1.3:0123456789abcdef (deleted)", "socket:[1]", "",
		"/memfd:qnxshm:12.4294967296:0123456789abcdef (deleted)", "/memfd:qnxshm:12.03:0123456789abcdef (deleted)",
	} {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		o, ok := memory.OriginOfLink(link)
		if !ok {
			require.Zero(t, o)
			return
		}
		require.Equal(t, link, "/memfd:"+o.Name()+" (deleted)")
		require.Positive(t, o.PID)
		require.LessOrEqual(t, o.PID, int32(linux.MaxPID))
	})
}

func TestOriginOfLink(t *testing.T) {
	o, ok := memory.OriginOfLink("/memfd:qnxshm:12.3:0123456789abcdef (deleted)")
	require.True(t, ok)
	require.Equal(t, memory.Origin{PID: 12, Serial: 3, Secret: 0x0123456789abcdef}, o)
}

// TestAdoptBelievesTheObject: who sends an object does not say whose it is.
func TestAdoptBelievesTheObject(t *testing.T) {
	o := memory.Origin{PID: 77, Serial: 1, Secret: 2}
	fd, err := linux.Memfd(o.Name())
	require.NoError(t, err)
	defer unix.Close(fd)
	var st unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &st))
	key := memory.Key{Dev: uint64(st.Dev), Ino: uint64(st.Ino)}
	require.NoError(t, memory.Adopt(fd, key, memory.Window{}, memory.Origin{PID: 78}))
	require.Equal(t, o, describe(t, fd).Origin)
}

// TestAllocations: what is gone through for every handle allocates nothing.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	fd := newObject(t, 1, "")
	defer unix.Close(fd)
	_, name := named(t)
	for _, fd := range []int{fd, name} {
		require.Zero(t, testing.AllocsPerRun(1000, func() {
			d, err := memory.Describe(fd)
			if err == nil {
				_, err = d.Access()
			}
			if err != nil || !d.Object {
				t.Error(err)
			}
		}))
	}
}

func BenchmarkDescribe(b *testing.B) {
	fd := newObject(b, 1, "")
	defer unix.Close(fd)
	for b.Loop() {
		if d, err := memory.Describe(fd); err != nil || !d.Object {
			b.Fatal(err)
		}
	}
}

func BenchmarkDescribeAndAccess(b *testing.B) {
	fd := newObject(b, 1, "")
	defer unix.Close(fd)
	for b.Loop() {
		d, err := memory.Describe(fd)
		if err == nil {
			_, err = d.Access()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
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
	seen := func() { most = max(most, memory.RegistryEntries()) }
	for range 5000 {
		fd, err := memory.OpenAnonymous(os.O_RDWR, 0o600)
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

// TestForgottenObjects: a whole object that the registry has missed is recognised
// again.
func TestForgottenObjects(t *testing.T) {
	anonymous := newObject(t, 1, "")
	defer unix.Close(anonymous)
	name, fd := named(t)
	before := describe(t, anonymous)
	for range 2 {
		memory.Forget()
		require.False(t, memory.Remembered(before.Key))
		require.Equal(t, before, describe(t, anonymous))
		require.True(t, describe(t, fd).Object)
		require.True(t, memory.Remembered(before.Key))
		memory.UnlinkObject(name)
	}
}

// TestSweepWhileUsed: others go on while the registry looks for what is gone.
// Descriptors that move about meanwhile stay what they are.
func TestSweepWhileUsed(t *testing.T) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case <-done:
				return
			default:
				memory.Sweep()
			}
		}
	}()
	var movers sync.WaitGroup
	for i := range int64(4) {
		whole := numbered(t, 4)
		window := newWindow(t, whole, os.O_RDONLY, i*page, page)
		movers.Add(1)
		go func() {
			defer movers.Done()
			for range 300 {
				whole, window = moved(t, whole), moved(t, window)
				if size, err := memory.ObjectSize(window); err != nil || size != page {
					t.Errorf("a window has %d bytes: %v", size, err)
				}
				if d, err := memory.Describe(whole); err != nil || !d.Object || d.Length() != 4*page {
					t.Errorf("an object has %d bytes: %v", d.Length(), err)
				}
				fd, err := memory.OpenAnonymous(os.O_RDONLY, 0)
				if err != nil {
					t.Error(err)
				}
				unix.Close(fd)
			}
			unix.Close(whole)
			unix.Close(window)
		}()
	}
	movers.Wait()
	close(done)
	wg.Wait()
}

// moved gives a descriptor another number.
func moved(t *testing.T, fd int) int {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
	}
	unix.Close(fd)
	return dup
}

// TestSweepWithoutDescriptors: with no descriptor left to look with, nothing is
// forgotten.
func TestSweepWithoutDescriptors(t *testing.T) {
	testproc.Options{}.Rerun(t, func(t *testing.T) {
		whole := newObject(t, 2, "")
		window := newWindow(t, whole, os.O_RDONLY, page, page)
		entries := memory.RegistryEntries()
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(window + 1), Max: 4096}))
		for err := error(nil); err == nil; {
			_, err = unix.Dup(whole)
		}
		for range 4 {
			memory.Sweep()
		}
		require.Equal(t, entries, memory.RegistryEntries())
		_, err := memory.Describe(window)
		testproc.WantErrno(t, syscall.EMFILE, err)
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4096, Max: 4096}))
		requireSize(t, page, window)
	})
}

// TestReadOnlyObject: the number is the lowest free one, and the memory real.
func TestReadOnlyObject(t *testing.T) {
	fd, err := memory.OpenAnonymous(os.O_RDONLY|os.O_CREATE, 0)
	require.NoError(t, err)
	defer unix.Close(fd)
	access, err := describe(t, fd).Access()
	require.NoError(t, err)
	require.Equal(t, os.O_RDONLY, access)
	require.True(t, describe(t, fd).Origin.Own())
	for _, flags := range []int{os.O_WRONLY, os.O_RDWR | os.O_APPEND, -1} {
		_, err := memory.OpenAnonymous(flags, 0)
		testproc.WantErrno(t, syscall.EINVAL, err)
	}
}
