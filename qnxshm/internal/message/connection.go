//go:build linux

package message

import (
	"slices"
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

// connections are this process's, by coid.
var connections connectionTable

type connectionTable struct {
	mu   sync.RWMutex
	open []*connection // nil where a coid is free
}

// add makes a connection with the lowest free coid, from one on that its caller wants
// as the lowest.
func (t *connectionTable) add(at *attachment, lowest int) (coid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	from := max(0, lowest-nto.SideChannel-1)
	i := from
	if i < len(t.open) {
		if i = slices.Index(t.open[from:], nil); i >= 0 {
			i += from
		} else {
			i = len(t.open)
		}
	}
	for i >= len(t.open) {
		t.open = append(t.open, nil)
	}
	t.open[i] = &connection{coid: nto.SideChannel + 1 + i, at: at}
	return t.open[i].coid
}

func (t *connectionTable) get(coid int) *connection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i := coid - nto.SideChannel - 1; i >= 0 && i < len(t.open) {
		return t.open[i]
	}
	return nil
}

// remove makes the coid free again.
func (t *connectionTable) remove(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[c.coid-nto.SideChannel-1] = nil
}

// ConnectServerInfo is ConnectServerInfo, for connections of this process.
func ConnectServerInfo(coid int) (ServerInfo, error) {
	c := connections.get(coid)
	if c == nil || c.gate.Closed() {
		return ServerInfo{}, syscall.EINVAL
	}
	return ServerInfo{c.at.server, c.at.chid, c.at.scoid}, nil
}

// ConnectDetach is ConnectDetach, of a connection or of a client (scoid). The coid is
// free when the last thread that uses it has come back.
func ConnectDetach(coid int) error {
	if coid < nto.SideChannel {
		return detachClient(coid)
	}
	c := connections.get(coid)
	if c == nil {
		return syscall.EINVAL
	}
	first := c.gate.Close(func() {
		c.at.wakeAll(func(s *sender) bool { return s.connection.Load() == c })
	})
	if !first {
		return syscall.EINVAL
	}
	connections.remove(c)
	attachments.leave(c.at)
	return nil
}
