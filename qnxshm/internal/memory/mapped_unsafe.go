//go:build linux

package memory

import (
	"math/rand/v2"
	"sync"
	"unsafe"
)

// mappings are this process's mappings of revocable objects: those that can be
// taken away, and those that were.
var mappings mappingTable

// A mappingTable knows mappings by address and by object. What a call costs
// depends on the mappings that it is about, and hardly on how many others there
// are.
//
// Its lock is held around a system call that changes mappings which the table
// knows: else a revocation could replace memory that by then is something else,
// or make one half of a change undone. Of other memory the table only says that
// it does not know it. None of these calls waits for another process, but for a
// lock of the kernel's own.
type mappingTable struct {
	mu      sync.Mutex
	ranges  rangeTree
	objects map[objectID]*mappedObject // with mappings that were not revoked
}

// unlink takes a range from its object, if it has one.
func (t *mappingTable) unlink(r *mappedRange) {
	o := r.object
	if o == nil {
		return
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	if r.prev != nil {
		r.prev.next = r.next
	} else if o.first = r.next; o.first == nil {
		delete(t.objects, o.id)
	}
	r.object, r.prev, r.next = nil, nil, nil
}

// add remembers a new mapping. What is known of its addresses was unmapped by
// other means than this module.
func (t *mappingTable) add(id objectID, p unsafe.Pointer, length uint64) {
	start := uintptr(p)
	r := &mappedRange{base: p, start: start, end: endOf(start, length), rank: rand.Uint32()}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(r.start, r.end)
	o := t.objects[id]
	if o == nil {
		if t.objects == nil {
			t.objects = make(map[objectID]*mappedObject)
		}
		o = &mappedObject{id: id}
		t.objects[id] = o
	}
	o.link(r)
	t.ranges.insert(r)
}

// endOf is the end of the last page of memory at start.
func endOf(start uintptr, length uint64) uintptr {
	page := uintptr(pageSize)
	return (start + uintptr(length) + page - 1) &^ (page - 1)
}

// change runs f, which changes what is mapped from start on, and forgets what
// was there.
func (t *mappingTable) change(start uintptr, length uint64, f func() error) error {
	end := endOf(start, length)
	t.mu.Lock()
	if t.ranges.first(start, end) == nil {
		// Nobody can make this memory known before f has given it up.
		t.mu.Unlock()
		return f()
	}
	defer t.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	t.forget(start, end)
	return nil
}

// protect runs f, which changes the protection of memory, unless some of it was
// revoked, and reports whether it was.
func (t *mappingTable) protect(start uintptr, length uint64, f func() error) (revoked bool, err error) {
	end := endOf(start, length)
	t.mu.Lock()
	if t.ranges.first(start, end) == nil {
		t.mu.Unlock()
		return false, f()
	}
	defer t.mu.Unlock()
	if t.hasRevoked(start, end) {
		return true, nil
	}
	return false, f()
}

// forget drops what is known of the memory from start to end.
func (t *mappingTable) forget(start, end uintptr) {
	if t.ranges.first(start, end) != nil {
		gone := t.ranges.take(start, end)
		gone.each(t.unlink)
	}
}

func (t *mappingTable) hasRevoked(start, end uintptr) bool {
	for r := t.ranges.first(start, end); r != nil; r = t.ranges.first(r.end, end) {
		if r.revoked() {
			return true
		}
	}
	return false
}

// Revoke takes this process's mappings of an object away, if they are of that
// origin, and reports whether none is left. A mapping that is being made at the
// same time is one that was made afterwards.
func Revoke(key Key, o Origin) (all bool) {
	t := &mappings
	t.mu.Lock()
	defer t.mu.Unlock()
	object := t.objects[objectID{key, o}]
	if object == nil {
		return true
	}
	for r := object.first; r != nil; {
		next := r.next
		if replaceByNothing(r.pointer(), r.end-r.start) == nil {
			t.unlink(r)
		}
		r = next
	}
	return object.first == nil
}

// Mapped reports whether a mapping of an object that was not revoked is left.
func Mapped(key Key, o Origin) bool {
	t := &mappings
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.objects[objectID{key, o}] != nil
}

// Revoked reports whether the memory at p was taken away.
func Revoked(p unsafe.Pointer) bool {
	t := &mappings
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hasRevoked(uintptr(p), uintptr(p)+1)
}
