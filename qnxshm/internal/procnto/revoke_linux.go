package procnto

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// One process cannot take a mapping away from another on Linux. So whoever maps
// a revocable object keeps a link to its creator, on which that asks for it.

// revokeTimeout is how long a process may take to give its mappings up.
const revokeTimeout = time.Second

// An outboundLink is this process's link to the creator of objects that it has
// mapped or made handles of.
type outboundLink struct {
	fd      int
	id      uint64
	creator creator
	token   uint64
	objects map[objectKey]registration // as the creator knows them
	sweepAt int                        // so many objects are looked through
	held    int                        // calls that need the link as it is
	idle    bool
	unsent  []uint64 // revocations done that the creator has no room to be told of
}

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

// linkedService is this process's service while creators may ask it to give
// mappings up.
var linkedService atomic.Pointer[service]

// ready is called when the creator asks for something, or is gone.
func (l *outboundLink) ready(uint32) { l.take() }

// take does what the creator asks for next, and reports whether there was
// anything.
func (l *outboundLink) take() bool {
	var f frame
	r, err := host.packet.receive(l.fd, &f, nil, nil, unix.MSG_DONTWAIT)
	if r.fd != noFD {
		unix.Close(r.fd)
	}
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return err == syscall.EINTR
	}
	if err != nil || f.kind != revoke || r.n != 0 || r.fd != noFD {
		l.close()
		return false
	}
	// What cannot be taken away is not confirmed.
	if host.revokeHere(objectKey{uint64(f.a), uint64(f.b)}, l.creator, int(f.number)) {
		l.unsent = append(l.unsent, f.id)
		l.confirm()
	}
	return l.fd >= 0
}

// maxUnsent bounds what is kept for a creator that does not listen.
const maxUnsent = 4096

// confirm tells the creator what was done. If it has no room now, tidyLinks
// comes back for that.
func (l *outboundLink) confirm() {
	for len(l.unsent) > 0 {
		err := host.packet.send(l.fd, &frame{kind: revoked, id: l.unsent[0]}, nil, noFD)
		if err == syscall.EAGAIN && len(l.unsent) < maxUnsent {
			return
		}
		if err != nil {
			l.close()
			return
		}
		l.unsent = l.unsent[1:]
	}
	l.unsent = nil
}

func (l *outboundLink) close() {
	if l.fd < 0 {
		return
	}
	if s := host.service; s != nil {
		s.unwatch(l.id, l.fd)
	}
	unix.Close(l.fd)
	l.fd, l.unsent = -1, nil
	if delete(host.linked, l.creator); len(host.linked) == 0 {
		linkedService.Store(nil)
	}
	host.tidyLater()
}

// revokeHere gives up what this process has of an object of that creator, if pid
// is its own or -1, and destroys unused handles that it made for pid, or any. It
// reports whether nothing is left.
func (m *manager) revokeHere(key objectKey, by creator, pid int) (all bool) {
	all = true
	if pid == -1 || pid == self().pid {
		all = mappings.revoke(key, by)
	}
	for _, h := range m.table.handles {
		if h.object.object != key || h.object.creator != by || pid != -1 && h.recipient.pid != pid {
			continue
		}
		h.revoked = true // also for a claim that inTransit finds
		if h.carrier != nil && h.carrier.inTransit() {
			h.doomed = true
		} else if m.table.handles[h.id] == h {
			m.destroy(h)
		}
	}
	return all
}

// claim lets the peer keep the mapping it has made with the handle in transit,
// unless that was revoked meanwhile. A peer that does not wait for the answer
// any more has no mapping.
func (c *inbound) claim(f *frame) bool {
	if c.transit != nil {
		// A creator that has revoked before the peer registered with it counts
		// on this process. What it has asked for, which is less than a socket
		// holds of, comes first.
		const more = 1 << 12
		if l := host.linked[c.transit.object.creator]; l != nil {
			for i := 0; i < more && l.take(); i++ {
			}
		}
	}
	h := c.transit // which taking may have ended
	errno := syscall.ESRCH
	if h != nil && c.mapping && h.id == f.id && !h.revoked {
		errno = 0
	}
	ok := c.answer(frame{kind: answer, id: f.id, errno: int32(errno)}, noFD)
	if h != nil {
		c.settle(ok)
	}
	return ok
}

