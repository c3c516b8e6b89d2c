package qnxmsg

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// EventSize is the length of an Event in a message.
const EventSize = 32

// An Event is what a client allows a server to do later, when nobody waits: to send a
// certain pulse to one of the client's channels (struct sigevent, SIGEV_PULSE,
// registered). The client makes it with RegisterEvent and sends its bytes in a message;
// the server delivers it with DeliverEvent, whenever there is something to tell. It is a
// number that only the client's system knows the meaning of, so a server that is given
// one can do nothing else with it. Events come by value and may be compared. The zero
// Event is none.
type Event struct{ sigevent [EventSize]byte }

// EventFlags choose what a server can do with an event.
type EventFlags uint32

// EventUpdateable (SIGEV_FLAG_UPDATEABLE): the server chooses the value of the pulse,
// by Event.SetValue.
const EventUpdateable EventFlags = nto.EventUpdateable // 0x400

// RegisterEvent allows the server of a connection to let this channel receive a pulse:
// with the priority, code and value of SendPulse, and the scoid that this process has at
// its own channel. server nil allows every process that this one has a connection to.
// The event lasts until it is unregistered, or the connection or the channel is closed.
// The channel may be a private one ([ChannelPrivate]).
//
// Errors:
//
//	EINVAL  unknown flags, or a priority, code or value as of SendPulse
//	EAGAIN  no connection left; host: no descriptors left to serve it with
//	EBADF   target: the connection to the server is gone
//	ENOSYS  target: the release has no such events
//
// Close of the channel or of the connection before gives an error that matches
// os.ErrClosed.
//
// Since QNX SDP 7.1.
//
// Implements: int MsgRegisterEvent(struct sigevent *event, int coid)
func (c *Channel) RegisterEvent(server *Connection, flags EventFlags, priority, code int, value int64) (Event, error) {
	self, selfErr := c.self()
	if !c.enter() {
		return Event{}, qnxerr.Closed("qnxmsg: Channel.RegisterEvent")
	}
	defer c.gate.Leave()
	coid := anyServer
	if server != nil {
		if !server.enter() {
			return Event{}, qnxerr.Closed("qnxmsg: Channel.RegisterEvent")
		}
		defer server.gate.Leave()
		coid = server.coid
	}
	var e Event
	err := error(syscall.EINVAL)
	if flags&^EventUpdateable == 0 && priority >= -1 && priority <= 255 && code >= nto.PulseMinAvail && code <= nto.PulseMaxAvail {
		if err = selfErr; err == nil {
			e, err = registerPulse(self, coid, flags, priority, code, value)
		}
	}
	if err != nil {
		return Event{}, wrap(err, "MsgRegisterEvent", "coid %#x, flags %#x, priority %d, code %d, value %d", coid, uint32(flags), priority, code, value)
	}
	return e, nil
}

// anyServer is a coid that stands for all.
const anyServer = -1

// self is the coid of the channel's connection to itself, by which events come. Close
// waits for those who have entered the channel, and keeps others from making
// connections meanwhile: so this is called by who has not.
func (c *Channel) self() (coid int, err error) {
	c.selfMu.Lock()
	defer c.selfMu.Unlock()
	if c.selfCOID == 0 && !c.gate.Closed() {
		c.selfCOID, err = connectAttach(0, c.chid)
	}
	return c.selfCOID, err
}

// detachSelf is called when the channel is closed.
func (c *Channel) detachSelf() {
	c.selfMu.Lock()
	defer c.selfMu.Unlock()
	if c.selfCOID != 0 {
		forget, _ := connectDetach(c.selfCOID)
		forget()
		c.selfCOID = 0
	}
}

// Unregister ends the event: no server can deliver it any more. A pulse that was sent
// before is received still.
//
// Errors:
//
//	ESRCH  this process has not registered the event, or not any more
//
// Since QNX SDP 7.1.
//
// Implements: int MsgUnregisterEvent(const struct sigevent *event)
func (e Event) Unregister() error {
	if err := unregisterEvent(e); err != nil {
		return wrap(err, "MsgUnregisterEvent", "event %#x", e.handle())
	}
	return nil
}

