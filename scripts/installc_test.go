//go:build linux

package scripts_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// installed is where install-c.sh has put the library, once for all tests.
var installed struct {
	once sync.Once
	dir  string
	err  error
}

// install puts it into one directory, which is then moved.
func install() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "qnxhost installed"); err != nil {
		return "", err
	}
	if out, err := exec.Command("bash", "install-c.sh", filepath.Join(dir, "before")).CombinedOutput(); err != nil {
		return dir, fmt.Errorf("install-c.sh: %w\n%s", err, out)
	}
	return dir, os.Rename(filepath.Join(dir, "before"), filepath.Join(dir, "now"))
}

// prefix is the directory in which the library is installed now.
func prefix(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: builds a C library")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" || s.Key == "CGO_ENABLED" && s.Value == "0" {
				t.Skipf("%s=%s makes no difference to a C library", s.Key, s.Value)
			}
		}
	}
	for _, program := range []string{"bash", "go", "gcc", "g++"} {
		need(t, program)
	}
	installed.once.Do(func() { installed.dir, installed.err = install() })
	require.NoError(t, installed.err)
	return filepath.Join(installed.dir, "now")
}

// succeed runs a program elsewhere and returns what it prints.
func succeed(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", cmd, out)
	return string(out)
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

func TestInstalledLibrary(t *testing.T) {
	t.Parallel()
	lib := filepath.Join(prefix(t), "lib")
	need(t, "readelf")
	version, err := os.ReadFile("../qnxshm/qnxhost/include/qnxhost/version.h")
	require.NoError(t, err)
	var numbers []string
	for _, m := range regexp.MustCompile(`(?m)^#define QNXHOST_VERSION_[A-Z]+ (\d+)$`).FindAllStringSubmatch(string(version), -1) {
		numbers = append(numbers, m[1])
	}
	require.Len(t, numbers, 3)
	file := "libqnxhost.so." + strings.Join(numbers, ".")
	soname := "libqnxhost.so." + numbers[0]
	require.Contains(t, succeed(t, lib, nil, "readelf", "-d", file), "soname: ["+soname+"]")
	for _, link := range []string{"libqnxhost.so", soname} {
		target, err := filepath.EvalSymlinks(filepath.Join(lib, link))
		require.NoError(t, err)
		require.Equal(t, file, filepath.Base(target))
	}
	include, err := filepath.Glob(filepath.Join(lib, "../include/*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(lib, "../include/qnxhost")}, include, "headers that hide the system's are in a directory of their own")
}

// The examples, built by CMake and run by ctest: as standard C and C++, optimised and
// fortified, for 8.0.
func TestInstalledWithCMake(t *testing.T) {
	t.Parallel()
	runExamples(t, nil, "-DCMAKE_C_STANDARD=11", "-DCMAKE_C_EXTENSIONS=OFF", "-DCMAKE_CXX_STANDARD=20", "-DCMAKE_CXX_EXTENSIONS=OFF",
		"-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS=-D_FORTIFY_SOURCE=2", "-DCMAKE_CXX_FLAGS=-D_FORTIFY_SOURCE=2",
		"-DQNXHOST_RELEASE=8.0")
}

// The examples under sanitizers, for 7.1.
func TestInstalledSanitized(t *testing.T) {
	t.Parallel()
	needSanitizers(t)
	for what, without := range map[string][]string{
		"address,undefined": nil,
		// A timer whose function gets a thread crashes any program that gcc 12 sanitizes:
		// the C library makes it past the sanitizer.
		"thread": {"-E", "^alarm$"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			needSanitizer(t, what)
			flags := "-g -O1 -fno-sanitize-recover=all -fsanitize=" + what
			runExamples(t, without, "-DCMAKE_C_FLAGS="+flags, "-DCMAKE_CXX_FLAGS="+flags, "-DQNXHOST_RELEASE=7.1")
		})
	}
}

// runExamples builds the examples with CMake's flags, and runs them with ctest's.
func runExamples(t *testing.T, ctest []string, cmake ...string) {
	t.Helper()
	prefix := prefix(t)
	need(t, "cmake")
	need(t, "ctest")
	build := filepath.Join(t.TempDir(), "build")
	succeed(t, "/", nil, "cmake", append([]string{
		"-S", abs(t, "../examples/c"), "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix,
		"-DCMAKE_COMPILE_WARNING_AS_ERROR=ON",
	}, cmake...)...)
	succeed(t, "/", nil, "cmake", "--build", build, "-j2")
	out := succeed(t, "/", nil, "ctest", append(ctest, "--test-dir", build, "--output-on-failure", "--no-tests=error", "-j2")...)
	require.Contains(t, out, "100% tests passed")
}

// needSanitizers skips what takes minutes and looks for faults of the library, which
// nobody brings in by installing it.
func needSanitizers(t *testing.T) {
	t.Helper()
	if os.Getenv("QNXHOST_SANITIZERS") == "" {
		t.Skip("set QNXHOST_SANITIZERS to run C programs under sanitizers and valgrind, as .ci/run sanitizers does")
	}
}

// needSanitizer skips the test where the compiler lacks it, or it is too old for where
// the kernel puts things.
func needSanitizer(t *testing.T, sanitizer string) {
	t.Helper()
	probe := filepath.Join(t.TempDir(), "probe")
	write(t, probe+".c", "int main(void) { return 0; }\n")
	for _, cmd := range []*exec.Cmd{exec.Command("gcc", "-fsanitize="+sanitizer, "-o", probe, probe+".c"), exec.Command(probe)} {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("no -fsanitize=%s here: %v: %s", sanitizer, err, out)
		}
	}
}

// A package that cannot be meant is refused by name.
func TestInstalledWithCMakeRefused(t *testing.T) {
	t.Parallel()
	prefix := prefix(t)
	need(t, "cmake")
	for message, text := range map[string]string{
		"QNXHOST_RELEASE is 8.0 or 7.1, not 6.5":  "set(QNXHOST_RELEASE 6.5)\nfind_package(qnxhost REQUIRED)\n",
		`compatible with requested version "1.0"`: "find_package(qnxhost 1.0 REQUIRED)\n",
		`compatible with requested version "0.0"`: "find_package(qnxhost 0.0 REQUIRED)\n",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "CMakeLists.txt"), "cmake_minimum_required(VERSION 3.13)\nproject(p C)\n"+text)
		out, err := exec.Command("cmake", "-S", dir, "-B", filepath.Join(dir, "build"), "-DCMAKE_PREFIX_PATH="+prefix).CombinedOutput()
		require.Error(t, err)
		require.Contains(t, strings.Join(strings.Fields(string(out)), " "), message)
	}
}