// register lets the creator of an object know that this process has mapped it.
// There is nothing to do when the creator is gone: nobody can revoke any more.
func (m *manager) register(by creator, key objectKey) error {
	l, err := m.hold(by, key, false)
	if l != nil {
		m.mu.Lock()
		l.held--
		m.mu.Unlock()
	}
	return err
}

// registerOwn is register for a handle that this process made for itself, perhaps
// before the object was revocable.
func (m *manager) registerOwn(id uint64) error {
	var key objectKey
	var by creator
	m.mu.Lock()
	h, err := m.table.find(id, self().pid)
	if err == nil {
		var st unix.Stat_t
		if unix.Fstat(h.object.fd, &st) == nil && st.Mode&revocableBit != 0 {
			key, by = h.object.object, h.object.creator
		}
	}
	m.mu.Unlock()
	return m.register(by, key)
}

// hold registers an object with its creator, if that is another process that can
// be reached. The link stays as it is until the caller counts its hold off.
func (m *manager) hold(by creator, key objectKey, makes bool) (*outboundLink, error) {
	if by == thisProcess() || by.pid == 0 {
		return nil, nil
	}
	if err := timersWork(); err != nil {
		return nil, err
	}
	const attempts = 3
	for range attempts {
		l, again, err := m.holdOnce(by, key, makes)
		if !again {
			return l, err
		}
	}
	return nil, notAnswering(by.pid)
}

// holdOnce is hold, unless the link has ended meanwhile.
func (m *manager) holdOnce(by creator, key objectKey, makes bool) (held *outboundLink, again bool, err error) {
	m.mu.Lock()
	l, err := m.link(by)
	if err != nil || l == nil {
		m.mu.Unlock()
		return nil, false, err
	}
	l.held++
	if l.objects[key].covers(makes) {
		m.mu.Unlock()
		return l, false, nil
	}
	m.lastRegistration++
	r := registration{m.lastRegistration, makes}
	m.mu.Unlock()
	err = m.announce(l, key, r)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err == nil && l.fd >= 0:
		l.objects[key] = l.objects[key].with(r)
		return l, false, nil
	case err == syscall.ESRCH && l.fd >= 0: // not an object that the creator can revoke
		return l, false, nil
	}
	l.held--
	if err == nil || err == syscall.ENOTCONN || err == syscall.ESRCH {
		l.close()
		return nil, true, nil
	}
	return nil, false, err
}

// announce sends a registration and waits for the answer.
func (m *manager) announce(l *outboundLink, key objectKey, r registration) error {
	f := frame{kind: registerRequest, id: l.token, a: int64(key.dev), b: int64(key.ino), c: r.number}
	if r.makes {
		f.number = 1
	}
	return m.tell(l.creator.pid, &f)
}

// enroll enters what a peer registers. Only what this process could revoke is
// remembered, whatever a peer sends.
func (m *manager) enroll(c *inbound, f *frame) syscall.Errno {
	link := m.links[clientKey{c.pid, f.id}]
	if link == nil {
		return syscall.ENOTCONN
	}
	key := objectKey{uint64(f.a), uint64(f.b)}
	if f.c == 0 || !objects.created(key) {
		return syscall.ESRCH
	}
	link.link[key] = link.link[key].with(registration{f.c, f.number != 0})
	m.grant(key, c.pid)
	return 0
}

// withdraw drops a registration unless there is a later one.
func (c *inbound) withdraw(f *frame) {
	key := objectKey{uint64(f.a), uint64(f.b)}
	if c.link[key].number <= f.c {
		delete(c.link, key)
	}
}

