//go:build linux

package memory

import (
	"math/rand/v2"
	"unsafe"
)

// A mappedRange is memory from start up to end, whole pages, of which this
// process must know whose it is. It is in a rangeTree, and, while it can be taken
// away, in the list of its object.
type mappedRange struct {
	base       unsafe.Pointer // what was mapped together with it begins here
	start, end uintptr
	object     *mappedObject // nil once it was revoked
	prev, next *mappedRange  // of the object

	left, right *mappedRange // those below and above
	rank        uint32       // above those of both
}

func (r *mappedRange) pointer() unsafe.Pointer { return unsafe.Add(r.base, r.start-uintptr(r.base)) }

func (r *mappedRange) revoked() bool { return r.object == nil }

// above cuts r in two at an address, and returns the part from there on.
func (r *mappedRange) above(at uintptr) *mappedRange {
	a := &mappedRange{base: r.base, start: at, end: r.end, rank: rand.Uint32()}
	r.end = at
	if r.object != nil {
		r.object.link(a)
	}
	return a
}

// A rangeTree has ranges that do not overlap, by address. It is a treap: as a
// search tree by address, and a heap by random ranks, it is about as deep as a
// balanced one. All operations take logarithmic time.
type rangeTree struct{ root *mappedRange }

// first returns the lowest range with memory from start up to end, nil if there
// is none.
func (t *rangeTree) first(start, end uintptr) (r *mappedRange) {
	for n := t.root; n != nil; {
		if n.end > start {
			r, n = n, n.left
		} else {
			n = n.right
		}
	}
	if r != nil && r.start < end {
		return r
	}
	return nil
}

// insert enters a range where there is none.
func (t *rangeTree) insert(r *mappedRange) {
	below, above := split(t.root, r.start)
	t.root = merge(merge(below, r), above)
}

// take removes what there is from start up to end, cutting ranges that reach
// beyond, and returns a tree of that.
func (t *rangeTree) take(start, end uintptr) (taken rangeTree) {
	t.cut(start)
	t.cut(end)
	below, rest := split(t.root, start)
	taken.root, rest = split(rest, end)
	t.root = merge(below, rest)
	return taken
}

// cut makes two ranges of one with memory on both sides of an address.
func (t *rangeTree) cut(at uintptr) {
	if r := t.first(at, at+1); r != nil && r.start < at {
		t.insert(r.above(at))
	}
}

// each calls f for every range, from the lowest on.
func (t *rangeTree) each(f func(*mappedRange)) {
	var walk func(*mappedRange)
	walk = func(r *mappedRange) {
		if r != nil {
			walk(r.left)
			f(r)
			walk(r.right)
		}
	}
	walk(t.root)
}

// split parts a tree into what begins below an address, and what does not.
func split(r *mappedRange, at uintptr) (below, above *mappedRange) {
	switch {
	case r == nil:
		return nil, nil
	case r.start < at:
		r.right, above = split(r.right, at)
		return r, above
	}
	below, r.left = split(r.left, at)
	return below, r
}

// merge joins two trees, the first of which is below the other.
func merge(below, above *mappedRange) *mappedRange {
	switch {
	case below == nil:
		return above
	case above == nil:
		return below
	case below.rank > above.rank:
		below.right = merge(below.right, above)
		return below
	}
	above.left = merge(below, above.left)
	return above
}

// An objectID is an object and who may revoke it.
type objectID struct {
	key    Key
	origin Origin
}

// A mappedObject is an object with the ranges of it that can be taken away.
type mappedObject struct {
	id    objectID
	first *mappedRange
}

func (o *mappedObject) link(r *mappedRange) {
	r.object, r.prev, r.next = o, nil, o.first
	if o.first != nil {
		o.first.prev = r
	}
	o.first = r
}
