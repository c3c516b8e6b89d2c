package shmtest

import (
	"math"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A subscriber is a worker that has registered an event: a pulse to its own channel.
type subscriber struct {
	*worker
	conn, ch, event ref
	server          *qnxmsg.Channel
	message         qnxmsg.Message // in which it has sent the event
	answer          *call
	got             qnxmsg.Event
}

const eventCode, eventValue = 9, 1234

// subscribe makes a worker register an event for the server, and send it.
func (c *trial) subscribe(flags qnxmsg.EventFlags) *subscriber {
	ch, name := c.server()
	s := &subscriber{worker: c.worker(), server: ch}
	s.conn = s.openName(name)
	s.ch = s.must(request{Op: "channel"}).Ref
	s.register(s.conn, flags)
	s.send()
	return s
}

// register registers an event for a server, 0: for every one.
func (s *subscriber) register(server ref, flags qnxmsg.EventFlags) {
	r := s.must(request{Op: "register", Ref: s.ch, Server: server, Cur: uint64(flags), N: eventCode, Size: eventValue})
	s.event = r.Ref
	s.c.must("event", s.got.UnmarshalBinary(r.Data))
}

// send sends the event; the answer is the caller's to give.
func (s *subscriber) send() {
	b, err := s.got.AppendBinary(nil)
	s.c.must("event", err)
	s.answer = s.start(request{Op: "send", Ref: s.conn, Data: b, N: 64, Timeout: patience})
	s.message = s.c.receive(s.server)
	s.c.must("event of the message", s.got.UnmarshalBinary(s.message.Data))
}

func (s *subscriber) reply() {
	s.c.must("reply", s.message.Reply(0, nil))
	s.c.replied(s.answer)
}

// pulse checks that the pulse is at the client's channel.
func (s *subscriber) pulse(value int64) {
	r := s.must(request{Op: "receive", Ref: s.ch, N: 64, Timeout: patience})
	if r.Pulse == nil {
		s.c.fatalf("worker: got message %q, want a pulse", r.Data)
	}
	equal(s.c, "code", r.Pulse.Code, eventCode)
	equal(s.c, "value", r.Pulse.Value, value)
}

// noPulse checks that nothing is at the client's channel.
func (s *subscriber) noPulse() {
	_, err := s.do(request{Op: "receive", Ref: s.ch, N: 64, Timeout: silence})
	s.c.fails("worker: receive nothing", err, "ETIMEDOUT")
}

var eventCases = map[string]caseFunc{
	"event/delivered": func(c *trial) {
		s := c.subscribe(0)
		s.reply()
		c.must("deliver", s.message.DeliverEvent(s.got))
		s.pulse(eventValue)
		self := s.must(request{Op: "connect", N: s.must(request{Op: "channelid", Ref: s.ch}).N}).Ref
		s.must(request{Op: "pulse", Ref: self, N: 1})
		own := s.must(request{Op: "receive", Ref: s.ch, N: 64, Timeout: patience})
		c.must("deliver", s.message.DeliverEvent(s.got))
		delivered := s.must(request{Op: "receive", Ref: s.ch, N: 64, Timeout: patience})
		equal(c, "scoid", delivered.Pulse.SCOID, own.Pulse.SCOID)
	},
	"event/while-blocked": func(c *trial) {
		s := c.subscribe(0)
		c.must("deliver", s.message.DeliverEvent(s.got))
		s.pulse(eventValue)
		select {
		case r := <-s.answer.ch:
			c.errorf("the client was answered: %+v", r)
		case <-time.After(silence):
		}
		s.reply()
		s.noPulse()
	},
	"event/after-answer": func(c *trial) {
		s := c.subscribe(0)
		first, event := s.message, s.got
		s.reply()
		s.send() // the same thread's next message
		s.reply()
		for range 3 {
			c.must("deliver", first.DeliverEvent(event))
			s.pulse(eventValue)
		}
	},
	"event/often": func(c *trial) {
		s := c.subscribe(qnxmsg.EventUpdateable)
		for i := range 100 {
			s.got.SetValue(int64(i))
			c.must("deliver", s.message.DeliverEvent(s.got))
		}
		for i := range 100 {
			s.pulse(int64(i))
		}
		s.reply()
	},
	"event/updateable": func(c *trial) {
		s := c.subscribe(qnxmsg.EventUpdateable)
		for _, value := range []int64{-1, 0, math.MaxInt32, math.MinInt32} {
			s.got.SetValue(value)
			c.must("deliver", s.message.DeliverEvent(s.got))
			s.pulse(value)
		}
		s.reply()
	},
	"event/fixed-value": func(c *trial) {
		s := c.subscribe(0)
		s.got.SetValue(7)
		c.must("deliver", s.message.DeliverEvent(s.got))
		s.pulse(eventValue)
		s.reply()
	},
	"event/any-server": func(c *trial) {
		s := c.subscribe(0)
		s.reply()
		s.register(0, 0)
		s.send()
		c.must("deliver", s.message.DeliverEvent(s.got))
		s.pulse(eventValue)
		s.reply()
	},
	"event/other-server": func(c *trial) {
		s := c.subscribe(0)
		s.reply()
		_, name := c.server()
		s.register(s.openName(name), 0)
		s.send()
		c.errno("deliver", s.message.DeliverEvent(s.got))
		s.noPulse()
		s.reply()
	},
	"event/unregistered": func(c *trial) {
		s := c.subscribe(0)
		s.must(request{Op: "unregister", Ref: s.event})
		c.errno("deliver", s.message.DeliverEvent(s.got))
		s.noPulse()
		s.reply()
	},
	"event/connection-closed": func(c *trial) {
		ch, name := c.server()
		s := &subscriber{worker: c.worker(), server: ch}
		s.conn = s.openName(name)
		s.ch = s.must(request{Op: "channel"}).Ref
		s.openName(name)
		s.register(s.conn, 0)
		s.send()
		s.reply()
		s.close(s.conn)
		c.errno("deliver", s.message.DeliverEvent(s.got))
		s.noPulse()
	},
	"event/other-connection": func(c *trial) {
		ch, name := c.server()
		s := &subscriber{worker: c.worker(), server: ch}
		s.conn = s.openName(name)
		s.ch = s.must(request{Op: "channel"}).Ref
		s.register(s.conn, 0)
		s.send()
		s.reply()
		other := s.openName(name)
		answer := s.start(request{Op: "send", Ref: other, Data: []byte(text), N: 64, Timeout: patience})
		m := c.receive(ch)
		c.must("reply", m.Reply(0, nil))
		c.replied(answer)
		s.close(other)
		c.must("deliver", s.message.DeliverEvent(s.got))
		s.pulse(eventValue)
	},
	"event/channel-closed": func(c *trial) {
		s := c.subscribe(0)
		s.close(s.ch)
		s.must(request{Op: "connect", N: s.must(request{Op: "channel"}).N}) // which may have the same numbers
		c.errno("deliver", s.message.DeliverEvent(s.got))
		s.reply()
	},
	"event/client-gone": func(c *trial) {
		s := c.subscribe(0)
		s.kill()
		c.disconnectedNotDetached(s.server, s.message.Info.SCOID)
		c.errno("deliver", s.message.DeliverEvent(s.got))
		c.must("detach", s.server.DetachClient(s.message.Info.SCOID))
		c.fails("deliver when detached", s.message.DeliverEvent(s.got), "ESRCH")
	},
	"event/none": func(c *trial) {
		s := c.subscribe(0)
		var e qnxmsg.Event
		b := make([]byte, qnxmsg.EventSize)
		for i := range b {
			b[i] = 0x99
		}
		b[1] = 0 // without the flags of a registered one
		c.must("bytes", e.UnmarshalBinary(b))
		c.errno("deliver", s.message.DeliverEvent(e))
		c.errno("verify", s.message.VerifyEvent(e))
		s.must(request{Op: "pulse", Ref: s.conn, N: 1})
		pulse := c.receiveEither(s.server)
		c.errno("by a pulse", pulse.DeliverEvent(s.got))
		c.errno("bytes", e.UnmarshalBinary(b[:31]))
		s.reply()
	},
	"event/flood": func(c *trial) {
		if target {
			c.skipf("a target has another number, and others need its pulses")
		}
		s := c.subscribe(0)
		n := 0
		var err error
		for ; err == nil && n < 100_000; n++ {
			err = s.message.DeliverEvent(s.got)
		}
		c.errno("deliver", err)
		if n < 4096 {
			c.errorf("only %d pulses", n)
		}
		s.pulse(eventValue)
		s.reply()
	},
	"event/verify": func(c *trial) {
		s := c.subscribe(0)
		c.must("verify", s.message.VerifyEvent(s.got))
		s.noPulse()
		s.reply()
	},
	"event/verify-ended": func(c *trial) {
		s := c.subscribe(0)
		s.must(request{Op: "unregister", Ref: s.event})
		c.errno("verify", s.message.VerifyEvent(s.got))
		s.reply()
	},
	"event/unregister-unknown": func(c *trial) {
		c.errno("zero", qnxmsg.Event{}.Unregister())
		ch := c.channel(0)
		e, err := ch.RegisterEvent(nil, 0, -1, 1, 1)
		c.must("register", err)
		c.must("unregister", e.Unregister())
		c.errno("again", e.Unregister())
		s := c.subscribe(0)
		c.errno("another process's", s.got.Unregister())
		s.reply()
	},
	"event/register-invalid": func(c *trial) {
		ch := c.channel(0)
		for _, bad := range []struct {
			flags          qnxmsg.EventFlags
			priority, code int
		}{{1, -1, 1}, {^qnxmsg.EventFlags(0), -1, 1}, {0, -2, 1}, {0, 256, 1}, {0, -1, -1}, {0, -1, 128}} {
			_, err := ch.RegisterEvent(nil, bad.flags, bad.priority, bad.code, 0)
			c.errno("register", err)
		}
	},
}
