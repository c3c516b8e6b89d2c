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
	keys    map[objectKey]bool // registered; true if handles were made of it
	idle    bool
}

// linkedService is this process's service while creators may ask it to give
// mappings up.
var linkedService atomic.Pointer[service]

// ready is called when the creator asks for something, or is gone.
func (l *outboundLink) ready(uint32) { l.obey() }

// catchUp does all that the creator has asked for before, which is less than a
// socket holds of.
func (l *outboundLink) catchUp() {
	const more = 1 << 12
	for i := 0; i < more && l.obey(); i++ {
	}
}

// obey does one thing that the creator asks for, and reports whether there was
// one.
func (l *outboundLink) obey() bool {
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
	key := objectKey{uint64(f.a), uint64(f.b)}
	host.revokeHere(key, int(f.number))
	if host.packet.send(l.fd, &frame{kind: revoked, id: f.id}, nil, noFD) != nil {
		l.close()
		return false
	}
	return true
}

func (l *outboundLink) close() {
	if s := host.service; s != nil {
		s.unwatch(l.id, l.fd)
	}
	unix.Close(l.fd)
	if delete(host.linked, l.creator); len(host.linked) == 0 {
		linkedService.Store(nil)
	}
	host.tidyLater()
}

// revokeHere gives up what this process has of an object, if pid is its own or
// -1, and destroys unused handles that it made for pid, or any.
func (m *manager) revokeHere(key objectKey, pid int) {
	if pid == -1 || pid == self().pid {
		mappings.revoke(key)
	}
	for _, h := range m.table.handles {
		if h.object.object != key || pid != -1 && h.recipient.pid != pid {
			continue
		}
		// A claim that is just coming is too late: see claim.
		if c := h.carrier; c != nil && (c.mapping || c.inTransit()) {
			h.doomed, h.revoked = true, true
		} else if m.table.handles[h.id] != nil {
			m.destroy(h)
		}
	}
}

// claim lets the peer keep the mapping it has made with the handle in transit,
// unless that was revoked meanwhile. A peer that does not wait for the answer
// any more has no mapping.
func (c *inbound) claim(f *frame) bool {
	if h := c.transit; h != nil {
		// The peer has registered with the creator by now. A Revoke that had given
		// up before that has not told the peer, but this process, which may not
		// have looked.
		if l := host.linked[h.object.creator]; l != nil {
			l.catchUp()
		}
	}
	h := c.transit // which catching up may have ended
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

// A use is what a process does with an object that can be revoked.
type use int

const (
	mapsIt use = iota
	// mapsFromOther is from a handle that another recipient made. That may be told
	// of a revocation later than this process, so the creator has to know of this
	// very mapping, see tell.
	mapsFromOther
	makesHandles
)

// register lets the creator of an object know that this process uses it. There
// is nothing to do when the creator is gone: nobody can revoke any more.
func (m *manager) register(by creator, key objectKey, as use) error {
	if by == thisProcess() || by.pid == 0 {
		return nil
	}
	m.mu.Lock()
	l, err := m.link(by)
	known := err == nil && l != nil && as != mapsFromOther && (l.keys[key] || as == mapsIt && hasKey(l.keys, key))
	m.mu.Unlock()
	if err != nil || l == nil || known {
		return err
	}
	request := &frame{kind: registerRequest, id: l.token, a: int64(key.dev), b: int64(key.ino)}
	if as == makesHandles {
		request.number = 1
	}
	c, err := m.ask(by.pid, request, 0)
	if err == nil {
		c.discard()
		if c.answer.errno != 0 {
			err = syscall.Errno(c.answer.errno)
		}
		m.release(c.maker, c)
	}
	if err == syscall.ESRCH {
		return nil
	}
	if err == nil {
		m.mu.Lock()
		l.keys[key] = l.keys[key] || as == makesHandles
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
	return m.register(by, key, mapsIt)
}

func hasKey(keys map[objectKey]bool, key objectKey) bool { _, ok := keys[key]; return ok }

// link returns the link to a creator, nil if that is gone. The manager's lock is
// held, but not while waiting for the creator.
func (m *manager) link(by creator) (*outboundLink, error) {
	if l := m.linked[by]; l != nil {
		l.idle = false
		return l, nil
	}
	l := &outboundLink{creator: by, token: randomUint64(), keys: make(map[objectKey]bool)}
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
		if mappings.uses(l.creator) || m.madeHandlesOf(l.creator) {
			l.idle = false
		} else if l.idle {
			l.close()
		} else {
			l.idle = true
		}
	}
	return again
}

func (m *manager) madeHandlesOf(by creator) bool {
	for _, a := range m.anchors {
		if a.creator == by {
			return true
		}
	}
	return false
}

// ownRevocable notes that this process has a revocable object that it is the
// creator of: others will want to register.
func (m *manager) ownRevocable() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.revocable = time.Now()
	m.serve() // if it fails now, making a handle will tell
	m.tidyLater()
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
	maps.DeleteFunc(m.granted, func(key objectKey, _ map[int]struct{}) bool { return err == nil && !live[key] })
	return !m.revocable.IsZero()
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
		if err == nil && d.object && d.creator == thisProcess() && d.mode&revocableBit != 0 {
			live[d.key] = true
		}
	}
	return live, nil
}

