//go:build linux

package memory_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

const groupLimit = 128 << 20

// newGroup makes a memory cgroup with a limit, below the first mount of either
// version that lets it, and returns its directory.
func newGroup(t *testing.T, version int, parentLimit int64) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	kind, file := " - cgroup ", "memory.limit_in_bytes"
	if version == 2 {
		kind, file = " - cgroup2 ", "memory.max"
	}
	why := "not mounted"
	for line := range strings.Lines(string(mounts)) {
		if !strings.Contains(line, kind) {
			continue
		}
		root := strings.Fields(line)[4]
		if version == 1 {
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				continue
			}
		}
		outer := filepath.Join(root, fmt.Sprintf("qnxshm-test-%d-%d", os.Getpid(), time.Now().UnixNano()))
		dir := filepath.Join(outer, "inner")
		if err := os.Mkdir(outer, 0o755); err != nil {
			why = err.Error()
			continue
		}
		t.Cleanup(func() { os.Remove(outer) })
		if version == 2 {
			os.WriteFile(filepath.Join(outer, "cgroup.subtree_control"), []byte("+memory"), 0)
		}
		err := os.WriteFile(filepath.Join(outer, file), []byte(strconv.FormatInt(parentLimit, 10)), 0)
		if err == nil {
			err = os.Mkdir(dir, 0o755)
		}
		if err != nil {
			why = err.Error()
			continue
		}
		t.Cleanup(func() { os.Remove(dir) })
		return dir
	}
	t.Skipf("no memory cgroup of version %d can be made: %s", version, why)
	return ""
}

const groupEnv = "MEMORY_TEST_GROUP"

// inGroup runs a test in a memory cgroup whose parent has a limit.
func inGroup(t *testing.T, version int, run func(t *testing.T)) {
	t.Helper()
	if !testproc.Rerunning() {
		if os.Geteuid() != 0 {
			t.Skip("only root can make a memory cgroup")
		}
		t.Setenv(groupEnv, newGroup(t, version, groupLimit))
	}
	testproc.Options{}.Rerun(t, func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(os.Getenv(groupEnv), "cgroup.procs"), []byte("0"), 0))
		run(t)
	})
}

// controlInGroup: memory is refused rather than that the kernel ends the process.
func controlInGroup(t *testing.T) {
	require.Less(t, memory.GroupMemory(), int64(groupLimit))
	require.Positive(t, memory.GroupMemory())
	fd := newObject(t, 4, "A")
	defer unix.Close(fd)
	before := used(t, fd)
	for _, size := range []uint64{4 * groupLimit, groupLimit} {
		_, err := memory.Control(fd, nto.ControlAnonymous, 0, size, nobodyToServe)
		requireCause(t, syscall.ENOMEM, err, "memory cgroup")
		requireSize(t, 4*page, fd)
		require.Equal(t, before, used(t, fd))
	}
	// One that has its size.
	large := newObject(t, 0, "")
	defer unix.Close(large)
	require.NoError(t, memory.Truncate(large, 2*groupLimit))
	_, err := memory.Control(large, nto.ControlAnonymous, 0, 2*groupLimit, nobodyToServe)
	testproc.WantErrno(t, syscall.ENOMEM, err)

	control(t, fd, nto.ControlAnonymous, groupLimit/4)
	require.Less(t, memory.GroupMemory(), int64(groupLimit-groupLimit/4))
	// What is only a copy of files does not count.
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer file.Close()
	for range groupLimit / 4 / 65536 {
		_, err = file.Write(make([]byte, 65536))
		require.NoError(t, err)
	}
	require.NoError(t, file.Sync())
	control(t, fd, nto.ControlAnonymous, groupLimit*5/8)
	requireSize(t, groupLimit*5/8, fd)
}

func TestControlInGroup1(t *testing.T) { inGroup(t, 1, controlInGroup) }

func TestControlInGroup2(t *testing.T) { inGroup(t, 2, controlInGroup) }

