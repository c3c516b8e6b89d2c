//go:build linux

package linux

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How a thread waits: it tries for a short while, then it sleeps. Most answers
// come sooner than the kernel can put a thread to sleep and wake it. Between two
// tries the thread yields, so that whoever has to answer can run on its CPU. When
// a busy third process is there, a yield takes as long as the kernel gives that
// one, a thousand times longer than an answer: then nobody tries for a while.

// OnlyProcessor tells that nobody could answer while a thread tries.
var OnlyProcessor = runtime.NumCPU() == 1

// trySpan is how long a thread tries unless it knows better.
const trySpan = 20 * time.Microsecond

const (
	yieldsPerLook = 4 // at the clock
	longYield     = 100 * time.Microsecond
	calm          = 50 * time.Millisecond
)

// noTryingUntil is when threads of this process may try again, in nanoseconds
// since the process began.
var noTryingUntil atomic.Int64

var processBegan = time.Now()

// A Spinner counts the tries of one wait. The zero Spinner is ready.
type Spinner struct {
	Span     time.Duration // how long to try; trySpan if zero
	yields   uint
	began    time.Duration
	lookedAt time.Duration
}

// Again yields the processor and reports whether to try once more before going to
// sleep.
func (s *Spinner) Again() bool {
	if OnlyProcessor {
		return false
	}
	if s.yields%yieldsPerLook == 0 {
		now := time.Since(processBegan)
		switch {
		case s.yields == 0:
			if now < time.Duration(noTryingUntil.Load()) {
				return false
			}
			s.began = now
		case now-s.lookedAt > yieldsPerLook*longYield:
			noTryingUntil.Store(int64(now + calm))
			return false
		case now-s.began > max(s.Span, trySpan):
			return false
		}
		s.lookedAt = now
	}
	s.yields++
	Yield()
	return true
}

// TriesFirst reports whether one who waits until the deadline tries before: with
// one processor there is nothing to try, but the sleep until a deadline takes
// another call.
func TriesFirst(deadline time.Time) bool { return !OnlyProcessor || !deadline.IsZero() }

// WaitFor sleeps until fd has one of the poll events, or after the deadline,
// unless that is zero, ETIMEDOUT.
func WaitFor(fd int, events int16, deadline time.Time) error {
	return WaitForAny([]unix.PollFd{{Fd: int32(fd), Events: events}}, deadline)
}

// WaitForAny is WaitFor for the first of several descriptors.
func WaitForAny(wanted []unix.PollFd, deadline time.Time) error {
	for {
		var timeout *unix.Timespec
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return syscall.ETIMEDOUT
			}
			ts := unix.NsecToTimespec(int64(left))
			timeout = &ts
		}
		n, err := unix.Ppoll(wanted, timeout, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case n > 0:
			return nil
		}
	}
}

// A Turn is how long a goroutine has had a processor. One that passes messages
// blocks in system calls, of which Go's scheduler is not told, so to it the
// goroutine seems to run without a pause. After 10 ms the scheduler then takes
// the processor away in the middle of a call, and watches the process closely,
// with a thread that wakes every 20 µs and more, which costs as much as the
// messages do. Passing through the scheduler before that keeps it calm, and
// lets other goroutines run.
type Turn struct {
	calls uint32
	began time.Time
}

const (
	turnTime = 4 * time.Millisecond
	// The clock is read once in so many calls.
	turnCalls = 16
)

// Pass is called for each message.
func (t *Turn) Pass() {
	if t.calls++; t.calls%turnCalls != 0 {
		return
	}
	if now := time.Now(); now.Sub(t.began) > turnTime {
		runtime.Gosched()
		t.began = now
	}
}
