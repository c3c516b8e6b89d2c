//go:build linux && !qnx

package qnxshm_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/shmtest"
)

// TestHosted runs the tests that the tag qnx makes a difference to with it: then
// the target's own files are compiled, against the host's C library. (The C
// library itself has its tests in qnxhost.) Those that only take long, and are the same
// for it, are left to go test -tags qnx.
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
	t.Parallel()
	cmd := exec.Command("go", "test", "-short", "-tags", "qnx", "-vet=off", "-count=1", "./examples/...", "./qnxshm", "./qnxshm/qnxmsg", "./qnxshm/shmtest")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "ok  \tgithub.com/go-qnx/shm/qnxshm\t")
}

// TestHostedAs71 runs the suite as a program for QNX SDP 7.1 would be: then each rule
// about what only 8.0 has must be answered by ENOSYS or EINVAL, and all others hold.
func TestHostedAs71(t *testing.T) {
	if testing.Short() || raceEnabled() {
		t.Skip("compiles the target's files: not with -short and -race")
	}
	skipWithoutCgo(t)
	testproc.WithoutPort(t)
	readSources(t, "..")
	t.Parallel()
	cmd := exec.Command("go", "test", "-tags", "qnx", "-vet=off", "-count=1", "-v", "-run=^TestConformance$", ".")
	cmd.Env = append(os.Environ(), "CGO_CFLAGS=-g -O2 -D_NTO_VERSION=710", "SHMTEST_RELEASE=7.1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	lacking := 0
	for _, rule := range shmtest.Ledger() {
		if rule.OnlyC {
			continue
		}
		const line = `(?m)^ *(\w+) +%s  .*?(?:; before 8\.0: (\w+))?$`
		m := regexp.MustCompile(fmt.Sprintf(line, regexp.QuoteMeta(rule.ID))).FindStringSubmatch(string(out))
		require.NotNil(t, m, "nothing is said of %s", rule.ID)
		switch {
		case rule.Since == "":
			require.Empty(t, m[2], rule.ID)
		case m[1] != "skipped":
			require.Equal(t, "lacking", m[1], rule.ID)
			require.Contains(t, []string{"ENOSYS", "EINVAL"}, m[2], rule.ID)
			lacking++
		}
	}
	require.Greater(t, lacking, 60)
	t.Logf("%d rules are of 8.0, and answered so", lacking)
}

func skipWithoutCgo(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "env", "CGO_ENABLED", "CC").Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("runs the go tool: ", err)
	}
	require.NoError(t, err)
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
