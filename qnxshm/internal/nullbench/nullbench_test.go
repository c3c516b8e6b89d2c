//go:build linux && !qnx

package nullbench_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// widths are those that a shm_handle_t may have.
var widths = []int{64, 32}

func TestBinding(t *testing.T) {
	for _, c := range []struct{ bits, release int }{{64, 800}, {32, 710}} {
		out := onNullLibc(t, c.bits, c.release, "-v")
		require.Contains(t, out, fmt.Sprintf("release %d, handles of %d bits", c.release, c.bits))
		tests := regexp.MustCompile(`(?m)^--- (PASS|SKIP): Test`).FindAllString(out, -1)
		require.Greater(t, len(tests), 16, "%s", out)
	}
}

func BenchmarkBinding(b *testing.B) {
	var rows []string
	for _, bits := range widths {
		out := onNullLibc(b, bits, 800, "-run=^$", "-bench=^BenchmarkCalls$", fmt.Sprintf("-benchtime=%dx", b.N))
		rows = append(rows, regexp.MustCompile(`(?m)^\| .*\n`).FindAllString(out, -1)...)
	}
	require.Len(b, rows, 8)
	b.ReportMetric(0, "ns/op") // it would be the compiler's
	fmt.Printf("\n%s\n\n", machine())
	fmt.Printf("    go test ./qnxshm/internal/nullbench -run '^$' -bench . -benchtime 1x\n\n")
	fmt.Printf("| | median (fastest–slowest) | above the empty call | goal |\n|---|---:|---:|---:|\n%s\n", strings.Join(rows, ""))
}

// onNullLibc runs the tests and benchmarks of binding_test.go. The null libc
// takes the place of package qnxhost, which target files find on Linux
// otherwise.
func onNullLibc(tb testing.TB, bits, release int, args ...string) string {
	tb.Helper()
	for _, tool := range []string{"go", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			tb.Skipf("builds a program: %v", err)
		}
	}
	info, ok := debug.ReadBuildInfo()
	switch {
	case testing.Short():
		tb.Skip("builds a program: not with -short")
	case ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}):
		tb.Skip("-race: what this runs is built without")
	case os.Getenv("CGO_ENABLED") == "0":
		tb.Skip("without cgo there is no binding")
	}
	testproc.WithoutPort(tb)
	cflags := os.Getenv("CGO_CFLAGS")
	if cflags == "" {
		cflags = "-g -O2" // as the go command's default
	}
	args = append([]string{"test", "-count=1", "-tags=qnx,nulllibc", "-overlay=" + overlay(tb)}, args...)
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1",
		fmt.Sprintf("CGO_CFLAGS=%s -D_NTO_VERSION=%d -DQNXHOST_SHM_HANDLE_BITS=%d -DQNXHOST_RLIM_INFINITY=0xfffffffffffffffd", cflags, release, bits))
	out, err := cmd.CombinedOutput()
	require.NoError(tb, err, "%v\n%s", cmd, out)
	return string(out)
}

// overlay writes the file that tells the go command so. It also reads what the
// program is made of: the go command remembers that, and runs the test again
// when one of these files has changed.
func overlay(tb testing.TB) string {
	tb.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(tb, err)
	dir := tb.TempDir()
	instead := filepath.Join(dir, "instead.go")
	const text = "package qnxhost\n\nimport _ \"github.com/go-qnx/shm/qnxshm/internal/nullbench\"\n"
	require.NoError(tb, os.WriteFile(instead, []byte(text), 0o600))
	replace := make(map[string]string)
	require.NoError(tb, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		ext := filepath.Ext(path)
		if err != nil || ext != ".go" && ext != ".c" && ext != ".h" {
			return err
		}
		if filepath.Dir(path) == filepath.Join(root, "qnxhost") {
			replace[path] = "" // the overlay has no such file
		}
		_, err = os.ReadFile(path)
		return err
	}))
	replace[filepath.Join(root, "qnxhost", "doc.go")] = instead
	content, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(tb, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(tb, os.WriteFile(path, content, 0o600))
	return path
}

func machine() string {
	cpu, system := "unknown CPU", "unknown kernel"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(info); m != nil {
			cpu = string(m[1])
		}
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		system = strings.TrimSpace(string(release))
	}
	return fmt.Sprintf("%s, %d CPUs, %s %s, %s %s", cpu, runtime.NumCPU(), runtime.GOOS, system, runtime.Version(), runtime.GOARCH)
}
