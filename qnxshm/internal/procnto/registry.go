//go:build linux

package procnto

import (
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// What this process knows, as their creator, of the revocable objects that it has
// given to others: who has to be told of a revocation (revoke.go).

// A sharing is what the creator knows of one of its objects.
type sharing struct {
	origin  memory.Origin
	mappers map[*link]registration
	granted map[int]struct{} // processes that may have mapped it, at any time
}

// Of tables.
var (
	sharings = make(map[memory.Origin]*sharing)
	links    = make(map[*link]struct{})
	waits    = make(map[uint64]*revocation)
	sweepAt  = 64 // so many sharings are looked through
)

// A registration tells the creator of an object what a process may have of it.
type registration struct {
	number uint64 // a later one of the same link and object has a higher one
	makes  bool   // handles, which have to be destroyed; else mappings only
}

// covers reports whether nothing is to be added for what makes tells.
func (r registration) covers(makes bool) bool { return r.number > 0 && (r.makes || !makes) }

// with merges two registrations of one object, which may come in any order.
func (r registration) with(s registration) registration {
	return registration{max(r.number, s.number), r.makes || s.makes}
}

// sharingOf returns the record of an object, which is made if need be. The lock is
// held.
func sharingOf(origin memory.Origin) *sharing {
	s := sharings[origin]
	if s == nil {
		s = &sharing{origin: origin}
		sharings[origin] = s
	}
	return s
}

// forget drops a record that says nothing. The lock is held.
func (s *sharing) forget() {
	if len(s.mappers) == 0 && len(s.granted) == 0 && sharings[s.origin] == s {
		delete(sharings, s.origin)
	}
}

// grant remembers that pid may have mapped the object: then its being gone is no
// mistake of who revokes. The lock is held.
func (s *sharing) grant(pid int) {
	if s.granted == nil {
		s.granted = make(map[int]struct{})
	}
	s.granted[pid] = struct{}{}
}

// knows reports whether pid may have mapped the object.
func knows(origin memory.Origin, pid int) bool {
	tables.lock()
	defer tables.unlock()
	if s := sharings[origin]; s != nil {
		_, ok := s.granted[pid]
		return ok
	}
	return false
}

// sweepSharings forgets who may have mapped what this process cannot revoke any
// more: it has no descriptor of it. It looks when they have doubled.
func sweepSharings() {
	tables.lock()
	due := len(sharings) >= sweepAt
	if due {
		sweepAt = 2 * len(sharings) // nobody else looks meanwhile
	}
	tables.unlock()
	if !due {
		return
	}
	present := memory.Present()
	tables.lock()
	defer tables.unlock()
	for origin, s := range sharings {
		if present != nil && !present[origin] {
			s.granted = nil
			s.forget()
		}
	}
	sweepAt = max(64, 2*len(sharings))
}

// A link is the creator's end of the connection to a process that it tells of
// revocations.
type link struct {
	conn     *Conn
	process  *process
	sharings map[*sharing]struct{} // that it is registered for; of tables
	owed     []owedRevocation      // not confirmed yet; of tables
	queue    []wire.Frame          // for which the peer has no room; of conn.mu
	answers  bool                  // registrations: see newLink
}

// maxQueue bounds the answers for which a peer has no room. One that waits for each
// has few.
const maxQueue = 256

// An owedRevocation is what a process was asked and has not confirmed.
type owedRevocation struct {
	id    uint64
	since time.Time
}

// newLink gives a connection the role of a link. Other users have to wait until this
// process has read their registrations: else each Revoke would have to read first
// whatever they like to send.
func newLink(c *Conn) (Role, *wire.Welcome) {
	l := &link{conn: c, process: c.process, sharings: make(map[*sharing]struct{}), answers: c.place.user.stranger}
	w := new(wire.Welcome)
	if l.answers {
		w.Flags = wire.LinkAnswers
	} else if linux.EpollAdd(c.service.links, c.fd, unix.EPOLLIN, c.id) != nil {
		return nil, &wire.Welcome{Errno: int32(syscall.EAGAIN)}
	}
	c.unanswered = !l.answers
	tables.lock()
	defer tables.unlock()
	links[l] = struct{}{}
	return l, w
}

// Frame acts on what the peer says on its link.
func (l *link) Frame(_ *Conn, f wire.Frame) bool {
	switch f := f.(type) {
	case *wire.Register:
		l.enroll(f)
		return !l.answers || l.answer(f.Number)
	case *wire.Revoked:
		l.confirmed(f.ID)
		l.sendQueue()
	case *wire.Withdraw:
		l.withdraw(f)
	default:
		return false
	}
	return true
}

// Idle is false: a link is needed for as long as its process has mappings.
func (l *link) Idle() bool { return false }

// Ended forgets the link: its process is gone, or breaks the rules, and has lost
// what it registered.
func (l *link) Ended(*Conn, bool) {
	tables.lock()
	defer tables.unlock()
	delete(links, l)
	for s := range l.sharings {
		delete(s.mappers, l)
		s.forget()
	}
	for _, r := range waits {
		r.done(l)
	}
}

// enroll enters what the peer registers, if it shows that it has, or had, the
// object.
func (l *link) enroll(f *wire.Register) {
	by := memory.Origin{PID: int32(self().pid), Serial: f.Serial, Secret: f.Secret}
	if f.Number == 0 || !by.Own() {
		return
	}
	tables.lock()
	defer tables.unlock()
	s := sharingOf(by)
	if s.mappers == nil {
		s.mappers = make(map[*link]registration)
	}
	s.mappers[l] = s.mappers[l].with(registration{f.Number, f.Makes})
	l.sharings[s] = struct{}{}
	s.grant(l.process.pid)
}

// catchUp enters all that others have registered, without an answer, before the call.
func (s *Service) catchUp() {
	for _, c := range s.unreadLinks() {
		c.takeAll()
	}
}

// unreadLinks returns the links on which something has come. What another thread has
// received before, it has entered.
func (s *Service) unreadLinks() (unread []*Conn) {
	var some [8]unix.EpollEvent
	events := some[:]
	s.receiving.Lock() // also since of two threads that look one may see nothing
	n, err := linux.PollEvents(s.links, events)
	for n == len(events) || err == syscall.EINTR { // there may be more
		if err == nil {
			events = make([]unix.EpollEvent, 4*n)
		}
		n, err = linux.PollEvents(s.links, events)
	}
	s.receiving.Unlock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range events[:max(n, 0)] {
		if c, ok := s.watched[linux.EpollID(&events[i])].(*Conn); ok {
			unread = append(unread, c)
		}
	}
	return unread
}

// withdraw drops a registration unless there is a later one.
func (l *link) withdraw(f *wire.Withdraw) {
	tables.lock()
	defer tables.unlock()
	s := sharings[memory.Origin{PID: int32(self().pid), Serial: f.Serial, Secret: f.Secret}]
	if s == nil {
		return
	}
	if r, ok := s.mappers[l]; ok && r.number <= f.Number {
		delete(s.mappers, l)
		delete(l.sharings, s)
		s.forget()
	}
}

// confirmed is called when the process has done what it was asked.
func (l *link) confirmed(id uint64) {
	tables.lock()
	defer tables.unlock()
	l.owed = slices.DeleteFunc(l.owed, func(o owedRevocation) bool { return o.id == id })
	if r := waits[id]; r != nil {
		r.done(l)
	}
}

// noRoom reports whether a frame could not be sent now, but later perhaps.
func noRoom(err error) bool {
	return err == syscall.EAGAIN || err == syscall.ENOBUFS || err == syscall.ENOMEM
}

// demand sends a revocation on a link, now or when the peer has made room.
func (l *link) demand(f *wire.Revoke) {
	c := l.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return // and Ended says so
	}
	if len(l.queue) == 0 && !noRoom(c.send(f, linux.NoFD)) {
		return
	}
	l.queue = append(slices.DeleteFunc(l.queue, func(g wire.Frame) bool {
		earlier, ok := g.(*wire.Revoke)
		replaced := ok && f.Replaces(earlier)
		if replaced {
			l.oweInstead(earlier.ID, f.ID)
		}
		return replaced
	}), f)
}

