//go:build linux

package procnto

import (
	"sync"
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

// A Watch waits for the end of a connection.
type Watch struct {
	connection *Outbound
	once       sync.Once
	ended      func()
	exit       *exitWatch
	id         uint64
}

// Watch lets ended be called once the other end of the connection, or its process, is
// gone.
func (c *Outbound) Watch(ended func()) (w *Watch, err error) {
	w = &Watch{connection: c, ended: ended}
	w.exit = c.process.watchExit(func() { go w.end() })
	// The service runs: there is a process.
	if w.id, err = service.Load().watchEnd(c.fd, w); err != nil {
		c.process.unwatchExit(w.exit)
	}
	return w, err
}

// Stop is the end of Watch.
func (w *Watch) Stop() {
	w.connection.process.unwatchExit(w.exit)
	service.Load().unwatch(w.id, w.connection.fd)
}

// ready is called by the service when the other end is closed.
func (w *Watch) ready(uint32) { w.end() }

func (w *Watch) end() { w.once.Do(w.ended) }

// Descriptor is the connection's socket, which stays its own.
func (c *Outbound) Descriptor() int { return c.fd }

// Packet is what the connection's sends and receives use.
func (c *Outbound) Packet() *wire.Packet { return &c.packet }

// PID is the process at the other end.
func (c *Outbound) PID() int { return c.process.pid }

// Close closes a connection of Dial or DialName.
func (c *Outbound) Close() {
	c.close()
	c.process.release()
}
