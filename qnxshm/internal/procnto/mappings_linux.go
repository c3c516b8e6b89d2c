package procnto

import (
	"sync"
	"unsafe"
)

// mappings are this process's mappings of revocable objects: those that can be
// taken away.
var mappings mappingTable

type mappingTable struct {
	mu     sync.Mutex
	ranges []mappedRange
}

// A mappedRange is memory from start up to end, whole pages.
type mappedRange struct {
	key        objectKey
	creator    creator
	base       unsafe.Pointer // what was mapped together with it begins here
	start, end uintptr
	revoked    bool
}

func (r *mappedRange) pointer() unsafe.Pointer { return unsafe.Add(r.base, r.start-uintptr(r.base)) }

// add remembers a new mapping. What is known of its addresses was unmapped by
// other means than this module.
func (t *mappingTable) add(r mappedRange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(r.start, r.end)
	t.ranges = append(t.ranges, r)
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
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hasRevoked(start, endOf(start, length)) {
		return true, nil
	}
	return false, f()
}

// forget drops what is known of the memory from start to end.
func (t *mappingTable) forget(start, end uintptr) {
	var rest []mappedRange
	kept := t.ranges[:0]
	for _, r := range t.ranges {
		if r.end <= start || end <= r.start {
			kept = append(kept, r)
			continue
		}
		if r.start < start {
			below := r
			below.end = start
			rest = append(rest, below)
		}
		if end < r.end {
			above := r
			above.start = end
			rest = append(rest, above)
		}
	}
	clear(t.ranges[len(kept):])
	t.ranges = append(kept, rest...)
}

// revoke takes the mappings of an object away for its creator, and reports
// whether none is left.
func (t *mappingTable) revoke(key objectKey, by creator) (all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all = true
	for i := range t.ranges {
		r := &t.ranges[i]
		if r.key == key && r.creator == by && !r.revoked {
			r.revoked = replaceByNothing(r.pointer(), r.end-r.start) == nil
			all = all && r.revoked
		}
	}
	return all
}

// isRevoked reports whether any of the memory from start to end was taken away.
func (t *mappingTable) isRevoked(start, end uintptr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hasRevoked(start, end)
}

func (t *mappingTable) hasRevoked(start, end uintptr) bool {
	for _, r := range t.ranges {
		if r.revoked && r.start < end && start < r.end {
			return true
		}
	}
	return false
}

// uses reports whether a mapping of an object of by is left.
func (t *mappingTable) uses(by creator) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.ranges {
		if r.creator == by && !r.revoked {
			return true
		}
	}
	return false
}

// objects returns those that mappings are left of.
func (t *mappingTable) objects() map[objectKey]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := make(map[objectKey]bool)
	for _, r := range t.ranges {
		if !r.revoked {
			keys[r.key] = true
		}
	}
	return keys
}
