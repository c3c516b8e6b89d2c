package shmtest

import (
	"errors"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// died receives the death pulses of some connections of this process, in any order, and
// nothing else.
func (c *trial) died(ch *qnxmsg.Channel, conns ...*qnxmsg.Connection) {
	left := make(map[int64]bool)
	for _, conn := range conns {
		left[int64(conn.ID())] = true
	}
	equal(c, "connections", len(left), len(conns))
	for range conns {
		p := c.receivePulse(ch)
		equal(c, "code", p.Code, qnxmsg.PulseConnectionDeath)
		equal(c, "is the id of a connection that has not died yet", left[p.Value], true)
		delete(left, p.Value)
	}
	c.nothingComes(ch)
	for _, conn := range conns {
		_, err := conn.Send([]byte(text), nil)
		c.fails("send", err, "EBADF")
		c.must("close", conn.Close())
	}
	c.nothingComes(ch)
}

var deathCases = map[string]caseFunc{
	"death/closed": func(c *trial) {
		deaths := c.channel(qnxmsg.ChannelConnectionDeath)
		w := c.worker()
		name := uniqueName()
		theirs := w.attach(name)
		conn := c.client(name)
		w.close(theirs)
		c.died(deaths, conn)
		// A server in the client's process, of which the death pulses may be told on the
		// channel that others die on.
		own, name := c.server()
		conn = c.client(name)
		c.must("close", own.Close())
		c.died(deaths, conn)
		// A client in another process.
		ch, name := c.server()
		answer := w.must(request{Op: "channel", N: int(qnxmsg.ChannelConnectionDeath | qnxmsg.ChannelPrivate)})
		dying := w.must(request{Op: "openname", Name: name})
		c.must("close", ch.Close())
		r := w.must(request{Op: "receive", Ref: answer.Ref, N: 64, Timeout: patience})
		equal(c, "is a pulse", r.Pulse != nil, true)
		equal(c, "code", r.Pulse.Code, qnxmsg.PulseConnectionDeath)
		equal(c, "value", r.Pulse.Value, int64(dying.N))
	},
	"death/killed": func(c *trial) {
		deaths := c.channel(qnxmsg.ChannelConnectionDeath)
		for _, end := range []func(w *worker){(*worker).kill, (*worker).exit} {
			w := c.worker()
			name := uniqueName()
			w.attach(name)
			conn := c.client(name)
			c.nothingComes(deaths)
			end(w)
			c.died(deaths, conn)
		}
	},
	"death/each": func(c *trial) {
		deaths := c.channel(qnxmsg.ChannelConnectionDeath)
		w, other := c.worker(), c.worker()
		name, otherName := uniqueName(), uniqueName()
		w.attach(name)
		other.attach(otherName)
		conns := []*qnxmsg.Connection{c.client(name), c.client(name), c.client(name)}
		lives := c.client(otherName)
		closed := c.client(name)
		c.must("close", closed.Close())
		w.kill()
		c.died(deaths, conns...)
		other.kill()
		c.died(deaths, lives)
	},
	"death/several": func(c *trial) {
		deaths := []*qnxmsg.Channel{c.channel(qnxmsg.ChannelConnectionDeath)}
		second, err := qnxmsg.NewChannel(qnxmsg.ChannelConnectionDeath | qnxmsg.ChannelDisconnect)
		if target && errors.Is(err, syscall.EBUSY) {
			c.skipf("this release has one such channel: %v", err)
		}
		c.must("make a second channel", err)
		deaths = append(deaths, c.ownedChannel(second))
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		conn := c.client(name)
		w.kill()
		for _, ch := range deaths {
			p := c.receivePulse(ch)
			equal(c, "code", p.Code, qnxmsg.PulseConnectionDeath)
			equal(c, "value", p.Value, int64(conn.ID()))
		}
	},
	"death/not-asked": func(c *trial) {
		ch := c.channel(qnxmsg.ChannelUnblock | qnxmsg.ChannelDisconnect)
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		c.client(name)
		w.kill()
		c.nothingComes(ch)
	},
	"death/detached": func(c *trial) {
		deaths := c.channel(qnxmsg.ChannelConnectionDeath)
		w := c.worker()
		name := uniqueName()
		w.attach(name)
		conn := c.client(name)
		c.must("close", conn.Close())
		w.kill()
		c.nothingComes(deaths)
	},
}
