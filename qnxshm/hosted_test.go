//go:build linux && !qnx

package qnxshm_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestHosted runs the tests that the tag qnx makes a difference to with it: then
// the target's own files are compiled, against the host's C library. (The C
// library itself has its tests in qnxhost.)
func TestHosted(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute: not with -short")
	}
	if raceEnabled() {
		t.Skip("takes minutes with the race detector: go test -race -tags qnx ./...")
	}
	skipWithoutCgo(t)
	testproc.WithoutPort(t)
	readSources(t, "..")
	cmd := exec.Command("go", "test", "-tags", "qnx", "-vet=off", "-count=1", "./examples/...", "./qnxshm", "./qnxshm/qnxmsg", "./qnxshm/shmtest")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "ok  \tgithub.com/go-qnx/shm/qnxshm\t")
}

func skipWithoutCgo(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		t.Skip("the go tool does not run: ", err)
	}
	enabled, cc, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if enabled != "1" {
		t.Skip("cgo is off")
	}
	if _, err := exec.LookPath(strings.Fields(cc + " gcc")[0]); err != nil {
		t.Skip("no C compiler: ", err)
	}
}

// readSources reads all sources of the module, so that the go tool does not
// take an earlier result for this one when one of them has changed.
func readSources(t *testing.T, root string) {
	t.Helper()
	n := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && slices.Contains([]string{".go", ".c", ".h", ".mod"}, filepath.Ext(path)) {
			n++
			_, err = os.ReadFile(path)
		}
		return err
	}))
	require.Greater(t, n, 100)
}