// answer answers a registration, now or when the peer has made room. The connection's
// lock is held.
func (l *link) answer(number uint64) bool {
	f := &wire.Answer{ID: number}
	if l.sendQueue(); len(l.queue) == 0 {
		err := l.conn.send(f, linux.NoFD)
		if !noRoom(err) {
			return err == nil
		}
	}
	l.queue = append(l.queue, f)
	return len(l.queue) <= maxQueue
}

// oweInstead is called when a revocation that was never sent is asked for by another
// one: the process owes that since then.
func (l *link) oweInstead(id, now uint64) {
	tables.lock()
	defer tables.unlock()
	for i := range l.owed {
		if l.owed[i].id == id {
			l.owed[i].id = now
		}
	}
}

// sendQueue is called when the peer may have made room. The connection's lock is
// held.
func (l *link) sendQueue() {
	for len(l.queue) > 0 {
		if noRoom(l.conn.send(l.queue[0], linux.NoFD)) {
			return
		}
		l.queue = l.queue[1:]
	}
	l.queue = nil
}

// A revocation is a Revoke that waits for other processes.
type revocation struct {
	id      uint64
	waiting map[*link]time.Time // until when; of tables
	asleep  bool                // its thread has to be told of the end
	told    bool
}

// done is called when l has confirmed, or is gone. Whoever has seen that may not be
// the thread that waits for it. The lock is held.
func (r *revocation) done(l *link) {
	if _, ok := r.waiting[l]; !ok {
		return
	}
	delete(r.waiting, l)
	if len(r.waiting) == 0 && r.asleep {
		r.told = true
		linux.Wake(service.Load().endedFD)
	}
}