// A server and clients with nothing but pkg-config, run from elsewhere.
func TestInstalledWithPkgConfig(t *testing.T) {
	t.Parallel()
	prefix := prefix(t)
	need(t, "pkg-config")
	env := []string{"PKG_CONFIG_PATH=" + filepath.Join(prefix, "lib/pkgconfig")}
	for pkg, definitions := range map[string]string{
		"qnxhost": "", "qnxhost-8.0": "-D__QNX__=800 -D__QNXNTO__", "qnxhost-7.1": "-D__QNX__ -D__QNXNTO__",
	} {
		cflags := succeed(t, "/", env, "pkg-config", "--cflags", pkg)
		require.Contains(t, cflags, definitions)
		require.Equal(t, definitions != "", strings.Contains(cflags, "__QNX"), cflags)
		dir := t.TempDir()
		build := func(compiler, source, program string) {
			succeed(t, abs(t, "../examples/c"), env, "bash", "-ec",
				`eval "$1 -Wall -Wextra -Werror $2 -o '$3' $(pkg-config --cflags --libs $4)"`, "bash",
				compiler, source, filepath.Join(dir, program), pkg)
		}
		build("gcc -std=c11", "server.c", "server")
		build("gcc -std=c11", "client.c", "client")
		build("g++ -std=c++20", "clientpp.cpp", "clientpp")
		for _, client := range []string{"client", "clientpp"} {
			succeed(t, "/", nil, abs(t, "../examples/c/run.sh"), filepath.Join(dir, "server"), filepath.Join(dir, client))
		}
	}
}

