//go:build linux

package qnxhost_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What there is of these in the headers is theirs, not QNX's.
var ownNames = regexp.MustCompile(`^(QNXHOST_\w*|qnxhost_\w*|_DEFAULT_SOURCE|_XOPEN_SOURCE|_LARGEFILE64_SOURCE|__need_size_t|__USE_FORTIFY_LEVEL|__nonnull|__\w+_defined|__sigval_t)$`)

// namesOf are the functions, types and constants that the headers have themselves: the
// preprocessor tells where a line is from.
func namesOf(t *testing.T, tc *toolchain) (functions, types, constants map[string]bool) {
	t.Helper()
	file := tc.source(t, "names", includes(headers...))
	out, err := exec.Command("gcc", "-E", "-dD", "-I", tc.include, file).Output()
	require.NoError(t, err)
	functions, types, constants = make(map[string]bool), make(map[string]bool), make(map[string]bool)
	add := func(names map[string]bool, name string) {
		if !ownNames.MatchString(name) {
			names[name] = true
		}
	}
	var own strings.Builder
	inside := false
	for line := range strings.Lines(string(out)) {
		switch f := strings.Fields(line); {
		case strings.HasPrefix(line, "# "):
			inside = strings.Contains(line, `"`+tc.include+"/")
		case !inside:
		case strings.HasPrefix(line, "#define "):
			name, _, _ := strings.Cut(f[1], "(")
			add(constants, name)
		case !strings.HasPrefix(line, "#"):
			own.WriteString(line)
		}
	}
	text := regexp.MustCompile(`\s+`).ReplaceAllString(own.String(), " ")
	text = regexp.MustCompile(`__attribute__ ?\(\(.*?\)\)\)?`).ReplaceAllString(text, "")
	for _, m := range regexp.MustCompile(`(typedef )?((?:struct|union) \w+) \{`).FindAllStringSubmatch(text, -1) {
		if m[1] == "" { // else it is known by the other name
			add(types, m[2])
		}
	}
	for _, m := range regexp.MustCompile(`typedef [\w ]*[ *](\w+);|\} (\w+_t);`).FindAllStringSubmatch(text, -1) {
		add(types, m[1]+m[2])
	}
	// Without the bodies of functions and structs, a name in front of a parenthesis is a
	// function's.
	for braces := regexp.MustCompile(`\{[^{}]*\}`); braces.MatchString(text); {
		text = braces.ReplaceAllString(text, ";")
	}
	for statement := range strings.SplitSeq(text, ";") {
		m := regexp.MustCompile(`^[^(]*[ *](\w+) ?\(`).FindStringSubmatch(statement)
		if m != nil && !strings.HasPrefix(strings.TrimSpace(statement), "typedef") && m[1] != "_Static_assert" {
			add(functions, m[1])
		}
		if m := regexp.MustCompile(`extern struct \w+ \*(\w+)$`).FindStringSubmatch(strings.TrimSpace(statement)); m != nil {
			add(constants, m[1])
		}
	}
	return functions, types, constants
}

// The tables of docs/c.md have each function, type and constant of the headers, once, and
// nothing else. A form with _r is where the other one is.
func TestHeadersPage(t *testing.T) {
	t.Parallel()
	tc := newToolchain(t)
	functions, types, constants := namesOf(t, tc)
	t.Logf("%d functions, %d types, %d constants and macros", len(functions), len(types), len(constants))
	require.Greater(t, len(functions), 150)
	require.Greater(t, len(types), 30)
	require.Greater(t, len(constants), 300)
	known := make(map[string]int)
	for _, names := range []map[string]bool{functions, types, constants} {
		for name := range names {
			if plain, ok := strings.CutSuffix(name, "_r"); !ok || !functions[plain] {
				known[name] = 0
			}
		}
	}

	page, err := os.ReadFile("../../docs/c.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(page), "\n## Every function, type and constant\n")
	require.True(t, ok)
	section, _, ok = strings.Cut(section, "\n## ")
	require.True(t, ok)
	var faults []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		require.Len(t, cells, 2, line)
		require.NotEmpty(t, strings.TrimRight(cells[1], " |\n"), line)
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[0], -1) {
			found := 0
			for name := range known {
				if ok, err := path.Match(m[1], name); err == nil && ok {
					known[name]++
					found++
				}
			}
			if found == 0 {
				faults = append(faults, "no header has "+m[1])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if known[name] != 1 {
			faults = append(faults, fmt.Sprintf("%s is there %d times", name, known[name]))
		}
	}
	require.Empty(t, faults, "docs/c.md")
}

// What the tables of names say is refused with one of these is listed once more, by errno.
func TestHeadersPageListsRefusals(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/c.md")
	require.NoError(t, err)
	_, text, ok := strings.Cut(string(page), "\n## Every function, type and constant\n")
	require.True(t, ok)
	names, refusals, ok := strings.Cut(text, "\n## What answers an error\n")
	require.True(t, ok)
	refusals, _, _ = strings.Cut(refusals, "\n## ")
	rows := 0
	for line := range strings.Lines(names) {
		its, says, ok := strings.Cut(line, " | ")
		refusal := regexp.MustCompile("\\banswers? `(ENOSYS|ENOTSUP|ENOREMOTE|EPERM)`").FindStringSubmatch(says)
		if !ok || refusal == nil {
			continue
		}
		rows++
		listed := false
		for row := range strings.Lines(refusals) {
			for _, name := range regexp.MustCompile("`\\w+`").FindAllString(its, -1) {
				cells := strings.Split(row, " | ")
				listed = listed || len(cells) == 3 && strings.Contains(cells[0], name) && strings.Contains(cells[1], refusal[1])
			}
		}
		assert.True(t, listed, "not in the list of errors: %s", line)
	}
	require.Greater(t, rows, 10)
}
