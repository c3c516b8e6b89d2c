//go:build linux

package message

import (
	"syscall"
	"time"
)

// A message is what the server has read of a slot, once.
type message struct {
	length, room int64
	coid, tid    int
	priority     int
	mem          []byte  // of the buffer, or nil
	buffer       *buffer // that is in use, or nil
	slot         *slot
	lost         bool // there was no room for the buffer
}

// read reads what a slot says about its message, and reports whether that is the one of
// the generation, not received yet. The client is in use, and the message's buffer is
// until drop.
func (sv *served) read(generation uint32) (m message, ok bool) {
	s := sv.slot
	m = message{length: int64(s.length.Load()), room: int64(s.room.Load()), coid: int(s.coid.Load()), tid: int(s.thread.Load()), slot: s}
	number := s.buffer.Load()
	if s.in(generation) != sent {
		return m, false
	}
	ch := sv.client.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case number == 0:
	case sv.coming != nil && sv.coming.number == number:
		m.buffer = sv.coming // the client can send another one meanwhile
		m.buffer.use()
		m.mem = m.buffer.mem
	default:
		m.lost = true
	}
	return m, true
}

// whole reports whether message and reply have room where they are.
func (m *message) whole() bool {
	switch {
	case m.length < 0 || m.room < 0:
		return false
	case m.mem == nil:
		return m.length <= int64(maxRequest) && m.room <= int64(maxReply)
	}
	size := int64(len(m.mem))
	return m.length <= size && m.room <= size-roundUp(m.length)
}

// request is where the message is.
func (m *message) request() []byte {
	if m.mem == nil {
		return m.slot.request[:m.length]
	}
	return m.mem[:m.length]
}

// reply is where the reply goes.
func (m *message) reply() []byte {
	if m.mem == nil {
		return m.slot.reply[:m.room]
	}
	return m.mem[roundUp(m.length):][:m.room]
}

// begin receives a message, unless its thread does not wait any more.
func (sv *served) begin(generation uint32, m *message) (Received, bool) {
	if !sv.slot.receive(generation) {
		return Received{}, false
	}
	cl := sv.client
	ch := cl.channel
	var last *buffer
	defer func() { last.drop() }() // without the lock: much memory takes its time
	ch.mu.Lock()
	defer ch.mu.Unlock()
	// Another thread may have received the next one meanwhile.
	if now, _ := split(sv.slot.state.Load()); now != generation || cl.ended {
		sv.answer(generation, syscall.EBADF)
		return Received{}, false
	}
	sv.generation = generation
	sv.received = time.Now()
	sv.buffer.drop()
	sv.buffer = m.buffer
	sv.buffer.use()
	sv.info = Received{
		RcvID: int64(sv.rcvid), PID: cl.peer.PID, TID: m.tid, SCOID: cl.scoid, COID: m.coid, Priority: m.priority,
		SrcMsgLen: m.length, DstMsgLen: m.room,
	}
	r := sv.info
	if sv.slot.tell.Load() != 0 {
		sv.wake()
	}
	if cl.asks.Load() != 0 || sv.slot.unblock.Load() == generation {
		cl.shared.unblock[sv.index/32].Or(1 << (sv.index % 32))
		cl.takeAsks()
		ch.wakeOne()
	}
	return r, true
}

// setLength completes what is known about a message, and reports whether its thread
// still waits, or was answered: else what was read of it may be of another one.
func (sv *served) setLength(generation uint32, n int) bool {
	ch := sv.client.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !sv.slot.waits(generation) && sv.slot.in(generation) != replied || sv.generation != generation {
		return false
	}
	sv.info.MsgLen = n
	return true
}

// waits reports whether a message that was received waits for its reply.
func (sv *served) waits(generation uint32) bool {
	ch := sv.client.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return !sv.client.ended && sv.generation == generation && sv.slot.waits(generation)
}

// refuse answers a message that cannot be received.
func (sv *served) refuse(generation uint32, errno syscall.Errno) {
	if sv.slot.receive(generation) || sv.slot.waits(generation) {
		sv.answer(generation, errno)
	}
}

// answer ends a message with an errno. The client is in use, or the channel's lock is
// held.
func (sv *served) answer(generation uint32, errno syscall.Errno) bool {
	s := sv.slot
	if !s.beginWriting(generation) {
		return false
	}
	s.errno.Store(uint32(errno))
	s.status.Store(0)
	s.replied.Store(0)
	if !s.endWriting(generation, replied) {
		return false
	}
	sv.wake()
	return true
}

// slotWaits reports whether the message received last waits. The channel's lock is
// held.
func (sv *served) slotWaits() bool {
	return !sv.client.ended && sv.slot.waits(sv.generation)
}
