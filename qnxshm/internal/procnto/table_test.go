//go:build linux

package procnto_test

import (
	"bytes"
	"math"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// TestHandleTable: what find gives, and whom.
func TestHandleTable(t *testing.T) {
	const self = 4
	table := procnto.NewTable(self)
	draws := []uint64{7, 7, 8, 1<<42 - 1, math.MaxUint64, 9}
	random := func() uint64 {
		r := draws[0]
		draws = draws[1:]
		return r
	}
	first := table.Add(1, 1, random)
	require.Equal(t, uint64(self<<42|7), first)
	second := table.Add(2, 1, random) // the second draw is taken already
	require.Equal(t, uint64(self<<42|8), second)
	third := table.Add(2, 2, random)
	require.Equal(t, uint64(self<<42|(1<<42-1)), third)
	require.Equal(t, self, procnto.MakerOf(third))
	fourth := table.Add(2, 2, random) // the maker's bits of a draw do not count: that is the third
	require.Equal(t, uint64(self<<42|9), fourth)
	for _, tt := range []struct {
		id    uint64
		pid   int
		doom  bool
		found bool
	}{
		{first, 1, false, true},
		{first, 2, false, false},
		{first, self, false, false},
		{second, 2, false, true},
		{second + 100, 2, false, false},
		{0, 1, false, false},
		{math.MaxUint64, 1, false, false},
		{third, 2, true, false},
	} {
		if tt.doom {
			table.Doom(tt.id)
		}
		require.Equal(t, tt.found, table.Find(tt.id, tt.pid), "%+v", tt)
	}
	table.Remove(second)
	require.False(t, table.Find(second, 2))
	ids, count := table.OfProcess(2)
	require.ElementsMatch(t, []uint64{third, fourth}, ids)
	require.Equal(t, 2, count)
}

// TestHandleTableNeverAllOnes: the process with the highest number can draw the
// handle that is none.
func TestHandleTableNeverAllOnes(t *testing.T) {
	table := procnto.NewTable(1<<22 - 1)
	var draw uint64 // from all ones down
	id := table.Add(1, 1, func() uint64 { draw--; return draw })
	require.Equal(t, uint64(math.MaxUint64-1), id)
}

// FuzzHandleTable does what the bytes say to a table and to a plain map.
func FuzzHandleTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 0, 2, 3})
	f.Add([]byte{0, 4, 0, 4, 0, 8, 3, 4, 0, 4, 2, 0, 4, 1})
	f.Add([]byte{0, 1, 0, 9, 0, 17, 0, 25, 2, 1, 2, 0, 2, 2, 0, 1})
	f.Add(bytes.Repeat([]byte{0, 9}, 40))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := tableModel{table: procnto.NewTable(modelSelf), handles: make(map[uint64]modelHandle)}
		for i := 0; i+1 < len(ops); i += 2 {
			m.step(t, ops[i], ops[i+1])
			m.check(t)
		}
	})
}

const (
	modelSelf    = 4
	modelPIDs    = 8
	modelAnchors = 3
)

// A tableModel is a table, and what should be in it.
type tableModel struct {
	table   *procnto.Table
	handles map[uint64]modelHandle
	made    []uint64
}

type modelHandle struct {
	pid, anchor int
	doomed      bool
}

func (m *tableModel) step(t *testing.T, op, b byte) {
	pid, anchor := int(b)%modelPIDs+1, int(b)/modelPIDs%modelAnchors+1
	var some uint64
	if len(m.made) > 0 {
		some = m.made[int(b)%len(m.made)]
	}
	switch op % 5 {
	case 0:
		// Bad luck: the same numbers again and again.
		draws := uint64(0)
		id := m.table.Add(pid, anchor, func() uint64 { draws++; return uint64(b%4) + draws/2 })
		require.NotContains(t, m.handles, id)
		require.NotZero(t, id)
		require.NotEqual(t, uint64(math.MaxUint64), id)
		require.Equal(t, modelSelf, procnto.MakerOf(id))
		m.handles[id] = modelHandle{pid: pid, anchor: anchor}
		m.made = append(m.made, id)
	case 1:
		h, ok := m.handles[some]
		require.Equal(t, ok && h.pid == pid && !h.doomed, m.table.Find(some, pid))
	case 2:
		m.table.Remove(some)
		delete(m.handles, some)
	case 3:
		m.table.Exit(pid)
		for id, h := range m.handles {
			if h.pid == pid {
				delete(m.handles, id)
			}
		}
	case 4:
		m.table.Doom(some)
		if h, ok := m.handles[some]; ok {
			h.doomed = true
			m.handles[some] = h
		}
	}
}

// check compares the lists of the table with what should be in them.
func (m *tableModel) check(t *testing.T) {
	ofPID, ofAnchor := make(map[int][]uint64), make(map[int][]uint64)
	var all []uint64
	for id, h := range m.handles {
		ofPID[h.pid] = append(ofPID[h.pid], id)
		ofAnchor[h.anchor] = append(ofAnchor[h.anchor], id)
		all = append(all, id)
	}
	same := func(want, got []uint64) {
		t.Helper()
		slices.Sort(want)
		slices.Sort(got)
		require.True(t, slices.Equal(want, got), "%x, got %x", want, got)
	}
	same(all, m.table.IDs())
	for pid := 1; pid <= modelPIDs; pid++ {
		ids, count := m.table.OfProcess(pid)
		same(ofPID[pid], ids)
		require.Len(t, ids, count)
	}
	for a := 1; a <= modelAnchors; a++ {
		same(ofAnchor[a], m.table.OfAnchor(a))
	}
}

// TestPermits: which access a handle gives.
func TestPermits(t *testing.T) {
	const (
		r, w, rw = syscall.O_RDONLY, syscall.O_WRONLY, syscall.O_RDWR
		noFD     = true
	)
	for _, tt := range []struct {
		has     int
		noFD    bool
		mapping bool
		want    int
		errno   error
	}{
		{r, !noFD, false, r, nil},
		{r, !noFD, false, w, syscall.EACCES},
		{r, !noFD, false, rw, syscall.EACCES},
		{w, !noFD, false, w, nil},
		{w, !noFD, false, r, syscall.EACCES},
		{w, !noFD, true, rw, syscall.EACCES},
		{rw, !noFD, false, r, nil},
		{rw, !noFD, false, w, nil},
		{rw, !noFD, true, rw, nil},
		{rw, noFD, false, r, syscall.EACCES},
		{rw, noFD, true, r, nil},
		{r, noFD, true, rw, syscall.EACCES},
	} {
		require.Equal(t, tt.errno, procnto.Permits(tt.has, tt.noFD, tt.mapping, tt.want), "%+v", tt)
	}
}
