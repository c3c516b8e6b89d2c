//go:build linux && cgo

package qnxhost_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// These do not compile when they are used.
var portsOfDevices = []string{"in8", "in16", "in32", "out8", "out16", "out32"}

var (
	nameOf  = regexp.MustCompile(`[ *](\w+)\(`)
	labelOf = regexp.MustCompile(`"qnxhost_" "(\w+)"`)
)

// The library has every function that its headers declare, and none that the system has.
func TestLibraryHasDeclaredFunctions(t *testing.T) {
	t.Parallel()
	dir := programs(t)
	nm, err := exec.LookPath("nm")
	if err != nil {
		t.Skip(err)
	}
	functionsOf := func(library string) map[string]bool {
		out, err := exec.Command(nm, "-D", "--defined-only", library).Output()
		require.NoError(t, err)
		functions := make(map[string]bool)
		for line := range strings.Lines(string(out)) {
			if f := strings.Fields(line); len(f) == 3 && strings.ContainsAny(f[1], "TWi") {
				name, _, _ := strings.Cut(f[2], "@")
				functions[name] = true
			}
		}
		return functions
	}
	out, err := exec.Command("gcc", "-print-file-name=libc.so.6").Output()
	require.NoError(t, err)
	defined, systems := functionsOf(filepath.Join(dir, "libqnxhost.so")), functionsOf(strings.TrimSpace(string(out)))
	// What the headers declare themselves, and those they include do not: the
	// preprocessor tells where a line is from.
	include, err := filepath.Abs("include")
	require.NoError(t, err)
	source := filepath.Join(t.TempDir(), "all.c")
	require.NoError(t, os.WriteFile(source, []byte(includes(headers...)), 0o600))
	text, err := exec.Command("gcc", "-E", "-I", include, source).Output()
	require.NoError(t, err)
	var own strings.Builder
	inside := false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "# ") {
			inside = strings.Contains(line, `"`+include+"/")
		} else if inside {
			own.WriteString(line)
		}
	}
	functions := regexp.MustCompile(`(?m)^\w[\w \t]*[ \t*](\w+)\([^;{}]*\);$`).FindAllString(own.String(), -1)
	require.Greater(t, len(functions), 160)
	var missing []string
	for _, f := range functions {
		linked := nameOf.FindStringSubmatch(f)[1]
		if label := labelOf.FindStringSubmatch(f); label != nil {
			linked = "qnxhost_" + label[1]
		}
		if !defined[linked] && !systems[linked] && !slices.Contains(portsOfDevices, linked) {
			missing = append(missing, linked)
		}
	}
	require.Empty(t, missing)
	for symbol := range systems {
		require.NotContains(t, defined, symbol, "would take the place of the system's")
	}
	t.Log(strconv.Itoa(len(functions)) + " functions")
}
