//go:build linux

package procnto

import (
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
)

// The life of a handle.
//
// It is made by CreateHandle, for one recipient, and is unused. A request of that
// process to open it puts it in transit: the descriptor is on its way, on the
// connection that is the handle's carrier. It is used up when the opener has taken
// the descriptor (a Map: when it has claimed its mapping), and unused again when
// the opener refuses, or its connection ends before. It also ends by DeleteHandle,
// by Revoke, with its recipient and with its maker. What ends a handle in transit
// makes it doomed: whatever becomes of the transit, nobody can use it again.
//
// This is the bookkeeping: no I/O, no lock of its own.

// Handle values. The opener reads from one whom to ask; the rest is random.
// Linux numbers processes below 1<<22.
const (
	handlePIDShift = 42
	handleRandom   = 1<<handlePIDShift - 1
	allOnes        = ^uint64(0)
)

// MakerOf returns the process that made a handle, as the handle says.
func MakerOf(id uint64) int { return int(id >> handlePIDShift) }

// A handle is one that this process made and that is not used up.
type handle struct {
	id          uint64
	recipient   *recipient
	anchor      *anchor
	window      memory.Window
	transit     *transit // on its way to the recipient
	ofRecipient siblings // the recipient's other handles
	ofAnchor    siblings // the other handles of the anchor
	access      int8
	noFD        bool // can be mapped, but not become a descriptor
	doomed      bool
	revoked     bool // must not be mapped by one who is just doing so
}

type siblings struct{ prev, next *handle }

// A recipient is the process that handles are made for.
type recipient struct {
	pid   int
	pidfd int // readable once it is gone; linux.NoFD for this process
	first *handle
	count int
}

// An object is one that handles were made of.
type object struct {
	key    memory.Key
	origin memory.Origin
	first  *anchor
}

// An anchor keeps an object alive for the unused handles of it: a duplicate of
// the descriptor they were made from.
type anchor struct {
	anchorKey
	object     *object
	fd         int
	refs       int // handles, and who is just using it
	first      *handle
	prev, next *anchor // of the object
}

type anchorKey struct {
	key    memory.Key
	tag    uint64 // of a window's descriptor
	access int
}

// A transit is what a connection carries: a handle whose descriptor was sent and
// perhaps not taken yet.
type transit struct {
	handle  *handle // nil if there is none
	mapping bool    // it ends with a claim, not with the descriptor
	carrier carrier
}

// A carrier is a connection that can find out what became of its transit.
type carrier interface {
	// settle reports whether that is still open. Without wait it says so too
	// when another thread is busy with the connection.
	settle(wait bool) (open bool)
}

// A handleTable has the handles that this process made.
type handleTable struct {
	handles  map[uint64]*handle
	objects  map[memory.Key]*object
	anchors  map[anchorKey]*anchor
	transits map[*transit]struct{}
	spare    *handle // ended handles, linked by ofRecipient.next
}

// newHandle returns a zero handle.
func (t *handleTable) newHandle() *handle {
	h := t.spare
	if h == nil {
		return new(handle)
	}
	t.spare = h.ofRecipient.next
	*h = handle{}
	return h
}

// add enters h under an id that no other handle has, made of pid and what
// random returns.
func (t *handleTable) add(h *handle, pid int, random func() uint64) {
	for {
		h.id = uint64(pid)<<handlePIDShift | random()&handleRandom
		if h.id != allOnes && t.handles[h.id] == nil {
			break
		}
	}
	if t.handles == nil {
		t.handles = make(map[uint64]*handle)
	}
	t.handles[h.id] = h
	r, a := h.recipient, h.anchor
	if h.ofRecipient.next = r.first; r.first != nil {
		r.first.ofRecipient.prev = h
	}
	r.first = h
	r.count++
	if h.ofAnchor.next = a.first; a.first != nil {
		a.first.ofAnchor.prev = h
	}
	a.first = h
}

// remove takes h out: used, deleted, or without a recipient. h is nobody's
// afterwards.
func (t *handleTable) remove(h *handle) {
	if h.transit != nil {
		t.endTransit(h.transit)
	}
	delete(t.handles, h.id)
	r, a := h.recipient, h.anchor
	if h.ofRecipient.prev != nil {
		h.ofRecipient.prev.ofRecipient.next = h.ofRecipient.next
	} else {
		r.first = h.ofRecipient.next
	}
	if h.ofRecipient.next != nil {
		h.ofRecipient.next.ofRecipient.prev = h.ofRecipient.prev
	}
	r.count--
	if h.ofAnchor.prev != nil {
		h.ofAnchor.prev.ofAnchor.next = h.ofAnchor.next
	} else {
		a.first = h.ofAnchor.next
	}
	if h.ofAnchor.next != nil {
		h.ofAnchor.next.ofAnchor.prev = h.ofAnchor.prev
	}
	*h = handle{}
	h.ofRecipient.next = t.spare
	t.spare = h
}

// find returns the handle id if it was made for r.
func (t *handleTable) find(id uint64, r *recipient) (*handle, error) {
	h := t.handles[id]
	if h == nil || h.recipient != r || h.doomed {
		return nil, syscall.ESRCH
	}
	return h, nil
}

// addAnchor enters an anchor of a descriptor, which has one use.
func (t *handleTable) addAnchor(key anchorKey, origin memory.Origin, fd int) *anchor {
	o := t.objects[key.key]
	if o == nil {
		o = &object{key: key.key, origin: origin}
		if t.objects == nil {
			t.objects = make(map[memory.Key]*object)
			t.anchors = make(map[anchorKey]*anchor)
		}
		t.objects[o.key] = o
	}
	a := &anchor{anchorKey: key, object: o, fd: fd, refs: 1, next: o.first}
	if o.first != nil {
		o.first.prev = a
	}
	o.first = a
	t.anchors[key] = a
	return a
}

// dropAnchor ends one use of an anchor, and reports whether it was the last one:
// then the descriptor is not needed any more.
func (t *handleTable) dropAnchor(a *anchor) (last bool) {
	if a.refs--; a.refs > 0 {
		return false
	}
	delete(t.anchors, a.anchorKey)
	o := a.object
	if a.prev != nil {
		a.prev.next = a.next
	} else {
		o.first = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	}
	if o.first == nil {
		delete(t.objects, o.key)
	}
	return true
}

// beginTransit puts h in transit.
func (t *handleTable) beginTransit(tr *transit, h *handle, mapping bool) {
	tr.handle, tr.mapping, h.transit = h, mapping, tr
	if t.transits == nil {
		t.transits = make(map[*transit]struct{})
	}
	t.transits[tr] = struct{}{}
}

// endTransit lets go of the handle on its way.
func (t *handleTable) endTransit(tr *transit) {
	if h := tr.handle; h != nil {
		h.transit, tr.handle = nil, nil
		delete(t.transits, tr)
	}
}

// permits checks what a request wants of the handle. To map takes reading, also
// when it is for writing.
func (h *handle) permits(mapping bool, access int) error {
	if !covers(int(h.access), access) || h.noFD && !mapping {
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
