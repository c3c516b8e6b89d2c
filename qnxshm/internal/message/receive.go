//go:build linux

package message

import (
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// A receiver is what a thread in MsgReceive needs.
type receiver struct {
	events [1]unix.EpollEvent
	packet wire.Packet
	turn   linux.Turn
	rest   [maxInline]byte // of a message longer than the buffer
}

var receivers = sync.Pool{New: func() any { return new(receiver) }}

// MsgReceive is MsgReceive, with TimerTimeout if timeout is not negative.
func MsgReceive(chid int, buf []byte, timeout time.Duration) (Received, error) {
	rc, err := BeginReceive(chid, false)
	if err != nil {
		return Received{}, err
	}
	defer rc.End()
	rc.rcv.turn.Pass()
	deadline := deadlineOf(timeout)
	for {
		r, err := rc.Try(buf, !linux.OnlyProcessor || timeout >= 0)
		if err != syscall.EAGAIN {
			return r, err
		}
		if err := rc.sleep(deadline); err != nil {
			return Received{}, err
		}
	}
}

// A Receiving is a thread in MsgReceive. The C face waits between its methods,
// on the caller's own thread.
type Receiving struct {
	ch         *channel
	rcv        *receiver
	pulsesOnly bool
	// ready is set when rcv holds the event that sleep came back with.
	ready bool
}

// BeginReceive enters MsgReceive, or MsgReceivePulse. On success End must
// follow.
func BeginReceive(chid int, pulsesOnly bool) (Receiving, error) {
	ch := channels.get(chid)
	if ch == nil || !ch.gate.Enter() {
		return Receiving{}, syscall.ESRCH
	}
	ch.service.Join()
	if !pulsesOnly {
		ch.unmute()
	}
	return Receiving{ch: ch, rcv: receivers.Get().(*receiver), pulsesOnly: pulsesOnly}, nil
}

// End leaves.
func (rc *Receiving) End() {
	receivers.Put(rc.rcv)
	if !rc.pulsesOnly {
		rc.ch.mu.Lock()
		rc.ch.takers--
		rc.ch.mu.Unlock()
	}
	rc.ch.service.Leave()
	rc.ch.gate.Leave()
}

// ChannelID returns the chid.
func (rc *Receiving) ChannelID() int { return rc.ch.chid }

// Descriptor becomes readable when Try may succeed.
func (rc *Receiving) Descriptor() int { return rc.ch.epfd }

// Try takes a message or a pulse if there is one, else EAGAIN. With look it
// looks, for a short while; without, it only takes what sleep has found.
func (rc *Receiving) Try(buf []byte, look bool) (Received, error) {
	const enough = 64
	ch, fruitless := rc.ch, 0
	var spin linux.Spinner
	for {
		if ch.gate.Closed() {
			return Received{}, syscall.ESRCH
		}
		if ch.queued.Load() > 0 {
			if r, ok := ch.nextOwn(); ok {
				return r, nil
			}
		}
		if !rc.ready {
			if !look {
				return Received{}, syscall.EAGAIN
			}
			n, err := linux.PollEvents(ch.epfd, rc.rcv.events[:])
			if n == 0 && err == nil && !spin.Again() {
				return Received{}, syscall.EAGAIN
			}
			if n == 0 || err != nil { // EINTR
				continue
			}
		}
		rc.ready = false
		spin = linux.Spinner{}
		if r, err := rc.handle(&rc.rcv.events[0], buf); err != syscall.EAGAIN {
			return r, err
		}
		if fruitless++; fruitless == enough {
			return Received{}, syscall.EAGAIN // the caller may have a deadline
		}
	}
}

// handle acts on an event of the channel. EAGAIN: it was nothing to receive.
func (rc *Receiving) handle(ev *unix.EpollEvent, buf []byte) (Received, error) {
	if linux.EpollID(ev) == serviceEvent {
		rc.ch.service.Step()
		return Received{}, syscall.EAGAIN
	}
	l := lanes.get(uint32(linux.EpollID(ev)))
	if l == nil {
		return Received{}, syscall.EAGAIN
	}
	hangup := ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0
	r, err := l.take(rc.rcv, buf, hangup, rc.pulsesOnly)
	switch err {
	case io.EOF:
		rc.ch.dropLane(l)
		err = syscall.EAGAIN
	case errNoPulse:
		rc.ch.mute(l, rc.rcv)
		err = syscall.EAGAIN
	}
	return r, err
}

// errNoPulse: a message is next, which is not for MsgReceivePulse.
var errNoPulse = errors.New("a message is next")

// sleep waits until something may be there, at most until the deadline unless
// that is zero.
func (rc *Receiving) sleep(deadline time.Time) error {
	if !deadline.IsZero() {
		return linux.WaitFor(rc.ch.epfd, unix.POLLIN, deadline)
	}
	n, err := unix.EpollWait(rc.ch.epfd, rc.rcv.events[:], -1)
	rc.ready = n > 0 && err == nil
	return nil
}

func isMessage(f wire.Frame) bool {
	_, ok := f.(*wire.Message)
	return ok
}

// mute leaves the lane's message to a later MsgReceive.
func (ch *channel) mute(l *lane, rcv *receiver) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.takers > 0 {
		linux.Yield() // one of them is about to take it
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return
	}
	// It may have been taken meanwhile: what comes next is a pulse perhaps.
	if f, err := rcv.packet.Peek(l.fd); err != nil || !isMessage(f) {
		return
	}
	if l.listen(ch.epfd, 0) {
		ch.muted = append(ch.muted, l)
	}
}

func (ch *channel) unmute() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.takers++
	for _, l := range ch.muted {
		l.mu.Lock()
		l.listen(ch.epfd, unix.EPOLLIN)
		l.mu.Unlock()
	}
	ch.muted = nil
}

// listen changes what the channel is told of the lane, besides its end. The
// lane's lock is held.
func (l *lane) listen(epfd int, events uint32) bool {
	if l.fd < 0 {
		return false
	}
	return linux.EpollChange(epfd, l.fd, events|unix.EPOLLRDHUP, uint64(l.id)) == nil
}

// deadlineOf is the zero time for a timeout that never ends.
func deadlineOf(timeout time.Duration) time.Time {
	if timeout < 0 {
		return time.Time{}
	}
	return time.Now().Add(timeout)
}
