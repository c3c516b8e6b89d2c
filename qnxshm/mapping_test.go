//go:build linux

package qnxshm_test

import (
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
)

func newMapping(t testing.TB, obj *qnxshm.Object, access qnxshm.Access) *qnxshm.Mapping {
	t.Helper()
	m, err := obj.Map(access)
	require.NoError(t, err)
	t.Cleanup(func() { m.Unmap() })
	return m
}

// sink keeps loads from being dropped.
var sink atomic.Uint32

func TestMappingUnmap(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadWrite)
	require.Len(t, m.Bytes(), page)
	require.NoError(t, m.Unmap())
	require.NoError(t, m.Unmap(), "a second Unmap does nothing")
	for name, m := range map[string]*qnxshm.Mapping{"unmapped": m, "zero": new(qnxshm.Mapping)} {
		require.Nil(t, m.Bytes(), name)
		require.ErrorIs(t, m.View(func([]byte) error { t.Error("ran"); return nil }), os.ErrClosed, name)
		_, err := m.ReadAt(make([]byte, 1), 0)
		require.ErrorIs(t, err, os.ErrClosed, name)
		_, err = m.WriteAt(make([]byte, 1), 0)
		require.ErrorIs(t, err, os.ErrClosed, name)
		require.NoError(t, m.Unmap(), name)
	}
	require.Equal(t, page, m.Len(), "after Unmap, too")
	require.Zero(t, new(qnxshm.Mapping).Len())
}

func TestUnmapWaitsForView(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadWrite)
	unmapped := make(chan struct{})
	err := m.View(func(b []byte) error {
		go func() {
			m.Unmap()
			close(unmapped)
		}()
		for m.Bytes() != nil { // until Unmap has begun
			runtime.Gosched()
		}
		select {
		case <-unmapped:
			t.Error("Unmap did not wait")
		default:
		}
		b[0] = 1
		return nil
	})
	require.NoError(t, err)
	<-unmapped
}

func TestReadWriteAt(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadWrite)
	end := int64(page)
	for _, c := range []struct {
		name string
		do   func([]byte, int64) (int, error)
		n    int
		off  int64
		want int
		err  error
	}{
		{"WriteAt", m.WriteAt, 5, 0, 5, nil},
		{"WriteAt", m.WriteAt, 5, end - 5, 5, nil},
		{"WriteAt", m.WriteAt, 5, end - 3, 3, io.ErrShortWrite},
		{"WriteAt", m.WriteAt, 5, end, 0, io.ErrShortWrite},
		{"WriteAt", m.WriteAt, 5, end + 100, 0, io.ErrShortWrite},
		{"WriteAt", m.WriteAt, 0, end, 0, nil},
		{"WriteAt", m.WriteAt, 0, 0, 0, nil},
		{"WriteAt", m.WriteAt, 5, -1, 0, syscall.EINVAL},
		{"ReadAt", m.ReadAt, 5, 0, 5, nil},
		{"ReadAt", m.ReadAt, 5, end - 5, 5, nil},
		{"ReadAt", m.ReadAt, 5, end - 3, 3, io.EOF},
		{"ReadAt", m.ReadAt, 5, end, 0, io.EOF},
		{"ReadAt", m.ReadAt, 5, end + 100, 0, io.EOF},
		{"ReadAt", m.ReadAt, 0, end, 0, nil},
		{"ReadAt", m.ReadAt, 0, 0, 0, nil},
		{"ReadAt", m.ReadAt, 5, -1, 0, syscall.EINVAL},
	} {
		n, err := c.do(make([]byte, c.n), c.off)
		require.Equal(t, c.want, n, "%s of %d at %d", c.name, c.n, c.off)
		if c.err == nil {
			require.NoError(t, err, "%s of %d at %d", c.name, c.n, c.off)
		} else {
			require.ErrorIs(t, err, c.err, "%s of %d at %d", c.name, c.n, c.off)
		}
	}

	_, err := m.WriteAt([]byte("hello"), 7)
	require.NoError(t, err)
	got, err := io.ReadAll(io.NewSectionReader(m, 7, 5))
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
}

func TestWriteAtReadOnly(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadOnly)
	_, err := m.WriteAt([]byte("x"), 0)
	require.ErrorIs(t, err, syscall.EACCES)
}

