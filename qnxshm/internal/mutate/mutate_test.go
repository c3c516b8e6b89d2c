//go:build linux

package mutate_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/mutate"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// read makes the mutants, and reads results.txt.
func read(t *testing.T) (ms *mutate.Mutants, became map[string]string) {
	t.Helper()
	testproc.WithoutPort(t)
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	ms, err = mutate.Read(root, t.TempDir())
	require.NoError(t, err)
	require.Greater(t, len(ms.All), 900)
	results, err := os.ReadFile("results.txt")
	require.NoError(t, err)
	return ms, mutate.ReadResults(results)
}

// TestFilesAreCurrent holds results and report against the target files as they are.
func TestFilesAreCurrent(t *testing.T) {
	ms, became := read(t)
	assert.Empty(t, ms.Faults(became))
	for name, want := range map[string][]byte{"results.txt": ms.Results(became), "MUTANTS.md": ms.Report(became)} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if !bytes.Equal(want, text) { // their many lines say no more
			t.Errorf("%s is not current; run: go -C qnxshm/internal/mutate run ./run -only '^$'", name)
		}
	}
}

// TestFaults changes results, and looks for what is said of them.
func TestFaults(t *testing.T) {
	ms, became := read(t)
	for _, c := range []struct{ from, to, fault, row string }{
		{"delete/twice", "", "not tried: ", "| not tried | %d |"},
		{"delete/twice", "no/rule", "not tried: ", "| not tried | %d |"},
		{"delete/twice", "survives", "survives without a reason: ", "| survives: without a reason | %d |"},
		{"survives", "delete/twice", "a reason that explains no survivor: ", ""},
	} {
		changed := maps.Clone(became)
		n := 0
		for id, by := range became {
			if by == c.from || c.from == "survives" && mutate.Survives(by) {
				changed[id] = c.to
				n++
			}
		}
		faults := ms.Faults(changed)
		assert.NotEmpty(t, faults)
		for _, f := range faults {
			assert.Contains(t, f, c.fault)
		}
		report := string(ms.Report(changed))
		if c.row != "" {
			assert.Contains(t, report, fmt.Sprintf(c.row, n))
		} else {
			assert.NotContains(t, report, "survives")
		}
		assert.Equal(t, changed, mutate.ReadResults(ms.Results(changed)))
	}
}

// TestSomeMutants tries a few mutants, in all parts of the files.
func TestSomeMutants(t *testing.T) {
	ms, became := read(t)
	const n = 6
	var mutants []*mutate.Mutant
	var cases []string
	for i := range n {
		for _, m := range ms.All[(2*i+1)*len(ms.All)/(2*n):] {
			if by := became[m.ID]; strings.Contains(by, "/") && !strings.Contains(by, " ") {
				mutants, cases = append(mutants, m), append(cases, by)
				break
			}
		}
	}
	require.Len(t, mutants, n)
	suites, err := ms.Build(mutants)
	require.NoError(t, err)
	require.NoError(t, suites.Check(t.Context(), cases...))
	for i, m := range mutants {
		by, err := suites.Try(t.Context(), m, cases[i])
		require.NoError(t, err)
		assert.Equal(t, cases[i], by, m.ID)
	}
}
