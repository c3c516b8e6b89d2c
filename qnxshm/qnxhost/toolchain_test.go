//go:build linux

package qnxhost_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// long has the headers compiled in all modes, by all compilers that there are.
var long = flag.Bool("long", false, "headers and programs are compiled in every mode, which takes minutes; else in some")

// A compiler for C and its companion for C++.
type compiler struct{ c, cxx []string }

var (
	gcc    = compiler{[]string{"gcc"}, []string{"g++"}}
	clang  = compiler{[]string{"clang"}, []string{"clang++"}}
	libcxx = compiler{nil, []string{"clang++", "-stdlib=libc++"}}
)

// works reports whether the compiler is there, with its library.
func (c compiler) works() bool {
	for _, language := range []struct {
		command []string
		name    string
	}{{c.c, "-xc"}, {c.cxx, "-xc++"}} {
		if language.command == nil {
			continue
		}
		cmd := exec.Command(language.command[0], append(slices.Clone(language.command[1:]), language.name, "-fsyntax-only", "-")...)
		cmd.Stdin = strings.NewReader("#include <stddef.h>\n#ifdef __cplusplus\n#include <vector>\n#endif\n")
		if cmd.Run() != nil {
			return false
		}
	}
	return true
}

// A toolchain compiles for one test.
type toolchain struct{ include, dir string }

// newToolchain reads every header: the test cache then knows what compilers see.
func newToolchain(t *testing.T) *toolchain {
	t.Helper()
	tc := &toolchain{dir: t.TempDir()}
	if !gcc.works() {
		t.Skip("no C and C++ compiler")
	}
	if out, err := exec.Command("gcc", "-dM", "-E", "-include", "features.h", "-xc", os.DevNull).Output(); err != nil ||
		!bytes.Contains(out, []byte("__GLIBC__")) || !bytes.Contains(out, []byte("__LP64__")) {
		t.Skipf("the headers need glibc on a 64-bit system (%v)", err)
	}
	var err error
	tc.include, err = filepath.Abs("include")
	require.NoError(t, err)
	forEachHeader(t, tc.include, func(string, []byte) {})
	return tc
}

func forEachHeader(t *testing.T, dir string, do func(name string, text []byte)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			do(name, text)
		}
		return err
	}))
}

// source writes one file for the compilers.
func (tc *toolchain) source(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(tc.dir, name+".c")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// run compiles files, all at once, and returns what gcc says.
func (tc *toolchain) run(cxx bool, flags []string, files ...string) (string, error) {
	return tc.runs(gcc, cxx, flags, files...)
}

func (tc *toolchain) runs(c compiler, cxx bool, flags []string, files ...string) (string, error) {
	command, language := c.c, "-xc"
	if cxx {
		command, language = c.cxx, "-xc++"
	}
	args := slices.Concat(command[1:], []string{"-I", tc.include, language}, flags, files)
	cmd := exec.Command(command[0], args...)
	cmd.Dir = tc.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func includes(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "#include <%s>\n", name)
	}
	return b.String()
}
