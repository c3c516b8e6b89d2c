//go:build linux

package testproc

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Main is what TestMain has to call, and does not return: it is Play, and Run.
func Main(m *testing.M, roles Roles, left ...Left) {
	Play(roles)
	os.Exit(Run(m, left...))
}

// Play does not return in a second process.
func Play(roles Roles) {
	name := os.Getenv(roleEnv)
	if name == "" {
		return
	}
	role := roles[name]
	if role == nil {
		fmt.Fprintf(os.Stderr, "no role %q\n", name)
		os.Exit(2)
	}
	serve(role)
	os.Exit(0)
}

// Run runs the tests and returns what to exit with. When all are over, nothing may be
// left: children, goroutines, descriptors of objects or of the host's, or whatever
// else left finds.
func Run(m *testing.M, left ...Left) int {
	if Rerunning() {
		return m.Run()
	}
	// Parallel tests only wait.
	flag.Parse()
	flag.Set("test.parallel", "16")
	startPoller()
	had := goroutines()
	RememberMakers()
	code := m.Run()
	if found := leftOver(had, left); len(found) > 0 && code == 0 {
		fmt.Println("left behind:", strings.Join(found, "\n"))
		code = 1
	}
	return code
}

// startPoller makes the runtime make the descriptors with which it waits, which it
// keeps: else the first test that counts descriptors may count them as left.
func startPoller() {
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipe:", err) // the tests fail
		return
	}
	r.Close()
	w.Close()
}

// rerunEnv names the test that the process was started for.
const rerunEnv = "QNXSHM_TEST_RERUN"

// logged is a line that a test has logged. The last one of a test that is skipped says
// why.
var logged = regexp.MustCompile(`(?m)^\s+\S+\.go:\d+: (.*)$`)

// Rerunning reports whether this is a process that Rerun has started.
func Rerunning() bool { return os.Getenv(rerunEnv) != "" }

// Rerun runs a test in a process of its own: the test binary once more, for that test
// only. Its skip or failure is this test's.
func (o Options) Rerun(t *testing.T, run func(t *testing.T)) {
	t.Helper()
	if os.Getenv(rerunEnv) == t.Name() {
		run(t)
		return
	}
	// Not by /proc: the process may do without.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pattern := strings.ReplaceAll("^"+regexp.QuoteMeta(t.Name())+"$", "/", "$/^")
	cmd := exec.Command(self, "-test.run", pattern, "-test.v", "-test.count=1", "-test.timeout=60s")
	cmd.Env = environ(append(o.Env, rerunEnv+"="+t.Name())...)
	cmd.SysProcAttr, cmd.ExtraFiles = o.Attr, o.Files
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP: "+t.Name()+" ") {
		why := logged.FindAllSubmatch(out, -1)
		t.Skipf("%s", why[len(why)-1][1])
	}
	if !strings.Contains(string(out), "--- PASS: "+t.Name()+" ") {
		t.Fatalf("nothing was tested:\n%s", out)
	}
}
