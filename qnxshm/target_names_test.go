//go:build linux && !qnx

package qnxshm_test

import (
	"go/ast"
	"go/types"
	"maps"
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
	testproc.TakesLong(t, "reads the standard library for its types")
	used := make(map[string]bool)
	for _, arch := range []string{"amd64", "arm64", "arm"} {
		c := newTargetChecker(t, arch, used)
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

// A targetChecker checks what a target builds, for one processor.
type targetChecker struct {
	t       *testing.T
	used    map[string]bool // names of package syscall
	others  *sources        // as for Linux
	checked map[string]*types.Package
}

func newTargetChecker(t *testing.T, arch string, used map[string]bool) *targetChecker {
	return &targetChecker{t: t, used: used, others: listSources(t, arch, host, "CGO_ENABLED=0"), checked: make(map[string]*types.Package)}
}

func (c *targetChecker) checkAll() {
	all := listSources(c.t, c.others.arch, target, "CGO_ENABLED=1").packages
	packages := slices.DeleteFunc(all, func(p *sourcePackage) bool { return !p.own() })
	for _, p := range packages { // those that others import come first
		if len(p.GoFiles)+len(p.CgoFiles) > 0 {
			c.checked[p.ImportPath] = c.check(p, p.ImportPath, p.GoFiles, p.CgoFiles)
		}
	}
	for _, p := range packages {
		plain := c.checked[p.ImportPath]
		if len(p.TestGoFiles) > 0 {
			c.checked[p.ImportPath] = c.check(p, p.ImportPath, p.GoFiles, p.CgoFiles, p.TestGoFiles)
		}
		if len(p.XTestGoFiles) > 0 {
			c.checked[p.ImportPath+"_test"] = c.check(p, p.ImportPath+"_test", p.XTestGoFiles)
		}
		c.checked[p.ImportPath] = plain
	}
}

// check checks files as one package and notes what of package syscall they use.
func (c *targetChecker) check(p *sourcePackage, path string, names ...[]string) *types.Package {
	info := types.Info{Uses: make(map[*ast.Ident]types.Object), Selections: make(map[*ast.SelectorExpr]*types.Selection)}
	config := types.Config{
		Importer:    importerFunc(c.importPackage),
		FakeImportC: true,
		Sizes:       types.SizesFor("gc", c.others.arch),
		Error: func(err error) {
			if !strings.Contains(err.Error(), "invalid type") { // a number of C's, used in Go
				c.t.Errorf("%s on %s: %v", path, c.others.arch, err)
			}
		},
	}
	checked, _ := config.Check(path, c.others.fset, c.others.parse(p, slices.Concat(names...)), &info)
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

func (c *targetChecker) importPackage(path string) (*types.Package, error) {
	if p := c.checked[path]; p != nil {
		return p, nil
	}
	return c.others.Import(path)
}
