//go:build !qnx || linux

package qnxshm_test

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What stands in brackets in the documentation is a link.
func TestDocLinks(t *testing.T) {
	bracketed := regexp.MustCompile(`\[\*?[A-Z]\w*(\.\w+)?\]|\[[a-z]+\.[A-Z]\w*(\.\w+)?\]`)
	for dir, least := range map[string]int{".": 90, "qnxmsg": 20, "shmtest": 3} {
		links := 0
		for text, parsed := range parsedDocs(t, dir) {
			walkDoc(parsed.Content, func(x comment.Text) {
				switch x := x.(type) {
				case *comment.DocLink:
					links++
				case comment.Plain:
					require.NotRegexp(t, bracketed, string(x), "no link, in:\n%s", text)
				}
			})
		}
		require.GreaterOrEqual(t, links, least, dir)
	}
}

// parsedDocs returns the documentation of a package, in pieces.
func parsedDocs(t *testing.T, dir string) map[string]*comment.Doc {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_qnx.go") || strings.HasSuffix(path, "_other.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(fset, files, "github.com/go-qnx/shm/qnxshm/"+dir)
	require.NoError(t, err)
	parsed := make(map[string]*comment.Doc)
	add := func(text string) { parsed[text] = p.Parser().Parse(text) }
	add(p.Doc)
	values := func(all []*doc.Value) {
		for _, v := range all {
			add(v.Doc)
		}
	}
	functions := func(all []*doc.Func) {
		for _, f := range all {
			add(f.Doc)
		}
	}
	values(p.Consts)
	values(p.Vars)
	functions(p.Funcs)
	for _, of := range p.Types {
		add(of.Doc)
		values(of.Consts)
		values(of.Vars)
		functions(of.Funcs)
		functions(of.Methods)
	}
	return parsed
}

// walkDoc calls f for each text of paragraphs, headings and lists.
func walkDoc(blocks []comment.Block, f func(comment.Text)) {
	for _, b := range blocks {
		var texts []comment.Text
		switch b := b.(type) {
		case *comment.Paragraph:
			texts = b.Text
		case *comment.Heading:
			texts = b.Text
		case *comment.List:
			for _, item := range b.Items {
				walkDoc(item.Content, f)
			}
		}
		for _, x := range texts {
			f(x)
		}
	}
}
