//go:build linux

package hostile_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A memoryGroup is a cgroup whose processes may have so much memory.
type memoryGroup struct {
	dir   string
	limit string // the file of its limit
}

// newMemoryGroup makes a cgroup below another one, or below that of this process.
func newMemoryGroup(t *testing.T, parent string) memoryGroup {
	t.Helper()
	needRoot(t)
	g := memoryGroup{limit: "memory.limit_in_bytes"}
	if parent == "" {
		parent = ownMemoryGroup()
	}
	if parent == "" { // version 2, where only groups without processes have others
		parent, g.limit = mountedGroups(t), "memory.max"
		err := os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+memory"), 0)
		if err != nil {
			t.Skip("there is no memory controller to be had:", err)
		}
	} else if _, err := os.Stat(filepath.Join(parent, "memory.max")); err == nil {
		g.limit = "memory.max"
		require.NoError(t, os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+memory"), 0))
	}
	dir, err := os.MkdirTemp(parent, "qnxshm-test-")
	require.NoError(t, err)
	g.dir = dir
	t.Cleanup(func() {
		testproc.Eventually(t, testproc.Patience, func() bool { return unix.Rmdir(dir) == nil }, "%s stays", dir)
	})
	return g
}

// ownMemoryGroup is the directory of the group that this process is in, "" without
// the controller's own hierarchy (version 1).
func ownMemoryGroup() string {
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		// number:controllers:path
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && f[1] == "memory" {
			for _, path := range []string{f[2], "/"} {
				dir := filepath.Join("/sys/fs/cgroup/memory", path)
				if _, err := os.Stat(filepath.Join(dir, "memory.limit_in_bytes")); err == nil {
					return dir
				}
			}
		}
	}
	return ""
}

// mountedGroups is where the groups of version 2 begin.
func mountedGroups(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
		if err == nil && bytes.Contains(controllers, []byte("memory")) {
			return dir
		}
	}
	t.Skip("there is no memory controller")
	return ""
}

func (g memoryGroup) set(t *testing.T, bytes int) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, g.limit), []byte(strconv.Itoa(bytes)), 0))
}

// start starts a process in the group.
func (g memoryGroup) start(t *testing.T) *testproc.Child {
	t.Helper()
	c := startChild(t)
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "cgroup.procs"), []byte(strconv.Itoa(c.PID())), 0))
	return c
}

// TestMemoryOfGroup: who asks for more memory than its cgroup may have is told so,
// and lives.
func TestMemoryOfGroup(t *testing.T) {
	const limit, some, tooMuch = 64 << 20, 16 << 20, 256 << 20
	for _, of := range []string{"its own", "a parent's"} {
		t.Run(of, func(t *testing.T) {
			g := newMemoryGroup(t, "")
			g.set(t, limit)
			if of == "a parent's" {
				g = newMemoryGroup(t, g.dir)
			}
			c := g.start(t)
			c.Do("control", c.Do("object", 0), int(qnxshm.ControlAnonymous), some)
			for _, pages := range []int{0, tooMuch / os.Getpagesize()} {
				fd := c.Do("object", pages).Int()
				before := c.Do("status", fd)
				testproc.WantErrno(t, syscall.ENOMEM, c.Err("control", fd, int(qnxshm.ControlAnonymous), tooMuch))
				require.Equal(t, before.String(), c.Do("status", fd).String())
			}
		})
	}
}

// TestMemoryOfSized: an object may have its size already, but not the memory.
func TestMemoryOfSized(t *testing.T) {
	const pages = 16
	c := startChild(t)
	for _, wanted := range []int{pages, pages / 2} {
		t.Run(fmt.Sprintf("%d of %d pages", wanted, pages), func(t *testing.T) {
			c := c.For(t)
			fd := c.Do("object", pages).Int()
			var got footprint
			c.Do("control", fd, int(qnxshm.ControlAnonymous), wanted*os.Getpagesize()).Into(&got)
			require.EqualValues(t, pages*os.Getpagesize(), got.Size)
			require.GreaterOrEqual(t, got.Memory, int64(wanted*os.Getpagesize()))
		})
	}
}

// TestNamesNotInMemory: where /dev/shm is something else, names are refused, and
// whoever asks is told why.
func TestNamesNotInMemory(t *testing.T) {
	needRoot(t)
	disk := t.TempDir()
	var fs unix.Statfs_t
	require.NoError(t, unix.Statfs(disk, &fs))
	where := map[string]step{
		"ramfs":     {"mount", "ramfs", "/dev/shm", ""},
		"hugetlbfs": {"mount", "hugetlbfs", "/dev/shm", ""},
	}
	if fs.Type != unix.TMPFS_MAGIC {
		where["disk"] = step{"bind", disk, "/dev/shm"}
	}
	for name, mounted := range where {
		t.Run(name, func(t *testing.T) {
			c := startChild(t, step{"mounts"}, mounted)
			err := c.Err("named", "/hostile", os.O_RDWR|os.O_CREATE, 0o600)
			require.Error(t, err, "an object that cannot work")
			requireSays(t, err, "/dev/shm", "tmpfs")
		})
	}
}
