//go:build linux

package message

import (
	"syscall"
	"time"
)

// MsgSend is MsgSend, with TimerTimeout if timeout is not negative.
func MsgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	parts, room := [1][]byte{msg}, [1][]byte{reply}
	return MsgSendv(coid, parts[:], room[:], timeout)
}

// MsgSendv is MsgSendv, likewise.
func MsgSendv(coid int, msg, reply [][]byte, timeout time.Duration) (status int, err error) {
	deadline := deadlineOf(timeout)
	s, err := beginSend(coid, 0, lengthOf(reply), func() bool {
		time.Sleep(time.Millisecond)
		return deadline.IsZero() || time.Now().Before(deadline)
	})
	if err == errNoRoom {
		err = syscall.ETIMEDOUT
	}
	if err != nil {
		return 0, err
	}
	defer s.End()
	s.s.turn.Pass()
	for {
		status, err = s.once(msg, reply, deadline)
		if err != errRestart {
			return status, err
		}
	}
}

// once sends the message and waits for the reply.
func (s *Sending) once(msg, reply [][]byte, deadline time.Time) (status int, err error) {
	for {
		err = s.Enter(msg)
		if err != errNoRoom {
			break
		}
		if err = s.awaitRoom(deadline); err != nil {
			return 0, err
		}
	}
	if err != nil {
		return 0, err
	}
	err = s.await(deadline)
	if err == nil && s.closing() {
		err = syscall.EBADF
	}
	if err != nil && s.Stays(err) {
		err = s.await(time.Time{})
	}
	return s.finish(reply, err)
}

// MsgSendPulse is MsgSendPulse.
func MsgSendPulse(coid, priority, code int, value int64) error {
	if priority < -1 || priority > 255 || code < -128 || code > 127 {
		return syscall.EINVAL
	}
	switch priority {
	case -1:
		priority = defaultPriority
	case 0:
		priority = 1
	}
	c := connections.get(coid)
	if c == nil || !c.gate.Enter() {
		return syscall.EBADF
	}
	defer c.gate.Leave()
	at := c.at
	if at.dead() {
		return syscall.EBADF
	}
	ok, ring := at.put(pulseEntry(coid, priority, code, value))
	if !ok {
		return syscall.EAGAIN
	}
	if ring {
		return at.ring()
	}
	return nil
}
