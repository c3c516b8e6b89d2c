package examples_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadmeOpensWithPackageComment(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../qnxshm/doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	require.NoError(t, err)
	opening, _, _ := strings.Cut(file.Doc.Text(), "\n#")
	readme := readReadme(t)
	_, readme, ok := strings.Cut(readme, "\n") // the title
	require.True(t, ok)
	require.True(t, strings.HasPrefix(words(readme), words(opening)), "README.md does not open with the package comment of qnxshm:\n%s", opening)
}

// words makes texts comparable that break their lines and mark their code
// differently.
func words(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "`", "")), " ")
}

func TestReadmeProgram(t *testing.T) {
	needGo(t)
	require.NoError(t, readSources())
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```\n+It prints\n+```\n(.*?)```").FindStringSubmatch(readReadme(t))
	require.NotNil(t, program, "README.md has no first program")
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program[1]), 0o666))

	formatted, err := exec.Command("gofmt", "-l", file).CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, string(formatted), "not formatted")

	vet, err := exec.Command("go", "vet", file).CombinedOutput()
	require.NoError(t, err, "%s", vet)
	if runtime.GOOS != "linux" {
		t.Skip("the program needs the host, which is Linux")
	}
	out, err := exec.Command("go", "run", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, program[2], string(out))
}

// Every file that README.md or a page of docs links to is there.
func TestReadmeAndDocsLinks(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		links := regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, links, page)
		for _, link := range links {
			if !strings.Contains(link[1], "://") {
				require.True(t, exists(filepath.Join(filepath.Dir(page), link[1])), "%s links to %s", page, link[1])
			}
		}
	}
}

// The table of a slot's states in docs/design.md is the one that the code follows.
func TestDocsStateTable(t *testing.T) {
	rows := func(path, prefix string) (rows []string) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		_, table, ok := strings.Cut(string(text), "\n"+prefix+"state      who steps")
		require.True(t, ok, "%s has no table of states", path)
		for _, line := range strings.Split(table, "\n")[1:] {
			row, ok := strings.CutPrefix(line, prefix)
			if !ok || row == "```" {
				break
			}
			rows = append(rows, row)
		}
		return rows
	}
	code := rows("../qnxshm/internal/message/state.go", "//\t")
	require.Greater(t, len(code), 10)
	require.Equal(t, code, rows("../docs/design.md", ""))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func readReadme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	return string(text)
}

// needGo skips a test that runs the go command where there is none, as on a
// machine that test binaries were copied to.
func needGo(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("builds programs, which needs the go command in PATH: %v", err)
	}
}

// readSources reads the module's sources. The go command remembers which files
// a test has read, and runs it again when one of them has changed; what the
// programs are built from it would not know otherwise.
func readSources() error {
	return filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != ".." {
			return fs.SkipDir
		}
		switch filepath.Ext(path) {
		case ".go", ".mod", ".sum":
			_, err = os.ReadFile(path)
		}
		return err
	})
}
