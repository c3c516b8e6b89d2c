//go:build linux

package memory_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

var page = int64(os.Getpagesize())

func TestMain(m *testing.M) { testproc.Main(m, nil, mappings) }

// mappings are those that could be taken away.
func mappings() []string {
	if n := memory.MappedRanges(); n > 0 {
		return []string{fmt.Sprint(n, " mappings")}
	}
	return nil
}

// inMounts runs a test as root of a mount namespace of its own, in which run may
// mount what it likes.
func inMounts(t *testing.T, run func(t *testing.T)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	testproc.Options{Attr: &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}}.Rerun(t, func(t *testing.T) {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Skip("no mount namespace of its own: ", err)
		}
		run(t)
	})
}

// mount mounts a file system at dir.
func mount(t *testing.T, kind, dir string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(kind, dir, kind, flags, data); err != nil {
		t.Skipf("no %s at %s: %v", kind, dir, err)
	}
}

// requireCause requires an errno with a text that says all of says.
func requireCause(t testing.TB, want syscall.Errno, err error, says ...string) {
	t.Helper()
	testproc.WantErrno(t, want, err)
	var cause qnxerr.Cause
	require.ErrorAs(t, err, &cause)
	for _, s := range says {
		require.Contains(t, cause.Text, s)
	}
}

// newObject returns a descriptor of an object with a text in it, for the caller
// to close.
func newObject(t testing.TB, pages int, text string) int {
	t.Helper()
	fd, err := memory.OpenAnonymous(os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.NoError(t, memory.Truncate(fd, int64(pages)*page))
	_, err = unix.Pwrite(fd, []byte(text), 0)
	require.NoError(t, err)
	return fd
}

// newRevocable is newObject of a revocable one.
func newRevocable(t testing.TB, pages int) int {
	t.Helper()
	fd := newObject(t, pages, "")
	control(t, fd, nto.ControlRevocable, 0)
	return fd
}

// named returns a descriptor of an object with a name of this test.
func named(t testing.TB) (name string, fd int) {
	t.Helper()
	name = "/" + strings.ReplaceAll(t.Name(), "/", "_") + "-" + strings.TrimPrefix(memory.NewOrigin().Name(), "qnxshm:")
	fd, err := memory.OpenObject(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() {
		unix.Close(fd)
		memory.UnlinkObject(name)
	})
	return name, fd
}

func describe(t testing.TB, fd int) memory.Descriptor {
	t.Helper()
	d, err := memory.Describe(fd)
	require.NoError(t, err)
	return d
}

// reopened returns a new open file description of fd's object, for the caller to
// close, as comes by a handle.
func reopened(t testing.TB, fd, access int) int {
	t.Helper()
	got, err := linux.Reopen(linux.NoFD, fd, access)
	require.NoError(t, err)
	return got
}

// newWindow returns a window of what fd has, for the caller to close.
func newWindow(t testing.TB, fd, access int, offset, size int64) int {
	t.Helper()
	d := describe(t, fd)
	w, err := d.Window.Within(offset, size, d.Size)
	require.NoError(t, err)
	got := reopened(t, fd, access)
	require.NoError(t, memory.Adopt(got, d.Key, w, d.Origin))
	return got
}
