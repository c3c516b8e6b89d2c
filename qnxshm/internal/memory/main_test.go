//go:build linux

package memory_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

var page = int64(os.Getpagesize())

func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftOver(); os.Getenv(childEnv) == "" && len(left) > 0 && code == 0 {
		fmt.Println("left behind:", left)
		code = 1
	}
	os.Exit(code)
}

// leftOver are descriptors of objects, and mappings that could be taken away.
func leftOver() (left []string) {
	fds, _ := linux.OpenFDs()
	for _, fd := range fds {
		link, _ := os.Readlink(fmt.Sprint("/proc/self/fd/", fd))
		if strings.HasPrefix(link, "/memfd:") || strings.HasPrefix(link, "/dev/shm/") {
			left = append(left, link)
		}
	}
	if n := memory.MappedRanges(); n > 0 {
		left = append(left, fmt.Sprint(n, " mappings"))
	}
	return left
}

// childEnv names the test that the process was started for.
const childEnv = "MEMORY_TEST_CHILD"

var skipped = regexp.MustCompile(`(?m)^\s*\S+_test\.go:\d+: (.*)\n--- SKIP`)

// inChild runs a test in a process of its own: the test binary once more, for that
// test only, with attr and with files as descriptors from 3 on. Its skip or failure
// is this test's.
func inChild(t *testing.T, attr *syscall.SysProcAttr, files []*os.File, run func(t *testing.T)) {
	t.Helper()
	if os.Getenv(childEnv) == t.Name() {
		run(t)
		return
	}
	// Not by /proc: the child may do without.
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run", "^"+t.Name()+"$", "-test.v", "-test.count=1", "-test.timeout=60s")
	// The race detector would let every process linger for a second.
	cmd.Env = append(os.Environ(), childEnv+"="+t.Name(), "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	cmd.SysProcAttr, cmd.ExtraFiles = attr, files
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	if s := skipped.FindSubmatch(out); s != nil {
		t.Skipf("%s", s[1])
	}
	require.Contains(t, string(out), "--- PASS: "+t.Name(), "nothing was tested")
}

// inMounts runs a test as root of a mount namespace of its own, in which run may
// mount what it likes.
func inMounts(t *testing.T, run func(t *testing.T)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	inChild(t, &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}, nil, func(t *testing.T) {
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

// errnoOf is the errno of a failed call, 0 for none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if err != nil && !errors.As(err, &errno) {
		return syscall.EIO
	}
	return errno
}

func requireErrno(t testing.TB, want syscall.Errno, err error, args ...any) {
	t.Helper()
	require.Equal(t, qnxerr.Name(want), qnxerr.Name(errnoOf(err)), "%v %v", err, args)
}

// requireCause requires an errno with a text that says all of says.
func requireCause(t testing.TB, want syscall.Errno, err error, says ...string) {
	t.Helper()
	requireErrno(t, want, err)
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
