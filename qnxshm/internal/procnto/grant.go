//go:build linux

package procnto

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// requests is the role of a connection on which another process asks for handles
// that this one made.
type requests struct {
	conn *Conn
	transit
}

func newRequests(c *Conn) *requests {
	r := &requests{conn: c}
	r.carrier = r
	return r
}

// Frame acts on a request.
func (r *requests) Frame(c *Conn, f wire.Frame) bool {
	if f, ok := f.(*wire.Claim); ok {
		return r.claim(f)
	}
	r.used(true) // whoever asks again has taken the last answer
	switch f := f.(type) {
	case *wire.Open:
		return r.open(f.Handle, int(f.Access), false)
	case *wire.Map:
		return r.open(f.Handle, int(f.Access), true)
	case *wire.Delete:
		return r.answer(f.Handle, deleteFor(c, f.Handle))
	}
	if act := otherRequests.Load(); act != nil {
		if id, err, known := (*act)(c.Peer, f); known {
			return r.answer(id, err)
		}
	}
	return false
}

// otherRequests acts on requests that are not about handles. Package message hands it
// down.
var otherRequests atomic.Pointer[Requests]

// Requests acts on a request of a peer, and returns the request's id and what became of
// it. It does not wait.
type Requests func(from wire.Peer, f wire.Frame) (id uint64, err error, known bool)

// TakeRequests lets f act on the requests that this package does not know.
func TakeRequests(f Requests) { otherRequests.Store(&f) }

// Idle reports whether no handle is in transit.
func (r *requests) Idle() bool { return r.inTransit() == 0 }

// Ended settles the transit: a descriptor that was taken has used its handle up.
func (r *requests) Ended(_ *Conn, tookAll bool) { r.used(tookAll && !r.mapping) }

func (r *requests) answer(id uint64, err error) bool {
	return r.conn.Answer(&wire.Answer{ID: id, Errno: errnoOf(err)})
}

func errnoOf(err error) int32 {
	if err == nil {
		return 0
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return int32(errno)
	}
	return int32(syscall.EIO)
}

// open grants an open, or says why not.
func (r *requests) open(id uint64, access int, mapping bool) bool {
	granted, a, err := r.begin(id, access, mapping)
	if err != nil {
		return r.answer(id, err)
	}
	fd, err := a.open(r.conn.service.fdDir, access)
	tables.lock()
	releaseAnchor(a)
	tables.unlock()
	if err != nil {
		r.used(false)
		if err == syscall.EMFILE || err == syscall.ENFILE {
			err = syscall.EAGAIN // the maker's want, not the opener's
		}
		return r.answer(id, err)
	}
	defer unix.Close(fd)
	return r.conn.send(granted, fd) == nil
}

// open makes a new open file description of the object, with its own access
// mode and position.
func (a *anchor) open(dir, access int) (int, error) {
	fd, err := linux.Reopen(dir, a.fd, access)
	if err == syscall.EACCES && access == a.access {
		// The object belongs to another user, who gave this process a
		// descriptor but not the permission to make one.
		return unix.FcntlInt(uintptr(a.fd), unix.F_DUPFD_CLOEXEC, 0)
	}
	return fd, err
}

// begin puts a handle in transit on this connection. The anchor is the caller's to
// release. EBUSY: another thread of the recipient is just opening the handle.
func (r *requests) begin(id uint64, access int, mapping bool) (*wire.Granted, *anchor, error) {
	for range 2 {
		granted, a, other, err := r.tryBegin(id, access, mapping)
		if other == nil {
			return granted, a, err
		}
		if other.settle(false) {
			break
		}
	}
	return nil, nil, syscall.EBUSY
}

