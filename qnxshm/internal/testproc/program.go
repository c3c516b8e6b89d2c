//go:build linux

package testproc

import (
	"log"
	"os"
	"os/exec"
)

// Programs are what the second processes of examples do, which no test starts, by their
// names.
type Programs map[string]func(args []string) error

// programEnv, when set, makes the test binary one of them.
const programEnv = "QNXSHM_TEST_PROGRAM"

// Play does not return in a process that runs what Command has returned.
func (p Programs) Play() {
	name := os.Getenv(programEnv)
	if name == "" {
		return
	}
	run := p[name]
	if run == nil {
		log.Fatalf("no program %q", name)
	}
	if err := run(os.Args[1:]); err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	os.Exit(0)
}

// Command is the test binary as one of the programs. What that prints is an output of
// the example.
func Command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = environ(programEnv + "=" + program)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}
