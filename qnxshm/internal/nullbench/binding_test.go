//go:build nulllibc && qnx && linux && cgo

package nullbench_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/nullbench"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// These run on the null libc, in a test of their own (nullbench_test.go).

var timed = []struct {
	name string
	call func() error
}{
	{"an empty cgo call", func() error { nullbench.Empty(); return nil }}, // the baseline
	{"CreateHandle", func() error { _, err := qnxshm.CreateHandle(3, 4, qnxshm.ReadWrite, 0); return err }},
	{"OpenHandle", func() error { _, err := qnxshm.OpenHandle(42, qnxshm.ReadWrite); return err }},
	{"DeleteHandle", func() error { return qnxshm.DeleteHandle(42) }},
}

func TestNothingIsAllocated(t *testing.T) {
	if qnxshm.HandleSize*8 != nullbench.HandleBits {
		t.Errorf("qnxshm has handles of %d bytes, libc of %d bits", qnxshm.HandleSize, nullbench.HandleBits)
	}
	h, err := qnxshm.CreateHandle(3, 4, qnxshm.ReadOnly, 0)
	if h != 42 || err != nil {
		t.Errorf("not the null libc: CreateHandle returned %v, %v", h, err)
	}
	for _, c := range timed {
		if err := c.call(); err != nil {
			t.Error(c.name, err)
		}
		if n := testing.AllocsPerRun(1000, func() { c.call() }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
	t.Logf("release %d, handles of %d bits", nullbench.Release, nullbench.HandleBits)
}

// What must not reach libc does not: this one would take it.
func TestRefused(t *testing.T) {
	for _, opts := range []qnxshm.HandleOptions{2, 4, 1 << 31} {
		if _, err := qnxshm.CreateHandle(3, 4, qnxshm.ReadOnly, opts); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("CreateHandle, options %#x: %v", opts, err)
		}
		if _, err := qnxshm.CreateSubrangeHandle(3, 4, qnxshm.ReadOnly, opts, 4096, 0); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("CreateSubrangeHandle, options %#x: %v", opts, err)
		}
	}
	if nullbench.HandleBits == 64 {
		return
	}
	for _, h := range []qnxshm.Handle{1 << 32, 1<<32 | 42, math.MaxUint64} {
		if _, err := qnxshm.OpenHandle(h, qnxshm.ReadOnly); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("OpenHandle(%v): %v", h, err)
		}
		if err := qnxshm.DeleteHandle(h); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("DeleteHandle(%v): %v", h, err)
		}
	}
}

// signalsWait are calls during which signals wait; see docs/target.md.
var signalsWait = map[string]func() error{
	"shm_open":    func() error { _, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600); return err },
	"of a name":   func() error { _, err := qnxshm.OpenObject("/name", os.O_RDWR, 0o600); return err },
	"shm_unlink":  func() error { return qnxshm.UnlinkObject("/name") },
	"shm_ctl":     func() error { _, err := qnxshm.Control(3, qnxshm.ControlGetFlags, 0, 0); return err },
	"shm_revoke":  func() error { return qnxshm.Revoke(3, 4) },
	"name_open":   func() error { _, err := qnxmsg.OpenName("name"); return err },
	"mmap_handle": func() error { return unmapped(qnxshm.Map(42, qnxshm.ReadOnly, 4096)) },
	"of a maker":  func() error { return unmapped(qnxshm.MapPID(42, qnxshm.ReadOnly, 4096, 4)) },
	"ftruncate, fstat, mmap, munmap, close": func() error {
		obj, err := qnxshm.Create(4096)
		if err != nil {
			return err
		}
		if err := unmapped(obj.Map(qnxshm.ReadWrite)); err != nil {
			return err
		}
		return obj.Close()
	},
	"mprotect": func() error {
		m, err := qnxshm.Map(42, qnxshm.ReadOnly, 4096)
		if err != nil {
			return err
		}
		if _, err := m.ReadAt(make([]byte, 1), 0); !errors.Is(err, qnxshm.ErrRevoked) {
			return fmt.Errorf("a fault that is a revocation's: %w", err)
		}
		return m.Unmap()
	},
	"name_attach, name_detach": func() error {
		ch, err := qnxmsg.AttachName("name")
		if err != nil {
			return err
		}
		return ch.Close()
	},
	"MsgReceive": func() error {
		ch, err := qnxmsg.NewChannel(0)
		if err != nil {
			return err
		}
		if _, err := ch.Receive(make([]byte, 64)); err != nil {
			return err
		}
		if _, err := ch.ReceiveTimeout(make([]byte, 64), time.Second); err != nil {
			return err
		}
		return ch.Close()
	},
	"MsgSend":         func() error { return sent(-1, (*qnxmsg.Connection).SendTimeout) },
	"with a timeout":  func() error { return sent(time.Second, (*qnxmsg.Connection).SendTimeout) },
	"MsgSendv":        func() error { return sent(-1, sendv) },
	"in time, pieces": func() error { return sent(time.Second, sendv) },
}

func unmapped(m *qnxshm.Mapping, err error) error {
	if err != nil {
		return err
	}
	return m.Unmap()
}

func sendv(c *qnxmsg.Connection, msg, reply []byte, timeout time.Duration) (int, error) {
	return c.SendvTimeout([][]byte{msg}, [][]byte{reply}, timeout)
}

func sent(timeout time.Duration, send func(c *qnxmsg.Connection, msg, reply []byte, timeout time.Duration) (int, error)) error {
	conn, err := qnxmsg.Connect(4, 1)
	if err != nil {
		return err
	}
	if _, err := send(conn, []byte("message"), make([]byte, 8), timeout); err != nil {
		return err
	}
	return conn.Close()
}

func TestSignalsWait(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for name, call := range signalsWait {
		for _, block := range []bool{true, false} { // or what was blocked before could be chance
			nullbench.Block(syscall.SIGUSR1, block)
			before := nullbench.Blocked()
			if err := call(); err != nil && (nullbench.Release >= 800 || !errors.Is(err, syscall.ENOSYS)) {
				t.Errorf("%s: %v", name, err)
			}
			if after := nullbench.Blocked(); after != before {
				t.Errorf("%s: signals are blocked afterwards: %#x, not %#x", name, after, before)
			}
		}
	}
}

// BenchmarkCalls prints rows of a table: the medians of many short rounds, in
// which the calls take turns, so that what else the machine does hits few.
func BenchmarkCalls(b *testing.B) {
	const n = 10_000
	times := make([][]float64, len(timed)) // of one call, in nanoseconds
	for round := range 401 * b.N {
		for i := range timed {
			i = (i + round) % len(timed)
			call, start := timed[i].call, time.Now()
			for range n {
				if call() != nil {
					b.Fatal(timed[i].name)
				}
			}
			times[i] = append(times[i], float64(time.Since(start).Nanoseconds())/n)
		}
	}
	for i, t := range times {
		slices.Sort(t)
		more, goal := "", ""
		if i > 0 {
			more, goal = fmt.Sprintf("%+.1f ns", median(t)-median(times[0])), "≤ +15 ns"
		}
		fmt.Printf("| %s, handles of %d bits | %.1f ns (%.1f–%.1f) | %s | %s |\n",
			timed[i].name, nullbench.HandleBits, median(t), t[0], t[len(t)-1], more, goal)
	}
}

func median(sorted []float64) float64 { return sorted[len(sorted)/2] }