// SetValue chooses the value of the pulse, if the event was registered with
// EventUpdateable; else it changes nothing that the client would see. On QNX SDP 7.1 a
// value has 32 bits.
func (e *Event) SetValue(value int64) {
	binary.NativeEndian.PutUint64(e.sigevent[valueAt:], uint64(value))
}

// Where a struct sigevent has its fields.
const (
	notifyAt   = 0
	handleAt   = 8
	valueAt    = 16
	codeAt     = 24
	priorityAt = 26
)

func (e Event) handle() uint32 { return binary.NativeEndian.Uint32(e.sigevent[handleAt:]) }

// AppendBinary appends the event as it is in a message: EventSize bytes, which C
// programs know as a struct sigevent. The error is nil.
func (e Event) AppendBinary(b []byte) ([]byte, error) { return append(b, e.sigevent[:]...), nil }

// MarshalBinary is AppendBinary to nothing.
func (e Event) MarshalBinary() ([]byte, error) { return e.AppendBinary(nil) }

// UnmarshalBinary reads an event from a message. Whether it is one, DeliverEvent finds
// out. The error matches EINVAL if b has not EventSize bytes.
func (e *Event) UnmarshalBinary(b []byte) error {
	if len(b) != EventSize {
		return fmt.Errorf("qnxmsg: an event has %d bytes, got %d: %w", EventSize, len(b), syscall.EINVAL)
	}
	copy(e.sigevent[:], b)
	return nil
}

// DeliverEvent lets the client that has sent this message get the event, which is the
// client's own, of this or an earlier message. It does not wait for the client to
// receive it, and the message may have been answered before, or still wait for that.
//
// Errors:
//
//	EINVAL  this is a pulse, or e is no event
//	ESRCH   the client is gone, or it has closed the channel (or EACCES, when it
//	        has registered others since)
//	EBADF   the client has closed the connection that it registered the event for
//	EACCES  the event is not registered, not any more, or not for this server; or
//	        the client's connection takes no events
//	EAGAIN  too many pulses wait there; host: the client did not answer for 5 s, or
//	        this process has no descriptor left to ask it with
//	ENXIO   target: the client is terminating
//	EPERM   target: the client may not use the priority
//	EBUSY, ECANCELED, EFAULT, ESRVRFAULT, ETIMEDOUT
//	        target: the manual of 7.0 lists them, too, and does not tell of which
//	        events
//
// Host and target: on the host the client's library delivers the event, so a client
// that is stopped gets none. Of a client in Go it delivers registered events only; a
// target, and a client in C, may take others.
//
// Since QNX SDP 6; registered events 7.1.
//
// Implements: int MsgDeliverEvent(rcvid_t rcvid, const struct sigevent *event)
func (m *Message) DeliverEvent(e Event) error { return m.tell("MsgDeliverEvent", e, deliverEvent) }

// VerifyEvent tells whether DeliverEvent would deliver the event, and delivers nothing. A
// server that is to keep an event looks first.
//
// Errors are those of DeliverEvent.
//
// Since QNX SDP 6; registered events 7.1.
//
// Implements: int MsgVerifyEvent(rcvid_t rcvid, const struct sigevent *event)
func (m *Message) VerifyEvent(e Event) error { return m.tell("MsgVerifyEvent", e, verifyEvent) }

func (m *Message) tell(call string, e Event, do func(rcvid int64, e Event) error) error {
	err := error(syscall.EINVAL)
	if !m.IsPulse() {
		if !m.channel.enter() {
			return qnxerr.Closed("qnxmsg: " + call)
		}
		defer m.channel.gate.Leave()
		err = do(m.rcvid, e)
	}
	if err != nil {
		return wrap(err, call, "rcvid %#x, event %#x", m.rcvid, e.handle())
	}
	return nil
}
