//go:build linux

package procnto

import (
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// Connections to other processes, for package message.

// Dial connects to the service of the process pid, and says hello.
func Dial(pid int, hello wire.Frame) (*Outbound, *wire.Welcome, error) {
	p, err := processOf(pid)
	if err != nil {
		return nil, nil, err
	}
	c, w, err := p.dial(hello)
	if err != nil {
		p.release()
		return nil, nil, PeerError(err, pid)
	}
	return c, w, nil
}

// DialName connects to whoever listens under a name of its own, and says hello.
func DialName(name string, hello wire.Frame) (*Outbound, *wire.Welcome, error) {
	c, peer, err := reach(name, PeerTimeout)
	for began := time.Now(); err == syscall.EAGAIN && time.Since(began) < PeerTimeout; {
		time.Sleep(5 * time.Millisecond) // until the listener's queue has room
		c, peer, err = reach(name, PeerTimeout)
	}
	if err != nil {
		return nil, nil, PeerError(err, 0)
	}
	p, err := processOf(peer.PID)
	if err != nil {
		c.close()
		return nil, nil, err
	}
	if err = p.greet(c, peer, hello); err == nil {
		var w *wire.Welcome
		if w, err = c.welcome(PeerTimeout); err == nil {
			return c, w, nil
		}
		c.close()
	}
	p.release()
	return nil, nil, PeerError(err, peer.PID)
}

// Another makes another connection to the same process, which lasts no longer
// than the first one is open, and says hello. ETIMEDOUT: there was no room for it
// until the deadline. Welcomed must follow.
func (c *Outbound) Another(hello wire.Frame, deadline time.Time) (*Outbound, error) {
	return c.process.connectAny(hello, deadline)
}

// Welcomed waits for the welcome of a connection of Another until the deadline,
// unless that is zero. After ETIMEDOUT it can be called again. EOF: the process has
// closed the connection without a word.
func (c *Outbound) Welcomed(deadline time.Time) error {
	r, err := c.packet.Await(c.fd, wire.OneRight, nil, deadline, 0, 0)
	c.packet.Discard(&r)
	if err != nil {
		return err
	}
	w, ok := r.Frame.(*wire.Welcome)
	switch {
	case !ok || r.N != 0 || r.From != c.process.pid:
		return wire.ErrMalformed
	case w.Errno != 0:
		return refusal(w.Errno)
	}
	wire.TrustPeer(c.fd)
	return nil
}

// connectAny connects to the first socket of the process that takes it.
func (p *process) connectAny(hello wire.Frame, deadline time.Time) (*Outbound, error) {
	for began := time.Now(); ; {
		busy := false
		for name := range p.sockets() {
			c, err := p.connect(name, hello, 0)
			if err == nil {
				return c, nil
			}
			if !passable(err) {
				return nil, err
			}
			busy = busy || err == syscall.EAGAIN && p.mayBe(name)
		}
		now := time.Now()
		switch {
		case !busy:
			return nil, syscall.ECONNREFUSED
		case !deadline.IsZero() && now.After(deadline):
			return nil, syscall.ETIMEDOUT
		case now.Sub(began) > PeerTimeout:
			return nil, NotAnswering(p.pid)
		}
		time.Sleep(5 * time.Millisecond) // until the listener's queue has room
	}
}

// Descriptor is the connection's socket, which stays its own.
func (c *Outbound) Descriptor() int { return c.fd }

// Packet is what the connection's sends and receives use.
func (c *Outbound) Packet() *wire.Packet { return &c.packet }

// PID is the process at the other end.
func (c *Outbound) PID() int { return c.process.pid }

// Exchange sends a frame and waits for what comes back.
func (c *Outbound) Exchange(f wire.Frame) (wire.Frame, error) {
	r, err := c.exchange(f, 0)
	c.packet.Discard(&r)
	return r.Frame, err
}

// Await waits for what comes.
func (c *Outbound) Await() (wire.Frame, error) {
	r, err := c.await(PeerTimeout, 0)
	c.packet.Discard(&r)
	return r.Frame, err
}

// Close closes a connection of Dial or DialName.
func (c *Outbound) Close() {
	c.close()
	c.process.release()
}

// CloseAnother closes a connection of Another.
func (c *Outbound) CloseAnother() { c.close() }
