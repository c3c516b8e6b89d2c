package nto_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const include = "../../qnxhost/include"

// A number is a constant of the package: its name in C and its value.
type number struct{ c, value string }

// numbersOf returns the constants of a Go source by name. The name in C is the
// comment behind; a constant without one is an error.
func numbersOf(src string) (map[string]number, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "nto.go", src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	pkg, err := new(types.Config).Check("nto", fset, []*ast.File{file}, nil)
	if err != nil {
		return nil, err
	}
	named := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 {
			named[spec.Names[0].Name] = strings.TrimSpace(spec.Comment.Text())
		}
		return true
	})
	numbers := make(map[string]number)
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok {
			return nil, fmt.Errorf("%s is no constant", name)
		}
		if !token.IsIdentifier(named[name]) {
			return nil, fmt.Errorf("behind %s there is no name in C: %q", name, named[name])
		}
		numbers[name] = number{named[name], constant.ToInt(c.Val()).ExactString()}
	}
	return numbers, nil
}

// program is C that compiles if the numbers are those of the headers.
func program(numbers map[string]number) string {
	var c strings.Builder
	for _, header := range []string{"sys/mman.h", "sys/neutrino.h", "sys/states.h"} {
		fmt.Fprintf(&c, "#include <%s>\n", header)
	}
	for name, n := range numbers {
		fmt.Fprintf(&c, "_Static_assert((long long)%s == %sLL, \"%s\");\n", n.c, n.value, name)
	}
	return c.String()
}

// compile returns what the C compiler has to say about a program.
func compile(t *testing.T, source string) string {
	t.Helper()
	cc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("the numbers are held to C headers, and there is no C compiler: ", err)
	}
	cmd := exec.Command(cc, "-I", include, "-fsyntax-only", "-x", "c", "-")
	cmd.Stdin = strings.NewReader(source)
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		return err.Error()
	}
	return string(out)
}

// touch lets the test cache notice that a header has changed.
func touch(t *testing.T) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(include, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			_, err = os.ReadFile(path)
		}
		return err
	}))
}

// TestNumbers holds every constant of the package to the header.
func TestNumbers(t *testing.T) {
	touch(t)
	src, err := os.ReadFile("nto.go")
	require.NoError(t, err)
	numbers, err := numbersOf(string(src))
	require.NoError(t, err)
	require.NotEmpty(t, numbers)
	require.Empty(t, compile(t, program(numbers)))
}

// TestOnlyFile: nothing of the package is in a file that TestNumbers does not
// read.
func TestOnlyFile(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	require.Equal(t, []string{"nto.go", "nto_test.go"}, files)
}

// TestNoticesFaults: what TestNumbers asks can be answered with no.
func TestNoticesFaults(t *testing.T) {
	for _, c := range []struct{ source, says string }{
		{"const ProtRead = 0x1 // PROT_READ", "ProtRead"},
		{"const ProtOdd = 0x1 // PROT_ODD", "PROT_ODD"},
		{"const (\n\tX = 1 << 8 // PROT_READ\n\tY = X << 2 // PROT_WRITE\n)", "Y"},
	} {
		numbers, err := numbersOf("package nto\n" + c.source)
		require.NoError(t, err)
		require.Contains(t, compile(t, program(numbers)), c.says)
	}
	for _, source := range []string{"const A = 1", "const A = 1 // two words", "const A, B = 1, 2 // PROT_READ", "// PROT_READ\nconst A = 0x100", "var A = 0x100 // PROT_READ"} {
		_, err := numbersOf("package nto\n" + source)
		require.Error(t, err, source)
	}
}
