//go:build !qnx || linux

package qnxshm_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

// documented is a function or a method of a public package.
type documented struct {
	name string // such as "Object.Map"
	doc  string
	body *ast.BlockStmt
}

// functions returns all of a package's own, for either system.
func functions(t *testing.T, dir string) map[string]documented {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	all := make(map[string]documented)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_qnx.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				receiver := f.Recv.List[0].Type
				if star, ok := receiver.(*ast.StarExpr); ok {
					receiver = star.X
				}
				name = receiver.(*ast.Ident).Name + "." + name
			}
			if strings.HasSuffix(path, "_stub.go") {
				name = "backend " + name
			}
			all[name] = documented{name, f.Doc.Text(), f.Body}
		}
	}
	return all
}

// callsBackend reports whether f calls the backend, itself or by functions that
// are not exported: then there is a C call that it stands for.
func (f documented) callsBackend(all map[string]documented) (calls bool) {
	ast.Inspect(f.body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if callee, ok := call.Fun.(*ast.Ident); ok {
			_, backend := all["backend "+callee.Name]
			helper, ok := all[callee.Name]
			calls = calls || backend || ok && !ast.IsExported(callee.Name) && helper.callsBackend(all)
		}
		return true
	})
	return calls
}

func (f documented) exported() bool {
	receiver, method, ok := strings.Cut(f.name, ".")
	return ast.IsExported(receiver) && (!ok || ast.IsExported(method))
}

var (
	implements = regexp.MustCompile(`\n\nImplements: (.*\w\(.*\).*)\n$`)
	since      = regexp.MustCompile(`\n\nSince QNX (SDP (6|7\.0|7\.1)|OS 8\.0)\b[^\n]*(\n[^\n]+)*\.\n\nImplements: `)
	errorsOf   = regexp.MustCompile(`\bErrors are those of \[?([A-Z][A-Za-z.]*[A-Za-z])`)
)

// Every call tells what it implements and since when, and has a list of its
// errors.
func TestCallsAreDocumented(t *testing.T) {
	for dir, least := range map[string]int{".": 13, "qnxmsg": 13} {
		all, seen := functions(t, dir), 0
		for _, name := range slices.Sorted(maps.Keys(all)) {
			f := all[name]
			if !f.exported() {
				continue
			}
			require.NotEmpty(t, f.doc, "%s has no doc", name)
			if !f.callsBackend(all) && !strings.Contains(f.doc, "\nImplements: ") {
				continue
			}
			seen++
			require.Regexp(t, implements, f.doc, "the doc of %s does not end in the C prototype that it implements", name)
			require.Regexp(t, since, f.doc, "the doc of %s does not say before that since which release", name)
			require.Regexp(t, `\n(Errors:|Errors, checked in this order:|Errors are those of .*)\n`, f.doc, "the doc of %s has no list of errors", name)
		}
		require.GreaterOrEqual(t, seen, least, "the test has found too few calls in %s", dir)
	}
}

// Every call is made in a runnable example of its package.
func TestCallsHaveExamples(t *testing.T) {
	for dir, least := range map[string]int{".": 12, "qnxmsg": 8} {
		files, err := filepath.Glob(filepath.Join(dir, "example*_test.go"))
		require.NoError(t, err)
		made := make(map[string]bool)
		examples := 0
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			require.NoError(t, err)
			for _, e := range doc.Examples(file) {
				require.NotEmpty(t, e.Output, "%s: Example%s is not run, as it tells no output", path, e.Name)
				examples++
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if f, ok := call.Fun.(*ast.SelectorExpr); ok {
						made[f.Sel.Name] = true
					}
				}
				return true
			})
		}
		require.GreaterOrEqual(t, examples, least, dir)
		var missing []string
		for name, f := range functions(t, dir) {
			if f.exported() && strings.Contains(f.doc, "\nImplements: ") && !made[name[strings.LastIndexByte(name, '.')+1:]] {
				missing = append(missing, name)
			}
		}
		require.Empty(t, missing, "no example in %s calls these", dir)
	}
}

