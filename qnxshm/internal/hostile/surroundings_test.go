//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// requireSays requires that a call failed and that a person can read why: what is
// missing, by whose fault perhaps, and what it is needed for. Each is a regular
// expression. With the target's files an errno is all that comes through C.
func requireSays(t *testing.T, err error, says ...string) {
	t.Helper()
	require.Error(t, err)
	if targetFiles() {
		return
	}
	for _, s := range says {
		assert.Regexp(t, "(?i)"+s, err.Error())
	}
}

// targetFiles reports whether this was built with the tag qnx.
func targetFiles() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == "-tags" && slices.Contains(strings.Split(s.Value, ","), "qnx")
	})
}

// worksOrSays is requireSays for a call that may do without what is missing.
func worksOrSays(t *testing.T, err error, says ...string) {
	t.Helper()
	if err != nil {
		requireSays(t, err, says...)
	}
}

// TestRefusedCalls: filters of containers refuse what they do not know, in one of
// two ways.
func TestRefusedCalls(t *testing.T) {
	const setLock = "=37" // F_OFD_SETLK
	for _, c := range []struct {
		name string
		call []string
		use  func(t *testing.T, c *testproc.Child) error
		says []string
	}{
		{"memfd_create", nil, func(_ *testing.T, c *testproc.Child) error { return c.Err("object", 1) },
			[]string{"memfd_create", "object|memory"}},
		{"pidfd_open", nil, func(t *testing.T, c *testproc.Child) error {
			return c.Err("handle", c.Do("object", 1), os.Getpid(), os.O_RDONLY)
		}, []string{"pidfd_open", "process|recipient"}},
		{"fcntl", []string{"1", setLock}, func(t *testing.T, c *testproc.Child) error {
			maker := startChild(t)
			h := maker.Do("part", maker.Do("object", 2), c.PID(), os.O_RDONLY)
			return c.Err("open", h, os.O_RDONLY)
		}, []string{"OFD|F_OFD_SETLK|fcntl", "part|window"}},
	} {
		for _, errno := range []syscall.Errno{syscall.EPERM, syscall.ENOSYS} {
			t.Run(fmt.Sprintf("%s/%s", c.name, unix.ErrnoName(errno)), func(t *testing.T) {
				call := append([]string{"refuse", c.name, strconv.Itoa(int(errno))}, c.call...)
				err := c.use(t, startChild(t, call))
				if c.name == "pidfd_open" && errno == syscall.ENOSYS { // as valgrind says: processes are watched without
					require.NoError(t, err)
					return
				}
				requireSays(t, err, append(c.says, "refuse|seccomp|filter|kernel")...)
			})
		}
	}
}

// TestOpenWithoutPidfd: who opens may have a use for it, or not.
func TestOpenWithoutPidfd(t *testing.T) {
	maker, c := startChild(t), startChild(t, step{"refuse", "pidfd_open", strconv.Itoa(int(syscall.EPERM))})
	h := maker.Do("handle", maker.Do("object", 1), c.PID(), os.O_RDONLY)
	worksOrSays(t, c.Err("open", h, os.O_RDONLY), "pidfd_open", "process|maker")
}

// TestLandlock: whoever is shut in by Landlock is told so, not that some file has
// the wrong mode or that nobody is there.
func TestLandlock(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		c := startChild(t, step{"landlock", "files"})
		err := c.Err("named", uniqueName(), os.O_RDWR|os.O_CREATE, 0o600)
		requireSays(t, err, "landlock", "/dev/shm")
	})
	t.Run("sockets", func(t *testing.T) {
		maker, c := startChild(t), startChild(t, step{"landlock", "sockets"})
		h := maker.Do("handle", maker.Do("object", 1), c.PID(), os.O_RDONLY)
		requireSays(t, c.Err("open", h, os.O_RDONLY), "landlock", "socket", "maker|process")
		requireSays(t, c.Err("connect", maker.PID(), maker.Do("channel")), "landlock", "socket", "server|process")
	})
}

func uniqueName() string { return fmt.Sprintf("/hostile-%d", os.Getpid()) }