// link returns the link to a creator, nil if that is gone. The manager's lock is
// held, but not while waiting for the creator.
func (m *manager) link(by creator) (*outboundLink, error) {
	if l := m.linked[by]; l != nil {
		l.idle = false
		return l, nil
	}
	l := &outboundLink{creator: by, token: randomUint64(), objects: make(map[objectKey]registration), sweepAt: 64}
	m.mu.Unlock()
	c, _, err := dialSocket(processSocket(by.pid, by.start), by.pid, &frame{kind: helloLink, id: l.token})
	m.mu.Lock()
	switch {
	case err != nil:
		if err = peerError(err, by.pid); err == syscall.ESRCH {
			err = nil
		}
		return nil, err
	case m.linked[by] != nil: // another thread was faster
		unix.Close(c.fd)
		return m.linked[by], nil
	}
	l.fd = c.fd
	if err = m.serve(); err == nil {
		l.id, err = m.service.watch(l.fd, l)
	}
	if err != nil {
		unix.Close(l.fd)
		return nil, err
	}
	if m.linked == nil {
		m.linked = make(map[creator]*outboundLink)
	}
	m.linked[by] = l
	linkedService.Store(m.service)
	m.tidyLater()
	return l, nil
}

// tidyLinks closes links that nothing needs any more and reports whether it has
// to be called again.
func (m *manager) tidyLinks() (again bool) {
	for _, l := range m.linked {
		again = true
		l.confirm()
		if l.held > 0 {
			l.idle = false
		} else if mappings.uses(l.creator) || m.madeHandlesOf(l.creator) {
			l.idle = false
			m.sweep(l)
		} else if l.idle {
			l.close()
		} else {
			l.idle = true
		}
	}
	return again
}

// sweep withdraws the registrations of objects that this process uses no more.
// It looks when they have doubled.
func (m *manager) sweep(l *outboundLink) {
	if len(l.objects) < l.sweepAt {
		return
	}
	used := mappings.objects()
	for key := range m.anchors {
		used[key.object] = true
	}
	for key, r := range l.objects {
		if used[key] {
			continue
		}
		f := frame{kind: withdrawal, a: int64(key.dev), b: int64(key.ino), c: r.number}
		if host.packet.send(l.fd, &f, nil, noFD) != nil {
			break // no room: next time
		}
		delete(l.objects, key)
	}
	l.sweepAt = max(64, 2*len(l.objects))
}

func (m *manager) madeHandlesOf(by creator) bool {
	for _, a := range m.anchors {
		if a.creator == by {
			return true
		}
	}
	return false
}

// ownRevocable notes that this process makes an object revocable that it is the
// creator of: others will want to register.
func (m *manager) ownRevocable() error {
	if err := timersWork(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.revocable = time.Now()
	m.tidyLater()
	return m.serve()
}

// lookAgain is how often the process looks whether it still has a revocable
// object of its own: nobody tells when the last descriptor is closed.
const lookAgain = time.Second / 2

// ownsRevocable reports whether the process may still revoke something.
func (m *manager) ownsRevocable() bool {
	if m.revocable.IsZero() || time.Since(m.revocable) < lookAgain {
		return !m.revocable.IsZero()
	}
	m.revocable = time.Time{}
	live, err := ownRevocables()
	if err != nil || len(live) > 0 {
		m.revocable = time.Now()
	}
	if err == nil {
		m.forgetGranted(live)
	}
	return !m.revocable.IsZero()
}

// forgetGranted drops what this process cannot revoke any more.
func (m *manager) forgetGranted(live map[objectKey]bool) {
	maps.DeleteFunc(m.granted, func(key objectKey, _ map[int]struct{}) bool { return !live[key] })
}

// ownRevocables returns the revocable objects that this process has created and
// has a descriptor of.
func ownRevocables() (map[objectKey]bool, error) {
	names, err := openFDs()
	if err != nil {
		return nil, err
	}
	live := make(map[objectKey]bool)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || !isMemory(fd) {
			continue
		}
		d, err := describe(fd)
		if err == nil && d.revocable() && d.creator == thisProcess() {
			live[d.key] = true
		}
	}
	return live, nil
}

