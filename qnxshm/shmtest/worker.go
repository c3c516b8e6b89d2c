package shmtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// workerEnv, when set, makes Main a worker.
const workerEnv = "SHMTEST_WORKER"

// ref names something that a worker holds: an object, a mapping, a channel, a
// connection, or a message.
type ref int

// request asks a worker for one call. Which fields count depends on Op.
type request struct {
	ID       int
	Op       string
	Ref      ref
	Server   ref // a connection
	Handle   qnxshm.Handle
	PID      int
	Access   qnxshm.Access
	Size     int64
	Offset   int64
	NoFD     bool
	Cur      uint64
	Max      uint64
	N        int
	Name     string
	Data     []byte
	Pattern  int // if > 0, Data is the pattern of that many bytes
	Timeout  time.Duration
	Priority int // of a pulse, 0 for the thread's own
	Errno    string
	Inner    *request // for a child of the worker, which inherits the object Ref as descriptor 3
}

// reply is what the call answered. A worker sends one without ID when it is
// ready.
type reply struct {
	ID     int
	Err    string // name of the error, "EOK" for none
	Text   string // all of it
	Ref    ref
	Handle qnxshm.Handle
	N      int
	Size   int64
	Cur    uint64
	Max    uint64
	Data   []byte
	Sum    uint32 // of Data, also when it is too long to be carried
	Info   qnxmsg.Info
	Pulse  *qnxmsg.Pulse
	Counts map[string]int
	Names  map[string]string // of errors
}

// remoteError is the error of a call that a worker made.
type remoteError struct{ name, text string }

func (e remoteError) Error() string { return e.text }

// worker is a second process, seen from the case that has started it. The tests of
// this module have package testproc for such; the suite must do without, because it is
// compiled for targets, with the standard library only.
type worker struct {
	c      *trial
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr bytes.Buffer // read after gone
	hello  chan struct{}
	ended  chan struct{} // closed when it has ended
	reap   chan struct{} // it is not waited for before this is closed
	gone   chan struct{} // closed when it was waited for

	mu      sync.Mutex
	lastID  int
	pending map[int]chan reply // nil when nothing comes any more
	killed  bool               // its exit status does not matter
}

// worker starts a second process, which ends with the case at the latest.
func (c *trial) worker() *worker {
	w := c.workerNotReaped()
	close(w.reap)
	return w
}

// workerNotReaped is a worker that stays a zombie after its end until reap is
// closed.
func (c *trial) workerNotReaped() *worker {
	w := &worker{
		c: c, hello: make(chan struct{}, 1), ended: make(chan struct{}), reap: make(chan struct{}),
		gone: make(chan struct{}), pending: make(map[int]chan reply),
	}
	exe, err := os.Executable()
	if err != nil {
		c.fatalf("no test binary to start: %v", err)
	}
	w.cmd = exec.Command(exe)
	w.cmd.Env = workerEnviron()
	w.cmd.Stderr = &w.stderr
	w.cmd.WaitDelay = leakLimit
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		c.fatalf("start a worker: %v", err)
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		c.fatalf("start a worker: %v", err)
	}
	if err := w.cmd.Start(); err != nil {
		c.fatalf("start a worker: %v", err)
	}
	c.mu.Lock()
	c.workers = append(c.workers, w)
	c.mu.Unlock()
	go w.listen(stdout)
	c.cleanup(w.stop)
	w.awaitHello()
	return w
}