// TestMemoryGroups finds the directories of groups as systems mount them.
func TestMemoryGroups(t *testing.T) {
	const (
		v1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
		v2 = "41 31 0:38 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	)
	for _, c := range []struct {
		name, cgroup, mounts string
		want                 []string
	}{
		{"v1", "9:name=systemd:/\n4:memory:/a/b\n", v1, []string{"/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory"}},
		{"v2", "0::/a.slice/b:c.scope\n", v2, []string{"/sys/fs/cgroup/a.slice/b:c.scope", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup"}},
		{"hybrid", "4:hugetlb,memory:/a\n0::/b\n", strings.Replace(v2, "cgroup rw", "cgroup/unified rw", 1) + strings.Replace(v1, "rw,memory", "rw,hugetlb,memory", 1),
			[]string{"/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified/b", "/sys/fs/cgroup/unified"}},
		{"root", "0::/\n", v2, []string{"/sys/fs/cgroup"}},
		{"only another controller", "4:cpu:/a\n", strings.Replace(v1, "rw,memory", "rw,cpu", 1), nil},
		{"not mounted", "0::/a\n4:memory:/a\n", "", nil},
		{"a container sees its own part", "4:memory:/docker/x/y\n", "35 31 0:32 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			[]string{"/sys/fs/cgroup/memory/y", "/sys/fs/cgroup/memory"}},
		{"the same", "4:memory:/docker/x\n", "35 31 0:32 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", []string{"/sys/fs/cgroup/memory"}},
		{"not that part", "4:memory:/docker/xy\n", "35 31 0:32 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", []string{"/sys/fs/cgroup/memory"}},
		{"above the namespace", "0::/../other\n", v2, []string{"/sys/fs/cgroup"}},
		{"a space", "0::/a\n", `41 31 0:38 / /sys/my\040groups rw - cgroup2 cgroup2 rw` + "\n", []string{"/sys/my groups/a", "/sys/my groups"}},
		{"nonsense", "0:/\n\n::\n:memory\n", "- - -\n\n" + v1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, memory.GroupDirs([]byte(c.cgroup), []byte(c.mounts)))
		})
	}
}

// FuzzMemoryGroups reads anything.
func FuzzMemoryGroups(f *testing.F) {
	f.Add([]byte("4:memory:/a/b\n0::/c\n"), []byte("35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"))
	f.Add([]byte("0::/../..\n"), []byte(`1 1 0:1 /\040 /\777\1 rw - cgroup2 x y`))
	f.Fuzz(func(t *testing.T, cgroup, mounts []byte) {
		for _, dir := range memory.GroupDirs(cgroup, mounts) {
			require.Equal(t, filepath.Clean(dir), dir)
		}
	})
}

// TestGroupLeft reads the files of a group.
func TestGroupLeft(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		name   string
		second bool
		files  map[string]string
		want   int64
	}{
		{"v2", true, map[string]string{"memory.max": "67108864\n", "memory.high": "max\n", "memory.current": "10485760\n", "memory.stat": "anon 1\ninactive_file 1048576\n"}, (64 - 2 - 10 + 1) * mb},
		{"v2 high", true, map[string]string{"memory.max": "max\n", "memory.high": "33554432\n", "memory.current": "0\n"}, 31 * mb},
		{"v2 without limit", true, map[string]string{"memory.max": "max\n", "memory.high": "max\n", "memory.current": "1\n"}, math.MaxInt64},
		{"v2 root", true, map[string]string{"memory.stat": "inactive_file 1\n"}, math.MaxInt64},
		{"v2 over its limit", true, map[string]string{"memory.max": "0\n", "memory.current": "4096\n"}, -4096},
		{"v1", false, map[string]string{"memory.limit_in_bytes": "67108864\n", "memory.usage_in_bytes": "10485760\n", "memory.stat": "inactive_file 5\ntotal_inactive_file 1048576\n"}, (64 - 2 - 10 + 1) * mb},
		{"v1 nonsense", false, map[string]string{"memory.limit_in_bytes": "x\n", "memory.usage_in_bytes": "1\n"}, math.MaxInt64},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range c.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
			}
			require.Equal(t, c.want, memory.GroupLeft(dir, c.second))
		})
	}
}

// TestSystemMemory is what the system has.
func TestSystemMemory(t *testing.T) {
	require.Positive(t, memory.SystemMemory())
	require.Less(t, memory.SystemMemory(), int64(math.MaxInt64))
}
