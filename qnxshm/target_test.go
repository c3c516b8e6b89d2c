//go:build !qnx

package qnxshm_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// What a build for the target takes. The go command of a stock toolchain cannot
// compile for GOOS=qnx, but it selects files and follows imports for any name of
// a system (-e: should the standard library lack a file for this one, that is no
// fault of ours). What it takes for Linux shows that the checks see something.

const (
	modulePath = "github.com/go-qnx/shm"
	target     = "GOOS=qnx"
	host       = "GOOS=linux"
)

// hostPackages are the host's; with all below them.
var hostPackages = []string{
	modulePath + "/qnxshm/internal/linux", modulePath + "/qnxshm/internal/wire", modulePath + "/qnxshm/internal/memory",
	modulePath + "/qnxshm/internal/procnto", modulePath + "/qnxshm/internal/message", modulePath + "/qnxshm/qnxhost",
}

// isOfHost reports whether a package or a file is the host's.
func isOfHost(name string) bool {
	name, _, _ = strings.Cut(name, " ") // of a test's own copy
	base := path.Base(name)
	return base == "hosted.go" || strings.HasSuffix(base, "_stub.go") || slices.ContainsFunc(hostPackages, func(pkg string) bool {
		return strings.HasPrefix(name+"/", pkg+"/")
	})
}

func TestTargetFiles(t *testing.T) {
	files := func(system string) (public map[string]string, ofHost []string) {
		public = make(map[string]string)
		out := goList(t, []string{system, "CGO_ENABLED=1"}, "-f={{.ImportPath}}: {{.GoFiles}} {{.CgoFiles}} {{.CFiles}}", "./...")
		for _, line := range strings.Split(out, "\n") {
			pkg, list, _ := strings.Cut(line, ": ")
			public[pkg] = list
			for _, name := range append(strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(list)), pkg) {
				if isOfHost(name) {
					ofHost = append(ofHost, name)
				}
			}
		}
		return public, ofHost
	}
	public, ofHost := files(target)
	require.Empty(t, ofHost)
	require.Contains(t, public[modulePath+"/qnxshm"], "] [shm_qnx.go] []")
	require.Contains(t, public[modulePath+"/qnxshm/qnxmsg"], " msg_qnx.go] []")

	public, ofHost = files(host)
	require.Subset(t, ofHost, append([]string{"shm_stub.go", "msg_stub.go"}, hostPackages...))
	require.NotContains(t, public[modulePath+"/qnxshm"], "_qnx.go")
	require.NotContains(t, public[modulePath+"/qnxshm/qnxmsg"], "_qnx.go")
}

// A program for the target, and the suite that is run there, are built from the
// standard library and this module without the host.
func TestTargetPackages(t *testing.T) {
	packages := func(system, cgo string) (names []string) {
		const format = "-f={{if not .Standard}}{{.ImportPath}}{{with .Error}} {{.}}{{end}}{{end}}"
		for _, args := range [][]string{{".", "./qnxmsg", "./shmtest", "../examples/..."}, {"-test", "."}} {
			out := goList(t, []string{system, cgo}, append([]string{"-deps", format}, args...)...)
			names = append(names, strings.Split(strings.TrimSpace(out), "\n")...)
		}
		return names
	}
	for _, cgo := range []string{"CGO_ENABLED=0", "CGO_ENABLED=1"} {
		got := packages(target, cgo)
		require.Subset(t, got, []string{modulePath + "/qnxshm", modulePath + "/qnxshm/qnxmsg", modulePath + "/qnxshm_test [" + modulePath + "/qnxshm.test]"})
		for _, pkg := range got {
			require.True(t, strings.HasPrefix(pkg, modulePath+"/"), "%s: a target needs %s", cgo, pkg)
			require.False(t, isOfHost(pkg), "%s: a target needs %s", cgo, pkg)
		}
		require.Subset(t, packages(host, cgo), []string{
			modulePath + "/qnxshm/internal/procnto", modulePath + "/qnxshm/internal/message", "golang.org/x/sys/unix", "github.com/stretchr/testify/require",
		})
	}
}

// Without cgo there is no way to the target's libc, and the only error says what
// to do. The stock toolchain can build so with the tag qnx alone.
func TestTargetWithoutCgo(t *testing.T) {
	testproc.WithoutPort(t)
	for _, pkg := range []string{".", "./qnxmsg", "./shmtest", "../examples/server"} {
		cmd := goCommand(t, "build", "-tags=qnx", "-o="+os.DevNull, pkg)
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		require.Len(t, lines, 2, "%s", out)
		require.True(t, strings.HasPrefix(lines[0], "# "), "%s", out) // the package
		require.Contains(t, lines[1], "undefined: Building_for_QNX_needs_CGO_ENABLED_1_and_a_C_compiler__see_scripts_qcc_env_sh")
	}
}

// env names at least the system.
func goList(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := goCommand(t, append([]string{"list", "-e"}, args...)...)
	cmd.Env = append(append(cmd.Env, "GOARCH=amd64"), env...)
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// goCommand is a go command whose outcome depends on the module's files, and on
// nothing that the user has set. It reads those files, so that a test which was
// run before is run again when one has changed.
func goCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("runs the go command: %v", err)
	}
	for _, dir := range []string{".", "../examples"} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".go" {
				_, err = os.ReadFile(path)
			}
			return err
		}))
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	return cmd
}
