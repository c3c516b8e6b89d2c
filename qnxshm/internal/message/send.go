//go:build linux

package message

import (
	"io"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// MsgSend is MsgSend, with TimerTimeout if timeout is not negative.
func MsgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	deadline := deadlineOf(timeout)
	s, err := BeginSend(coid, msg, len(reply), deadline)
	if err != nil {
		return 0, err
	}
	defer s.End()
	status, err = s.finish(reply, deadline)
	if err == syscall.ETIMEDOUT && s.Stays() {
		status, err = s.finish(reply, time.Time{})
	}
	return status, err
}

// A Sending is a message that was sent and whose sender has not come back yet.
// The C face waits between its methods, on the caller's own thread.
type Sending struct {
	c *connection
	l *clientLane
}

// BeginSend sends a message whose reply has room bytes. On success End must
// follow.
func BeginSend(coid int, msg []byte, room int, deadline time.Time) (Sending, error) {
	c := connections.get(coid)
	if c == nil || !c.gate.Enter() {
		return Sending{}, syscall.EBADF
	}
	l, err := c.acquire(deadline)
	if err != nil {
		if c.gate.Closed() {
			err = syscall.EBADF
		}
		c.gate.Leave()
		return Sending{}, err
	}
	s := Sending{c, l}
	if err := l.send(msg, room, deadline); err != nil {
		err = s.errorOf(err)
		s.End()
		return Sending{}, err
	}
	return s, nil
}

// send sends a message. Afterwards the lane is broken, unless the reply is
// taken from it.
func (l *clientLane) send(msg []byte, room int, deadline time.Time) error {
	l.turn.Pass()
	l.seq = max(1, (l.seq+1)&(1<<31-1))
	f := &l.message
	*f = wire.Message{Seq: uint64(l.seq), Len: int64(len(msg)), Room: int64(room), InFile: len(msg) > maxInline}
	l.broken = true
	for {
		err := sendPayload(l.conn.Packet(), l.conn.Descriptor(), f, f.InFile, msg)
		if err == syscall.EAGAIN {
			// Full of pulses that the server has not received.
			if err = linux.WaitFor(l.conn.Descriptor(), unix.POLLOUT, deadline); err == nil {
				continue
			}
			return err
		}
		if procnto.Ended(err) {
			return syscall.EBADF
		}
		l.broken = err == nil // else nothing was sent
		return err
	}
}

// Descriptor becomes readable when Try may succeed.
func (s Sending) Descriptor() int { return s.l.conn.Descriptor() }

// Try is finish that does not sleep, and not done while there is no reply.
func (s Sending) Try(reply []byte) (status int, done bool, err error) {
	r, err := s.try(reply)
	if err == syscall.EAGAIN {
		return 0, false, nil
	}
	status, err = s.result(r, err, reply)
	return status, true, err
}

// try tries for a short while to take what comes on the lane, then EAGAIN.
// Meanwhile it does what a creator may ask for.
func (s Sending) try(reply []byte) (wire.Receipt, error) {
	asked := procnto.Asked()
	var spin linux.Spinner
	for {
		r, err := s.l.conn.Packet().Receive(s.Descriptor(), wire.OneRight, reply, nil, unix.MSG_DONTWAIT)
		if err != syscall.EAGAIN && err != syscall.EINTR {
			return r, err
		}
		if asked != nil {
			asked.Step()
		}
		if err == syscall.EAGAIN && !spin.Again() {
			return r, err
		}
	}
}

func (s Sending) sleep(reply []byte, deadline time.Time) (wire.Receipt, error) {
	return s.l.conn.Packet().Sleep(s.Descriptor(), wire.OneRight, reply, deadline, 0, 0)
}

