//go:build linux

package procnto

import (
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// What the tests, which are outside of the package, need of its inside.

const (
	SettleIn      = settleIn
	RevokeTimeout = revokeTimeout
)

// LookForDead lets a Revoke look for dead processes after a time of the test's. The
// function returned ends that.
func LookForDead(after time.Duration) (end func()) {
	before := lookForDead
	lookForDead = after
	return func() { lookForDead = before }
}

// IsSocketOf is isSocketOf.
var IsSocketOf = isSocketOf

// UnusedHandles is the number of handles of this process.
func UnusedHandles() int {
	tables.lock()
	defer tables.unlock()
	return len(handles.handles)
}

// Registrations is how much this process remembers of who has its objects.
func Registrations() int {
	tables.lock()
	defer tables.unlock()
	n := len(sharings) + len(waits)
	for l := range links {
		n += len(l.sharings)
	}
	return n
}

// Demands is how many processes have not even read a revocation that they were
// sent.
func Demands() (n int) {
	tables.lock()
	var owing []*link
	for l := range links {
		if len(l.owed) > 0 {
			owing = append(owing, l)
		}
	}
	tables.unlock()
	for _, l := range owing {
		c := l.conn
		c.mu.Lock()
		if c.fd >= 0 && wire.UnreadBy(c.fd) {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

// Owed is how many revocations processes are remembered to owe.
func Owed() (n int) {
	tables.lock()
	defer tables.unlock()
	for l := range links {
		n += len(l.owed)
	}
	return n
}

// ForgetShared forgets at once who has had objects that are no more.
func ForgetShared() {
	tables.lock()
	sweepAt = 0
	tables.unlock()
	sweepSharings()
	tables.lock()
	sweepAt = 64 // also when links are about to end
	tables.unlock()
}

// Register is register.
var Register = register

// EndLinks ends all links of other processes, as if they had been lost.
func EndLinks() {
	tables.lock()
	ended := make([]*Conn, 0, len(links))
	for l := range links {
		ended = append(ended, l.conn)
	}
	tables.unlock()
	for _, c := range ended {
		c.Close()
	}
}

// Mappers is how many processes are registered for objects of this one.
func Mappers() (n int) {
	tables.lock()
	defer tables.unlock()
	for _, s := range sharings {
		n += len(s.mappers)
	}
	return n
}

// Exchange sends a frame and returns the next one that comes.
func (c *Outbound) Exchange(f wire.Frame) (wire.Frame, error) {
	r, err := c.exchange(f, 0)
	return r.Frame, err
}