// A revocation is a Revoke that waits for other processes.
type revocation struct {
	id      uint64
	key     objectKey
	pid     int
	waiting []*inbound
	makers  bool // some of the others may have made handles
	asleep  bool // its thread has to be told of the end
	told    bool
}

// done is called when c has answered, or is gone. Whoever has seen that may not be
// the thread that waits for it.
func (r *revocation) done(c *inbound) {
	if i := slices.Index(r.waiting, c); i >= 0 {
		r.waiting = slices.Delete(r.waiting, i, i+1)
		if len(r.waiting) == 0 && r.asleep {
			r.told = true
			wake(host.service.endedFD)
		}
	}
}

// ask sends the revocation to all whom it concerns: the processes that lose their
// mappings, and those that may have made handles for them.
func (r *revocation) ask() {
	f := frame{kind: revoke, id: r.id, number: int32(r.pid), a: int64(r.key.dev), b: int64(r.key.ino)}
	for _, c := range host.links {
		reg, ok := c.link[r.key]
		if !ok || r.pid != -1 && r.pid != c.pid && !reg.makes {
			continue
		}
		r.makers = r.makers || reg.makes
		if c.demand(f) {
			r.waiting = append(r.waiting, c)
		}
	}
}

// demand sends a revocation on a link, now or when the peer has made room, and
// reports whether the peer is there.
func (c *inbound) demand(f frame) bool {
	if len(c.unsent) == 0 {
		if err := host.packet.send(c.fd, &f, nil, noFD); err != syscall.EAGAIN {
			return err == nil
		}
	}
	same := func(g frame) bool { return g.a == f.a && g.b == f.b && g.number == f.number }
	c.unsent = append(slices.DeleteFunc(c.unsent, same), f)
	return true
}

// sendUnsent is called when the peer may have made room.
func (c *inbound) sendUnsent() {
	for len(c.unsent) > 0 {
		if host.packet.send(c.fd, &c.unsent[0], nil, noFD) != nil {
			return
		}
		c.unsent = c.unsent[1:]
	}
	c.unsent = nil
}

// peerLives reports whether the process that opened the link is there. A child
// that it has forked keeps the link open, but not the mappings.
func (c *inbound) peerLives() bool {
	start, err := startTime(c.pid)
	return (err != nil || start == c.start) && err != syscall.ESRCH && c.connectorLives()
}

// fallAsleep is called before the thread of the revocation sleeps, and reports
// whether it needs to.
func (r *revocation) fallAsleep() bool {
	host.mu.Lock()
	defer host.mu.Unlock()
	r.asleep = len(r.waiting) > 0
	return r.asleep
}

// over reports whether nobody is waited for any more.
func (r *revocation) over() bool {
	host.mu.Lock()
	defer host.mu.Unlock()
	return len(r.waiting) == 0
}

// countEnded makes the service count the revocations that have ended: each
// waiting thread takes its own one off.
func (s *service) countEnded() error {
	if s.endedFD >= 0 {
		return nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK|unix.EFD_SEMAPHORE)
	if err == nil {
		fd, err = moveHigh(fd)
	}
	if err == nil {
		s.endedFD = fd
	}
	return err
}

// Revoke is shm_revoke.
func Revoke(fd, pid int) error {
	d, err := describe(fd)
	switch {
	case err != nil || !d.object:
		return syscall.EBADF
	case d.creator != thisProcess() && d.creator != creator{}:
		return syscall.EPERM
	case d.mode&revocableBit == 0:
		return syscall.EINVAL
	}
	if err := timersWork(); err != nil {
		return notBegun(err)
	}
	return host.revoke(d.key, pid)
}

// notBegun is the error of a Revoke that has told nobody. EAGAIN is for those that
// have.
func notBegun(err error) error {
	if err = noDescriptors(err); errors.Is(err, syscall.EAGAIN) {
		return qnxerr.Cause{Errno: syscall.ENOMEM, Text: err.Error()}
	}
	return err
}

