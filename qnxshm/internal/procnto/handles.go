//go:build linux

package procnto

import "syscall"

// Handle values. The opener reads from one whom to ask; the rest is random.
// Linux numbers processes below 1<<22.
const (
	handlePIDShift = 42
	handleRandom   = 1<<handlePIDShift - 1
	maxPID         = 1<<22 - 1
	allOnes        = ^uint64(0)
)

func makerOf(id uint64) int { return int(id >> handlePIDShift) }

// A window is a part of an object; size 0 is the whole object.
type window struct{ offset, size int64 }

// within returns the part of w that begins at offset, size bytes long, both
// relative to w. whole is the size of the object, which counts if w is the
// whole of it.
func (w window) within(offset, size, whole int64) (window, error) {
	limit := w.size
	if limit == 0 {
		limit = whole
	}
	if offset < 0 || size <= 0 || offset > limit || size > limit-offset {
		return window{}, syscall.EINVAL
	}
	return window{w.offset + offset, size}, nil
}

// A handle is one that this process made and that is not used up.
type handle struct {
	id        uint64
	access    int
	noFD      bool // can be mapped, but not become a descriptor
	recipient *recipient
	object    *anchor
	window    window

	// carrier is the connection on which the descriptor is on its way to the
	// recipient. It settles whether the handle was used.
	carrier *inbound
	// doomed handles are gone whatever happens to the transit.
	doomed bool
	// revoked handles must not be mapped by one who is just doing so.
	revoked bool

	prev, next *handle // the recipient's other handles
}

// A recipient is a process that handles were made for.
type recipient struct {
	pid   int
	start uint64 // when it began
	pidfd int    // readable once the process is gone; -1 for this process
	watch uint64
	first *handle
	count int
	idle  bool // had no handles at the last sweep
}

// A handleTable is the bookkeeping of the handles that this process made. It
// does no I/O; its user holds a lock.
type handleTable struct {
	handles    map[uint64]*handle
	recipients map[int]*recipient
	foreign    int // handles for other processes: those that must be served
}

// add enters h under an id that no other handle has, made of pid and what
// random returns.
func (t *handleTable) add(h *handle, pid int, random func() uint64) {
	for {
		h.id = uint64(pid)<<handlePIDShift | random()&handleRandom
		if t.handles[h.id] == nil && h.id != allOnes {
			break
		}
	}
	if t.handles == nil {
		t.handles = make(map[uint64]*handle)
	}
	t.handles[h.id] = h
	r := h.recipient
	if h.next = r.first; h.next != nil {
		h.next.prev = h
	}
	r.first = h
	r.count++
	if r.pid != pid {
		t.foreign++
	}
}

// remove takes h out: used, deleted, or without a recipient.
func (t *handleTable) remove(h *handle, self int) {
	delete(t.handles, h.id)
	r := h.recipient
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		r.first = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	}
	h.prev, h.next = nil, nil
	r.count--
	if r.pid != self {
		t.foreign--
	}
}

// find returns the handle id if it was made for pid.
func (t *handleTable) find(id uint64, pid int) (*handle, error) {
	h := t.handles[id]
	if h == nil || h.recipient.pid != pid || h.doomed {
		return nil, syscall.ESRCH
	}
	return h, nil
}

// permits checks what a request of that kind wants of the handle. To map takes
// reading, also when it is for writing.
func (h *handle) permits(kind frameKind, access int) error {
	if !covers(h.access, access) || h.noFD && kind == openRequest {
		return syscall.EACCES
	}
	return nil
}

// covers reports whether a descriptor or handle with mode have gives access
// want. Reading and writing gives every mode, the others only themselves.
func covers(have, want int) bool { return have == syscall.O_RDWR || have == want }

// accessMode checks that access is exactly one access mode.
func accessMode(access int) (int, error) {
	switch access {
	case syscall.O_RDONLY, syscall.O_WRONLY, syscall.O_RDWR:
		return access, nil
	}
	return 0, syscall.EINVAL
}
