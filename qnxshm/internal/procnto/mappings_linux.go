package procnto

import (
	"sync"
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
	start, end uintptr
	revoked    bool
}

func (t *mappingTable) add(r mappedRange) {
	t.mu.Lock()
	defer t.mu.Unlock()
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
	return nil
}

// revoke takes the mappings of an object away.
func (t *mappingTable) revoke(key objectKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.ranges {
		r := &t.ranges[i]
		if r.key == key && !r.revoked && replaceByNothing(r.start, r.end) == nil {
			r.revoked = true
		}
	}
}

// isRevoked reports whether any of the memory from start to end was taken away.
func (t *mappingTable) isRevoked(start, end uintptr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
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
