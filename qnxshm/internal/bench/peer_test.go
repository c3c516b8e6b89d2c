//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// A peer is another process: the test binary in one of its roles, or the C
// baseline. It ends when it is told no more.
type peer struct {
	*testproc.Child
	ready report
}

// A report is a peer's answer to a command. The baseline gives NS only.
type report struct {
	NS      int64 // time that the command took
	Mallocs int64 // allocations during the command

	Kept float64 // heap bytes for each outstanding handle

	First, Last int64 // ns of one of the first calls, and of the last

	Revoke int64 // ns that the calls of Revoke took; then NS is that of as many messages

	// Only for the command "count".
	Descriptors, Mappings, Goroutines int
	Heap                              int64
}

// startPeer starts the test binary in a role, which is a key of roles, on the
// given CPUs.
func startPeer(tb testing.TB, cpus cpuSet, role string, args ...string) *peer {
	tb.Helper()
	p := start(tb, cpus, role)
	p.ready = p.ask(tb, "begin", args)
	return p
}

// compiler is the C compiler. Where there is none the benchmark is skipped, and the
// table says why.
func compiler(b *testing.B) string {
	b.Helper()
	for _, name := range []string{"gcc", "cc"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const why = "skipped: neither gcc nor cc is installed"
	record(row{what: b.Name(), baseline: why})
	b.Skip(why)
	return ""
}

// buildBaseline builds the C baseline and returns the executable.
func buildBaseline(b *testing.B) string {
	b.Helper()
	exe := b.TempDir() + "/baseline"
	if out, err := exec.Command(compiler(b), "-O2", "-Wall", "-o", exe, "testdata/baseline.c").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return exe
}

func start(tb testing.TB, cpus cpuSet, role string, program ...string) *peer {
	tb.Helper()
	p := &peer{Child: testproc.Options{Around: cpus.around, Program: program}.Start(tb, role)}
	tb.Cleanup(func() { p.stop(tb) })
	return p
}

// stop ends the peer and waits for it.
func (p *peer) stop(tb testing.TB) { tb.Helper(); p.For(tb).End() }

// run lets the peer do its work n times.
func (p *peer) run(tb testing.TB, n int) report { tb.Helper(); return p.ask(tb, "run", n) }

// count lets the peer collect its garbage and count what it holds.
func (p *peer) count(tb testing.TB) report { tb.Helper(); return p.ask(tb, "count") }

func (p *peer) ask(tb testing.TB, procedure string, arg ...any) report {
	tb.Helper()
	return p.begin(tb, procedure, arg...)()
}

// begin asks, and returns what waits for the answer.
func (p *peer) begin(tb testing.TB, procedure string, arg ...any) (answer func() report) {
	tb.Helper()
	const limit = 10 * time.Minute // for any work
	call := p.For(tb).Begin(procedure, arg...)
	return func() (r report) {
		tb.Helper()
		v, err := call.Within(limit)
		if err != nil {
			tb.Fatal(err)
		}
		v.Into(&r)
		return r
	}
}

// cpuTime is the processor time of the peer's threads, seen from outside, so
// that looking does not wake it.
func (p *peer) cpuTime(tb testing.TB) (sum time.Duration) {
	tb.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.PID()))
	if err != nil || len(threads) == 0 {
		tb.Skip("this kernel does not say how long threads ran")
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		var ran int64 // ns; then how long it waited, and how often it ran
		if _, err := fmt.Sscan(string(stat), &ran); err != nil {
			tb.Fatalf("%s: %v", thread, err)
		}
		sum += time.Duration(ran)
	}
	return sum
}

// A job is what a role does when it has begun: a measured work, or nothing but to be
// there.
type job struct {
	first report // of its beginning
	do    func(n int) (report, error)
}

// obey makes a job of something that is done n times.
func obey(first report, do func(n int) error) (*job, error) {
	return &job{first, func(n int) (report, error) { return timed(do, n) }}, nil
}

// procedures are those of a role.
func procedures(begin func(args []string) (*job, error)) testproc.Procedures {
	var j *job
	return testproc.Procedures{
		"begin": func(args []string) (first report, err error) {
			if j, err = begin(args); err != nil {
				return first, err
			}
			_, err = countAll() // what counting itself keeps is there now
			return j.first, err
		},
		"run":   func(n int) (report, error) { return j.do(n) },
		"count": countAll,
	}
}

// fail ends a process in which something fails that nobody waits for.
func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func timed(do func(n int) error, n int) (r report, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err = do(n)
	r.NS = time.Since(start).Nanoseconds()
	runtime.ReadMemStats(&after)
	r.Mallocs = int64(after.Mallocs - before.Mallocs)
	return r, err
}

func countAll() (r report, err error) {
	r.Heap = heap()
	r.Goroutines = runtime.NumGoroutine()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return r, err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	r.Descriptors, r.Mappings = len(fds), strings.Count(string(maps), "\n")
	return r, err
}

// heap returns the bytes in use after all that can be collected is.
func heap() int64 {
	var m runtime.MemStats
	for range 2 { // what the first collection finalises the second frees
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A cpuSet is where peers run, as sched_setaffinity takes it; nil is anywhere.
type cpuSet []uintptr

// allowedCPUs returns the first n CPUs that this process may use, or skips.
func allowedCPUs(tb testing.TB, n int) cpuSet {
	tb.Helper()
	all := make(cpuSet, 128)
	if err := all.call(syscall.SYS_SCHED_GETAFFINITY); err != nil {
		tb.Fatal("sched_getaffinity: ", err)
	}
	set := make(cpuSet, len(all))
	for i, left := 0, n; left > 0; i++ {
		word, bit := i/(8*int(unsafe.Sizeof(all[0]))), uintptr(1)<<(i%(8*int(unsafe.Sizeof(all[0]))))
		if word == len(all) {
			tb.Skipf("needs %d CPUs", n)
		}
		if all[word]&bit != 0 {
			set[word] |= bit
			left--
		}
	}
	return set
}

// around starts a process on the set. A new process inherits the CPUs of the thread
// that forks it, so it has them from its first instruction, which is when the
// Go runtime counts them.
func (c cpuSet) around(start func() error) error {
	if c == nil {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := make(cpuSet, len(c))
	if err := before.call(syscall.SYS_SCHED_GETAFFINITY); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	if err := c.call(syscall.SYS_SCHED_SETAFFINITY); err != nil {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	err := start()
	return errors.Join(err, before.call(syscall.SYS_SCHED_SETAFFINITY))
}

func (c cpuSet) call(number uintptr) error {
	size := uintptr(len(c)) * unsafe.Sizeof(c[0])
	if _, _, errno := syscall.RawSyscall(number, 0, size, uintptr(unsafe.Pointer(&c[0]))); errno != 0 {
		return errno
	}
	return nil
}
