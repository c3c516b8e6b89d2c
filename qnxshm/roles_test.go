//go:build linux

package qnxshm_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// playRole does not return in a second process.
func playRole() {
	testproc.Programs{askEnv: askAndRead, readEnv: readUntilRevoked}.Play()
	testproc.Play(testproc.Roles{"reader": reader, "party": party, "recipient": recipients})
	testproc.RememberMakers()
}

// inOtherProcess reports whether this is another process than the first, in
// which it lets the test run once more.
func inOtherProcess(t *testing.T) (is bool) {
	t.Helper()
	testproc.Options{}.Rerun(t, func(*testing.T) { is = true })
	return is
}

// holdings are what a program must not leave behind.
type holdings struct{ descriptors, goroutines int }

func countHoldings() (h holdings) {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	return holdings{len(fds), runtime.NumGoroutine()}
}

// What the host keeps: to serve others, and to ask each of those that live, which is
// a pidfd, a connection, and a link to a creator.
var (
	keptToServe  = holdings{descriptors: 6, goroutines: 1}
	keptForOther = holdings{descriptors: 3}
)

func (h holdings) and(more holdings) holdings {
	return holdings{h.descriptors + more.descriptors, h.goroutines + more.goroutines}
}

// backTo waits until the process has no more than before: the host lets go of
// what is idle a little later, and nothing tells when.
func backTo(before holdings) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		now := countHoldings()
		if now.descriptors <= before.descriptors && now.goroutines <= before.goroutines {
			return nil
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			return fmt.Errorf("left behind: had %+v, has %+v\n%s\n%s", before, now, testproc.Everything(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func raceEnabled() bool { return buildSetting("-race") == "true" }

// buildSetting returns what this test was built with, as go version -m tells.
func buildSetting(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}
