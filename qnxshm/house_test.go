//go:build linux && !qnx

package qnxshm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
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

// circular are the packages whose files may refer to each other in circles: message
// was moved on the others as it was.
var circular = []string{"", "qnxmsg", "shmtest"}

// TestHouse: a package of the host knows nothing of those above it, and neither
// does a file of one.
func TestHouse(t *testing.T) {
	testproc.TakesLong(t, "compiles the module")
	const module = "github.com/go-qnx/shm/qnxshm"
	packages := listPackages(t, module+"/...")
	for path, p := range packages {
		require.NotContains(t, p.Imports, module+"/"+testsOnly, "%s, which is no test", path)
	}
	for i, name := range layers {
		p := packages[strings.TrimSuffix(module+"/"+name, "/")]
		require.NotNil(t, p, name)
		for _, imported := range p.Imports {
			if rest, ok := strings.CutPrefix(imported, module); ok {
				require.Contains(t, layers[:i], strings.TrimPrefix(rest, "/"), "%q imports it", name)
			}
		}
		if !slices.Contains(circular, name) {
			require.Empty(t, circles(p.fileReferences(t, packages)), "files of %q that refer to each other", name)
		}
	}
}

// A listedPackage is what go list tells.
type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string
}

func listPackages(t *testing.T, pattern string) map[string]*listedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles,Imports", pattern)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	packages := make(map[string]*listedPackage)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listedPackage)
		err := d.Decode(p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages[p.ImportPath] = p
	}
}

// fileReferences tells for each file of a package which others it refers to.
func (p *listedPackage) fileReferences(t *testing.T, packages map[string]*listedPackage) map[string][]string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	info := types.Info{Uses: make(map[*ast.Ident]types.Object)}
	lookup := func(path string) (io.ReadCloser, error) {
		if dep := packages[path]; dep != nil && dep.Export != "" {
			return os.Open(dep.Export)
		}
		return nil, fmt.Errorf("no export data of %s", path)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	checked, err := config.Check(p.ImportPath, fset, files, &info)
	require.NoError(t, err)
	fileOf := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
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
