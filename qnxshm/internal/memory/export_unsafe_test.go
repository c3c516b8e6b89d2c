//go:build linux

package memory

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Table is a mappingTable of memory that nobody touches, but which is there: Go
// takes any other address for its own.
type Table struct {
	t    mappingTable
	base unsafe.Pointer
}

// NewTable returns one with room for so many pages. The function returned gives
// them back.
func NewTable(pages int) (t *Table, end func(), err error) {
	size := uintptr(pages) * uintptr(pageSize)
	base, err := unix.MmapPtr(-1, 0, nil, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	return &Table{base: base}, func() { unix.MunmapPtr(base, size) }, err
}

// Base is the address of the first page.
func (t *Table) Base() uintptr { return uintptr(t.base) }

// A Range is what a table knows of some memory.
type Range struct {
	Start, End uintptr
	Object     uint64
	Revoked    bool
}

func idOf(object uint64) objectID { return objectID{key: Key{Ino: object}} }

// Add enters whole pages.
func (t *Table) Add(object uint64, start uintptr, length uint64) {
	t.t.add(idOf(object), unsafe.Add(t.base, start-t.Base()), length)
}

// Forget is what Munmap does to the table.
func (t *Table) Forget(start uintptr, length uint64) {
	t.t.change(start, length, func() error { return nil })
}

// Revoke is what Revoke does to the table, where every replacement works.
func (t *Table) Revoke(object uint64) (n int) {
	o := t.t.objects[idOf(object)]
	for o != nil && o.first != nil {
		t.t.unlink(o.first)
		n++
	}
	return n
}

// HasRevoked reports whether some of the memory was revoked.
func (t *Table) HasRevoked(start, end uintptr) bool { return t.t.hasRevoked(start, end) }

// Known reports whether the table knows some of the memory.
func (t *Table) Known(start, end uintptr) bool { return t.t.ranges.first(start, end) != nil }

// Ranges are all, by address.
func (t *Table) Ranges() (all []Range) {
	t.t.ranges.each(func(r *mappedRange) {
		x := Range{Start: r.start, End: r.end, Revoked: r.revoked()}
		if r.object != nil {
			x.Object = r.object.id.key.Ino
		}
		all = append(all, x)
	})
	return all
}

// Listed are the ranges that the objects list, in no order.
func (t *Table) Listed() (all []Range) {
	for id, o := range t.t.objects {
		var prev *mappedRange
		for r := o.first; r != nil; prev, r = r, r.next {
			if r.prev != prev || r.object != o {
				panic("the list of an object is broken")
			}
			all = append(all, Range{Start: r.start, End: r.end, Object: id.key.Ino})
		}
		if o.first == nil {
			panic("an object without ranges")
		}
	}
	return all
}

// Depth is that of the tree.
func (t *Table) Depth() int {
	var depth func(*mappedRange) int
	depth = func(r *mappedRange) int {
		if r == nil {
			return 0
		}
		return 1 + max(depth(r.left), depth(r.right))
	}
	return depth(t.t.ranges.root)
}

// MappedRanges is how many ranges this process knows.
func MappedRanges() (n int) {
	mappings.mu.Lock()
	defer mappings.mu.Unlock()
	mappings.ranges.each(func(*mappedRange) { n++ })
	return n
}
