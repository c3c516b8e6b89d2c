//go:build linux

package qnxshm_test

import (
	"encoding/binary"
	"math"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// words are the calls for words, each doing nothing that would be noticed.
var words = []struct {
	name   string
	size   int64
	writes bool
	call   func(m *qnxshm.Mapping, off int64) error
}{
	{"LoadUint32", 4, false, func(m *qnxshm.Mapping, off int64) error { _, err := m.LoadUint32(off); return err }},
	{"LoadUint64", 8, false, func(m *qnxshm.Mapping, off int64) error { _, err := m.LoadUint64(off); return err }},
	{"StoreUint32", 4, true, func(m *qnxshm.Mapping, off int64) error { return m.StoreUint32(off, 0) }},
	{"StoreUint64", 8, true, func(m *qnxshm.Mapping, off int64) error { return m.StoreUint64(off, 0) }},
	{"AddUint32", 4, true, func(m *qnxshm.Mapping, off int64) error { _, err := m.AddUint32(off, 0); return err }},
	{"AddUint64", 8, true, func(m *qnxshm.Mapping, off int64) error { _, err := m.AddUint64(off, 0); return err }},
	{"CompareAndSwapUint32", 4, true, func(m *qnxshm.Mapping, off int64) error {
		_, err := m.CompareAndSwapUint32(off, 0, 0)
		return err
	}},
	{"CompareAndSwapUint64", 8, true, func(m *qnxshm.Mapping, off int64) error {
		_, err := m.CompareAndSwapUint64(off, 0, 0)
		return err
	}},
}

func TestWordErrors(t *testing.T) {
	page := int64(page)
	obj := newObject(t, int(2*page))
	for _, w := range words {
		t.Run(w.name, func(t *testing.T) {
			m := newMapping(t, obj, qnxshm.ReadWrite)
			require.NoError(t, w.call(m, 0))
			require.NoError(t, w.call(m, 2*page-w.size), "the last word")
			for _, off := range []int64{-1, -w.size, 1, w.size / 2, w.size + 1, 2*page - w.size + 1, 2 * page, 3 * page, math.MaxInt64, math.MinInt64} {
				require.ErrorIs(t, w.call(m, off), syscall.EINVAL, "offset %d", off)
			}
			require.NoError(t, m.Unmap())
			require.ErrorIs(t, w.call(m, 0), os.ErrClosed)
			require.ErrorIs(t, w.call(new(qnxshm.Mapping), 0), os.ErrClosed)

			readOnly := newMapping(t, obj, qnxshm.ReadOnly)
			if err := w.call(readOnly, 0); w.writes {
				require.ErrorIs(t, err, syscall.EACCES)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestWordTruncated(t *testing.T) {
	for _, w := range words {
		obj := newObject(t, 2*page)
		m := newMapping(t, obj, qnxshm.ReadWrite)
		require.NoError(t, obj.Truncate(int64(page)))
		require.ErrorIs(t, w.call(m, int64(page)), qnxshm.ErrTruncated, w.name)
		require.NoError(t, w.call(m, 0), w.name)
		require.NoError(t, m.Unmap(), w.name)
	}
}

func TestWords(t *testing.T) {
	obj := newObject(t, page)
	m, other := newMapping(t, obj, qnxshm.ReadWrite), newMapping(t, obj, qnxshm.ReadOnly)

	require.NoError(t, m.StoreUint32(8, 0xfffffffe))
	sum, err := m.AddUint32(8, 3)
	require.NoError(t, err)
	require.EqualValues(t, 1, sum)
	swapped, err := m.CompareAndSwapUint32(8, 2, 9)
	require.NoError(t, err)
	require.False(t, swapped)
	swapped, err = m.CompareAndSwapUint32(8, 1, 9)
	require.NoError(t, err)
	require.True(t, swapped)
	v, err := other.LoadUint32(8)
	require.NoError(t, err)
	require.EqualValues(t, 9, v)

	require.NoError(t, m.StoreUint64(16, math.MaxUint64))
	sum64, err := m.AddUint64(16, 2)
	require.NoError(t, err)
	require.EqualValues(t, 1, sum64)
	swapped, err = m.CompareAndSwapUint64(16, 2, 9)
	require.NoError(t, err)
	require.False(t, swapped)
	swapped, err = m.CompareAndSwapUint64(16, 1, 1<<40)
	require.NoError(t, err)
	require.True(t, swapped)
	v64, err := other.LoadUint64(16)
	require.NoError(t, err)
	require.EqualValues(t, uint64(1<<40), v64)

	b := make([]byte, 24)
	_, err = other.ReadAt(b, 0)
	require.NoError(t, err)
	require.Zero(t, binary.NativeEndian.Uint64(b))
	require.EqualValues(t, 9, binary.NativeEndian.Uint64(b[8:]), "the neighbours are not touched")
	require.EqualValues(t, uint64(1<<40), binary.NativeEndian.Uint64(b[16:]))
}

func TestWordsCount(t *testing.T) {
	const goroutines, each = 8, 1000
	obj := newObject(t, page)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range each {
				m.AddUint64(0, 1)
				for done := false; !done; {
					v, _ := m.LoadUint32(8)
					done, _ = m.CompareAndSwapUint32(8, v, v+1)
				}
			}
		}()
	}
	wg.Wait()
	v64, err := m.LoadUint64(0)
	require.NoError(t, err)
	v, err := m.LoadUint32(8)
	require.NoError(t, err)
	require.EqualValues(t, goroutines*each, v64)
	require.EqualValues(t, goroutines*each, v)
}

func TestWordsDoNotAllocate(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadWrite)
	for _, w := range words {
		require.Zero(t, testing.AllocsPerRun(100, func() { w.call(m, 0) }), w.name)
	}
}

// TestStoresAreBarriers: a store is seen before what the same thread then loads is read,
// with the race detector, too.
func TestStoresAreBarriers(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadWrite)
	sideOf32 := func(own, other int64) func(uint32) uint32 {
		return func(round uint32) uint32 {
			if m.StoreUint32(own, round) != nil {
				return 0
			}
			v, _ := m.LoadUint32(other)
			return v
		}
	}
	testproc.OneSeesTheOther(t, sideOf32(0, 64), sideOf32(64, 0))
	sideOf64 := func(own, other int64) func(uint32) uint32 {
		return func(round uint32) uint32 {
			if m.StoreUint64(own, uint64(round)) != nil {
				return 0
			}
			v, _ := m.LoadUint64(other)
			return uint32(v)
		}
	}
	testproc.OneSeesTheOther(t, sideOf64(128, 192), sideOf64(192, 128))
}
