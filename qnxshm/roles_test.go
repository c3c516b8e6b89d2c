//go:build linux

package qnxshm_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// roleEnv, when set, makes the test binary a second process that plays a role:
// its name and its arguments, separated by blanks.
const roleEnv = "QNXSHM_TEST_ROLE"

var roles = map[string]func(args []string) error{
	"reader": reader,
	"party":  party,
}

// playRole does not return in a second process.
func playRole() {
	role := strings.Fields(os.Getenv(roleEnv))
	if len(role) == 0 {
		return
	}
	if err := roles[role[0]](role[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role[0], err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A player is a second process. It ends when its input does, at the latest with
// the test.
type player struct {
	cmd   *exec.Cmd
	in    interface{ Close() error }
	lines chan string // what it writes; closed at its end
}

func startPlayer(t *testing.T, role ...string) *player {
	t.Helper()
	p := &player{cmd: exec.Command("/proc/self/exe"), lines: make(chan string, 64)}
	// The race detector would let every process linger for a second.
	p.cmd.Env = append(os.Environ(), roleEnv+"="+strings.Join(role, " "), "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	p.in = in
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *player) pid() int { return p.cmd.Process.Pid }

func (p *player) say(format string, args ...any) {
	fmt.Fprintf(p.in.(interface{ Write([]byte) (int, error) }), format+"\n", args...)
}

// kill ends the process and waits until it is gone.
func (p *player) kill() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.in.Close()
		p.cmd.Wait()
	}
}

// holdings are what a program must not leave behind.
type holdings struct{ descriptors, goroutines int }

func countHoldings() (h holdings) {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	return holdings{len(fds), runtime.NumGoroutine()}
}

// What the host keeps: to serve others, and to ask each of those that live, which is
// a pidfd, a connection, and a link to a creator.
var (
	keptToServe  = holdings{descriptors: 6, goroutines: 1}
	keptForOther = holdings{descriptors: 3}
)

func (h holdings) and(more holdings) holdings {
	return holdings{h.descriptors + more.descriptors, h.goroutines + more.goroutines}
}

// backTo waits until the process has no more than before: the host lets go of
// what is idle a little later, and nothing tells when.
func backTo(before holdings) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		now := countHoldings()
		if now.descriptors <= before.descriptors && now.goroutines <= before.goroutines {
			return nil
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			return fmt.Errorf("left behind: had %+v, has %+v\n%s", before, now, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func raceEnabled() bool { return buildSetting("-race") == "true" }

// buildSetting returns what this test was built with, as go version -m tells.
func buildSetting(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}
