//go:build linux

package message

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A Memory is what a client and a channel share, for tests that are one of them without
// the library.
type Memory struct {
	shared
	Segment0 []byte
}

// NewMemory is of segment 0, mapped.
func NewMemory(mem []byte) *Memory {
	m := &Memory{Segment0: mem}
	m.begin(mem)
	return m
}

// Add adds segment k, mapped.
func (m *Memory) Add(k int, mem []byte) { m.segment[k].Store(newSegment(k, mem)) }

// SegmentSize is the size of segment k.
func SegmentSize(k int) int64 { return roundUp(int64(segmentSize(k))) }

// Words of the head.
func (m *Memory) Bell() *word32   { return &m.bell }
func (m *Memory) Head() *word32   { return &m.head }
func (m *Memory) Tail() *word32   { return &m.tail }
func (m *Memory) Closed() *word32 { return &m.closed }

// Enter enters a message, EnterPulse a pulse, EnterAny something.
func (m *Memory) Enter(slot int, generation uint32) (ok, ring bool) {
	return m.put(messageEntry(slot, generation, defaultPriority))
}

func (m *Memory) EnterPulse(coid, code int, value int64) (ok, ring bool) {
	return m.put(pulseEntry(coid, defaultPriority, code, value))
}

func (m *Memory) EnterAny(what, which uint32, value uint64) (ok, ring bool) {
	return m.put(entry{what, which, value})
}

// Waiting is the entry at the server's place in the ring, if there is one.
func (m *Memory) Waiting(at uint32) (slot int, generation uint32, ok bool) {
	if n, _ := m.waiting(at); n == 0 {
		return 0, 0, false
	}
	e := m.shared.at(at)
	return int(e.value % firstSegment), e.which, !e.pulse()
}

// AskUnblock asks for the unblock pulse of a message.
func (m *Memory) AskUnblock(index int, generation uint32) {
	m.slot(index).unblock.Store(generation)
	m.unblock[index/32].Or(1 << (index % 32))
	m.asks.Store(1)
}

// Asked is how many threads have asked for the unblock pulse of their message.
func (m *Memory) Asked() (n int) {
	for i := range m.unblock {
		n += bits.OnesCount32(m.unblock[i].Load())
	}
	return n
}

// A SlotWords is a slot.
type SlotWords struct {
	State                               *word64
	Wake, Coid, Buffer, Unblock, Pieces *word32
	Errno                               *word32
	Length, Room, Replied, Status       *word64
	Piece                               func(i int) (offset, length *word64)
	Request, Reply                      []byte
}

// Slot returns a slot.
func (m *Memory) Slot(i int) SlotWords {
	s := m.slot(i)
	return SlotWords{
		State: &s.state, Wake: &s.wake, Coid: &s.coid, Buffer: &s.buffer, Unblock: &s.unblock, Pieces: &s.pieces, Errno: &s.errno,
		Length: &s.length, Room: &s.room, Replied: &s.replied, Status: &s.status,
		Piece:   func(i int) (offset, length *word64) { return &s.piece[i].offset, &s.piece[i].length },
		Request: s.request[:], Reply: s.reply[:],
	}
}

// Word makes the word of a state.
func Word(generation uint32, s int) uint64 { return word(generation, state(s)) }

// The states of a slot.
const (
	StateIdle      = int(idle)
	StateSent      = int(sent)
	StateReceived  = int(received)
	StateWriting   = int(writing)
	StateReplied   = int(replied)
	StateAbandoned = int(abandoned)
	States         = int(states)
)

// Words32 is all of some memory, in words.
func Words32(mem []byte) []atomic.Uint32 {
	return unsafe.Slice((*atomic.Uint32)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/4)
}

// HeadRegion is where the head begins, and how many bytes it is. The others are of
// an entry, of the words of a slot, and of its pieces, in segment 0.
func HeadRegion() (at, size int) { return 0, int(unsafe.Sizeof(sharedHead{})) }

func EntryRegion(i int) (at, size int) {
	return ringAt + i*int(unsafe.Sizeof(entry{})), int(unsafe.Sizeof(entry{}))
}

func SlotRegion(i int) (at, size int) { return int(slotsAt) + i*int(slotSize), 128 }

func PiecesRegion(i int) (at, size int) {
	return int(slotsAt) + i*int(slotSize) + int(unsafe.Offsetof(slot{}.piece)), int(unsafe.Sizeof(slot{}.piece))
}
