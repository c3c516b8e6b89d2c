//go:build linux

package message

import (
	"sync/atomic"
	"unsafe"
)

// The memory that a client process and a channel share. The client makes it, both
// map it. Only words of fixed width are in it, aligned, so that processes of 32 and
// 64 bits share it. Each side takes what the other one has written for what anybody
// could have written: it reads a word once, checks it, then uses it.
//
//	0         the words of sharedHead
//	ringAt    ringEntries entries, in which the client's threads say what they send
//	slotsAt   the slots of segment 0
//
// Segment k, in memory of its own for k > 0, has slotsOfSegment(k) slots.
const (
	pageSize = 4096

	ringEntries = 4096 // a power of two
	ringAt      = pageSize
	slotsAt     = ringAt + ringEntries*unsafe.Sizeof(entry{})
	slotSize    = unsafe.Sizeof(slot{})

	segments     = 8
	firstSegment = 64
	maxSlots     = firstSegment<<segments - firstSegment
	bitmapWords  = maxSlots / 32
)

// A sharedHead begins segment 0. Words that different sides write often lie in
// different cache lines.
type sharedHead struct {
	// bell is 1 when the server wants to be rung for what is new.
	bell word32
	_    [60]byte
	// head counts what the client has entered in the ring, tail what the server has
	// taken.
	head word32
	_    [60]byte
	tail word32
	_    [60]byte
	// closed is 1 once the server does not take anything any more.
	closed word32
	// room tells how threads wait for room in the ring: with waitFutex they sleep on
	// this word, with waitBell the server rings.
	room word32
	// asks is 1 when a bit of unblock may be set.
	asks word32
	_    [52]byte
	// unblock has a bit for each slot whose thread does not want to wait any more.
	unblock [bitmapWords]word32
}

// An entry of the ring: a message, or a pulse.
type entry struct {
	what  uint32 // see entryOf
	which uint32 // generation of a message, coid of a pulse
	value uint64 // slot of a message, value of a pulse
}

// A slot carries the messages of one thread at a time, one after the other.
type slot struct {
	state word64 // see state.go
	// wake tells how the thread sleeps, see wait.go; 0 if it does not.
	wake    word32
	unblock word32 // generation whose thread does not want to wait any more

	// By the client, before the message is sent.
	length word64 // of the message
	room   word64 // for the reply
	coid   word32
	buffer word32 // number of the Buffer that has message and reply, 0: the slot
	thread word32 // that sends
	tell   word32 // 1: wake the thread when the message is received
	_      [16]byte

	// By the server, before the message is replied to.
	status  word64
	replied word64 // bytes, from the begin
	errno   word32
	pieces  word32 // how many of piece there are
	_       [40]byte

	request [pageSize - 128]byte
	reply   [pageSize]byte
	piece   [maxPieces]struct{ offset, length word64 }
}

// maxPieces bounds what a server writes with MsgWrite in separate places of a reply.
const maxPieces = pageSize / 16

const (
	maxRequest = len(slot{}.request)
	maxReply   = len(slot{}.reply)
)

// Both sides have the same layout, whatever their processor: these do not compile
// where it is another one.
var (
	_ [128]byte          = [unsafe.Offsetof(slot{}.request)]byte{}
	_ [3 * pageSize]byte = [slotSize]byte{}
	_ [16]byte           = [unsafe.Sizeof(entry{})]byte{}
	_                    = [ringAt - unsafe.Sizeof(sharedHead{})]byte{} // not negative
)

func slotsOfSegment(k int) int { return firstSegment << k }

// segmentOf is where slot i is.
func segmentOf(i int) (k, within int) {
	for k = 0; i >= slotsOfSegment(k); k++ {
		i -= slotsOfSegment(k)
	}
	return k, i
}

// segmentSize is the size of the memory of segment k.
func segmentSize(k int) int {
	size := slotsOfSegment(k) * int(slotSize)
	if k == 0 {
		size += int(slotsAt)
	}
	return size
}

// A shared is the memory of one client and channel, as one of them sees it. Its
// segments are mapped one after the other.
type shared struct {
	*sharedHead
	ring    *[ringEntries]entry
	segment [segments]atomic.Pointer[segment]
}

type segment struct {
	mem   []byte
	slots []slot
}

func newSegment(k int, mem []byte) *segment {
	at := unsafe.Pointer(unsafe.SliceData(mem))
	if k == 0 {
		at = unsafe.Add(at, slotsAt)
	}
	return &segment{mem, unsafe.Slice((*slot)(at), slotsOfSegment(k))}
}

// begin takes the memory of segment 0.
func (s *shared) begin(mem []byte) {
	at := unsafe.Pointer(unsafe.SliceData(mem))
	s.sharedHead = (*sharedHead)(at)
	s.ring = (*[ringEntries]entry)(unsafe.Add(at, ringAt))
	s.segment[0].Store(newSegment(0, mem))
}

// slot returns slot i, nil where that is not mapped.
func (s *shared) slot(i int) *slot {
	k, within := segmentOf(i)
	seg := s.segment[k].Load()
	if seg == nil {
		return nil
	}
	return &seg.slots[within]
}
