//go:build linux && cgo

package qnxhost_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// serverOf starts the server of a program.
func serverOf(t *testing.T, program string, args ...string) (s *process, name string) {
	t.Helper()
	name = uniqueName()
	s = start(t, program, append([]string{"server", name}, args...)...)
	require.Equal(t, "serving", s.line(t))
	return s, name
}

// A program that closes descriptors which it has not opened goes on.
func TestCProgramClosesDescriptors(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"daemon", "daemon-behind-pipe"} {
		server, name := serverOf(t, "c-limits")
		start(t, "c-limits", part, name).succeeds(t)
		server.succeeds(t)
	}
}

// A program has the limit of descriptors with which it was started.
func TestCProgramDescriptorLimit(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	program := filepath.Join(programs(t), "c-limits")
	if out, err := exec.Command(shell, "-c", "ulimit -H -n 4096").CombinedOutput(); err != nil {
		t.Skipf("the limit is lower: %s", out)
	}
	for _, soft := range []int{300, 600, 1024} {
		limits := fmt.Sprintf("ulimit -S -n %d && ulimit -H -n 4096 && exec \"$@\"", soft)
		out, err := exec.Command(shell, "-c", limits, shell, program, "descriptors", fmt.Sprint(soft)).CombinedOutput()
		require.NoError(t, err, "%d: %s", soft, out)
		require.Empty(t, out)
	}
}

// The limit of how long files may be does not end a program that sends messages, or
// receives them.
func TestCProgramFileSize(t *testing.T) {
	t.Parallel()
	for _, limits := range [][]string{nil, {"0"}} {
		server, name := serverOf(t, "c-limits", limits...)
		start(t, "c-limits", "file-size", name).succeeds(t)
		server.succeeds(t)
	}
}
