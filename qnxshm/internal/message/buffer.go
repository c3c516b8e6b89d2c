//go:build linux

package message

import "sync/atomic"

// A buffer is memory for large messages, mapped for as long as anybody uses it.
type buffer struct {
	number uint32
	mem    []byte
	uses   atomic.Int32
}

func newBuffer(number uint32, mem []byte) *buffer {
	b := &buffer{number: number, mem: mem}
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
		unmap(b.mem)
	}
}
