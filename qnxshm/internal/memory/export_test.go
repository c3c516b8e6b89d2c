//go:build linux

package memory

import (
	"golang.org/x/sys/unix"
)

// What the tests, which are outside of the package, need of its inside.

const (
	FirstTag   = firstTag
	FirstSweep = firstSweep
)

var (
	ObjectPath       = objectPath
	WindowTags       = windowTags
	TagsOf           = tagsOf
	OriginOfLink     = originOfLink
	WhyNotOpen       = whyNotOpen
	NewOrigin        = newOrigin
	SystemMemory     = systemMemory
	GroupMemory      = groupMemory
	ReplaceByNothing = replaceByNothing
)

// Name is that of the memfd.
func (o Origin) Name() string { return o.name() }

// RegistryEntries is how much the registry of objects remembers.
func RegistryEntries() int {
	objects.mu.Lock()
	defer objects.mu.Unlock()
	return objects.entries
}

// Remembered reports whether the registry knows an object.
func Remembered(key Key) bool {
	objects.mu.Lock()
	defer objects.mu.Unlock()
	return objects.known[key] != nil
}

// Forget makes the registry forget all whole objects, as a sweep may that has
// missed them.
func Forget() {
	objects.mu.Lock()
	defer objects.mu.Unlock()
	for key, rec := range objects.known {
		if len(rec.windows) == 0 {
			delete(objects.known, key)
			objects.entries--
		}
	}
}

// Sweep is what a doubled registry does.
func Sweep() {
	objects.mu.Lock()
	sweep := !objects.sweeping
	if sweep {
		objects.sweeping = true
		objects.sweeps++
	}
	objects.mu.Unlock()
	if sweep {
		objects.sweep(see)
	}
}

// LimitMemory makes the system have so much memory left, and less when some was
// given to fd. The function returned ends that.
func LimitMemory(fd int, bytes int64) (end func()) {
	return MemoryLeft(func() int64 {
		var st unix.Stat_t
		unix.Fstat(fd, &st)
		return bytes - st.Blocks*512
	})
}

// MemoryLeft makes left tell how much memory the system has left.
func MemoryLeft(left func() int64) (end func()) {
	before := memoryLeft
	memoryLeft = left
	return func() { memoryLeft = before }
}

// GroupDirs are the directories of memory cgroups, from the inmost on.
func GroupDirs(cgroup, mounts []byte) (dirs []string) {
	for _, g := range memoryGroups(cgroup, mounts) {
		dirs = append(dirs, g.dir)
	}
	return dirs
}

// GroupLeft is what the memory cgroup of a directory has left.
func GroupLeft(dir string, second bool) int64 { return memoryGroup{dir, second}.left() }