// workerEnviron is the environment of a worker. The race detector, if there is
// one, would let every process linger for a second.
func workerEnviron() []string {
	return append(os.Environ(), workerEnv+"=1", "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
}

// listen hands replies to those who wait for them, until the process ends.
func (w *worker) listen(stdout io.Reader) {
	for dec := json.NewDecoder(stdout); ; {
		var r reply
		if err := dec.Decode(&r); err != nil {
			break
		}
		if r.ID == 0 {
			w.hello <- struct{}{}
			continue
		}
		w.mu.Lock()
		ch := w.pending[r.ID]
		delete(w.pending, r.ID)
		w.mu.Unlock()
		if ch != nil {
			ch <- r
		}
	}
	close(w.ended)
	w.mu.Lock()
	for id, ch := range w.pending {
		ch <- reply{ID: id, Err: "worker gone", Text: "the worker has ended"}
	}
	w.pending = nil
	w.mu.Unlock()
	<-w.reap
	w.cmd.Wait()
	close(w.gone)
}

func (w *worker) awaitHello() {
	select {
	case <-w.hello:
	case <-w.ended:
		w.c.fatalf("worker %d ended at its start", w.pid())
	}
}

// stop ends the process and checks that it ended well, unless it was killed.
func (w *worker) stop() {
	select {
	case <-w.reap:
	default:
		close(w.reap)
	}
	w.stdin.Close()
	select {
	case <-w.gone:
	case <-time.After(leakLimit):
		w.c.errorf("worker %d did not end by itself", w.pid())
		w.cmd.Process.Kill()
		<-w.gone
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.killed && !w.cmd.ProcessState.Success() {
		w.c.errorf("worker %d: %v\n%s", w.pid(), w.cmd.ProcessState, w.stderr.String())
	}
}

// exit lets the process end by itself and waits for that.
func (w *worker) exit() {
	w.stdin.Close()
	<-w.gone
}

// kill ends the process by SIGKILL and waits for it.
func (w *worker) kill() {
	w.mu.Lock()
	w.killed = true
	w.mu.Unlock()
	w.c.must("kill a worker", w.cmd.Process.Kill())
	<-w.gone
}

func (w *worker) pid() int { return w.cmd.Process.Pid }

// start makes the worker begin a call. Calls that were started run beside each
// other.
func (w *worker) start(req request) *call {
	w.mu.Lock()
	w.lastID++
	req.ID = w.lastID
	ch := make(chan reply, 1)
	if w.pending == nil {
		ch <- reply{Err: "worker gone", Text: "the worker has ended"}
	} else {
		w.pending[req.ID] = ch
	}
	defer w.mu.Unlock()
	if w.pending != nil {
		// A write to a process that has ended fails; listen answers the call.
		json.NewEncoder(w.stdin).Encode(req)
	}
	return &call{ch}
}

// call is a call that a worker is busy with.
type call struct{ ch chan reply }

// wait returns when the call has. It is to be called once.
func (c *call) wait() (reply, error) {
	r := <-c.ch
	if r.Err != "EOK" {
		return r, remoteError{r.Err, r.Text}
	}
	return r, nil
}

func (w *worker) do(req request) (reply, error) { return w.start(req).wait() }

// must makes a call that has to succeed.
func (w *worker) must(req request) reply {
	r, err := w.do(req)
	w.c.must("worker: "+req.Op, err)
	return r
}

// exec makes the worker run its program again, as the same process.
func (w *worker) exec() {
	failed := w.start(request{Op: "exec"})
	select {
	case <-w.hello:
	case r := <-failed.ch:
		w.c.fatalf("exec: %s", r.Text)
	}
}

// inChild makes a new child of the worker do the call, and waits for its end.
func (w *worker) inChild(req request) (reply, error) {
	return w.do(request{Op: "child", Inner: &req})
}

// The calls, as a worker makes them.

func (w *worker) create(size int64) ref { return w.must(request{Op: "create", Size: size}).Ref }

func (w *worker) handle(obj ref, pid int, access qnxshm.Access) (qnxshm.Handle, error) {
	r, err := w.do(request{Op: "handle", Ref: obj, PID: pid, Access: access})
	return r.Handle, err
}

func (w *worker) mustHandle(obj ref, pid int, access qnxshm.Access) qnxshm.Handle {
	h, err := w.handle(obj, pid, access)
	w.c.must("worker: shm_create_handle", err)
	return h
}

func (w *worker) open(h qnxshm.Handle, access qnxshm.Access) (ref, error) {
	r, err := w.do(request{Op: "open", Handle: h, Access: access})
	return r.Ref, err
}

func (w *worker) mustOpen(h qnxshm.Handle, access qnxshm.Access) ref {
	obj, err := w.open(h, access)
	w.c.must("worker: shm_open_handle", err)
	return obj
}

func (w *worker) delete(h qnxshm.Handle) error {
	_, err := w.do(request{Op: "delete", Handle: h})
	return err
}

func (w *worker) mapWhole(obj ref, access qnxshm.Access) ref {
	return w.must(request{Op: "map", Ref: obj, Access: access}).Ref
}

// read reads n bytes at off from a mapping, or from an object that it maps.
func (w *worker) read(mem ref, off int64, n int) (string, error) {
	r, err := w.do(request{Op: "read", Ref: mem, Offset: off, N: n})
	return string(r.Data), err
}

func (w *worker) mustRead(mem ref, off int64, n int) string {
	s, err := w.read(mem, off, n)
	w.c.must("worker: read memory", err)
	return s
}

func (w *worker) write(mem ref, off int64, s string) {
	w.must(request{Op: "write", Ref: mem, Offset: off, Data: []byte(s)})
}

// mapHandle maps straight from a handle.
func (w *worker) mapHandle(h qnxshm.Handle, access qnxshm.Access, length int64) (ref, error) {
	r, err := w.do(request{Op: "maphandle", Handle: h, Access: access, Size: length})
	return r.Ref, err
}

func (w *worker) mustMapHandle(h qnxshm.Handle, access qnxshm.Access, length int64) ref {
	m, err := w.mapHandle(h, access, length)
	w.c.must("worker: mmap_handle", err)
	return m
}

func (w *worker) truncate(obj ref, size int64) error {
	_, err := w.do(request{Op: "truncate", Ref: obj, Size: size})
	return err
}

func (w *worker) control(obj ref, flags qnxshm.ControlFlags, size int64) error {
	_, err := w.do(request{Op: "control", Ref: obj, N: int(flags), Size: size})
	return err
}

// setLimit limits the unused handles that the worker may make.
func (w *worker) setLimit(cur uint64) {
	_, max := w.limit()
	w.must(request{Op: "setlimit", Cur: cur, Max: max})
}

func (w *worker) limit() (cur, max uint64) {
	r, err := w.do(request{Op: "limit"})
	w.c.must("worker: getrlimit", err)
	return r.Cur, r.Max
}

func (w *worker) close(r ref) { w.must(request{Op: "close", Ref: r}) }

// race opens one handle n times at once and returns how many calls ended how.
func (w *worker) race(h qnxshm.Handle, n int) *call {
	return w.start(request{Op: "race", Handle: h, N: n})
}

func (w *worker) openName(name string) ref {
	return w.must(request{Op: "openname", Name: name}).Ref
}

func (w *worker) attach(name string) ref {
	return w.must(request{Op: "attach", Name: name}).Ref
}

// send starts to send a message.
func (w *worker) send(conn ref, msg string, timeout time.Duration) *call {
	return w.start(request{Op: "send", Ref: conn, Data: []byte(msg), N: 64, Timeout: timeout})
}

// receive receives a message that is not a pulse.
func (w *worker) receive(ch ref) reply {
	r := w.must(request{Op: "receive", Ref: ch, N: 64, Timeout: patience})
	if r.Pulse != nil {
		w.c.fatalf("worker: got pulse %+v, want a message", *r.Pulse)
	}
	return r
}

// errnoNamed is the errno that a request names.
func errnoNamed(name string) (syscall.Errno, error) {
	if e, ok := errnoByName(name); ok {
		return e, nil
	}
	return 0, fmt.Errorf("shmtest: no errno %q", name)
}
