// Package gate lets many users into a resource and lets its owner close it
// safely: after Close nobody gets in, and Close returns only when the last one
// inside has left.
package gate

import (
	"sync"
	"sync/atomic"
)

const closed = 1 << 62

// A Gate counts the users inside. The zero Gate is open.
type Gate struct {
	state atomic.Int64 // users inside, plus closed once Close was called
	once  sync.Once
	empty chan struct{} // made before closed is set, unless nobody is inside
	last  func()        // of Shut, set before closed is
	left  sync.Once     // runs last
}

// Enter lets the caller in, to be followed by Leave, or reports that the gate
// is closed.
func (g *Gate) Enter() bool {
	return g.state.Add(1)&closed == 0 || g.turnAway()
}

// Leave ends what a successful Enter began.
func (g *Gate) Leave() {
	if g.state.Add(-1) == closed {
		g.tell()
	}
}

// turnAway and tell are apart so that Enter and Leave can be inlined: they are
// on the path of every guarded access to memory.
func (g *Gate) turnAway() bool {
	g.Leave()
	return false
}

// tell lets Close know that the last one has left, or does what Shut was given for that.
func (g *Gate) tell() {
	if g.last != nil {
		g.left.Do(g.last)
		return
	}
	select {
	case g.empty <- struct{}{}:
	default: // an Enter that was turned away; Close has been told
	}
}

// Close shuts the gate. The first call runs wake (unless nil), which must make
// the users inside leave, waits until they have, and returns true. Every other
// call waits for the first one and returns false.
func (g *Gate) Close(wake func()) (first bool) {
	g.once.Do(func() {
		first = true
		inside := !g.state.CompareAndSwap(0, closed)
		if inside {
			g.empty = make(chan struct{}, 1)
			inside = g.state.Add(closed) != closed
		}
		if wake != nil {
			wake()
		}
		if inside {
			<-g.empty
		}
	})
	return first
}

// Shut is Close that does not wait: whoever leaves last runs last, which may be Shut
// itself. It returns false if the gate was closed before.
func (g *Gate) Shut(wake, last func()) (first bool) {
	g.once.Do(func() {
		first = true
		g.last = last
		g.state.Add(closed + 1)
		wake()
		g.Leave()
	})
	return first
}

// Closed reports whether Close or Shut was called. Whoever is inside and was woken
// learns by it why.
func (g *Gate) Closed() bool { return g.state.Load()&closed != 0 }