// A revocation is a Revoke that waits for other processes.
type revocation struct {
	key     objectKey
	pid     int
	waiting []*inbound // once for each answer to come
	asleep  bool       // its thread has to be told of the end
	told    bool
}

// tell asks the process of a link, if it may have something to give up.
func (r *revocation) tell(c *inbound, id uint64, key objectKey) {
	if makes, uses := c.link[r.key]; r.key != key || !uses || r.pid != -1 && r.pid != c.pid && !makes {
		return
	}
	if host.packet.send(c.fd, &frame{kind: revoke, id: id, number: int32(r.pid), a: int64(key.dev), b: int64(key.ino)}, nil, noFD) == nil {
		r.waiting = append(r.waiting, c)
	}
}

// answered is called when c has done what it was told. Whoever has seen that may
// not be the thread that waits for it.
func (r *revocation) answered(c *inbound) {
	if i := slices.Index(r.waiting, c); i >= 0 {
		r.ended(slices.Delete(r.waiting, i, i+1))
	}
}

// gone is called when c cannot answer any more.
func (r *revocation) gone(c *inbound) {
	if slices.Contains(r.waiting, c) {
		r.ended(slices.DeleteFunc(r.waiting, func(w *inbound) bool { return w == c }))
	}
}

func (r *revocation) ended(waiting []*inbound) {
	if r.waiting = waiting; len(waiting) == 0 && r.asleep {
		r.told = true
		wake(host.service.endedFD)
	}
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
	err := m.serve()
	if err == nil {
		err = m.service.countEnded()
	}
	if err != nil {
		m.mu.Unlock()
		return notBegun(err)
	}
	if pid != -1 && pid != self().pid && !m.knows(pid, key) {
		if pidfd, err := openProcess(pid); err != nil {
			m.mu.Unlock()
			return notBegun(err)
		} else {
			unix.Close(pidfd)
		}
	}
	m.revokeHere(key, pid)
	r := &revocation{key: key, pid: pid}
	m.lastWait++
	id := m.lastWait
	for _, c := range m.links {
		r.tell(c, id, key)
	}
	s := m.service
	if len(r.waiting) > 0 {
		if m.waits == nil {
			m.waits = make(map[uint64]*revocation)
		}
		m.waits[id] = r
		s.join()
		m.mu.Unlock()
		s.workUntilEnd(r, time.Now().Add(revokeTimeout))
		s.leave()
		m.mu.Lock()
		delete(m.waits, id)
		m.tidyLater()
		if r.told {
			var count [8]byte
			unix.Read(s.endedFD, count[:])
		}
	}
	defer m.mu.Unlock()
	if len(r.waiting) == 0 {
		return nil
	}
	var pids []int
	for _, c := range r.waiting {
		pids = append(pids, c.pid)
	}
	slices.Sort(pids)
	return qnxerr.Pending{PIDs: slices.Compact(pids)}
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
