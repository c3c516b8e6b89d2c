//go:build linux && cgo

package qnxhost_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The programs as for 7.1, which has no subranges, no limit and no _pid forms, an id of
// a message that is an int, and 32 bits of a pulse's value.
func TestCProgramsOf71(t *testing.T) {
	t.Parallel()
	dir := programs(t)
	for _, program := range []string{"messages all NAME", "messages receivers", "handles", "timers", "signals interrupted", "signals pulses", "faults alone NAME", "events alone", "ends", "exceptions"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(strings.ReplaceAll(program, "NAME", uniqueName()))
			name := "c71-" + strings.ReplaceAll(program, " ", "-")
			compiler, source := sourceOf(args[0])
			out, err := exec.Command(compiler, "-D_NTO_VERSION=710", "-Wall", "-Wextra", "-Wno-missing-braces", "-Werror", "-O1", "-I", "include",
				"-o", filepath.Join(dir, name), source, filepath.Join(dir, "libqnxhost.so")).CombinedOutput()
			require.NoError(t, err, "%s", out)
			start(t, name, args[1:]...).succeeds(t)
		})
	}
}