// TestSharedMemoryDirectory: what may be wrong with /dev/shm.
func TestSharedMemoryDirectory(t *testing.T) {
	needRoot(t)
	const create = os.O_RDWR | os.O_CREATE
	t.Run("read-only", func(t *testing.T) {
		c := startChild(t, step{"mounts"}, step{"mount", "tmpfs", "/dev/shm", "", "ro"})
		requireSays(t, c.Err("named", "/hostile", create, 0o600), "/dev/shm", "read-only")
	})
	t.Run("missing", func(t *testing.T) {
		c := startChild(t, step{"mounts"}, step{"mount", "tmpfs", "/dev", ""})
		requireSays(t, c.Err("named", "/hostile", create, 0o600), "/dev/shm", "mounted|no directory|does not exist|missing")
	})
	t.Run("no inodes", func(t *testing.T) {
		c := startChild(t, step{"mounts"}, step{"mount", "tmpfs", "/dev/shm", "nr_inodes=1"})
		requireSays(t, c.Err("named", "/hostile", create, 0o600), "/dev/shm", "full|space|room|inodes")
	})
	t.Run("full", func(t *testing.T) {
		c := startChild(t, step{"mounts"}, step{"mount", "tmpfs", "/dev/shm", "size=64k"})
		fd := c.Do("named", "/hostile", create, 0o600).Int()
		c.Do("truncate", fd, 1<<20)
		err := c.Err("store", c.Do("mapfd", fd, os.O_RDWR))
		requireSays(t, err, "/dev/shm", "full|space|room")
		if !targetFiles() {
			assert.NotContains(t, err.Error(), "shorter", "it has its size")
		}
		requireSays(t, c.Err("control", fd, int(qnxshm.ControlAnonymous), 2<<20), "/dev/shm", "full|space|room")
	})
	t.Run("protected", func(t *testing.T) {
		// The kernel's own switch is for the whole machine. What a process sees of
		// it: the switch, and that it may not open with O_CREAT what is another
		// user's, whatever the mode.
		on := t.TempDir() + "/on"
		require.NoError(t, os.WriteFile(on, []byte("1\n"), 0o644))
		c := startChild(t, step{"mounts"}, step{"mount", "tmpfs", "/dev/shm", "mode=1777"},
			step{"bind", on, "/proc/sys/fs/protected_regular"}, step{"othersfile", "/dev/shm/hostile"},
			step{"refuse", "openat", strconv.Itoa(int(syscall.EACCES)), "2", strconv.Itoa(os.O_CREATE)}, anotherUser())
		c.Do("named", "/hostile", os.O_RDWR, 0)
		requireSays(t, c.Err("named", "/hostile", create, 0o666), "protected_regular", "/dev/shm", "user|owner")
	})
}

// TestWithoutProc: the host says what it wants /proc for, or does without.
func TestWithoutProc(t *testing.T) {
	needRoot(t)
	const proc = "/proc.*(mounted|missing|needs)"
	without := func(t *testing.T) *testproc.Child {
		return startChild(t, step{"mounts"}, step{"mount", "tmpfs", "/proc", ""})
	}
	t.Run("maker", func(t *testing.T) {
		c := without(t)
		worksOrSays(t, c.Err("handle", c.Do("object", 1), os.Getpid(), os.O_RDONLY), proc)
	})
	t.Run("recipient", func(t *testing.T) {
		maker, c := startChild(t), without(t)
		fd := maker.Do("object", 2).Int()
		worksOrSays(t, c.Err("open", maker.Do("handle", fd, c.PID(), os.O_RDONLY), os.O_RDONLY), proc)
		worksOrSays(t, c.Err("open", maker.Do("part", fd, c.PID(), os.O_RDONLY), os.O_RDONLY), proc)
	})
	t.Run("client", func(t *testing.T) {
		server, c := startChild(t), without(t)
		worksOrSays(t, c.Err("connect", server.PID(), server.Do("channel")), proc)
	})
	t.Run("server", func(t *testing.T) { worksOrSays(t, without(t).Err("channel"), proc) })
	t.Run("object", func(t *testing.T) { worksOrSays(t, without(t).Err("readonly"), proc) })
}
