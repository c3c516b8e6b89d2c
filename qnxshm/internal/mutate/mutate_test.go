//go:build linux && !qnx

package mutate_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/mutate"
)

// read makes the mutants.
func read(t *testing.T) *mutate.Mutants {
	t.Helper()
	switch {
	case testing.Short():
		t.Skip("builds programs with a C compiler")
	case raceEnabled:
		t.Skip("what it runs has no race detector")
	case os.Getenv("CGO_ENABLED") == "0":
		t.Skip("without cgo")
	}
	for _, tool := range []string{"go", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	ms, err := mutate.Read(root, t.TempDir())
	require.NoError(t, err)
	return ms
}

// sources reads what is built, so that a result is not taken from the test cache
// when that has changed.
func sources(t *testing.T) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(".go.c.h", filepath.Ext(path)) && d.Type().IsRegular() {
			_, err = os.ReadFile(path)
		}
		return err
	}))
}

// TestTableIsCurrent holds the table against the target files as they are.
func TestTableIsCurrent(t *testing.T) {
	ms := read(t)
	text, err := os.ReadFile("MUTANTS.md")
	require.NoError(t, err)
	became := mutate.ReadTable(text)
	require.Greater(t, len(ms.All), 900)
	assert.Empty(t, ms.Faults(became))
	if !bytes.Equal(ms.Table(became), text) { // thousands of lines say no more
		t.Fatal("MUTANTS.md is not current; run: go run ./qnxshm/internal/mutate/run -only '^$'")
	}
}

// TestSomeMutants tries a few mutants, in all parts of the files.
func TestSomeMutants(t *testing.T) {
	ms := read(t)
	sources(t)
	text, err := os.ReadFile("MUTANTS.md")
	require.NoError(t, err)
	became := mutate.ReadTable(text)
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