func (m *manager) revoke(key objectKey, pid int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.serve()
	if err == nil {
		err = m.service.countEnded()
	}
	if err == nil && pid != -1 && pid != self().pid && !m.knows(pid, key) {
		var pidfd int
		if pidfd, err = openProcess(pid); err == nil {
			unix.Close(pidfd)
		}
	}
	if err != nil {
		return notBegun(err)
	}
	deadline := time.Now().Add(revokeTimeout)
	pending, makers := m.revokeOnce(key, pid, deadline)
	if len(pending) == 0 && makers {
		// A process may have mapped after it was asked, with a handle of a maker
		// that was not asked yet.
		pending, _ = m.revokeOnce(key, pid, deadline)
	}
	if len(pending) == 0 {
		return nil
	}
	slices.Sort(pending)
	return qnxerr.Pending{PIDs: slices.Compact(pending)}
}

// revokeOnce returns the processes that have not confirmed, and whether there are
// others that may have made handles.
func (m *manager) revokeOnce(key objectKey, pid int, deadline time.Time) (pending []int, makers bool) {
	if !m.revokeHere(key, thisProcess(), pid) {
		pending = append(pending, self().pid)
	}
	m.lastWait++
	r := &revocation{id: m.lastWait, key: key, pid: pid}
	r.ask()
	m.await(r, deadline)
	for _, c := range r.waiting {
		pending = append(pending, c.pid)
	}
	return pending, r.makers
}

// lookForDead is how long a Revoke waits before it looks whether those it waits
// for are there at all.
const lookForDead = 50 * time.Millisecond

// await waits until all have confirmed, or the deadline. The manager's lock is
// held, but not while waiting.
func (m *manager) await(r *revocation, deadline time.Time) {
	if len(r.waiting) == 0 {
		return
	}
	s := m.service
	if m.waits == nil {
		m.waits = make(map[uint64]*revocation)
	}
	m.waits[r.id] = r
	work := func(until time.Time) {
		m.mu.Unlock()
		s.workUntilEnd(r, until)
		m.mu.Lock()
	}
	s.join()
	soon := time.Now().Add(lookForDead)
	if deadline.Before(soon) {
		soon = deadline
	}
	work(soon)
	for _, c := range slices.Clone(r.waiting) {
		if !c.peerLives() {
			c.close()
		}
	}
	if len(r.waiting) > 0 {
		work(deadline)
	}
	s.leave()
	delete(m.waits, r.id)
	m.tidyLater()
	if r.told {
		var count [8]byte
		unix.Read(s.endedFD, count[:])
	}
}

// knows reports whether pid has used the object: then its being gone is no
// mistake of the caller.
func (m *manager) knows(pid int, key objectKey) bool {
	_, ok := m.granted[key][pid]
	return ok
}

// grant remembers that pid may have mapped a revocable object of this process.
func (m *manager) grant(key objectKey, pid int) {
	if m.granted[key] == nil {
		if len(m.granted) >= m.grantedLimit {
			if live, err := ownRevocables(); err == nil {
				m.forgetGranted(live)
			}
			m.grantedLimit = max(64, 2*len(m.granted))
		}
		if m.granted == nil {
			m.granted = make(map[objectKey]map[int]struct{})
		}
		m.granted[key] = make(map[int]struct{})
	}
	m.granted[key][pid] = struct{}{}
}

// wakeUp is how long a process may take to wake up, and a thread rather tries
// than sleeps until then.
const wakeUp = 100 * time.Microsecond

// workUntilEnd does the work of the service until r has ended, or the deadline.
func (s *service) workUntilEnd(r *revocation, deadline time.Time) {
	spin := spinner{time: wakeUp}
	wanted := []unix.PollFd{{Fd: int32(s.epfd), Events: unix.POLLIN}, {Fd: int32(s.endedFD), Events: unix.POLLIN}}
	for {
		worked, running := s.step()
		switch {
		case !running, r.over():
			return
		case worked:
			spin = spinner{time: wakeUp}
		case spin.again():
		case !r.fallAsleep(), waitForAny(wanted, deadline) == syscall.ETIMEDOUT:
			s.step() // if this process was stopped meanwhile, the answer may be there
			return
		}
	}
}
