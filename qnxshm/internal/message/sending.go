//go:build linux

package message

import (
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

// A Sending is a thread in MsgSend. The C face waits between its methods, on the
// caller's own thread.
type Sending struct {
	s        *sender
	c        *connection
	room     int64
	entered  bool
	retired  bool  // the server may still write to the slot
	slept    bool  // the server was there when the message was sent
	laidDown bool  // has slept since
	why      error // for which the server was asked to let the thread go
	naps     int   // without a descriptor that tells when to look again
}

// BeginSend enters MsgSend, for a thread with a number of its own, or 0. On success
// End must follow.
func BeginSend(coid, thread int, room int64) (Sending, error) {
	s, err := beginSend(coid, thread, room, func() bool { return false })
	if err == errNoRoom { // for more slots: very many threads send at the same time
		err = syscall.EAGAIN
	}
	return s, err
}

// beginSend is BeginSend, for who can wait until there is room for more slots.
func beginSend(coid, thread int, room int64, wait func() bool) (Sending, error) {
	c := connections.get(coid)
	if c == nil || !c.gate.Enter() {
		return Sending{}, syscall.EBADF
	}
	s, err := c.at.acquire(c, thread)
	for err == errNoRoom && wait() {
		if s, err = c.at.acquire(c, thread); err == errNoRoom && c.gate.Closed() {
			err = syscall.EBADF
		}
	}
	if err == nil {
		return Sending{s: s, c: c, room: room}, nil
	}
	c.gate.Leave()
	return Sending{}, err
}

// Enter sends the message, unless the server has too much to take: then Try says so
// until there is room.
func (s *Sending) Enter(msg [][]byte) error {
	if s.interrupted() || s.s.at.shared.closed.Load() != 0 {
		return syscall.EBADF
	}
	err := s.s.fill(msg, s.room)
	if err == nil {
		err = s.s.enter()
	}
	s.entered = err == nil
	return err
}

// done reports whether the wait for the reply is over: the reply is there, or none
// will come.
func (s *Sending) done() bool {
	return s.s.in(s.s.generation) == replied || s.interrupted()
}

func (s *Sending) interrupted() bool { return s.s.at.gone.Load() || s.detached() }

// detached reports whether the connection was closed, for a thread that need not wait
// for the server in spite of that.
func (s *Sending) detached() bool { return s.why == nil && s.c.gate.Closed() }

// finish comes back from the wait: why tells how it has ended. With errRestart the
// message is to be sent again.
func (s *Sending) finish(reply [][]byte, why error) (status int, err error) {
	st := s.s.giveUp(s.s.generation)
	s.entered = false
	if st == replied {
		status, err = s.s.result(reply)
		s.s.step(s.s.generation, replied, idle)
		if s.why != nil && (err == LetGo || err == errRestart) {
			err = s.why
		}
		return status, err
	}
	s.retired = st == writing
	switch {
	case s.detached():
		return 0, syscall.EBADF
	case why != nil:
		return 0, why
	case st == sent && !s.slept:
		return 0, syscall.EBADF // the server was gone before
	}
	return 0, syscall.ESRCH
}

// Stays asks the server to let the sender go, for an error, and reports whether it has
// to wait on: with UNBLOCK a server that has the message decides itself how long its
// client stays blocked.
func (s *Sending) Stays(why error) bool {
	if s.s.at.flags&nto.ChannelUnblock == 0 || s.Withdraw() || !s.s.waits(s.s.generation) {
		return false
	}
	if s.why == nil {
		s.why = why
	}
	s.s.askUnblock()
	return true
}

// Withdraw takes the message back if the server has not received it.
func (s *Sending) Withdraw() bool {
	if s.entered && s.s.step(s.s.generation, sent, idle) {
		s.entered = false
	}
	return !s.entered
}

// SetPriority is when the thread has another priority than most.
func (s *Sending) SetPriority(priority int) { s.s.priority = priority }

// TellReceived lets the server wake the thread when it receives the message.
func (s *Sending) TellReceived() { s.s.tells = 1 }

// Received reports whether the server has received the message, and not answered.
func (s *Sending) Received() bool { return s.entered && s.s.waits(s.s.generation) }

// closing reports whether the connection was closed while the sender waits for a reply.
func (s *Sending) closing() bool {
	return s.detached() && !s.s.at.gone.Load() && s.s.in(s.s.generation) != replied
}

// GiveUp is when Stays has said that the sender need not wait. A reply that has come by
// now is taken; else the error is why.
func (s *Sending) GiveUp(reply [][]byte, why error) (status int, err error) {
	if s.entered {
		if status, err = s.finish(reply, why); err != errRestart {
			return status, err
		}
	}
	return 0, why
}

// End comes back from the send.
func (s *Sending) End() {
	if s.s.eventfd >= 0 {
		s.s.forgetEventfd()
	}
	if s.entered {
		s.retired = s.s.giveUp(s.s.generation) == writing
		s.s.step(s.s.generation, replied, idle)
	}
	s.s.release(s.retired)
	s.c.gate.Leave()
}

// forgetEventfd is when the thread will not sleep any more.
func (s *sender) forgetEventfd() {
	s.at.mu.Lock()
	fd, used := s.eventfd, s.signalled
	s.eventfd, s.signalled = linux.NoFD, false
	s.at.mu.Unlock()
	giveEventfd(fd, used)
}

// getUp takes what has woken the thread, and wakes the others for whom the socket was
// rung.
func (s *Sending) getUp() {
	s.s.wake.Store(0)
	if !s.laidDown {
		return
	}
	s.laidDown = false
	if s.s.at.out != nil {
		s.s.at.answerBell(s.s)
	}
	if s.s.eventfd >= 0 && !s.done() {
		linux.Drain(s.s.eventfd)
	}
}
