//go:build linux

package testproc

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// makers are the calls by which this process has got its descriptors.
var makers struct {
	mu sync.Mutex
	of map[int]maker
}

// A maker is how a descriptor was got, and of which file: not everything tells when it
// makes another with the same number.
type maker struct {
	calls []uintptr
	file  uint64
}

func fileOf(fd int) uint64 {
	var st unix.Stat_t
	unix.Fstat(fd, &st)
	return st.Ino
}

// RememberMakers lets the host tell of every descriptor that it gets from now on. Run
// does so, too.
func RememberMakers() {
	makers.of = make(map[int]maker)
	linux.WhoOpens = func(fd int) {
		calls := make([]uintptr, 24)
		m := maker{calls[:runtime.Callers(3, calls)], fileOf(fd)} // but not this and linux.Opened
		makers.mu.Lock()
		defer makers.mu.Unlock()
		makers.of[fd] = m
	}
}

// Descriptors returns those of a process, with what they are.
func Descriptors(t testing.TB, pid int) map[int]string {
	t.Helper()
	fds, err := openDescriptors(pid)
	if err != nil {
		t.Fatal(err)
	}
	return fds
}

func openDescriptors(pid int) (map[int]string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	fds := make(map[int]string)
	for _, e := range entries {
		// The directory that was read is gone by now.
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			n, _ := strconv.Atoi(e.Name())
			fds[n] = to
		}
	}
	return fds, nil
}

// Everything tells what this process has open and what has made it.
func Everything() string {
	fds, err := openDescriptors(os.Getpid())
	if err != nil {
		return err.Error()
	}
	return describe(fds)
}

// describe tells what descriptors are and what has made them, each in a line.
func describe(fds map[int]string) string {
	makers.mu.Lock()
	defer makers.mu.Unlock()
	var s strings.Builder
	for _, fd := range slices.Sorted(maps.Keys(fds)) {
		madeBy := "not made by the host"
		if m, ok := makers.of[fd]; ok && m.file == fileOf(fd) {
			madeBy = "made by " + chain(m.calls)
		}
		fmt.Fprintf(&s, "descriptor %d, %s, %s\n", fd, fds[fd], madeBy)
	}
	return s.String()
}

// chain tells who has called whom: the module's functions, the innermost first.
func chain(calls []uintptr) string {
	var links []string
	frames := runtime.CallersFrames(calls)
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if strings.HasPrefix(f.Function, modulePath) {
			links = append(links, fmt.Sprintf("%s (%s:%d)", f.Function[strings.LastIndexByte(f.Function, '/')+1:], filepath.Base(f.File), f.Line))
		}
	}
	return strings.Join(links, ", called by ")
}

const modulePath = "github.com/go-qnx/shm/"

// without returns those of now that were not there before as they are.
func without(before, now map[int]string) map[int]string {
	fresh := maps.Clone(now)
	maps.DeleteFunc(fresh, func(fd int, to string) bool { return before[fd] == to })
	return fresh
}

// goroutines are those of this process by their numbers, with what they do and who
// has made them.
func goroutines() map[string]string {
	size := 1 << 16
	text := make([]byte, size)
	for n := runtime.Stack(text, true); ; n = runtime.Stack(text, true) {
		if n < size {
			text = text[:n]
			break
		}
		size *= 2
		text = make([]byte, size)
	}
	all := make(map[string]string)
	for _, stack := range bytes.Split(text, []byte("\n\n")) {
		number, _, _ := bytes.Cut(stack, []byte(" ["))
		all[string(number)] = string(stack)
	}
	return all
}

// freshGoroutines tells of those that were not there before.
func freshGoroutines(before map[string]string) string {
	now := goroutines()
	maps.DeleteFunc(now, func(number, _ string) bool { return before[number] != "" })
	return strings.Join(slices.Sorted(maps.Values(now)), "\n\n")
}
