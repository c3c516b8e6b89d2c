//go:build linux

package testproc

import (
	"log"
	"os"
)

// Programs are what the second processes of examples do, which start the test binary
// once more with an environment variable set. The keys are names of such variables; what
// is in one is the argument.
type Programs map[string]func(arg string) error

// Play does not return in such a process.
func (p Programs) Play() {
	for name, run := range p {
		arg := os.Getenv(name)
		if arg == "" {
			continue
		}
		if err := run(arg); err != nil {
			log.Fatalf("%s=%s: %v", name, arg, err)
		}
		os.Exit(0)
	}
}
