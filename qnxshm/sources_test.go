//go:build linux && !qnx

package qnxshm_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A sourcePackage is what go list tells of a package.
type sourcePackage struct {
	ImportPath, Dir, ForTest                     string
	ImportMap                                    map[string]string
	Module                                       *struct{ Main bool }
	Imports                                      []string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
}

// own reports whether the package is the module's.
func (p *sourcePackage) own() bool { return p.Module != nil && p.Module.Main }

// sources are packages whose types are read from their source, which takes a second:
// the go command would compile the standard library for them.
type sources struct {
	t        *testing.T
	arch     string
	fset     *token.FileSet
	packages []*sourcePackage // those that others import come first
	types    map[string]*types.Package
}

// listSources lists the module's packages and what they and their tests import, in an
// environment that names the system.
func listSources(t *testing.T, arch string, env ...string) *sources {
	t.Helper()
	s := &sources{t: t, arch: arch, fset: token.NewFileSet(), types: map[string]*types.Package{"unsafe": types.Unsafe}}
	const fields = "-json=ImportPath,Dir,ForTest,ImportMap,Module,Imports,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles"
	out := goList(t, append(env, "GOARCH="+arch), "-deps", "-test", fields, "../...")
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		p := new(sourcePackage)
		err := d.Decode(p)
		if errors.Is(err, io.EOF) {
			return s
		}
		require.NoError(t, err)
		if p.ForTest == "" && !strings.HasSuffix(p.ImportPath, ".test") { // which the go command makes
			s.packages = append(s.packages, p)
		}
	}
}

func (s *sources) find(path string) *sourcePackage {
	i := slices.IndexFunc(s.packages, func(p *sourcePackage) bool { return p.ImportPath == path })
	if i < 0 {
		return nil
	}
	return s.packages[i]
}

// Import implements [types.Importer]. It looks at the declarations only.
func (s *sources) Import(path string) (*types.Package, error) {
	if p := s.types[path]; p != nil {
		return p, nil
	}
	p := s.find(path)
	if p == nil {
		return nil, fmt.Errorf("no package %s", path)
	}
	config := types.Config{Importer: s.importerFor(p), IgnoreFuncBodies: true, Sizes: types.SizesFor("gc", s.arch)}
	checked, err := config.Check(path, s.fset, s.parse(p, p.GoFiles), nil)
	s.types[path] = checked
	return checked, err
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }

// importerFor knows the standard library's own copies of packages.
func (s *sources) importerFor(p *sourcePackage) types.Importer {
	return importerFunc(func(path string) (*types.Package, error) {
		return s.Import(cmp.Or(p.ImportMap[path], path))
	})
}

func (s *sources) parse(p *sourcePackage, names []string) (files []*ast.File) {
	s.t.Helper()
	for _, name := range names {
		f, err := parser.ParseFile(s.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		require.NoError(s.t, err)
		files = append(files, f)
	}
	return files
}
