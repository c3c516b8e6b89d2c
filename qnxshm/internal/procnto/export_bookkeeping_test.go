//go:build linux

package procnto

import (
	"maps"
	"slices"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// The bookkeeping alone, for its own tests.

// A Table is a handleTable of the process pid.
type Table struct {
	t          handleTable
	pid        int
	recipients map[int]*recipient
	anchors    map[int]*anchor
}

func NewTable(pid int) *Table {
	return &Table{pid: pid, recipients: make(map[int]*recipient), anchors: make(map[int]*anchor)}
}

// Add makes a handle of an anchor for recipient and returns its id.
func (t *Table) Add(pid, of int, random func() uint64) uint64 {
	if t.recipients[pid] == nil {
		t.recipients[pid] = &recipient{pid: pid, pidfd: linux.NoFD}
	}
	if t.anchors[of] == nil {
		t.anchors[of] = new(anchor)
	}
	h := t.t.newHandle()
	h.recipient, h.anchor = t.recipients[pid], t.anchors[of]
	t.t.add(h, t.pid, random)
	return h.id
}

func (t *Table) Find(id uint64, pid int) bool {
	_, err := t.t.find(id, t.recipients[pid])
	return err == nil
}

// Doom lets nobody find the handle any more.
func (t *Table) Doom(id uint64) {
	if h := t.t.handles[id]; h != nil {
		h.doomed = true
	}
}

// Remove takes the handle id out, if it is there.
func (t *Table) Remove(id uint64) {
	if h := t.t.handles[id]; h != nil {
		t.t.remove(h)
	}
}

// Exit removes the handles of a recipient as its exit does: one by one from the
// first.
func (t *Table) Exit(pid int) {
	for p := t.recipients[pid]; p != nil && p.first != nil; {
		t.t.remove(p.first)
	}
}

// OfProcess returns the handles in the list of a recipient, and how many the table
// counts for it.
func (t *Table) OfProcess(pid int) (ids []uint64, count int) {
	p := t.recipients[pid]
	if p == nil {
		return nil, 0
	}
	for h, prev := p.first, (*handle)(nil); h != nil; prev, h = h, h.ofRecipient.next {
		if h.ofRecipient.prev != prev {
			return nil, -1
		}
		ids = append(ids, h.id)
	}
	return ids, p.count
}

// OfAnchor returns the handles in the list of an anchor.
func (t *Table) OfAnchor(of int) (ids []uint64) {
	a := t.anchors[of]
	if a == nil {
		return nil
	}
	for h, prev := a.first, (*handle)(nil); h != nil; prev, h = h, h.ofAnchor.next {
		if h.ofAnchor.prev != prev {
			return []uint64{allOnes}
		}
		ids = append(ids, h.id)
	}
	return ids
}

func (t *Table) IDs() []uint64 { return slices.Sorted(maps.Keys(t.t.handles)) }

// Permits is handle.permits.
func Permits(has int, noFD, mapping bool, want int) error {
	return (&handle{access: int8(has), noFD: noFD}).permits(mapping, want)
}

// An Admission is an admissionCounter. Its places are numbered as they come.
type Admission struct {
	a      admissionCounter
	places []*place
}

func NewAdmission(limit int) *Admission { return &Admission{a: admissionCounter{limit: limit}} }

// Enter returns the number of a new place of a user, or of one to give up first; both
// are -1 if there is none.
func (a *Admission) Enter(uid uint32) (id, evict int) {
	p, crowd := a.a.tryEnter(uid, nil)
	if p == nil {
		return -1, slices.Index(a.places, crowd)
	}
	a.places = append(a.places, p)
	return len(a.places) - 1, -1
}

func (a *Admission) SetIdle(id int, idle bool) { a.a.setIdle(a.places[id], idle) }
func (a *Admission) Leave(id int)              { a.a.leave(a.places[id]) }
func (a *Admission) Users() int                { return len(a.a.users) }
