//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// activity is what a process has done so far.
type activity struct {
	ticks    int // of CPU time, 10 ms each
	switches int // how often one of its threads has gone to sleep
}

func activityOf(t *testing.T, pid int) (a activity) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	a.ticks = toInt(t, fields[11]) + toInt(t, fields[12]) // utime, stime
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	require.NoError(t, err)
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		require.NoError(t, err)
		_, after, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
		a.switches += toInt(t, strings.Fields(after)[0])
	}
	return a
}

// TestIdle: a process that nobody asks for anything does nothing, whatever it
// holds.
func TestIdle(t *testing.T) {
	const descriptors = 15_000
	for name, hold := range map[string]func(c, other *testproc.Child){
		"nothing": func(c, _ *testproc.Child) {},
		"handle":  func(c, other *testproc.Child) { c.Do("handle", c.Do("object", 1), other.PID(), os.O_RDONLY) },
		"revocable object": func(c, _ *testproc.Child) {
			fd := c.Do("object", 1, "revocable").Int()
			c.Do("copies", fd, descriptors)
		},
		"descriptors": func(c, _ *testproc.Child) {
			c.Do("object", 1, "revocable")
			c.Do("copies", 0, descriptors)
		},
		"mapping of another's": func(c, other *testproc.Child) {
			fd := other.Do("object", 1, "revocable").Int()
			c.Do("map", other.Do("handle", fd, c.PID(), os.O_RDONLY), os.O_RDONLY, 1)
		},
		"mapped by another": func(c, other *testproc.Child) {
			fd := c.Do("object", 1, "revocable").Int()
			other.Do("map", c.Do("handle", fd, other.PID(), os.O_RDONLY), os.O_RDONLY, 1)
		},
		"channel": func(c, _ *testproc.Child) { c.Do("channel") },
		"client": func(c, other *testproc.Child) {
			other.Do("send", other.Do("connect", c.PID(), c.Do("channel")), "text")
		},
		"connection": func(c, other *testproc.Child) {
			c.Do("send", c.Do("connect", other.PID(), other.Do("channel")), "text")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they only wait
			c, other := startChild(t), startChild(t)
			hold(c, other)
			requireIdle(t, c)
		})
	}
}

// requireIdle waits until a process has come to rest, but not for long, and looks
// at it for some time.
func requireIdle(t *testing.T, c *testproc.Child) {
	t.Helper()
	const rest, trial = 300 * time.Millisecond, 1500 * time.Millisecond
	for began := time.Now(); time.Since(began) < 3*time.Second; {
		before := activityOf(t, c.PID())
		time.Sleep(rest)
		if activityOf(t, c.PID()) == before {
			break
		}
	}
	before := activityOf(t, c.PID())
	time.Sleep(trial)
	after := activityOf(t, c.PID())
	assert.LessOrEqual(t, after.switches-before.switches, 2, "times a thread has woken up, in %v", trial)
	assert.LessOrEqual(t, after.ticks-before.ticks, 1, "hundredths of a second of CPU time, in %v", trial)
}
