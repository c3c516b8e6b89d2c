//go:build linux

package message

import "sync/atomic"

// The ring is written by the client's threads, one after the other, and read by the
// server's. What head and tail count goes round at 2^32.

// The fields of entry.what.
const (
	isPulse       = 1 << 31
	codeShift     = 8 // a pulse's code, 8 bits, above its priority
	priorityShift = 0 // 8 bits
)

func messageEntry(index int, generation uint32, priority int) entry {
	return entry{uint32(uint8(priority)) << priorityShift, generation, uint64(index)}
}

func pulseEntry(coid, priority, code int, value int64) entry {
	what := uint32(isPulse) | uint32(uint8(int8(code)))<<codeShift | uint32(uint8(priority))<<priorityShift
	return entry{what, uint32(coid), uint64(value)}
}

func (e entry) pulse() bool { return e.what&isPulse != 0 }

func (e entry) code() int { return int(int8(e.what >> codeShift)) }

func (e entry) priority() int { return int(uint8(e.what >> priorityShift)) }

// put enters something, if there is room. Its caller is the only one that does. It
// reports whether the server wants to be rung.
func (s *shared) put(e entry) (ok, ring bool) {
	head := s.head.Load()
	if head-s.tail.Load() >= ringEntries {
		return false, false
	}
	to := &s.ring[head%ringEntries]
	atomic.StoreUint32(&to.what, e.what)
	atomic.StoreUint32(&to.which, e.which)
	atomic.StoreUint64(&to.value, e.value)
	s.head.Store(head + 1)
	return true, s.bell.Load() != 0 && s.bell.Swap(0) != 0
}

// waiting is how much there is to take from tail on, and whether that is possible.
func (s *shared) waiting(tail uint32) (n uint32, ok bool) {
	n = s.head.Load() - tail
	return n, n <= ringEntries
}

// at returns an entry.
func (s *shared) at(i uint32) entry {
	from := &s.ring[i%ringEntries]
	return entry{atomic.LoadUint32(&from.what), atomic.LoadUint32(&from.which), atomic.LoadUint64(&from.value)}
}

// The host has no priorities of threads; this is what one of QNX has by default.
const defaultPriority = 10