// await waits for what comes on the lane. It does what creators ask for as long
// as there are any: this thread is there already, as those that receive are.
func (s Sending) await(reply []byte, deadline time.Time) (wire.Receipt, error) {
	for {
		asked := procnto.Asked()
		if asked == nil && !linux.TriesFirst(deadline) {
			return s.sleep(reply, deadline)
		}
		if asked != nil {
			asked.Join()
		}
		r, err := s.try(reply)
		if err == syscall.EAGAIN && asked != nil {
			wanted := []unix.PollFd{{Fd: int32(s.Descriptor()), Events: unix.POLLIN}, {Fd: int32(asked.Descriptor()), Events: unix.POLLIN}}
			if linux.WaitForAny(wanted, deadline) == syscall.ETIMEDOUT {
				err = syscall.ETIMEDOUT
			}
		}
		if asked != nil {
			asked.Leave()
		}
		switch {
		case err != syscall.EAGAIN:
			return r, err
		case asked == nil:
			return s.sleep(reply, deadline)
		}
	}
}

// finish waits for the reply.
func (s Sending) finish(reply []byte, deadline time.Time) (status int, err error) {
	r, err := s.await(reply, deadline)
	if err == syscall.ETIMEDOUT {
		return 0, err
	}
	return s.result(r, err, reply)
}

// result reads what has come on the lane.
func (s Sending) result(r wire.Receipt, err error, replyBuf []byte) (status int, _ error) {
	defer s.l.conn.Packet().Discard(&r)
	switch {
	case err == io.EOF:
		return 0, s.errorOf(syscall.ESRCH)
	case err == syscall.EFAULT:
		return 0, err
	case err != nil:
		return 0, qnxerr.Cause{Errno: syscall.ESRCH, Text: "what the server sent is no reply: " + err.Error()}
	}
	f, ok := r.Frame.(*wire.Reply)
	switch {
	case !ok || f.Seq != uint64(s.l.seq) || r.Lost:
		return 0, syscall.ESRCH
	case f.Errno != 0:
		err = syscall.Errno(f.Errno)
	case f.InFile && r.N == 0 && f.Pieces:
		err = unpackPieces(r.FD, replyBuf, f.Len)
	case f.InFile && r.N == 0:
		_, err = readPayload(r.FD, replyBuf, f.Len)
	case f.InFile || f.Len != int64(r.N) || r.FD != linux.NoFD:
		err = wire.ErrMalformed
	}
	if err == wire.ErrMalformed {
		return 0, syscall.ESRCH
	}
	s.l.broken = false
	return int(f.Status), err
}

// errorOf is err, unless the connection was detached meanwhile.
func (s Sending) errorOf(err error) error {
	if s.c.gate.Closed() {
		return syscall.EBADF
	}
	return err
}

// Stays tells the server that the sender does not want to wait any more, and
// reports whether it has to: with UNBLOCK a server that has the message decides
// itself how long its client stays blocked.
func (s Sending) Stays() bool {
	if s.c.flags&nto.ChannelUnblock == 0 {
		return false
	}
	c := s.c
	c.controlMu.Lock()
	defer c.controlMu.Unlock()
	c.cancels++
	f, err := c.control.Exchange(&wire.Cancel{ID: c.cancels, Lane: s.l.number, Seq: uint64(s.l.seq)})
	for err == nil {
		v, ok := f.(*wire.Verdict)
		if !ok || v.ID > c.cancels {
			return false
		}
		if v.ID == c.cancels {
			return v.Stay
		}
		f, err = c.control.Await() // that was what a stopped server did not answer in time
	}
	return false
}

// End comes back from the send.
func (s Sending) End() {
	s.c.release(s.l, !s.l.broken)
	s.c.gate.Leave()
}

// MsgSendPulse is MsgSendPulse.
func MsgSendPulse(coid, priority, code int, value int64) error {
	if priority != -1 && (priority < 1 || priority > 255) || code < -128 || code > 127 {
		return syscall.EINVAL
	}
	c := connections.get(coid)
	if c == nil || !c.gate.Enter() {
		return syscall.EBADF
	}
	defer c.gate.Leave()
	l, err := c.acquire(time.Now().Add(procnto.PeerTimeout))
	if err == syscall.ETIMEDOUT {
		return procnto.NotAnswering(c.server)
	}
	if err != nil {
		return err
	}
	l.pulse = wire.Pulse{Code: int32(code), Value: value}
	err = l.conn.Packet().Send(l.conn.Descriptor(), &l.pulse, nil, linux.NoFD)
	c.release(l, err == nil || err == syscall.EAGAIN)
	if err != nil && err != syscall.EAGAIN {
		return syscall.EBADF
	}
	return err
}
