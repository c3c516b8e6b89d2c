//go:build linux

package procnto

import (
	"container/list"
	"slices"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A process asks another one on so many connections at most; further calls wait.
const maxAsking = 16

// A pool has what is needed to ask a process.
type pool struct {
	turns chan struct{} // one for each request on its way
	idle  []*Outbound   // connections that nobody uses, the last one used behind; of tables
}

// pools are those of the processes that were asked, and unused all connections that
// nobody uses, longest first; of tables.
var (
	pools  = make(map[*process]*pool)
	unused list.List
)

// maxUnused bounds the connections that are kept for the next request; those that
// nobody has used for longest go first. Of those with one process all but one go
// after a while.
const maxUnused = 256

// poolOf returns the pool of a process. The lock is held.
func poolOf(p *process) *pool {
	k := pools[p]
	if k == nil {
		k = &pool{turns: make(chan struct{}, maxAsking)}
		pools[p] = k
		p.addWatch(func() {
			for len(k.idle) > 0 {
				k.idle[0].closeUnused()
			}
			delete(pools, p)
		})
		if len(pools) == 1 {
			tidiers = []func() bool{tidyPools}
		}
	}
	return k
}

// keep puts a connection behind those that nobody uses. The lock is held.
func (k *pool) keep(c *Outbound) {
	c.stale = false
	c.unused = unused.PushBack(c)
	k.idle = append(k.idle, c)
	c.process.use()
	if unused.Len() > maxUnused {
		unused.Front().Value.(*Outbound).closeUnused()
	}
	if len(k.idle) > 1 {
		tidyLater()
	}
}

// take takes a connection that was kept, nil if there is none.
func (k *pool) take() *Outbound {
	tables.lock()
	defer tables.unlock()
	if len(k.idle) == 0 {
		return nil
	}
	c := k.idle[len(k.idle)-1]
	c.leavePool()
	return c
}

// leavePool takes the connection out of those that nobody uses. The lock is held.
func (c *Outbound) leavePool() {
	k := pools[c.process]
	k.idle = slices.DeleteFunc(k.idle, func(d *Outbound) bool { return d == c })
	unused.Remove(c.unused)
	c.unused = nil
	c.process.drop()
}

// closeUnused closes a connection that nobody uses. The lock is held.
func (c *Outbound) closeUnused() {
	c.leavePool()
	tables.disposeLater(c.blame(), c.fd)
}

// tidyPools closes the connections that nobody has used since the last call, but
// the last one of each process, and reports whether there are others. The lock is
// held.
func tidyPools() (again bool) {
	for p, k := range pools {
		for i := len(k.idle) - 2; i >= 0; i-- {
			if c := k.idle[i]; c.stale {
				c.closeUnused()
			} else {
				c.stale, again = true, true
			}
		}
		if p.gone {
			delete(pools, p)
		}
	}
	return again
}

// A request is a turn to ask a process.
type request struct {
	process *process
	pool    *pool
	c       *Outbound // nil when it ended
	got     wire.Receipt
}

// reserve takes a turn to ask the process pid.
func reserve(pid int) (*request, error) {
	p, err := processOf(pid)
	if err != nil {
		return nil, err
	}
	tables.lock()
	k := poolOf(p)
	tables.unlock()
	r := &request{process: p, pool: k}
	select {
	case k.turns <- struct{}{}:
		return r, nil
	default:
	}
	timer := time.NewTimer(PeerTimeout)
	defer timer.Stop()
	select {
	case k.turns <- struct{}{}:
		return r, nil
	case <-timer.C:
		p.release()
		return nil, NotAnswering(pid)
	}
}

// end gives the turn back, and keeps the connection, if there still is one.
func (r *request) end() {
	tables.lock()
	defer tables.unlock()
	if c := r.c; c != nil && r.process.gone {
		tables.disposeLater(c.blame(), c.fd)
	} else if c != nil {
		r.pool.keep(c)
	}
	<-r.pool.turns
	r.process.drop()
}

// ask makes an exchange with the process pid. On success the request is the
// caller's to end.
func ask(pid int, f wire.Frame, flags int) (*request, error) {
	r, err := reserve(pid)
	if err != nil {
		return nil, err
	}
	const attempts = 3
	for dialled := 0; ; {
		r.c = r.pool.take()
		if r.c == nil {
			dialled++
			if r.c, _, err = r.process.dial(new(wire.HelloHandles)); err != nil {
				r.end()
				return nil, PeerError(err, pid)
			}
		}
		if r.got, err = r.c.exchange(f, flags); err == nil {
			return r, nil
		}
		r.drop()
		if dialled == attempts || err == syscall.ETIMEDOUT {
			r.end()
			return nil, PeerError(err, pid)
		}
		// The maker drops idle connections, also one that was just made. Whatever it
		// did with the request, a handle whose connection ended is unused: asking
		// again is safe.
	}
}

// drop ends the connection.
func (r *request) drop() {
	r.c.packet.Discard(&r.got)
	r.c.close()
	r.c = nil
}

// again makes another exchange on the connection.
func (r *request) again(f wire.Frame) (err error) {
	r.got, err = r.c.exchange(f, 0)
	return err
}

// answer is the errno that came for the request id.
func (r *request) answer(id uint64) error {
	a, ok := r.got.Frame.(*wire.Answer)
	switch {
	case !ok || a.ID != id || r.got.FD != linux.NoFD:
		r.drop()
		return PeerError(wire.ErrMalformed, r.process.pid)
	case a.Errno != 0:
		return syscall.Errno(a.Errno)
	}
	return nil
}

// Tell makes a request, whose id is given, to the process pid, of which only the errno
// comes back.
func Tell(pid int, id uint64, f wire.Frame) error { return tell(pid, id, f) }

// tell makes a request to the process pid of which only the errno comes back.
func tell(pid int, id uint64, f wire.Frame) error {
	r, err := ask(pid, f, 0)
	if err != nil {
		return err
	}
	defer r.end()
	return r.answer(id)
}
