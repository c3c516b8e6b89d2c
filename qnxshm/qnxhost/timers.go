//go:build linux && cgo

package qnxhost

/*
#include <stdint.h>
*/
import "C"

import (
	"math"
	"runtime/cgo"
	"sync"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/message"
)

// A pulseTimer sends a pulse whenever it expires.
type pulseTimer struct {
	coid, priority, code int
	value                int64

	mu       sync.Mutex
	timer    *time.Timer
	next     time.Time // zero while the timer is stopped
	interval time.Duration
	overrun  int // pulses of the last expiration that could not be sent
}

// fire is called when the timer expires, and perhaps once more after it was set
// anew. Each expiration sends a pulse, also when several are due by now.
func (t *pulseTimer) fire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	late := time.Since(t.next)
	if t.next.IsZero() || late < 0 {
		return
	}
	due := 1
	if t.interval > 0 {
		due += int(late / t.interval)
		t.next = t.next.Add(time.Duration(due) * t.interval)
		t.timer.Reset(time.Until(t.next))
	} else {
		t.next = time.Time{}
	}
	for t.overrun = due; t.overrun > 0; t.overrun-- {
		if message.MsgSendPulse(t.coid, t.priority, t.code, t.value) != nil {
			return
		}
	}
}

func (t *pulseTimer) set(first, interval time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
	t.next, t.interval, t.overrun = time.Time{}, interval, 0
	if first > 0 {
		t.next = time.Now().Add(first)
		t.timer = time.AfterFunc(first, t.fire)
	}
}

func (t *pulseTimer) get() (left, interval time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next.IsZero() {
		return 0, t.interval
	}
	return max(time.Until(t.next), 1), t.interval
}

func (t *pulseTimer) missed() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.overrun
}

func pulseTimerOf(timer C.uintptr_t) *pulseTimer { return cgo.Handle(timer).Value().(*pulseTimer) }

//export qnxhost_go_timer_create
func qnxhost_go_timer_create(coid, priority, code C.int, value C.int64_t, timer *C.uintptr_t) C.int {
	// A process with a connection can have timers of the Go runtime.
	if server, err := message.ConnectServerInfo(int(coid)); err != nil || server.COID != int(coid) || priority < -1 || priority > 255 || code < math.MinInt8 || code > math.MaxInt8 {
		return C.int(syscall.EINVAL)
	}
	t := &pulseTimer{coid: int(coid), priority: int(priority), code: int(code), value: int64(value)}
	*timer = C.uintptr_t(cgo.NewHandle(t))
	return 0
}

//export qnxhost_go_timer_delete
func qnxhost_go_timer_delete(timer C.uintptr_t) {
	pulseTimerOf(timer).set(0, 0)
	cgo.Handle(timer).Delete()
}

//export qnxhost_go_timer_set
func qnxhost_go_timer_set(timer C.uintptr_t, first, interval C.int64_t) {
	pulseTimerOf(timer).set(time.Duration(first), time.Duration(interval))
}

//export qnxhost_go_timer_get
func qnxhost_go_timer_get(timer C.uintptr_t, left, interval *C.int64_t) {
	l, i := pulseTimerOf(timer).get()
	*left, *interval = C.int64_t(l), C.int64_t(i)
}

//export qnxhost_go_timer_overrun
func qnxhost_go_timer_overrun(timer C.uintptr_t) C.int {
	return C.int(min(pulseTimerOf(timer).missed(), math.MaxInt32))
}
