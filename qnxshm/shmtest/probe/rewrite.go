package main

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

// A change is what a report does to a row.
type change struct {
	fields map[string]string // Go text by field
}

// probed is how a source tells that a release was asked.
func probed(release string) string { return "observed on " + release + " by probe" }

// changeOf tells what a row becomes, nil if nothing. old is the Go text of its
// source.
//
// What a target answers becomes the rule, so that the host's case fails until the
// host follows; what the rule said before may still be true of the other release,
// and is accepted there. If that was asked before, the rule stays, and the answer
// is accepted besides. Where the answer is no errno the row says what it was, which
// fails a test until somebody has dealt with it.
func changeOf(v verdict, release, old string) *change {
	here := probed(release)
	if v.rule == nil || (v.outcome != confirms && v.outcome != otherwise && v.outcome != refutes) || strings.Contains(v.rule.Source, here) {
		return nil
	}
	c := &change{fields: map[string]string{"Evidence": "Observed"}}
	askedElsewhere := strings.Contains(v.rule.Source, " by probe")
	source := strconv.Quote(here)
	if v.rule.Evidence != shmtest.Assumed {
		source = old + " + " + strconv.Quote("; "+here)
	}
	c.fields["Source"] = source
	if v.rule.Evidence == shmtest.Documented && v.outcome == confirms {
		c.fields["Evidence"] = "Documented"
	}
	if v.outcome == confirms {
		return c
	}
	names := strings.Fields(v.text)
	switch {
	case !v.rule.IsErrno() || len(names) != 1 || strings.HasPrefix(names[0], "errno-"): // it has no name
		differs := release + " answered otherwise to the probe: " + v.text + "."
		if v.rule.HostDiffers != "" {
			differs = v.rule.HostDiffers + " " + differs
		}
		c.fields["HostDiffers"] = strconv.Quote(differs)
	case askedElsewhere:
		c.fields["AlsoAccept"] = stringList(withOut(append(slices.Clone(v.rule.AlsoAccept), names[0]), v.rule.Effect))
	default:
		c.fields["Effect"] = strconv.Quote(names[0])
		c.fields["AlsoAccept"] = stringList(withOut(append([]string{v.rule.Effect}, v.rule.AlsoAccept...), names[0]))
	}
	return c
}

func withOut(list []string, s string) []string {
	list = slices.DeleteFunc(list, func(x string) bool { return x == s })
	var once []string
	for _, x := range list {
		if !slices.Contains(once, x) {
			once = append(once, x)
		}
	}
	return once
}

func stringList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return "[]string{" + strings.Join(quoted, ", ") + "}"
}

// rewrite changes the rows in the Go files of dir and returns how many; none if one of
// the files cannot be read.
func rewrite(dir string, r *report, verdicts []verdict) (int, error) {
	byID := make(map[string]verdict)
	for _, v := range verdicts {
		byID[v.id] = v
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return 0, err
	}
	total, after := 0, make(map[string][]byte)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		changed, n, err := rewriteText(name, text, r.release(), byID)
		if err != nil {
			return 0, err
		}
		if n > 0 {
			total += n
			after[name] = changed
		}
	}
	for name, text := range after {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// An edit puts text in the place of a part of a file.
type edit struct {
	from, to int
	text     string
}

func rewriteText(name string, text []byte, release string, byID map[string]verdict) ([]byte, int, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, 0, err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	var edits []edit
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		row, ok := node.(*ast.CompositeLit)
		if !ok {
			return true
		}
		fields := fieldsOf(row)
		v, ok := byID[rowID(fields)]
		if !ok || fields["Source"] == nil {
			return true
		}
		value := fields["Source"].Value
		c := changeOf(v, release, string(text[offset(value.Pos()):offset(value.End())]))
		if c == nil {
			return false
		}
		n++
		for _, field := range []string{"Effect", "AlsoAccept", "Evidence", "Source", "HostDiffers"} {
			edits = append(edits, editOf(row, fields, field, c, offset)...)
		}
		return false
	})
	slices.SortStableFunc(edits, func(a, b edit) int { return b.from - a.from })
	for _, e := range edits {
		text = slices.Concat(text[:e.from], []byte(e.text), text[e.to:])
	}
	out, err := format.Source(text)
	return out, n, err
}

// editOf changes a field of a row, or adds it.
func editOf(row *ast.CompositeLit, fields map[string]*ast.KeyValueExpr, field string, c *change, offset func(token.Pos) int) []edit {
	text, ok := c.fields[field]
	switch {
	case !ok:
		return nil
	case fields[field] != nil:
		value := fields[field].Value
		return []edit{{offset(value.Pos()), offset(value.End()), text}}
	case field == "AlsoAccept":
		at := offset(fields["Evidence"].Pos())
		return []edit{{at, at, fmt.Sprintf("%s: %s, ", field, text)}}
	}
	at := offset(row.Rbrace)
	return []edit{{at, at, fmt.Sprintf(", %s: %s", field, text)}}
}

func fieldsOf(row *ast.CompositeLit) map[string]*ast.KeyValueExpr {
	fields := make(map[string]*ast.KeyValueExpr)
	for _, e := range row.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				fields[key.Name] = kv
			}
		}
	}
	return fields
}

func rowID(fields map[string]*ast.KeyValueExpr) string {
	if fields["ID"] == nil {
		return ""
	}
	literal, ok := fields["ID"].Value.(*ast.BasicLit)
	if !ok {
		return ""
	}
	id, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return id
}
