package examples_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

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

// special are the flags of this test's build that make other programs of the same
// sources.
func special() (flags []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" || s.Key == "-tags" {
			flags = append(flags, s.Key+"="+s.Value)
		}
	}
	return flags
}