// For packages: below DESTDIR, and there as if it were not.
func TestInstallStaged(t *testing.T) {
	t.Parallel()
	prefix := prefix(t)
	stage := t.TempDir()
	old := filepath.Join(stage, "usr/include/qnxhost/gone.h")
	write(t, old, "")
	succeed(t, "/", []string{"DESTDIR=" + stage}, abs(t, "install-c.sh"), "/usr")
	require.NoFileExists(t, old, "a header of another version would hide the system's")
	require.Equal(t, listing(t, prefix), listing(t, filepath.Join(stage, "usr")))
}

func listing(t *testing.T, dir string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		rel, _ := filepath.Rel(dir, path)
		files = append(files, info.Mode().String()+" "+rel)
		return err
	}))
	return files
}

func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	need(t, "bash")
	for _, test := range []struct {
		env    string
		args   []string
		status int
		text   string
	}{
		{"", nil, 2, "usage: install-c.sh PREFIX"},
		{"", []string{"a", "b"}, 2, "usage: install-c.sh PREFIX"},
		{"", []string{"--prefix=/x"}, 2, "usage: install-c.sh PREFIX"},
		{"", []string{""}, 1, "an empty PREFIX"},
		{"DESTDIR=/stage", []string{"here"}, 1, "PREFIX begins with /"},
	} {
		cmd := exec.Command("bash", append([]string{"install-c.sh"}, test.args...)...)
		cmd.Env = append(os.Environ(), test.env)
		out, _ := cmd.CombinedOutput()
		require.Equal(t, test.status, cmd.ProcessState.ExitCode(), test.args)
		require.Contains(t, string(out), test.text)
	}
	help, err := exec.Command("bash", "install-c.sh", "--help").Output()
	require.NoError(t, err)
	require.Contains(t, string(help), "usage: install-c.sh PREFIX")
}

// Valgrind has nothing to say, but of the library's own goroutines.
func TestInstalledWithValgrind(t *testing.T) {
	t.Parallel()
	needSanitizers(t)
	prefix := prefix(t)
	for _, program := range []string{"cmake", "ctest", "valgrind"} {
		need(t, program)
	}
	build, logs := filepath.Join(t.TempDir(), "build"), t.TempDir()
	// Its words are separated by spaces, and a directory has one.
	suppressions := filepath.Join(logs, "valgrind.supp")
	require.NoError(t, os.Symlink(filepath.Join(prefix, "share/qnxhost/valgrind.supp"), suppressions))
	succeed(t, "/", nil, "cmake", "-S", abs(t, "../examples/c"), "-B", build, "-DCMAKE_PREFIX_PATH="+prefix, "-DCMAKE_BUILD_TYPE=Debug")
	// Some: each takes seconds. Of frame_client it would tell, as it should, that memory
	// is read that was taken back.
	run := []string{"calculator_client", "upload_client", "timer", "memory"}
	succeed(t, "/", nil, "cmake", append([]string{"--build", build, "-j2", "--target", "calculator_server", "upload_server"}, run...)...)
	cmd := exec.Command("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "-R", "^("+strings.Join(run, "|")+")$", "-j2")
	cmd.Env = append(os.Environ(), "RUNNER=valgrind -q --error-exitcode=99 --leak-check=full --suppressions="+suppressions+
		" --log-file="+filepath.Join(logs, "log.%p"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		said, _ := filepath.Glob(filepath.Join(logs, "log.*"))
		for _, path := range said {
			text, _ := os.ReadFile(path)
			out = append(out, text...)
		}
	}
	require.NoError(t, err, "%s", out)
}