func TestViewTruncated(t *testing.T) {
	obj := newObject(t, 2*page)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	ro := newMapping(t, obj, qnxshm.ReadOnly)
	require.NoError(t, obj.Truncate(int64(page)))
	for name, f := range map[string]func(b []byte) error{
		"load":      func(b []byte) error { sink.Store(uint32(b[page])); return nil },
		"store":     func(b []byte) error { b[2*page-1] = 1; return nil },
		"copy from": func(b []byte) error { copy(make([]byte, 2*page), b); return nil },
		"copy to":   func(b []byte) error { copy(b, make([]byte, 2*page)); return nil },
	} {
		deferred := false
		err := m.View(func(b []byte) error {
			defer func() { deferred = true }()
			return f(b)
		})
		require.ErrorIs(t, err, qnxshm.ErrTruncated, name)
		require.True(t, deferred, name)
	}
	require.ErrorIs(t, ro.View(func(b []byte) error { sink.Store(uint32(b[page])); return nil }), qnxshm.ErrTruncated, "read-only")
	n, err := m.ReadAt(make([]byte, 2), int64(page)-1)
	require.ErrorIs(t, err, qnxshm.ErrTruncated)
	require.Zero(t, n)
	n, err = m.WriteAt(make([]byte, 2), int64(page)-1)
	require.ErrorIs(t, err, qnxshm.ErrTruncated)
	require.Zero(t, n)

	require.NoError(t, obj.Truncate(int64(2*page)))
	require.NoError(t, m.View(func(b []byte) error { b[page] = 1; return nil }), "the memory is back")
}

func TestViewStoreToReadOnly(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadOnly)
	err := m.View(func(b []byte) error { b[3] = 1; return nil })
	require.ErrorIs(t, err, syscall.EACCES)
	require.NotErrorIs(t, err, qnxshm.ErrTruncated)
	require.NoError(t, m.View(func(b []byte) error { require.Zero(t, b[3]); return nil }))
}

func TestViewReturnsTheError(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadOnly)
	want := errors.New("mine")
	require.Equal(t, want, m.View(func([]byte) error { return want }))
}

// Faults elsewhere and other panics are not View's.
func TestViewPassesOtherPanics(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadWrite)

	other := newMapping(t, newObject(t, page), qnxshm.ReadWrite)
	gone := newObject(t, page)
	elsewhere := newMapping(t, gone, qnxshm.ReadWrite)
	require.NoError(t, gone.Truncate(0))
	require.Panics(t, func() {
		m.View(func([]byte) error { sink.Store(uint32(elsewhere.Bytes()[0])); return nil })
	}, "a fault in another mapping")

	var p *int
	require.PanicsWithError(t, "runtime error: invalid memory address or nil pointer dereference", func() {
		m.View(func([]byte) error { sink.Store(uint32(*p)); return nil })
	})
	require.PanicsWithValue(t, "mine", func() { m.View(func([]byte) error { panic("mine") }) })
	require.Panics(t, func() {
		m.View(func(b []byte) error { sink.Store(uint32(b[page])); return nil })
	}, "an index out of range")

	require.ErrorIs(t, other.View(func([]byte) error {
		return elsewhere.View(func(b []byte) error { sink.Store(uint32(b[0])); return nil })
	}), qnxshm.ErrTruncated, "nested, the inner one is the one that faults")
	require.NoError(t, m.Unmap(), "nobody is left inside")
}

func TestViewRestoresPanicOnFault(t *testing.T) {
	obj := newObject(t, page)
	m := newMapping(t, obj, qnxshm.ReadWrite)
	require.NoError(t, m.View(func([]byte) error { return nil }))
	require.False(t, debug.SetPanicOnFault(false))
	require.NoError(t, obj.Truncate(0))
	require.ErrorIs(t, m.View(func(b []byte) error { sink.Store(uint32(b[0])); return nil }), qnxshm.ErrTruncated)
	require.False(t, debug.SetPanicOnFault(false), "after a fault, too")
}

func TestMappingWithoutAllocations(t *testing.T) {
	m := newMapping(t, newObject(t, page), qnxshm.ReadWrite)
	p := make([]byte, 64)
	f := func(b []byte) error { b[0]++; return nil }
	for name, call := range map[string]func(){
		"View":    func() { m.View(f) },
		"ReadAt":  func() { m.ReadAt(p, 8) },
		"WriteAt": func() { m.WriteAt(p, 8) },
		"Bytes":   func() { m.Bytes() },
	} {
		require.Zero(t, testing.AllocsPerRun(1000, call), name)
	}
}
