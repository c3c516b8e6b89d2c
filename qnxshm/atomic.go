package qnxshm

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// Words of a Mapping that processes read and change at the same time: flags,
// counters, positions in a ring. They are sequentially consistent, as those of
// package sync/atomic and C's atomic_load, atomic_store, atomic_fetch_add and
// atomic_compare_exchange_strong are, in the byte order of the machine. The C
// side declares the word _Atomic uint32_t or _Atomic uint64_t.
//
// With the race detector a store of package atomic to memory that is not Go's is a
// plain one. It is in order all the same, as leaving the mapping is a barrier.

// LoadUint32 reads the word at offset off, a multiple of 4.
//
// It never crashes, but for one case: in a program built with the race detector,
// which makes the access in C, a word that is taken away in the very moment of the
// call ends the program. Errors, also of the other calls for words:
//
//	EINVAL  the word is not aligned, or does not lie within the mapping
//	EACCES  the call may write, and the mapping is ReadOnly
//
// or one that matches [ErrTruncated], [ErrRevoked] or [os.ErrClosed].
func (m *Mapping) LoadUint32(off int64) (v uint32, err error) {
	p, err := word[uint32](m, "LoadUint32", off, ReadOnly)
	if err != nil {
		return 0, err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return atomic.LoadUint32(p), nil
}

// LoadUint64 reads the word at offset off, a multiple of 8.
//
// Errors are those of LoadUint32.
func (m *Mapping) LoadUint64(off int64) (v uint64, err error) {
	p, err := word[uint64](m, "LoadUint64", off, ReadOnly)
	if err != nil {
		return 0, err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return atomic.LoadUint64(p), nil
}

// StoreUint32 writes the word at offset off, a multiple of 4.
//
// Errors are those of LoadUint32.
func (m *Mapping) StoreUint32(off int64, v uint32) (err error) {
	p, err := word[uint32](m, "StoreUint32", off, ReadWrite)
	if err != nil {
		return err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	atomic.StoreUint32(p, v)
	return nil
}

// StoreUint64 writes the word at offset off, a multiple of 8.
//
// Errors are those of LoadUint32.
func (m *Mapping) StoreUint64(off int64, v uint64) (err error) {
	p, err := word[uint64](m, "StoreUint64", off, ReadWrite)
	if err != nil {
		return err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	atomic.StoreUint64(p, v)
	return nil
}

// AddUint32 adds delta to the word at offset off, a multiple of 4, and returns
// the sum. To subtract n, add ^uint32(n-1).
//
// Errors are those of LoadUint32.
func (m *Mapping) AddUint32(off int64, delta uint32) (sum uint32, err error) {
	p, err := word[uint32](m, "AddUint32", off, ReadWrite)
	if err != nil {
		return 0, err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return atomic.AddUint32(p, delta), nil
}

// AddUint64 adds delta to the word at offset off, a multiple of 8, and returns
// the sum. To subtract n, add ^uint64(n-1).
//
// Errors are those of LoadUint32.
func (m *Mapping) AddUint64(off int64, delta uint64) (sum uint64, err error) {
	p, err := word[uint64](m, "AddUint64", off, ReadWrite)
	if err != nil {
		return 0, err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return atomic.AddUint64(p, delta), nil
}

// CompareAndSwapUint32 writes the word at offset off, a multiple of 4, if it is
// old, and reports whether it was.
//
// Errors are those of LoadUint32.
func (m *Mapping) CompareAndSwapUint32(off int64, old, v uint32) (swapped bool, err error) {
	p, err := word[uint32](m, "CompareAndSwapUint32", off, ReadWrite)
	if err != nil {
		return false, err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return atomic.CompareAndSwapUint32(p, old, v), nil
}

// CompareAndSwapUint64 writes the word at offset off, a multiple of 8, if it is
// old, and reports whether it was.
//
// Errors are those of LoadUint32.
func (m *Mapping) CompareAndSwapUint64(off int64, old, v uint64) (swapped bool, err error) {
	p, err := word[uint64](m, "CompareAndSwapUint64", off, ReadWrite)
	if err != nil {
		return false, err
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return atomic.CompareAndSwapUint64(p, old, v), nil
}

// word finds the word at off. On success the caller has entered the mapping.
func word[T uint32 | uint64](m *Mapping, call string, off int64, need Access) (*T, error) {
	if !m.enter() {
		return nil, qnxerr.Closed("qnxshm: Mapping." + call)
	}
	size := int64(unsafe.Sizeof(T(0)))
	var err error
	switch length := int64(len(m.mem.bytes)); {
	case off < 0 || off > length-size:
		err = fmt.Errorf("qnxshm: Mapping.%s at %d: a word of %d bytes there does not lie within the mapping's %d: %w", call, off, size, length, syscall.EINVAL)
	case off%size != 0:
		err = fmt.Errorf("qnxshm: Mapping.%s at %d: the offset must be a multiple of %d: %w", call, off, size, syscall.EINVAL)
	case need == ReadWrite && m.access == ReadOnly:
		err = fmt.Errorf("qnxshm: Mapping.%s: the mapping is read-only: %w", call, syscall.EACCES)
	}
	if err != nil {
		m.gate.Leave()
		return nil, err
	}
	return (*T)(unsafe.Pointer(&m.mem.bytes[off])), nil
}
