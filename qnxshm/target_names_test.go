//go:build linux && !qnx

package qnxshm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// syscallNames are what packages that a target builds, and their tests, may use of
// package syscall, fields and methods included. A public port for QNX 6.5 has all of
// them; that a port has more, such as EBADMSG, EPROTO or WUNTRACED, is not to be
// relied on: see qnxerr/errno_qnx.go.
var syscallNames = strings.Fields(`
	Errno Errno.Error
	E2BIG EACCES EAGAIN EBADF EBUSY ECANCELED ECHILD ECONNREFUSED ECONNRESET EDEADLK EDOM
	EEXIST EFAULT EFBIG EINTR EINVAL EIO EISDIR ELOOP EMFILE EMSGSIZE ENAMETOOLONG ENFILE
	ENODEV ENOENT ENOEXEC ENOMEM ENOSPC ENOSYS ENOTDIR ENOTSUP ENOTTY ENXIO EOVERFLOW EPERM
	EPIPE ERANGE EROFS ESPIPE ESRCH ETIMEDOUT EXDEV
	Close Dup Exec Getpagesize Getrlimit Setrlimit RLIMIT_NOFILE Rlimit Rlimit.Cur
	Signal SIGABRT SIGBUS SIGCONT SIGFPE SIGILL SIGQUIT SIGSEGV SIGTERM SIGTRAP
	O_CLOEXEC RawConn
`)

// TestTargetTypes checks the types of all that a target builds, and of what is tested
// there, as for each processor, with the standard library as it is for Linux and with C
// taken on trust; and which names of package syscall that uses.
func TestTargetTypes(t *testing.T) {
	testproc.TakesLong(t, "compiles the standard library for its types")
	exports, exports32 := exportData(t, "GOARCH=amd64"), exportData(t, "GOARCH=arm")
	used := make(map[string]bool)
	for _, arch := range []string{"amd64", "arm64", "arm"} {
		c := &targetChecker{t: t, arch: arch, exports: exports, used: used}
		if arch == "arm" {
			c.exports = exports32
		}
		c.checkAll()
		require.Contains(t, c.checked, modulePath+"/qnxshm/qnxmsg")
		require.Contains(t, c.checked, modulePath+"/qnxshm_test")
	}
	require.Empty(t, slices.DeleteFunc(slices.Sorted(maps.Keys(used)), func(name string) bool {
		return slices.Contains(syscallNames, name)
	}), "names of package syscall that a port for QNX need not have")
	require.Empty(t, slices.DeleteFunc(slices.Clone(syscallNames), func(name string) bool { return used[name] }),
		"names in the list that nothing uses")
}

// exportData tells where the types of other packages stand.
func exportData(t *testing.T, arch string) map[string]string {
	files := make(map[string]string)
	const format = "-f={{.ImportPath}}\t{{.Export}}"
	for _, line := range strings.Split(goList(t, []string{host, arch, "CGO_ENABLED=0"}, "-deps", "-test", "-export", format, "../..."), "\n") {
		path, file, _ := strings.Cut(line, "\t")
		files[path] = file
	}
	return files
}

// A targetPackage is what go list tells.
type targetPackage struct {
	ImportPath, Dir                              string
	Standard                                     bool
	Module                                       *struct{ Main bool }
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
}

// A targetChecker checks what a target builds, for one processor.
type targetChecker struct {
	t       *testing.T
	arch    string
	exports map[string]string // export data, by path
	used    map[string]bool   // names of package syscall
	checked map[string]*types.Package
}

func (c *targetChecker) checkAll() {
	out := goList(c.t, []string{target, "GOARCH=" + c.arch, "CGO_ENABLED=1"}, "-deps", "-json=ImportPath,Dir,Standard,Module,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles", "../...")
	c.checked = make(map[string]*types.Package)
	fset := token.NewFileSet()
	others := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if c.exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(c.exports[path])
	})
	packages := decodePackages(c.t, out)
	for _, p := range packages { // those that others import come first
		if len(p.GoFiles)+len(p.CgoFiles) > 0 {
			c.checked[p.ImportPath] = c.check(fset, others, p, p.ImportPath, p.GoFiles, p.CgoFiles)
		}
	}
	for _, p := range packages {
		plain := c.checked[p.ImportPath]
		if len(p.TestGoFiles) > 0 {
			c.checked[p.ImportPath] = c.check(fset, others, p, p.ImportPath, p.GoFiles, p.CgoFiles, p.TestGoFiles)
		}
		if len(p.XTestGoFiles) > 0 {
			c.checked[p.ImportPath+"_test"] = c.check(fset, others, p, p.ImportPath+"_test", p.XTestGoFiles)
		}
		c.checked[p.ImportPath] = plain
	}
}

// decodePackages reads the module's own out of what go list writes.
func decodePackages(t *testing.T, out string) (own []*targetPackage) {
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		p := new(targetPackage)
		err := d.Decode(p)
		if errors.Is(err, io.EOF) {
			return own
		}
		require.NoError(t, err)
		if p.Module != nil && p.Module.Main {
			own = append(own, p)
		}
	}
}

// check checks files as one package and notes what of package syscall they use.
func (c *targetChecker) check(fset *token.FileSet, others types.Importer, p *targetPackage, path string, names ...[]string) *types.Package {
	var files []*ast.File
	for _, name := range slices.Concat(names...) {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		require.NoError(c.t, err)
		files = append(files, f)
	}
	info := types.Info{Uses: make(map[*ast.Ident]types.Object), Selections: make(map[*ast.SelectorExpr]*types.Selection)}
	config := types.Config{
		Importer:    importerFunc(func(path string) (*types.Package, error) { return c.importPackage(others, path) }),
		FakeImportC: true,
		Sizes:       types.SizesFor("gc", c.arch),
		Error: func(err error) {
			if !strings.Contains(err.Error(), "invalid type") { // a number of C's, used in Go
				c.t.Errorf("%s on %s: %v", path, c.arch, err)
			}
		},
	}
	checked, _ := config.Check(path, fset, files, &info)
	for _, object := range info.Uses {
		if object.Pkg() != nil && object.Pkg().Path() == "syscall" && object.Parent() == object.Pkg().Scope() {
			c.used[object.Name()] = true
		}
	}
	for _, s := range info.Selections {
		if object := s.Obj(); object.Pkg() != nil && object.Pkg().Path() == "syscall" {
			c.used[receiverName(s.Recv())+"."+object.Name()] = true
		}
	}
	return checked
}

func receiverName(t types.Type) string {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Name()
	}
	return t.String()
}

func (c *targetChecker) importPackage(others types.Importer, path string) (*types.Package, error) {
	if p := c.checked[path]; p != nil {
		return p, nil
	}
	return others.Import(path)
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }
