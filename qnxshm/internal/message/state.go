//go:build linux

package message

// The state of a slot is one word that client and server share: the generation, which
// counts the slot's messages, and one of these. Each step is one compare-and-swap, by
// one side; who loses looks again. Only the first needs none, since nobody else steps
// from idle.
//
//	state      who steps  to         when
//	--------   ---------  ---------  ------------------------------------------
//	idle       client     sent       next generation: the message is in the slot
//	sent       server     received   MsgReceive takes it
//	           client     idle       its thread does not wait any more
//	received   server     writing    MsgWrite or MsgReply begins, for one thread
//	           client     idle       its thread does not wait any more
//	writing    server     received   MsgWrite ends, or MsgReply could not
//	           server     replied    MsgReply ends
//	           client     abandoned  its thread does not wait any more
//	replied    client     idle       its thread has the reply
//	abandoned  server     idle       the server writes no more: the slot can be
//	                                 used again
//
// With a step of the client's to idle the server's next one fails, whatever it is: to
// it the thread is gone. What it has read meanwhile it throws away, because it looks
// at the state afterwards. Only what it writes must not meet the next message: a slot
// that is abandoned stays unused until the server has seen that.
//
// A client that is gone makes no step, nor does a server. Who is left gives up by
// itself: the slots end with the memory.
type state uint32

const (
	idle state = iota
	sent
	received
	writing
	replied
	abandoned
	states
)

// A side makes steps.
type side uint32

const (
	clientSide side = iota
	serverSide
)

// allowed has the table above: allowed[side][from] is a bit for each state that the
// side may step to.
var allowed = [2][states]uint32{
	clientSide: {
		idle:     1 << sent,
		sent:     1 << idle,
		received: 1 << idle,
		writing:  1 << abandoned,
		replied:  1 << idle,
	},
	serverSide: {
		sent:      1 << received,
		received:  1 << writing,
		writing:   1<<received | 1<<replied,
		abandoned: 1 << idle,
	},
}

func word(generation uint32, s state) uint64 { return uint64(generation)<<32 | uint64(s) }

func split(word uint64) (generation uint32, s state) { return uint32(word >> 32), state(uint32(word)) }

// step makes a step of a message, and reports whether it was possible.
func (s *slot) step(generation uint32, from, to state) bool {
	return s.state.CompareAndSwap(word(generation, from), word(generation, to))
}

// in returns the state of a message, idle when it is another one's turn.
func (s *slot) in(generation uint32) state {
	if g, st := split(s.state.Load()); g == generation && st < states {
		return st
	}
	return idle
}

// waits reports whether the thread of a message that was received waits for its reply.
func (s *slot) waits(generation uint32) bool {
	st := s.in(generation)
	return st == received || st == writing
}

// send makes the message of the next generation known.
func (s *slot) send(generation uint32) { s.state.Store(word(generation, sent)) }

// giveUp ends the wait of a client's thread for its message. It returns the state that
// the message was in: replied if the reply is there, and is to be taken, and writing
// if the slot is not to be used until it is idle.
func (s *slot) giveUp(generation uint32) state {
	for {
		from := s.in(generation)
		to := idle
		switch from {
		case replied, idle, abandoned:
			return from
		case writing:
			to = abandoned
		}
		if s.step(generation, from, to) {
			return from
		}
	}
}

// receive takes a message, and reports whether its thread still waits.
func (s *slot) receive(generation uint32) bool { return s.step(generation, sent, received) }

// beginWriting lets the server write to the reply of a message that it has received.
func (s *slot) beginWriting(generation uint32) bool { return s.step(generation, received, writing) }

// endWriting ends that, with the message received still, or replied. It reports
// whether its thread has waited until then.
func (s *slot) endWriting(generation uint32, to state) bool {
	if s.step(generation, writing, to) {
		return true
	}
	s.step(generation, abandoned, idle)
	return false
}
