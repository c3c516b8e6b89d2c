//go:build linux

package message

import "sync/atomic"

// A word32 is a word of the memory that both sides see.
//
// Who stores a word and then looks at another one, such as a thread that says how it
// sleeps and looks once more, relies on the store being seen first. One of package
// atomic is a barrier for that, but not in a program with the race detector: of memory
// that is not Go's that makes a plain store, which the processor may delay until after
// the load. A swap is a barrier always, and on most processors the same instruction.
type word32 struct{ atomic.Uint32 }

func (w *word32) Store(v uint32) { w.Swap(v) }

// A word64 is a word32 of 64 bits.
type word64 struct{ atomic.Uint64 }

func (w *word64) Store(v uint64) { w.Swap(v) }
