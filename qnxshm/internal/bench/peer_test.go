//go:build linux

package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A peer is another process: the test binary in one of its roles, or the C
// baseline. It takes commands on standard input, answers each with one report
// on standard output, and ends when its input does.
type peer struct {
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
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
	exe, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(append([]string{role}, args...), " "))
	return start(tb, cpus, role, cmd)
}

// buildBaseline builds the C baseline and returns the executable. Where there is
// no C compiler the benchmark is skipped, and the table says why.
func buildBaseline(b *testing.B) string {
	b.Helper()
	cc, err := exec.LookPath("gcc")
	if err != nil {
		cc, err = exec.LookPath("cc")
	}
	if err != nil {
		const why = "skipped: neither gcc nor cc is installed"
		record(row{what: b.Name(), baseline: why})
		b.Skip(why)
	}
	exe := b.TempDir() + "/baseline"
	if out, err := exec.Command(cc, "-O2", "-Wall", "-o", exe, "testdata/baseline.c").CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", cc, err, out)
	}
	return exe
}

func start(tb testing.TB, cpus cpuSet, name string, cmd *exec.Cmd) *peer {
	tb.Helper()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cpus.start(cmd); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	p := &peer{name: name, cmd: cmd, in: in, out: json.NewDecoder(out)}
	tb.Cleanup(func() { p.stop(tb) })
	p.ready = p.read(tb)
	return p
}

// stop ends the peer and waits for it.
func (p *peer) stop(tb testing.TB) {
	tb.Helper()
	if p.cmd == nil {
		return
	}
	p.in.Close()
	// A peer that does not notice is stuck in what is being measured.
	stuck := time.AfterFunc(10*time.Second, func() { p.cmd.Process.Kill() })
	defer stuck.Stop()
	if err := p.cmd.Wait(); err != nil {
		tb.Errorf("%s: %v", p.name, err)
	}
	p.cmd = nil
}

// run lets the peer do its work n times.
func (p *peer) run(tb testing.TB, n int) report {
	tb.Helper()
	return p.ask(tb, fmt.Sprintf("run %d", n))
}

// count lets the peer collect its garbage and count what it holds.
func (p *peer) count(tb testing.TB) report {
	tb.Helper()
	return p.ask(tb, "count 0")
}

func (p *peer) ask(tb testing.TB, command string) report {
	tb.Helper()
	if _, err := fmt.Fprintln(p.in, command); err != nil {
		tb.Fatalf("%s: %v", p.name, err)
	}
	return p.read(tb)
}

func (p *peer) read(tb testing.TB) (r report) {
	tb.Helper()
	if err := p.out.Decode(&r); err != nil {
		tb.Fatalf("%s ended: %v", p.name, err)
	}
	return r
}

// cpuTime is the processor time of the peer's threads, seen from outside, so
// that looking does not wake it.
func (p *peer) cpuTime(tb testing.TB) (sum time.Duration) {
	tb.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
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

// obey is the main loop of a role: it reports that it is ready, then does what
// the commands say until there are no more. first is the report of readiness.
func obey(first report, do func(n int) error) error {
	return obeyReporting(first, func(n int) (report, error) { return timed(do, n) })
}

// obeyReporting is obey for a role that measures by itself.
func obeyReporting(first report, do func(n int) (report, error)) error {
	if _, err := countAll(); err != nil { // what counting itself keeps is there now
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(first); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var command string
		var n int
		if _, err := fmt.Sscan(in.Text(), &command, &n); err != nil {
			return fmt.Errorf("command %q: %w", in.Text(), err)
		}
		var r report
		var err error
		if command == "count" {
			r, err = countAll()
		} else {
			r, err = do(n)
		}
		if err == nil {
			err = out.Encode(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
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

// start starts cmd on the set. A new process inherits the CPUs of the thread
// that forks it, so it has them from its first instruction, which is when the
// Go runtime counts them.
func (c cpuSet) start(cmd *exec.Cmd) error {
	if c == nil {
		return cmd.Start()
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
	err := cmd.Start()
	return errors.Join(err, before.call(syscall.SYS_SCHED_SETAFFINITY))
}

func (c cpuSet) call(number uintptr) error {
	size := uintptr(len(c)) * unsafe.Sizeof(c[0])
	if _, _, errno := syscall.RawSyscall(number, 0, size, uintptr(unsafe.Pointer(&c[0]))); errno != 0 {
		return errno
	}
	return nil
}
