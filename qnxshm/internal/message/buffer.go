//go:build linux

package message

import "sync/atomic"

// A buffer is memory for large messages, mapped for as long as anybody uses it.
type buffer struct {
	mapped
	number uint32
	uses   atomic.Int32
}

func newBuffer(number uint32, m mapped) *buffer {
	b := &buffer{mapped: m, number: number}
	b.uses.Store(1)
	return b
}

func (b *buffer) use() {
	if b != nil {
		b.uses.Add(1)
	}
}

func (b *buffer) drop() {
	if b != nil && b.uses.Add(-1) == 0 {
		b.release()
	}
}
