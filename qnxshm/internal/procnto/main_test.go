//go:build linux

package procnto_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// nodeEnv, when set, makes the test binary a second process.
const nodeEnv = "PROCNTO_TEST_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(nodeEnv) != "" {
		newNode().run()
		os.Exit(0)
	}
	// Parallel tests only wait for the host's own limit of 5 s.
	flag.Parse()
	flag.Set("test.parallel", "16")
	code := m.Run()
	if left := leftOver(); len(left) > 0 && code == 0 {
		fmt.Println("left behind:", left)
		code = 1
	}
	os.Exit(code)
}

// leftOver are descriptors of objects, and handles, that no test needs any more.
func leftOver() (left []string) {
	for deadline := time.Now().Add(leakLimit); ; time.Sleep(10 * time.Millisecond) {
		left = nil
		fds, _ := linux.OpenFDs()
		for _, fd := range fds {
			link, _ := os.Readlink(pathOf(fd))
			if strings.HasPrefix(link, "/memfd:") || strings.HasPrefix(link, "/dev/shm/") {
				left = append(left, link)
			}
		}
		if n := procnto.UnusedHandles(); n > 0 {
			left = append(left, fmt.Sprint(n, " handles"))
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}

// patience is how long tests wait for what must come.
const patience = 10 * time.Second

// leakLimit is how long the host may take to give back what is not needed.
const leakLimit = 5 * time.Second

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
	return startChildAs(t, nil)
}

// stranger is a user that is not this process's.
const stranger = 54321

// startStranger starts a process of another user.
func startStranger(t testing.TB, uid uint32) *child {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	return startChildAs(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}})
}

func startChildAs(t testing.TB, attr *syscall.SysProcAttr) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command("/proc/self/exe"), lines: make(chan string, 16)}
	c.cmd.SysProcAttr = attr
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

func (c *child) pid() int { return c.cmd.Process.Pid }

// socket is the name of the socket on which the child listens.
func (c *child) socket() string { return plainSocket(c.pid()) }

// stop stops the child, and waits until it has: other processors may run its
// threads for a moment after the signal.
func (c *child) stop() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(syscall.SIGSTOP))
	require.NoError(c.t, retry(func() error {
		return unix.Waitid(unix.P_PID, c.pid(), nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	}))
}

// goOn ends stop.
func (c *child) goOn() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(syscall.SIGCONT))
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
		c.cmd.Process.Signal(syscall.SIGQUIT) // tells where it hangs
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

func (c *child) handle(args ...any) uint64 {
	c.t.Helper()
	h, err := strconv.ParseUint(c.do(args...)[0], 10, 64)
	require.NoError(c.t, err)
	return h
}

// errnoOf is the errno of a failed call, 0 for none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if err != nil && !errors.As(err, &errno) {
		return syscall.EIO
	}
	return errno
}

func requireErrno(t testing.TB, want syscall.Errno, err error, args ...any) {
	t.Helper()
	require.Equal(t, qnxerr.Name(want), qnxerr.Name(errnoOf(err)), "%v %v", err, args)
}

// descriptors returns those of a process, with what they are.
func descriptors(t testing.TB, pid int) map[int]string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	fds := make(map[int]string)
	for _, e := range entries {
		// The directory that was read is gone by now.
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			n, _ := strconv.Atoi(e.Name())
			fds[n] = to
		}
	}
	return fds
}

// objects is the number of a process's descriptors of objects.
func objects(t testing.TB, pid int) (n int) {
	t.Helper()
	for _, to := range descriptors(t, pid) {
		if strings.HasPrefix(to, "/memfd:qnxshm") {
			n++
		}
	}
	return n
}

// kinds sums up what a process has open, for people.
func kinds(t testing.TB, pid int) fmt.Stringer {
	return lazy(func() any {
		count := make(map[string]int)
		for _, to := range descriptors(t, pid) {
			kind, _, _ := strings.Cut(to, ":[")
			count[kind]++
		}
		return count
	})
}

// switches is how often the threads of a process have stopped running.
func switches(t testing.TB, pid int) (n uint64) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	require.NoError(t, err)
	for _, file := range files {
		status, _ := os.ReadFile(file) // the thread may have ended
		for line := range strings.Lines(string(status)) {
			if _, count, ok := strings.Cut(line, "ctxt_switches:"); ok {
				some, err := strconv.ParseUint(strings.TrimSpace(count), 10, 64)
				require.NoError(t, err)
				n += some
			}
		}
	}
	return n
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

// noLeak waits until the host has nothing open but its service, and returns what
// checks that it comes back to that.
func noLeak(t testing.TB) (check func()) {
	t.Helper()
	const ofService = 6 // three epolls, eventfd, directory, listener
	own := func() (n int) {
		for fd := range descriptors(t, os.Getpid()) {
			if fd >= linux.FirstHigh {
				n++
			}
		}
		return n
	}
	_, err := procnto.Serve()
	require.NoError(t, err)
	eventually(t, leakLimit, func() bool { return own() == ofService }, "the host has %v", kinds(t, os.Getpid()))
	before := len(descriptors(t, os.Getpid()))
	goroutines := runtime.NumGoroutine()
	return func() {
		t.Helper()
		eventually(t, leakLimit, func() bool {
			return len(descriptors(t, os.Getpid())) <= before && runtime.NumGoroutine() <= goroutines && own() == ofService
		}, "%d descriptors before, now %v\n%d goroutines before, now %v", before, kinds(t, os.Getpid()),
			goroutines, lazy(func() any { return runtime.NumGoroutine() }))
	}
}

// lazy is evaluated when it is printed.
type lazy func() any

func (l lazy) String() string { return fmt.Sprint(l()) }

// newObject returns a descriptor of an object with a text in it, for the caller
// to close.
func newObject(t testing.TB, pages int, text string) int {
	t.Helper()
	fd, err := anObject(pages, text)
	require.NoError(t, err)
	return fd
}

// newRevocable is newObject of one page that can be revoked.
func newRevocable(t testing.TB) (fd int) {
	t.Helper()
	fd = newObject(t, 1, "secret")
	_, err := procnto.Control(fd, nto.ControlRevocable, 0, 0)
	require.NoError(t, err)
	return fd
}

// openObject turns a handle into a descriptor and closes it.
func openObject(h uint64, access int) error {
	fd, err := procnto.OpenHandle(h, access)
	if err != nil {
		return err
	}
	return memory.CloseDescriptor(fd)
}

var page = int64(os.Getpagesize())
