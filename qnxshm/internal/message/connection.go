//go:build linux

package message

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

// connections are this process's, by coid.
var connections connectionTable

type connectionTable struct {
	mu   sync.RWMutex
	open []*connection // nil where a coid is free
}

// add makes a connection with the lowest free coid.
func (t *connectionTable) add(at *attachment, flags uint32) (coid int) {
	c := t.put(at, flags)
	c.enter()
	return c.coid
}

func (t *connectionTable) put(at *attachment, flags uint32) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.open, nil)
	if i < 0 {
		i = len(t.open)
		t.open = append(t.open, nil)
	}
	c := &connection{coid: nto.SideChannel + 1 + i, at: at}
	c.flags.Store(flags) // before a server can use it for an event
	t.open[i] = c
	return c
}

func (t *connectionTable) get(coid int) *connection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i := coid - nto.SideChannel - 1; i >= 0 && i < len(t.open) {
		return t.open[i]
	}
	return nil
}

// enterTo enters those to what a server calls a client. It does so without the lock: who
// is turned away may be the last one who leaves, and then gives the coid back.
func (t *connectionTable) enterTo(server, scoid int) []*connection {
	t.mu.RLock()
	open := slices.Clone(t.open)
	t.mu.RUnlock()
	return slices.DeleteFunc(open, func(c *connection) bool {
		return c == nil || c.at.server != server || c.at.scoid != scoid || !c.gate.Enter()
	})
}

// next gives the connection with the lowest coid that is not below another, nil if there
// is none.
func (t *connectionTable) next(coid int) *connection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for i := max(0, coid-nto.SideChannel-1); coid >= 0 && i < len(t.open); i++ {
		if c := t.open[i]; c != nil {
			return c
		}
	}
	return nil
}

// remove makes the coid free again.
func (t *connectionTable) remove(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[c.coid-nto.SideChannel-1] = nil
}

// ConnectServerInfo is ConnectServerInfo, for connections of this process: it tells
// about the one that has the coid, or else the next one above.
func ConnectServerInfo(coid int) (ServerInfo, error) { return serverInfo(coid, true) }

// ConnectServerAlive is ConnectServerInfo without a place for the info: it passes over
// connections whose server is gone.
func ConnectServerAlive(coid int) (next int, err error) {
	info, err := serverInfo(coid, false)
	return info.COID, err
}

func serverInfo(coid int, dead bool) (ServerInfo, error) {
	for {
		c := connections.next(coid)
		if c == nil {
			return ServerInfo{}, syscall.EINVAL
		}
		if c.gate.Enter() {
			info := ServerInfo{c.at.server, c.at.chid, c.at.scoid, c.coid, c.at.dead()}
			c.gate.Leave()
			if dead || !info.Dead {
				return info, nil
			}
		}
		coid = c.coid + 1
	}
}

// ConnectDetach is ConnectDetach, of a connection or of a client (scoid). The coid is
// free when the last thread that uses it has come back: at once, but for those whose
// message a server with UNBLOCK has received, and which wait for its answer.
func ConnectDetach(coid int) error {
	if coid < nto.SideChannel {
		return detachClient(coid)
	}
	forget, err := BeginDetach(coid)
	if err != nil {
		return err
	}
	forget()
	return nil
}

// BeginDetach is ConnectDetach of a connection whose coid somebody may be about to use:
// it is not given to another connection before forget, never nil, is called.
func BeginDetach(coid int) (forget func(), err error) {
	c := connections.get(coid)
	if c == nil {
		return func() {}, syscall.EINVAL
	}
	var needed atomic.Int32 // the coid, by those who use the connection, and by the caller
	needed.Store(2)
	forget = func() {
		if needed.Add(-1) == 0 {
			connections.remove(c)
		}
	}
	first := c.gate.Shut(func() {
		c.at.wakeAll(func(s *sender) bool { return s.connection.Load() == c })
	}, func() {
		c.leave()
		forget()
		attachments.leave(c.at)
	})
	if !first {
		return func() {}, syscall.EINVAL
	}
	return forget, nil
}

// ConnectFlags is ConnectFlags, for connections of this process: it returns the flags
// that the connection has, and changes those of mask.
func ConnectFlags(coid int, mask, bits uint32) (old uint32, err error) {
	c := connections.get(coid)
	if c == nil || c.gate.Closed() {
		return 0, syscall.EBADF
	}
	for {
		old = c.flags.Load()
		if c.flags.CompareAndSwap(old, old&^mask|bits&mask) {
			return old, nil
		}
	}
}
