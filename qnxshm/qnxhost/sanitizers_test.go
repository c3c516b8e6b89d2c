//go:build linux && cgo

package qnxhost_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sanitized compiles a program with a sanitizer. The test is skipped where the
// compiler has none.
func sanitized(t *testing.T, sanitizer, program string) string {
	t.Helper()
	if os.Getenv("QNXHOST_SANITIZERS") == "" {
		t.Skip("set QNXHOST_SANITIZERS to run C programs under sanitizers, as .ci/run sanitizers does")
	}
	dir := programs(t)
	flags := []string{"-g", "-O1", "-Wall", "-Wextra", "-Wno-missing-braces", "-Werror", "-fsanitize=" + sanitizer, "-fno-sanitize-recover=all"}
	probe := filepath.Join(t.TempDir(), "probe")
	require.NoError(t, os.WriteFile(probe+".c", []byte("int main(void) { return 0; }\n"), 0o600))
	for _, cmd := range []*exec.Cmd{exec.Command("gcc", append(flags, "-o", probe, probe+".c")...), exec.Command(probe)} {
		// A sanitizer can be too old for where the kernel puts things.
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("no -fsanitize=%s here: %v: %s", sanitizer, err, out)
		}
	}
	name := uniqueName()
	compiler, source := sourceOf(program)
	args := append(flags, "-I", "include", "-o", filepath.Join(dir, name), source, filepath.Join(dir, "libqnxhost.so"))
	out, err := exec.Command(compiler, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return name
}

// A program that is watched by a sanitizer does what it does without, and the
// sanitizer has nothing to say.
func TestCProgramsSanitized(t *testing.T) {
	t.Parallel()
	for _, sanitizer := range []string{"thread", "address,undefined"} {
		for _, test := range []struct {
			name string
			args []string
		}{
			{"order", nil},
			{"messages", []string{"all", "NAME"}},
			{"handles", nil},
			{"timers", nil},
			{"signals", []string{"sigwait"}},
			{"signals", []string{"masks"}},
			{"processes", []string{"cancel"}},
			{"dispatch", nil},
			{"pools", nil},
			{"waits", nil},
			{"ends", nil},
			{"exceptions", nil},
			{"host", []string{"NAME"}},
		} {
			if sanitizer == "thread" && test.name == "host" {
				continue // it crashes in the threads that the C library makes for timers, without QNX's headers, too
			}
			t.Run(strings.Join(append([]string{sanitizer, test.name}, test.args...), "-"), func(t *testing.T) {
				t.Parallel()
				name := sanitized(t, sanitizer, test.name)
				args := strings.Fields(strings.ReplaceAll(strings.Join(test.args, " "), "NAME", uniqueName()))
				start(t, name, args...).succeeds(t)
			})
		}
	}
}

// It finds what is wrong still.
func TestCProgramSanitizedHasRace(t *testing.T) {
	t.Parallel()
	p := start(t, sanitized(t, "thread", "order"), "race")
	require.Error(t, p.end())
	require.Contains(t, p.stderr.String(), "ThreadSanitizer: data race")
}