// tryBegin is begin, or returns on what the handle is in transit already.
func (r *requests) tryBegin(id uint64, access int, mapping bool) (_ *wire.Granted, _ *anchor, other carrier, err error) {
	tables.lock()
	defer tables.unlock()
	h, err := handles.find(id, &r.conn.process.recipient)
	if err == nil && h.transit != nil {
		return nil, nil, h.transit.carrier, nil
	}
	if err == nil {
		access, err = accessMode(access)
	}
	if err == nil {
		err = h.permits(mapping, access)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	handles.beginTransit(&r.transit, h, mapping)
	h.anchor.refs++
	settleSoon()
	return &wire.Granted{Handle: id, Offset: h.window.Offset, Size: h.window.Size}, h.anchor, nil, nil
}

// inTransit returns the id of the handle in transit, 0 if there is none.
func (r *requests) inTransit() uint64 {
	tables.lock()
	defer tables.unlock()
	if r.handle == nil {
		return 0
	}
	return r.handle.id
}

// used ends the transit: the handle is used up, or unused again.
func (r *requests) used(up bool) {
	tables.lock()
	defer tables.unlock()
	if h := r.handle; h != nil {
		handles.endTransit(&r.transit)
		if up || h.doomed {
			destroy(h)
		}
	}
}

// settle finds out whether the peer has the descriptor it was sent by now.
func (r *requests) settle(wait bool) (open bool) {
	if wait {
		r.conn.mu.Lock()
	} else if !r.conn.mu.TryLock() {
		return true
	}
	defer r.conn.mu.Unlock()
	return r.settleNow()
}

// settleNow is settle for who has the connection's lock.
func (r *requests) settleNow() (open bool) {
	c, id := r.conn, r.inTransit()
	switch {
	case id == 0:
		return false
	case c.fd >= 0 && wire.UnreadBy(c.fd):
		return true
	}
	// Taken; or the peer has closed the connection, or claimed, which is next.
	c.take(false)
	tables.lock()
	defer tables.unlock()
	switch {
	case r.handle == nil || r.handle.id != id:
		return false
	case r.mapping:
		return true
	}
	destroy(r.handle)
	return false
}

// claim lets the peer keep the mapping it has made with the handle in transit,
// unless that was revoked meanwhile. A peer that does not wait for the answer
// any more has no mapping.
func (r *requests) claim(f *wire.Claim) bool {
	tables.lock()
	var l *outboundLink
	if r.handle != nil {
		l = knownLink(r.handle.anchor.object.origin)
	}
	tables.unlock()
	// A creator that has revoked before the peer registered with it counts on this
	// process. What it has asked for comes first.
	if l != nil {
		l.catchUp()
	}
	tables.lock()
	h := r.handle
	ok := h != nil && r.mapping && h.id == f.Handle && !h.revoked
	tables.unlock()
	var errno int32
	if !ok {
		errno = int32(syscall.ESRCH)
	}
	sent := r.conn.Answer(&wire.Answer{ID: f.Handle, Errno: errno})
	r.used(sent)
	return sent
}

// deleteFor deletes a handle for its recipient.
func deleteFor(c *Conn, id uint64) error {
	tables.lock()
	defer tables.unlock()
	h, err := handles.find(id, &c.process.recipient)
	if err != nil {
		return err
	}
	if h.transit != nil {
		// Being opened this moment by another thread of the recipient: used,
		// unless that has no use for it, and then nobody can have it either.
		h.doomed = true
		return syscall.ESRCH
	}
	destroy(h)
	return nil
}

// deleteOwn deletes a handle for its maker.
func deleteOwn(id uint64) error {
	for {
		carrier, err := tryDelete(id)
		if carrier == nil {
			return err
		}
		if carrier.settle(true) && doom(id, carrier) {
			return syscall.ESRCH
		}
	}
}

// tryDelete is deleteOwn, or returns on what the handle is in transit.
func tryDelete(id uint64) (carrier, error) {
	tables.lock()
	defer tables.unlock()
	noticeExits()
	h := handles.handles[id]
	if h == nil || h.doomed {
		return nil, syscall.ESRCH
	}
	if h.transit != nil {
		return h.transit.carrier, nil
	}
	destroy(h)
	return nil, nil
}

// doom lets nobody use a handle again that is in transit on the carrier, and reports
// whether it is.
func doom(id uint64, on carrier) bool {
	tables.lock()
	defer tables.unlock()
	h := handles.handles[id]
	if h == nil || h.transit == nil || h.transit.carrier != on {
		return false
	}
	h.doomed = true
	return true
}

// An opener takes a handle within microseconds, unless it is stopped.
const settleIn = 5 * time.Millisecond

var settling bool // a look at the handles in transit is due; of tables

// settleSoon sees to it that a used handle does not keep its object for long: what
// is in transit now is looked at once more, and if it still is then, the kernel
// tells when the peer takes it. The lock is held.
func settleSoon() {
	if settling {
		return
	}
	settling = true
	time.AfterFunc(settleIn, func() {
		tables.lock()
		settling = false
		tables.unlock()
		settleAll()
	})
}

// settleAll settles what can be.
func settleAll() {
	tables.lock()
	carriers := make([]*requests, 0, len(handles.transits))
	for t := range handles.transits {
		if r, ok := t.carrier.(*requests); ok {
			carriers = append(carriers, r)
		}
	}
	tables.unlock()
	for _, r := range carriers {
		c := r.conn
		c.mu.Lock()
		if r.settleNow() && c.fd >= 0 && c.taken == nil {
			c.watchTaken(r.settleNow)
		}
		c.mu.Unlock()
	}
}
