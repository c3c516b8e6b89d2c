//go:build linux

package testproc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A Child is a second process, which ends with the test at the latest.
type Child struct {
	t testing.TB
	*process
}

// process is a child, whoever's.
type process struct {
	role  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{} // closed when it says no more
	reap  sync.Once

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply // by the number of the request; nil when nothing comes any more
}

// Options are what only the start of a process can give it. With some of them the
// system may refuse to start it, and the test is skipped.
type Options struct {
	Attr  *syscall.SysProcAttr
	Env   []string   // more of it
	Files []*os.File // descriptors from 3 on
	// Around, if it is not nil, has to call start.
	Around func(start func() error) error
	// Program, with its arguments, is to be started instead of the test binary, whose
	// requests it can read and answer.
	Program []string
}

// Start starts a second process in a role.
func Start(t testing.TB, role string) *Child {
	t.Helper()
	return Options{}.Start(t, role)
}

// Start is the function Start with options.
func (o Options) Start(t testing.TB, role string) *Child {
	t.Helper()
	c, ready := o.launch(t, role)
	if err := c.receive("to start", ready, Patience).Err; err != nil {
		t.Fatal(err)
	}
	return c
}

// StartStranger starts a process of another user.
func StartStranger(t testing.TB, role string, uid uint32) *Child {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	return Options{Attr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}}.Start(t, role)
}

// launch starts a process without waiting for it to be ready.
func (o Options) launch(t testing.TB, role string) (c *Child, ready chan reply) {
	t.Helper()
	p := &process{role: role, ended: make(chan struct{}), waiting: make(map[int]chan reply)}
	program := o.Program
	if program == nil {
		program = []string{"/proc/self/exe"}
	}
	p.cmd = exec.Command(program[0], program[1:]...)
	p.cmd.Env = environ(append(o.Env, roleEnv+"="+role)...)
	p.cmd.SysProcAttr, p.cmd.ExtraFiles, p.cmd.Stderr = o.Attr, o.Files, os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	ready = make(chan reply, 1)
	p.waiting[0] = ready
	start := p.cmd.Start
	if o.Around != nil {
		start = func() error { return o.Around(p.cmd.Start) }
	}
	if err := start(); err != nil {
		if (o.Attr != nil || o.Around != nil) && slices.ContainsFunc(refusals, func(e error) bool { return errors.Is(err, e) }) {
			t.Skip("no such process can be started here:", err)
		}
		t.Fatal(err)
	}
	go p.listen(out)
	c = &Child{t, p}
	t.Cleanup(c.Kill)
	return c, ready
}

// refusals are what a system answers that does not let a process be started as another
// user, in namespaces, with a number: for want of permission, of them, or of more.
var refusals = []error{syscall.EPERM, syscall.EACCES, syscall.EROFS, syscall.EINVAL, syscall.ENOSYS, syscall.ENOSPC, syscall.EUSERS}

// StartNumbered starts a process whose number is pid, and returns nil if somebody
// else has got that.
func StartNumbered(t testing.TB, role string, pid int) *Child {
	t.Helper()
	const attempts = 20
	for range attempts {
		o := Options{Around: func(start func() error) error {
			if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
				return err
			}
			return start()
		}}
		c, ready := o.launch(t, role)
		if c.PID() == pid {
			c.receive("to start", ready, Patience)
			return c
		}
		c.Kill()
	}
	return nil
}

// environ is that of this process and more. The race detector would let every
// process linger for a second.
func environ(more ...string) []string {
	return append(append(os.Environ(), "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0"), more...)
}

// listen hands replies to those who wait for them, until the process ends.
func (p *process) listen(out io.Reader) {
	defer close(p.ended)
	for d := json.NewDecoder(out); ; {
		var r reply
		if d.Decode(&r) != nil {
			break
		}
		p.mu.Lock()
		ch := p.waiting[r.ID]
		delete(p.waiting, r.ID)
		p.mu.Unlock()
		if ch != nil {
			ch <- r
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ch := range p.waiting {
		close(ch)
	}
	p.waiting = nil
}

// receive waits for a reply; failures and skips are the test's.
func (c *Child) receive(what string, ch chan reply, limit time.Duration) reply {
	c.t.Helper()
	var r reply
	var ok bool
	select {
	case r, ok = <-ch:
	case <-time.After(limit):
		c.cmd.Process.Signal(syscall.SIGQUIT) // it tells where it hangs
		c.t.Fatalf("the second process, %s, has not answered %s within %v", c.role, what, limit)
	}
	switch {
	case !ok:
		c.wait()
		c.t.Fatalf("the second process, %s, which was %s, has ended: %v", c.role, what, c.cmd.ProcessState)
	case r.Failed != "":
		c.t.Fatalf("the second process, %s, %s: %s", c.role, what, r.Failed)
	case r.Skip != "":
		c.t.Skipf("the second process, %s, %s: %s", c.role, what, r.Skip)
	}
	return r
}

// For gives the child to a part of a test.
func (c *Child) For(t testing.TB) *Child { return &Child{t, c.process} }

// PID is the number of the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Stop stops the child, and waits until it has: other processors may run its
// threads for a moment after the signal.
func (c *Child) Stop() {
	c.t.Helper()
	err := c.cmd.Process.Signal(syscall.SIGSTOP)
	if err == nil {
		err = Retry(func() error {
			return unix.Waitid(unix.P_PID, c.PID(), nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		})
	}
	if err != nil {
		c.t.Fatal("stop: ", err)
	}
}

// Continue ends Stop.
func (c *Child) Continue() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		c.t.Fatal("continue: ", err)
	}
}

// Kill ends the process, if it lives, and waits until it is gone.
func (c *Child) Kill() {
	c.cmd.Process.Kill()
	c.in.Close()
	c.wait()
	<-c.ended
}

func (p *process) wait() { p.reap.Do(func() { p.cmd.Wait() }) }

// End lets the process end by itself, which it has to do well.
func (c *Child) End() {
	c.t.Helper()
	c.in.Close()
	select {
	case <-c.ended:
	case <-time.After(Patience):
		c.cmd.Process.Signal(syscall.SIGQUIT)
		<-c.ended
	}
	c.Wait()
	if !c.cmd.ProcessState.Success() {
		c.t.Errorf("the second process, %s: %v", c.role, c.cmd.ProcessState)
	}
}

// Wait waits until the process, which somebody ends, is gone.
func (c *Child) Wait() {
	<-c.ended
	c.wait()
}

// Bequeath lets a process that does nothing have descriptors of this one, as a forked
// child would. The caller should kill it: else it lives for a minute.
func Bequeath(fds ...int) (pid int, err error) {
	heir := exec.Command("sleep", "60")
	for _, fd := range fds {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		f := os.NewFile(uintptr(own), fmt.Sprint("copy of ", fd))
		defer f.Close()
		heir.ExtraFiles = append(heir.ExtraFiles, f)
	}
	if err := heir.Start(); err != nil {
		return 0, err
	}
	return heir.Process.Pid, nil
}
