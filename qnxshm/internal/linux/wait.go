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

const (
	// maxYields is how often a thread tries.
	maxYields = 40
	// A yield that takes so long was not for who has to answer.
	longYield = 400 * time.Microsecond
	calm      = 50 * time.Millisecond
)

// noTryingUntil is when threads of this process may try again, in nanoseconds
// since the process began.
var noTryingUntil atomic.Int64

var processBegan = time.Now()

// longYields is how many yields in a row took long.
var longYields atomic.Int32

// tookLong is told how long a yield took. One may be anything's fault.
func tookLong(long bool, now time.Duration) {
	switch {
	case !long && longYields.Load() != 0:
		longYields.Store(0)
	case long && longYields.Add(1) > 1:
		longYields.Store(1) // after the calm one is enough
		noTryingUntil.Store(int64(now + calm))
	}
}

// A Spinner counts the tries of one wait. The zero Spinner is ready.
type Spinner struct {
	Most   int // how often to try; maxYields if zero
	yields int
}

// Again yields the processor and reports whether to try once more before going to
// sleep.
func (s *Spinner) Again() bool {
	s.yields++
	switch {
	case s.yields == 1:
		return first()
	case s.yields > max(s.Most, maxYields):
		return false
	}
	Yield()
	return true
}

// first looks how long the first yield takes: mostly the answer is there after it.
func first() bool {
	began := time.Since(processBegan)
	if began < time.Duration(noTryingUntil.Load()) {
		return false
	}
	Yield()
	now := time.Since(processBegan)
	tookLong(now-began > longYield, now)
	return true
}

// WaitFor sleeps until fd has one of the poll events, or after the deadline,
// unless that is zero, ETIMEDOUT.
func WaitFor(fd int, events int16, deadline time.Time) error {
	return WaitForAny([]unix.PollFd{{Fd: int32(fd), Events: events}}, deadline)
}

// WaitForAny is WaitFor for the first of several descriptors.
func WaitForAny(wanted []unix.PollFd, deadline time.Time) error {
	for {
		var left unix.Timespec
		timeout, err := until(deadline, &left)
		if err != nil {
			return err
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

// until sets left to the time until the deadline, and returns it for a system call: nil
// if there is no deadline. ETIMEDOUT: it has passed.
func until(deadline time.Time, left *unix.Timespec) (timeout *unix.Timespec, err error) {
	if deadline.IsZero() {
		return nil, nil
	}
	d := time.Until(deadline)
	if d <= 0 {
		return nil, syscall.ETIMEDOUT
	}
	*left = unix.NsecToTimespec(int64(d))
	return left, nil
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
