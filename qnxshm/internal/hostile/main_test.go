//go:build linux

package hostile_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// nodeEnv, when set, makes the test binary a second process.
const nodeEnv = "QNXSHM_HOSTILE_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(nodeEnv) != "" {
		newNode().run()
		os.Exit(0)
	}
	// Parallel tests only wait.
	flag.Parse()
	flag.Set("test.parallel", "16")
	os.Exit(m.Run())
}

// patience is how long tests wait for what must come.
const patience = 10 * time.Second

// A child is a second process, which does what the lines say that it is sent,
// one after the other, and answers each with a line.
type child struct {
	t     testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	pid   int // as this process sees it
}

// startChild starts a process that first enters a room (see rooms), if there is
// one to enter.
func startChild(t testing.TB, room ...step) *child { return startIn(t, nil, room...) }

// startIn is startChild with what only the start of a process can give it.
func startIn(t testing.TB, attr *syscall.SysProcAttr, room ...step) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command("/proc/self/exe"), lines: make(chan string, 16)}
	c.cmd.Env = nodeEnviron(room)
	c.cmd.SysProcAttr = attr
	c.cmd.Stderr = os.Stderr
	var err error
	c.in, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	if err := c.cmd.Start(); err != nil {
		t.Skip("no such process can be started here:", err)
	}
	c.pid = c.cmd.Process.Pid
	go func() {
		defer close(c.lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			c.lines <- s.Text()
		}
	}()
	t.Cleanup(c.kill)
	if first := c.line(patience, "start"); first != "ready" {
		t.Skip("this system has no such surroundings: " + first)
	}
	return c
}

// nodeEnviron is the environment of a second process.
func nodeEnviron(room []step) []string {
	// The race detector would let every process linger for a second.
	env := append(os.Environ(), nodeEnv+"=1", "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	if len(room) > 0 {
		steps, _ := json.Marshal(room) // strings
		env = append(env, roomEnv+"="+string(steps))
	}
	return env
}

// of gives the child to a part of a test.
func (c *child) of(t testing.TB) *child {
	c.t = t
	return c
}

// kill ends the process and waits until it is gone.
func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		c.cmd.Process.Kill()
		c.in.Close()
		c.cmd.Wait()
	}
}

// stop stops the child, and waits until it has: other processors may run its
// threads for a moment after the signal.
func (c *child) stop() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(syscall.SIGSTOP))
	require.NoError(c.t, retry(func() error {
		return unix.Waitid(unix.P_PID, c.cmd.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	}))
}

func (c *child) resume() { c.cmd.Process.Signal(syscall.SIGCONT) }

func (c *child) line(limit time.Duration, command ...any) string {
	c.t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			c.cmd.Wait()
			require.FailNow(c.t, "the second process has ended", "%v", c.cmd.ProcessState)
		}
		return line
	case <-time.After(limit):
		require.FailNow(c.t, fmt.Sprintf("no answer to %v within %v", command, limit))
	}
	return ""
}

// A result is what a command came to.
type result struct {
	errno syscall.Errno
	text  string // of the error
	words []string
}

func parseResult(line string) result {
	name, rest, _ := strings.Cut(line, " ")
	if name == "ok" {
		return result{words: strings.Fields(rest)}
	}
	errno, ok := qnxerr.ByName(name)
	if !ok {
		errno, rest = syscall.EIO, line
	}
	return result{errno: errno, text: rest}
}

func (r result) String() string {
	if r.errno == 0 {
		return "ok " + strings.Join(r.words, " ")
	}
	return r.text
}

// within is a command that has to be answered, well or not, in a time.
func (c *child) within(limit time.Duration, args ...any) result {
	c.t.Helper()
	_, err := fmt.Fprintln(c.in, args...)
	require.NoError(c.t, err, "the second process is gone")
	return parseResult(c.line(limit, args...))
}

// try is a command that may fail.
func (c *child) try(args ...any) result { c.t.Helper(); return c.within(patience, args...) }

// do is a command that has to succeed.
func (c *child) do(args ...any) []string {
	c.t.Helper()
	r := c.try(args...)
	require.Zero(c.t, r.errno, "%v: %s", args, r)
	return r.words
}

// number is a command that has to succeed and whose answer begins with one.
func (c *child) number(args ...any) int {
	c.t.Helper()
	n, err := strconv.Atoi(c.do(args...)[0])
	require.NoError(c.t, err)
	return n
}

// later begins a command beside the others, and returns by what name to ask for
// its result with "await".
func (c *child) later(args ...any) string {
	c.t.Helper()
	return c.do(append([]any{"later"}, args...)...)[0]
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes of other users")
	}
}

// another user, whom nobody else is.
func anotherUser() step {
	return step{"user", strconv.Itoa(1<<20 + int(uint32(time.Now().UnixNano())>>8))}
}

func retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

// eventually polls where there is no event to wait for.
func eventually(t testing.TB, limit time.Duration, ok func() bool, text string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); {
		if time.Now().After(deadline) {
			require.FailNow(t, fmt.Sprintf(text, args...))
		}
		time.Sleep(2 * time.Millisecond)
	}
}
