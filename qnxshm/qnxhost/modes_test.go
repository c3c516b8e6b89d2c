//go:build linux

package qnxhost_test

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A mode is one way of compiling.
type mode struct {
	compiler compiler
	standard string
	flags    []string
}

func (m mode) cxx() bool { return strings.Contains(m.standard, "++") }

// A job is what is compiled in one mode.
type job struct {
	mode
	files []string
}

var (
	extremes = []string{"c99", "gnu17", "c++11", "gnu++20"}
	pedantic = []string{"-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"}
	release7 = "-D_NTO_VERSION=710"
)

// modesOf are those of gcc with the same flags.
func modesOf(standards, flags []string) (modes []mode) {
	for _, standard := range standards {
		modes = append(modes, mode{gcc, standard, flags})
	}
	return modes
}

// everyMode is with -long: each standard, compiler and set of macros. Of them all, a few
// that differ much are tried always.
func everyMode() (modes []mode) {
	if !*long {
		modes = []mode{
			{gcc, "c99", pedantic},
			{gcc, "gnu2x", append([]string{"-D_GNU_SOURCE"}, pedantic...)},
			{gcc, "c++11", append([]string{"-D_QNX_SOURCE", "-D_FILE_OFFSET_BITS=64"}, pedantic...)},
			{gcc, "gnu++23", append([]string{"-O2", "-D_FORTIFY_SOURCE=3"}, pedantic...)},
			{gcc, "c17", append([]string{"-D_POSIX_C_SOURCE=200809L"}, pedantic...)},
		}
		if libcxx.works() {
			modes = append(modes, mode{clang, "gnu11", pedantic}, mode{libcxx, "c++20", pedantic})
		}
		return modes
	}
	macros := [][]string{
		nil, {"-D_QNX_SOURCE"}, {"-D_GNU_SOURCE"}, {"-D_POSIX_C_SOURCE=200112L"}, {"-D_POSIX_C_SOURCE=200809L", "-D_QNX_SOURCE"},
		{"-D_FILE_OFFSET_BITS=64"}, {"-O2", "-D_FORTIFY_SOURCE=3"}, {"-D__QNX__=800", "-D__QNXNTO__"}, {release7},
	}
	for _, c := range []compiler{gcc, clang, libcxx} {
		if !c.works() {
			continue
		}
		for _, number := range []string{"99", "11", "17", "2x", "++11", "++14", "++17", "++20", "++2b"} {
			for _, family := range []string{"c", "gnu"} {
				m := mode{compiler: c, standard: family + number}
				if !m.cxx() && c.c == nil {
					continue
				}
				for _, more := range macros {
					m.flags = slices.Concat(more, pedantic)
					modes = append(modes, m)
				}
			}
		}
	}
	return modes
}

// inEach is a job for every mode that suits.
func inEach(modes []mode, suits func(mode) bool, files ...string) (jobs []job) {
	for _, m := range modes {
		if suits(m) {
			jobs = append(jobs, job{m, files})
		}
	}
	return jobs
}

func of8(m mode) bool   { return !slices.Contains(m.flags, release7) }
func inC(m mode) bool   { return !m.cxx() }
func every(mode) bool   { return true }
func inCxx(m mode) bool { return m.cxx() }

// compiles requires that files compile, without a word, in each of the modes.
func (tc *toolchain) compiles(t *testing.T, modes []mode, files ...string) {
	t.Helper()
	tc.compile(t, inEach(modes, every, files...))
}

func (tc *toolchain) compile(t *testing.T, jobs []job) {
	t.Helper()
	said := inParallel(jobs, func(j job) string {
		out, err := tc.check(j)
		if err != nil || out != "" {
			return fmt.Sprintf("%v: %v\n%s", j.mode, err, out)
		}
		return ""
	})
	require.Empty(t, strings.Join(said, ""))
}

// check compiles the files of one job. A process for each costs clang more than the
// files do: there one does all.
func (tc *toolchain) check(j job) (string, error) {
	flags := append(slices.Clone(j.flags), "-std="+j.standard)
	if j.compiler.cxx[0] == gcc.cxx[0] || !slices.Contains(flags, "-fsyntax-only") {
		return tc.runs(j.compiler, j.cxx(), flags, j.files...)
	}
	out, err := tc.runs(j.compiler, j.cxx(), append([]string{"-###"}, flags...), j.files[0])
	if err != nil {
		return out, err
	}
	var args []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, `"-cc1"`) {
			for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimSpace(rest) {
				word, err := strconv.QuotedPrefix(rest)
				if err != nil {
					return out, fmt.Errorf("-### says: %s", line)
				}
				rest = rest[len(word):]
				word, _ = strconv.Unquote(word)
				args = append(args, word)
			}
		}
	}
	if len(args) == 0 {
		return out, fmt.Errorf("no -cc1 in what -### says")
	}
	cmd := exec.Command(args[0], append(args[1:], j.files[1:]...)...)
	cmd.Dir = tc.dir
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// distinct leaves of the jobs, each of one file, those whose text is not that of another in
// the same language by the same compiler once it is preprocessed: most macros change
// nothing for the C++ library, which takes long to compile.
func (tc *toolchain) distinct(t *testing.T, jobs []job) (left []job) {
	t.Helper()
	texts := inParallel(jobs, func(j job) string {
		flags := slices.DeleteFunc(slices.Clone(j.flags), func(flag string) bool { return flag == "-fsyntax-only" })
		out, err := tc.runs(j.compiler, j.cxx(), append(flags, "-std="+j.standard, "-E"), j.files...)
		if err != nil {
			return "cannot: " + fmt.Sprintf("%v: %v\n%s", j.mode, err, out)
		}
		return fmt.Sprintf("%v %s %x", j.compiler, j.standard, sha256.Sum256([]byte(out)))
	})
	seen := make(map[string]bool)
	for i, text := range texts {
		require.False(t, strings.HasPrefix(text, "cannot: "), text)
		if !seen[text] {
			left = append(left, jobs[i])
		}
		seen[text] = true
	}
	return left
}

// inParallel does as many jobs at a time as there are processors.
func inParallel(jobs []job, do func(job) string) []string {
	results := make([]string, len(jobs))
	slots := make(chan struct{}, runtime.NumCPU())
	for i := range jobs {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			results[i] = do(jobs[i])
		}()
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
	return results
}

// Every example compiles in every mode of its language.
func TestExamplesCompile(t *testing.T) {
	t.Parallel()
	if !*long {
		t.Skip("without -long: others build the examples in a few modes, and run them")
	}
	tc := newToolchain(t)
	examples := func(pattern string) []string {
		files, err := filepath.Glob("../../examples/c/" + pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for i := range files {
			files[i], err = filepath.Abs(files[i])
			require.NoError(t, err)
		}
		return files
	}
	modes := everyMode()
	t.Run("C", func(t *testing.T) {
		tc.compile(t, inEach(modes, inC, examples("*.c")...))
	})
	t.Run("C++", func(t *testing.T) {
		var jobs []job
		for _, file := range examples("*.cpp") {
			jobs = append(jobs, inEach(modes, inCxx, file)...)
		}
		different := tc.distinct(t, jobs)
		t.Logf("%d jobs, of which %d differ", len(jobs), len(different))
		tc.compile(t, different)
	})
}
