package testproc

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// WithoutPort skips a test that runs the go command with -tags qnx, where that has a
// port for QNX: the tag would turn on the standard library's own files for QNX, beside
// those for this system. It also skips where there is no go command.
func WithoutPort(t testing.TB) {
	t.Helper()
	list := exec.Command("go", "tool", "dist", "list")
	list.Env = append(os.Environ(), "GOFLAGS=")
	out, err := list.Output()
	if err != nil {
		t.Skipf("runs the go command: %v: %v", list, err)
	}
	if pair := regexp.MustCompile(`(?m)^qnx/.*$`).Find(out); pair != nil {
		t.Skipf("the go command has a port for QNX (%s), where -tags qnx is not for Linux", pair)
	}
}
