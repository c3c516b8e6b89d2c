//go:build linux

package message_test

import (
	"bufio"
	"fmt"
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
const nodeEnv = "MESSAGE_TEST_NODE"

// A child is a second process, which does what the lines say that it is sent,
// one after the other, and answers each with a line.
type child struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin interface {
		Write([]byte) (int, error)
		Close() error
	}
	lines chan string
}

func startChild(t testing.TB) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command("/proc/self/exe"), lines: make(chan string, 16)}
	// The race detector would let every process linger for a second.
	c.cmd.Env = append(os.Environ(), nodeEnv+"=1", "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	c.cmd.Stderr = os.Stderr
	stdin, err := c.cmd.StdinPipe()
	require.NoError(t, err)
	c.stdin = stdin
	stdout, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	t.Cleanup(c.kill)
	return c
}

// startStranger is startChild of another user.
func startStranger(t testing.TB) *child {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	c := startChild(t)
	c.do("user", 65534)
	return c
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop stops the child, and waits until it has: other processors may run its
// threads for a moment after the signal.
func (c *child) stop() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(syscall.SIGSTOP))
	require.NoError(c.t, retry(func() error {
		return unix.Waitid(unix.P_PID, c.pid(), nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	}))
}

func (c *child) kill() {
	if c.cmd.ProcessState != nil {
		return
	}
	c.cmd.Process.Kill()
	c.stdin.Close()
	c.cmd.Wait()
}

// tell begins a command.
func (c *child) tell(args ...any) {
	c.t.Helper()
	_, err := fmt.Fprintln(c.stdin, args...)
	require.NoError(c.t, err, "the second process is gone")
}

// answer returns what the child says to the oldest command without an answer.
func (c *child) answer(limit time.Duration) ([]string, syscall.Errno) {
	c.t.Helper()
	select {
	case line, ok := <-c.lines:
		require.True(c.t, ok, "the second process has ended")
		name, rest, _ := strings.Cut(line, " ")
		errno, ok := qnxerr.ByName(name)
		require.True(c.t, ok, "not an errno that a program for QNX knows: %q", line)
		return strings.Fields(rest), errno
	case <-time.After(limit):
		c.cmd.Process.Signal(syscall.SIGQUIT) // it tells where it hangs
		require.FailNow(c.t, "the second process does not answer")
	}
	return nil, 0
}

// try is a command that may fail.
func (c *child) try(args ...any) ([]string, syscall.Errno) {
	c.t.Helper()
	c.tell(args...)
	return c.answer(patience)
}

// do is a command that has to succeed.
func (c *child) do(args ...any) []string {
	c.t.Helper()
	out, errno := c.try(args...)
	require.Zero(c.t, errno, "%v: %s %v", args, qnxerr.Name(errno), out)
	return out
}

// number is a command whose answer is one.
func (c *child) number(args ...any) int {
	c.t.Helper()
	n, err := strconv.Atoi(c.do(args...)[0])
	require.NoError(c.t, err)
	return n
}

// nameOf is the name under which a child serves its channel.
func nameOf(c *child) string { return fmt.Sprintf("message-test/%d", c.pid()) }
