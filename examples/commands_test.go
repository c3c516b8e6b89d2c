//go:build linux

package examples_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// elsewhere are the commands of pages that are not run here: they take long, or need
// what this machine lacks. The file named beside each runs or tests them.
var elsewhere = map[string]struct{ file, pattern string }{
	"go test ./...\n": {".ci/run", `go test .*\./\.\.\.`},
	"go test -tags qnx ./qnxshm -run 'TestConformance/open'\n":                {"qnxshm/hosted_test.go", `"-tags"`},
	"scripts/qcc-env.sh --check\n":                                            {"scripts/qccenv_test.go", `"--check"`},
	". scripts/qcc-env.sh --arch aarch64 ~/qnx800\ngo build ./examples/...\n": {"scripts/qccenv_test.go", `"--arch", "aarch64"`},
	"go test -c -o qnxshm.test ./qnxshm\n":                                    {".github/workflows/target.yml", `go test -c -o`},
	"go test ./qnxshm/internal/bench -run '^$' -bench . -benchtime 1x\n":      {".ci/run", `-bench=\.`},
	"go test ./qnxshm/internal/nullbench -run '^$' -bench . -benchtime 1x\n":  {".ci/run", `-bench=\.`},
}

// Commands and programs of a page work as pasted, in the order in which they stand
// there, and print what the page says, but for the numbers. A page starts in a clone
// of the repository, README.md before there is one; one that makes no files starts in
// the repository itself.
func TestPagesAsPasted(t *testing.T) {
	needGo(t)
	if testing.Short() || special() != nil {
		t.Skip("the commands build programs: not with -short, nor with -race and -tags, which make no difference to them")
	}
	require.NoError(t, readSources())
	for _, p := range pages(t) {
		if script := p.script(t); script.commands > 0 {
			t.Run(p.path, func(t *testing.T) {
				for _, program := range []string{"gcc", "cmake", "pkg-config"} {
					if _, err := exec.LookPath(program); err != nil && strings.Contains(script.text, program) {
						t.Skip("no " + program)
					}
				}
				script.run(t)
			})
		}
	}
}

// TestCommandsElsewhere: what is not run here is run by whom the list says.
func TestCommandsElsewhere(t *testing.T) {
	all := make(map[string]bool)
	for _, p := range pages(t) {
		blocks, _ := p.blocks(t)
		for _, b := range blocks {
			all[b.text] = all[b.text] || b.language == "sh"
		}
	}
	for command, by := range elsewhere {
		require.True(t, all[command], "no page has the command %q any more", command)
		require.Regexp(t, by.pattern, strings.Join(readPage(t, by.file).lines, "\n"), "%s does not run %q", by.file, command)
	}
}

// A script is what a reader of one page pastes.
type script struct {
	page     string
	text     string
	commands int            // blocks
	output   map[int]string // what the page says that a block prints
}

func (p page) script(t *testing.T) script {
	blocks, _ := p.blocks(t)
	s := script{page: p.path, output: make(map[int]string)}
	ran := false // the block before this one
	for _, b := range blocks {
		runs := false
		switch b.language {
		case "sh":
			if _, ok := elsewhere[b.text]; !ok {
				runs = true
				s.commands++
				s.text += fmt.Sprintf("echo '@@ %d'\n%s", s.commands, b.text)
			}
		case "go", "c", "cpp", "cmake":
			if names := fileName.FindAllStringSubmatch(b.before, -1); names != nil {
				s.text += fmt.Sprintf("\ncat >%s <<'@@'\n%s@@\n", names[len(names)-1][1], b.text)
			}
		case "":
			if ran && strings.Contains(b.before, "print") {
				s.output[s.commands] = b.text
			}
		}
		ran = runs
	}
	return s
}

// number matches what differs from run to run.
var number = regexp.MustCompile(`0x[0-9a-f]+|\b\d+\b`)

func (s script) run(t *testing.T) {
	if cgo, err := exec.Command("go", "env", "CGO_ENABLED").Output(); strings.Contains(s.text, "c-shared") {
		require.NoError(t, err)
		if strings.TrimSpace(string(cgo)) != "1" {
			t.Skip("the C library needs cgo")
		}
	}
	cmd := exec.Command("bash", "-e")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOWORK=off", marker)
	if strings.Contains(s.text, "\ncat >") {
		dir := t.TempDir()
		clone := filepath.Join(dir, "clone")
		copyModule(t, clone)
		cmd.Dir = clone
		if s.page == "README.md" {
			cmd.Dir = filepath.Join(dir, "somewhere")
			require.NoError(t, os.Mkdir(cmd.Dir, 0o777))
		}
		bin := filepath.Join(dir, "bin")
		require.NoError(t, os.Mkdir(bin, 0o777))
		git := fmt.Sprintf("#!/bin/sh\n[ \"$*\" = 'clone https://github.com/go-qnx/shm' ] && cp -r '%s' shm\n", clone)
		require.NoError(t, os.WriteFile(filepath.Join(bin, "git"), []byte(git), 0o777))
		// -trimpath lets the go command reuse what it has built for another directory.
		cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"), "GOFLAGS=-trimpath", "HOME="+home(t, dir))
		for _, name := range []string{"GOCACHE", "GOPATH"} { // which are found by HOME else
			value, err := exec.Command("go", "env", name).Output()
			require.NoError(t, err)
			cmd.Env = append(cmd.Env, name+"="+strings.TrimSpace(string(value)))
		}
	}
	cmd.Stdin = strings.NewReader(s.text)
	cmd.WaitDelay = patience
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timer := time.AfterFunc(5*patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	require.NoError(t, cmd.Run(), "%s%s", &stdout, &stderr)

	printed := strings.Split("\n"+stdout.String(), "\n@@ ")
	require.Len(t, printed, s.commands+1)
	for n, output := range s.output {
		_, got, _ := strings.Cut(printed[n], "\n")
		require.Equal(t, number.ReplaceAllString(strings.TrimSpace(output), "N"), number.ReplaceAllString(strings.TrimSpace(got), "N"), "block %d", n)
	}
}

// home makes a home directory, in which pages install things.
func home(t *testing.T, dir string) string {
	t.Helper()
	dir = filepath.Join(dir, "home")
	// The go command's telemetry would write after the test has ended.
	telemetry := filepath.Join(dir, ".config/go/telemetry")
	require.NoError(t, os.MkdirAll(telemetry, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off\n"), 0o666))
	return dir
}

// copyModule copies what a clone of the repository has.
func copyModule(t *testing.T, to string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, path)
		switch {
		case d.Name() == ".git":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			// Who has followed docs/c.md has a build there, which knows where it stands.
			if _, err := os.Stat(filepath.Join("..", path, "CMakeCache.txt")); err == nil && path != "." {
				return fs.SkipDir
			}
			return os.Mkdir(target, 0o777)
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, info.Mode().Perm())
	}))
}
