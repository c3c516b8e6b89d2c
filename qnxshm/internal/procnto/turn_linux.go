package procnto

import (
	"runtime"
	"time"
)

// A turn is how long a goroutine has had a processor. One that passes messages
// blocks in system calls, of which Go's scheduler is not told, so to it the
// goroutine seems to run without a pause. After 10 ms the scheduler then takes
// the processor away in the middle of a call, and watches the process closely,
// with a thread that wakes every 20 µs and more, which costs as much as the
// messages do. Passing through the scheduler before that keeps it calm, and
// lets other goroutines run.
type turn struct {
	calls uint32
	began time.Time
}

const (
	turnTime = 4 * time.Millisecond
	// The clock is read once in so many calls.
	turnCalls = 16
)

// pass is called for each message.
func (t *turn) pass() {
	if t.calls++; t.calls%turnCalls != 0 {
		return
	}
	if now := time.Now(); now.Sub(t.began) > turnTime {
		runtime.Gosched()
		t.began = now
	}
}