// Every errno that a rule tells of is in the doc of the call, or in the one that
// the doc refers to.
func TestErrorsAreDocumented(t *testing.T) {
	docs := make(map[string]string) // by C name
	for _, dir := range []string{".", "qnxmsg"} {
		all := functions(t, dir)
		for _, f := range all {
			m := implements.FindStringSubmatch(f.doc)
			if m == nil || !f.exported() {
				continue
			}
			doc := f.doc
			if ref := errorsOf.FindStringSubmatch(f.doc); ref != nil {
				receiver, _, _ := strings.Cut(f.name, ".")
				other := all[ref[1]].doc + all[receiver+"."+ref[1]].doc
				require.NotEmpty(t, other, "%s refers to %s", f.name, ref[1])
				doc += other
			}
			for _, word := range regexp.MustCompile(`\w+`).FindAllString(m[1], -1) {
				docs[word] += doc // that of a type or an argument is not looked for
			}
		}
	}
	checked := 0
	for _, r := range shmtest.Ledger() {
		if r.Call == "mprotect" || r.Call == "msync" || r.OnlyC {
			continue // programs call these themselves
		}
		doc := docs[r.Call]
		require.NotEmpty(t, doc, "no call implements %s", r.Call)
		if r.IsErrno() {
			require.Regexp(t, `\b`+r.Effect+`\b`, doc, "rule %s: the doc of %s does not list this errno", r.ID, r.Call)
			checked++
		}
	}
	require.Greater(t, checked, 100)
}

// README.md shows the first example, which godoc does, too.
func TestReadmeProgramIsExample(t *testing.T) {
	body := func(path, function string) string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		_, body, ok := strings.Cut(string(text), "\nfunc "+function+"() {\n")
		require.True(t, ok, "%s has no function %s", path, function)
		body, _, _ = strings.Cut(body, "\n}\n")
		body, _, _ = strings.Cut(body, "\n\t// Output:\n")
		return body
	}
	require.Equal(t, body("../README.md", "main"), body("example_first_test.go", "Example"))
}

// Every call has rules: some row of the ledger is about the C function, or one of
// those, that it implements.
func TestCallsHaveRules(t *testing.T) {
	rules := make(map[string]bool)
	for _, r := range shmtest.Ledger() {
		rules[r.Call] = true
	}
	seen, without := 0, []string(nil)
	for _, dir := range []string{".", "qnxmsg"} {
		all := functions(t, dir)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			m := implements.FindStringSubmatch(all[name].doc)
			if m == nil || !all[name].exported() {
				continue
			}
			if !slices.ContainsFunc(regexp.MustCompile(`\w+`).FindAllString(m[1], -1), func(word string) bool { return rules[word] }) {
				without = append(without, name)
			}
			seen++
		}
	}
	require.Greater(t, seen, 30)
	// Size and Close are in rules about what has a size, and about what ends.
	require.Subset(t, []string{
		"Object.Close", "Object.Size", "Channel.Close",
	}, without, "no row of the ledger is about what these implement")
}

// Every function is called where there is neither host nor target. (Of what most
// methods work on there is none.)
func TestCallsElsewhere(t *testing.T) {
	for _, dir := range []string{".", "qnxmsg"} {
		text, err := os.ReadFile(filepath.Join(dir, "unsupported_test.go"))
		require.NoError(t, err)
		for name, f := range functions(t, dir) {
			if ast.IsExported(name) && !strings.Contains(name, ".") && strings.Contains(f.doc, "\nImplements: ") {
				require.Contains(t, string(text), "."+name+"(", "unsupported_test.go in %s", dir)
			}
		}
	}
}

var (
	cComment = regexp.MustCompile(`(?s)//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"`)
	cCall    = regexp.MustCompile(`\b([A-Za-z_]\w*)\(`)
	// What is called in the target's C, and is no call of QNX's that a signal could end.
	noCalls = regexp.MustCompile(`^(qnxshm_\w+|qnxmsg_\w+|if|sizeof|_Static_assert|offsetof|memset|memcpy|sig(fill|del)set|pthread_sigmask|SIGEV_\w+)$`)
)

// TestSignalsTable: each call of libc that the target's files make stands in the table
// of what signals do to it.
func TestSignalsTable(t *testing.T) {
	page, err := os.ReadFile("../docs/target.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(page), "\n## Signals\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n## ")
	calls := make(map[string]bool)
	for _, dir := range []string{".", "qnxmsg"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_qnx.go"))
		require.NoError(t, err)
		for _, name := range files {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			_, c, ok := strings.Cut(string(text), "\n/*\n")
			if !ok {
				continue
			}
			c, _, _ = strings.Cut(c, "\n*/\nimport \"C\"")
			for _, m := range cCall.FindAllStringSubmatch(cComment.ReplaceAllString(c, ""), -1) {
				if !noCalls.MatchString(m[1]) {
					calls[strings.TrimSuffix(m[1], "_r")] = true
				}
			}
		}
	}
	require.Greater(t, len(calls), 40)
	for call := range calls {
		require.Contains(t, table, "`"+call+"`")
	}
	for _, m := range regexp.MustCompile("`([A-Za-z_]\\w*)`").FindAllStringSubmatch(table, -1) {
		require.True(t, calls[m[1]] || regexp.MustCompile(`^(_pid|E[A-Z]+|SIG[A-Z]+|O_EXCL)$`).MatchString(m[1]), m[1])
	}
}
