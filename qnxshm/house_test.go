//go:build linux && !qnx

package qnxshm_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// layers are the packages of the host and what they share, each of which may
// import those before it, and the public ones. The last is for tests only, so nothing
// imports it but tests.
var layers = []string{
	"internal/qnxerr", "internal/gate", "internal/nto", "internal/linux", "internal/wire", "internal/memory",
	"internal/procnto", "internal/message", "", "qnxmsg", "shmtest", testsOnly,
}

const testsOnly = "internal/testproc"

// circular are the packages whose files may refer to each other in circles: those whose
// files are divided by what their readers look for.
var circular = []string{"", "qnxmsg", "shmtest"}

// TestHouse: a package of the host knows nothing of those above it, and neither
// does a file of one.
func TestHouse(t *testing.T) {
	testproc.TakesLong(t, "reads the standard library for its types")
	const module = "github.com/go-qnx/shm/qnxshm"
	s := listSources(t, "amd64", host, "CGO_ENABLED=0")
	for _, p := range s.packages {
		require.NotContains(t, p.Imports, module+"/"+testsOnly, "%s, which is no test", p.ImportPath)
	}
	for i, name := range layers {
		p := s.find(strings.TrimSuffix(module+"/"+name, "/"))
		require.NotNil(t, p, name)
		for _, imported := range p.Imports {
			if rest, ok := strings.CutPrefix(imported, module); ok {
				require.Contains(t, layers[:i], strings.TrimPrefix(rest, "/"), "%q imports it", name)
			}
		}
		if !slices.Contains(circular, name) {
			require.Empty(t, circles(fileReferences(s, p)), "files of %q that refer to each other", name)
		}
	}
}

// fileReferences tells for each file of a package which others it refers to.
func fileReferences(s *sources, p *sourcePackage) map[string][]string {
	s.t.Helper()
	info := types.Info{Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: s.importerFor(p), Sizes: types.SizesFor("gc", s.arch)}
	checked, err := config.Check(p.ImportPath, s.fset, s.parse(p, p.GoFiles), &info)
	require.NoError(s.t, err)
	fileOf := func(pos token.Pos) string { return filepath.Base(s.fset.Position(pos).Filename) }
	references := make(map[string][]string)
	for id, object := range info.Uses {
		from, to := fileOf(id.Pos()), fileOf(object.Pos())
		if object.Pkg() == checked && from != to && !slices.Contains(references[from], to) {
			references[from] = append(references[from], to)
		}
	}
	return references
}

// circles returns what is left when files that refer to no others are taken away,
// again and again, and then those that no others refer to.
func circles(references map[string][]string) map[string][]string {
	left := make(map[string][]string)
	for from, to := range references {
		left[from] = slices.Sorted(slices.Values(to))
	}
	for again := true; again; {
		again = false
		referred := make(map[string]bool)
		for from, to := range left {
			to = slices.DeleteFunc(to, func(f string) bool { return left[f] == nil })
			if left[from] = to; len(to) == 0 {
				delete(left, from)
				again = true
			}
			for _, f := range to {
				referred[f] = true
			}
		}
		for from := range left {
			if !referred[from] {
				delete(left, from)
				again = true
			}
		}
	}
	return left
}
