//go:build linux

package testproc

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Generated fails the test with the lines that differ if a file does not hold what
// a command would write into it: those that are gone with "-", those that are new
// with "+".
func Generated(t testing.TB, file string, want []byte, command string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Fatalf("%s is not current; run: %s\n%s", file, command, differences(string(got), string(want)))
	}
}

// differences are the lines of one text only, in the order of both, around the
// longest sequence that they have in common.
func differences(from, to string) string {
	a, b := slices.Collect(strings.Lines(from)), slices.Collect(strings.Lines(to))
	common := make([][]int, len(a)+1) // of what follows line i and line j
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var s strings.Builder
	line := func(sign, text string) {
		s.WriteString(sign + strings.TrimSuffix(text, "\n"))
		if !strings.HasSuffix(text, "\n") {
			s.WriteString(" (no line feed)")
		}
		s.WriteByte('\n')
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i++
			j++
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			line("-", a[i])
			i++
		default:
			line("+", b[j])
			j++
		}
	}
	return s.String()
}
