//go:build linux

package memory

import (
	"bytes"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// memoryLeft is what objects can be given without taking it away from other
// processes, which the kernel does, by ending them, rather than refuse.
var memoryLeft = func() int64 { return min(systemMemory(), groupMemory()) }

// reserve is the part of all memory that is left to others: 1/32.
const reserve = 32

// systemMemory is what the system has left. Unknown, it is everything.
func systemMemory() (left int64) {
	info, err := linux.ReadFile("/proc/meminfo")
	if err != nil {
		return math.MaxInt64
	}
	available, ok := field(info, "MemAvailable:")
	if !ok {
		return math.MaxInt64
	}
	total, _ := field(info, "MemTotal:")
	swap, _ := field(info, "SwapFree:")
	return (available + swap - total/reserve) << 10
}

// field returns the number behind a name at the beginning of a line.
func field(content []byte, name string) (int64, bool) {
	for line := range bytes.Lines(content) {
		if f := bytes.Fields(line); len(f) >= 2 && string(f[0]) == name {
			n, err := strconv.ParseInt(string(f[1]), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// A memoryGroup is a memory cgroup: this process's, or one that it is part of.
type memoryGroup struct {
	dir    string
	second bool // of cgroup v2
}

// groupMemory is what the memory cgroups of this process have left. Unknown, it
// is everything.
func groupMemory() int64 {
	cgroup, err := linux.ReadFile(linux.OwnProc + "cgroup")
	if err != nil {
		return math.MaxInt64
	}
	mounts, err := linux.ReadFile(linux.OwnProc + "mountinfo")
	if err != nil {
		return math.MaxInt64
	}
	left := int64(math.MaxInt64)
	for _, g := range memoryGroups(cgroup, mounts) {
		left = min(left, g.left())
	}
	return left
}

// left is what the group may still take. What it has read from files and not
// looked at since counts as free. Swap does not: an object in it would come back.
func (g memoryGroup) left() int64 {
	limits, usage, inactive := []string{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"
	if g.second {
		// Above memory.high nobody is ended, but all are slowed down without end.
		limits, usage, inactive = []string{"memory.max", "memory.high"}, "memory.current", "inactive_file"
	}
	limit := int64(math.MaxInt64)
	for _, name := range limits {
		if n, ok := g.number(name); ok {
			limit = min(limit, n)
		}
	}
	used, ok := g.number(usage)
	if limit == math.MaxInt64 || !ok {
		return math.MaxInt64
	}
	stat, _ := linux.ReadFile(path.Join(g.dir, "memory.stat"))
	free, _ := field(stat, inactive)
	return limit - limit/reserve - used + free
}

// number is the content of a file of the group, unless it is "max" or the file is
// missing.
func (g memoryGroup) number(name string) (int64, bool) {
	content, err := linux.ReadFile(path.Join(g.dir, name))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(content)), 10, 64)
	return n, err == nil
}

// memoryGroups returns the group of a process and those above it. cgroup and
// mounts are what cgroup and mountinfo in /proc say. With both
// versions of cgroups mounted, memory may be of either.
func memoryGroups(cgroup, mounts []byte) (groups []memoryGroup) {
	for line := range bytes.Lines(cgroup) {
		// 4:memory:/path, or 0::/path of version 2
		f := strings.SplitN(strings.TrimSuffix(string(line), "\n"), ":", 3)
		if len(f) < 3 {
			continue
		}
		second := f[0] == "0" && f[1] == ""
		if !second && !listed(f[1], "memory") {
			continue
		}
		root, dir, ok := groupMount(mounts, second, f[2])
		if !ok {
			continue
		}
		below := path.Clean("/" + strings.TrimPrefix(f[2], root))
		for {
			groups = append(groups, memoryGroup{path.Join(dir, below), second})
			if below == "/" {
				break
			}
			below = path.Dir(below)
		}
	}
	return groups
}

// groupMount finds where the group is mounted: the directory dir shows the groups
// from root on. In a namespace of its own a process may be told of a group that
// is above all it can see; then the topmost that it sees has to do.
//
//	35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
func groupMount(mounts []byte, second bool, group string) (root, dir string, ok bool) {
	for line := range bytes.Lines(mounts) {
		before, after, _ := strings.Cut(string(line), " - ")
		m, fs := strings.Fields(before), strings.Fields(after)
		if len(m) < 5 || len(fs) < 3 {
			continue
		}
		if second != (fs[0] == "cgroup2") || !second && (fs[0] != "cgroup" || !listed(fs[2], "memory")) {
			continue
		}
		r, d := unescape(m[3]), unescape(m[4])
		if group == r || r == "/" && !strings.HasPrefix(group, "/..") || strings.HasPrefix(group, r+"/") {
			return r, d, true
		}
		if !ok {
			root, dir, ok = group, d, true
		}
	}
	return root, dir, ok
}

// listed reports whether a list with commas has the name.
func listed(list, name string) bool { return slices.Contains(strings.Split(list, ","), name) }

// unescape undoes what mountinfo does to spaces and their like: \040.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
