//go:build linux

package memory

import "syscall"

// A Window is a part of an object; Size 0 is the whole object.
type Window struct{ Offset, Size int64 }

// Within returns the part of w that begins at offset, size bytes long, both
// relative to w. whole is the size of the object, which counts if w is the
// whole of it.
func (w Window) Within(offset, size, whole int64) (Window, error) {
	limit := w.Size
	if limit == 0 {
		limit = whole
	}
	if offset < 0 || size <= 0 || offset > limit || size > limit-offset {
		return Window{}, syscall.EINVAL
	}
	return Window{w.Offset + offset, size}, nil
}

// valid reports whether w can be a window of any object.
func (w Window) valid() bool {
	return w.Offset >= 0 && w.Size >= 0 && w.Offset%pageSize == 0 && w.Size%pageSize == 0 &&
		(w.Size != 0 || w.Offset == 0) && w.Offset+w.Size >= w.Offset
}
