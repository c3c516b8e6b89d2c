//go:build linux

package testproc

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// What the host keeps to serve others: three epolls, its directory, its counter, its
// socket; and the goroutine that waits.
const (
	descriptorsOfService = 6
	goroutinesOfService  = 1
)

var leakLimit = LeakLimit

// Kinds sums up what a process has open, when it is printed.
func Kinds(pid int) fmt.Stringer {
	return Lazy(func() any {
		fds, err := openDescriptors(pid)
		if err != nil {
			return err
		}
		count := make(map[string]int)
		for _, to := range fds {
			kind, _, _ := strings.Cut(to, ":[")
			count[kind]++
		}
		return count
	})
}

// OfHost is how many descriptors this process has in the host's own range.
func OfHost() (n int) {
	fds, _ := openDescriptors(os.Getpid())
	for fd := range fds {
		if fd >= linux.FirstHigh {
			n++
		}
	}
	return n
}

// Left is what is still there and should not be.
type Left = func() []string

func all(left []Left) (found []string) {
	for _, l := range left {
		found = append(found, l()...)
	}
	return found
}

// NoLeak waits until the host has nothing but its service, which has to run, and
// returns what checks that this process comes back to what it has then, and that
// nothing is left.
func NoLeak(t testing.TB, left ...Left) (check func()) {
	t.Helper()
	Eventually(t, leakLimit, func() bool { return OfHost() <= descriptorsOfService }, "the host has %v", Kinds(os.Getpid()))
	before, had := Descriptors(t, os.Getpid()), goroutines()
	return func() {
		t.Helper()
		Eventually(t, leakLimit, func() bool {
			return len(Descriptors(t, os.Getpid())) <= len(before) && runtime.NumGoroutine() <= len(had) &&
				OfHost() <= descriptorsOfService && len(all(left)) == 0
		}, "%d descriptors before, now %v\n%v%d goroutines before, now %v\n%v\n%v", len(before), Kinds(os.Getpid()),
			Lazy(func() any { return describe(without(before, Descriptors(t, os.Getpid()))) }),
			len(had), Lazy(func() any { return runtime.NumGoroutine() }), Lazy(func() any { return freshGoroutines(had) }),
			Lazy(func() any { return all(left) }))
	}
}

// leftOver is what stays in this process, which had these goroutines, when all
// tests are over.
func leftOver(had map[string]string, left []Left) (found []string) {
	for deadline := time.Now().Add(leakLimit); ; time.Sleep(10 * time.Millisecond) {
		found = all(left)
		fds, _ := openDescriptors(os.Getpid())
		objects, ofHost := make(map[int]string), make(map[int]string)
		for fd, to := range fds {
			if strings.HasPrefix(to, "/memfd:") || strings.HasPrefix(to, "/dev/shm/") {
				objects[fd] = to
			} else if fd >= linux.FirstHigh {
				ofHost[fd] = to
			}
		}
		if len(objects) > 0 {
			found = append(found, describe(objects))
		}
		if len(ofHost) > descriptorsOfService {
			found = append(found, fmt.Sprintf("%d descriptors of the host, of which %d serve others:\n%s", len(ofHost), descriptorsOfService, describe(ofHost)))
		}
		if pids := children(); pids != "" {
			found = append(found, "processes "+pids)
		}
		if n := runtime.NumGoroutine(); n > len(had)+goroutinesOfService {
			found = append(found, fmt.Sprintf("%d goroutines, %d before:\n%s", n, len(had), freshGoroutines(had)))
		}
		if len(found) == 0 || time.Now().After(deadline) {
			return found
		}
	}
}

// children are the processes that some thread of this one has started.
func children() (pids string) {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range files {
		some, _ := os.ReadFile(file) // the thread may have ended
		pids += string(some)
	}
	return pids
}
