package procnto

import (
	"fmt"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// host is this process's process manager. Nothing of it exists before the first
// call.
var host manager

// A manager holds what the process serves to others and what it keeps open to
// ask others. Lock order: manager, channel, lane.
type manager struct {
	mu       sync.Mutex
	table    handleTable
	anchors  map[anchorKey]*anchor
	channels map[int]*channel

	lastChid, lastSCOID int

	makers   map[int]*maker
	links    map[clientKey]*inbound    // of processes to tell of revocations
	linked   map[creator]*outboundLink // to processes that may tell of them
	waits    map[uint64]*revocation
	granted  map[objectKey]map[int]struct{} // who may have mapped a revocable object of this process
	lastWait uint64

	lastRegistration uint64
	grantedLimit     int       // so many entries of granted are looked through
	revocable        time.Time // when a revocable object of this process was last used, zero if there is none
	service          *service  // nil while there is nothing to serve
	packet           packet    // of what is received and sent under mu
	tidying          bool      // a call of tidy is due
	settling         bool      // a look at the handles in transit is due
}

// linger is how long what is not needed is kept, in case it is needed again: at
// least this long, at most twice.
const linger = 100 * time.Millisecond

// tidyLater sees to it that what is idle does not stay for ever.
func (m *manager) tidyLater() { m.tidyAfter(linger) }

func (m *manager) tidyAfter(d time.Duration) {
	if !m.tidying {
		m.tidying = true
		time.AfterFunc(d, m.tidy)
	}
}

// tidy drops what was idle at the last call already, and comes back for what
// has become idle since.
func (m *manager) tidy() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tidying = false
	again := false
	for pid, k := range m.makers {
		if k.tidy() {
			delete(m.makers, pid)
		} else {
			again = true
		}
	}
	for _, r := range m.table.recipients {
		switch {
		case r.count > 0:
		case r.idle:
			m.forgetRecipient(r)
		default:
			r.idle, again = true, true
		}
	}
	if m.tidyLinks() {
		again = true
	}
	look := false
	if s := m.service; s != nil && m.table.foreign == 0 && len(m.channels) == 0 && len(m.links) == 0 && len(m.linked) == 0 && len(m.waits) == 0 {
		switch {
		case m.ownsRevocable():
			look = true
		case s.idle:
			s.stop()
		default:
			s.idle, again = true, true
		}
	}
	switch {
	case again:
		m.tidyLater()
	case look:
		m.tidyAfter(lookAgain)
	}
}

// An anchor keeps an object alive for the unused handles of it: a duplicate of
// the descriptor they were made from.
type anchor struct {
	anchorKey
	creator creator
	fd      int
	refs    int
}

type anchorKey struct {
	object objectKey
	tag    uint64
	access int
}

func (m *manager) anchor(fd int, d descriptor) (*anchor, error) {
	key := anchorKey{d.key, d.tag, d.access}
	a := m.anchors[key]
	if a == nil {
		dup, err := dupHigh(fd)
		if err == syscall.EINVAL { // the limit of descriptors is below our range
			dup, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		}
		if err != nil {
			return nil, err
		}
		// The program may have closed fd meanwhile, and have another one there.
		if is, err := describe(dup); err != nil || is.key != key.object || is.tag != key.tag {
			unix.Close(dup)
			return nil, syscall.EBADF
		} else if is, err = is.withAccess(dup); err != nil || is.access != key.access {
			unix.Close(dup)
			return nil, syscall.EBADF
		}
		a = &anchor{anchorKey: key, creator: d.creator, fd: dup}
		if m.anchors == nil {
			m.anchors = make(map[anchorKey]*anchor)
		}
		m.anchors[key] = a
	}
	a.refs++
	return a, nil
}

func (m *manager) releaseAnchor(a *anchor) {
	if a.refs--; a.refs == 0 {
		unix.Close(a.fd)
		delete(m.anchors, a.anchorKey)
	}
}

// open makes a new open file description of the object, with its own access
// mode and position.
func (a *anchor) open(dir, access int) (int, error) {
	fd, err := reopen(dir, a.fd, access)
	if err == syscall.EACCES && access == a.access {
		// The object belongs to another user, who gave this process a
		// descriptor but not the permission to make one.
		return unix.FcntlInt(uintptr(a.fd), unix.F_DUPFD_CLOEXEC, 0)
	}
	return fd, err
}

// recipient returns the record of the process pid, ESRCH if there is none.
func (m *manager) recipient(pid int) (*recipient, error) {
	r := m.table.recipients[pid]
	if r != nil && r.pidfd >= 0 && exited(r.pidfd) {
		m.recipientExited(r)
		r = nil
	}
	if pid != self().pid {
		if err := m.serve(); err != nil {
			return nil, err
		}
	}
	if r == nil {
		r = &recipient{pid: pid, pidfd: -1}
		if pid != self().pid {
			if err := m.watchRecipient(r); err != nil {
				return nil, err
			}
		}
		if m.table.recipients == nil {
			m.table.recipients = make(map[int]*recipient)
		}
		m.table.recipients[pid] = r
	}
	r.idle = false
	return r, nil
}

// watchRecipient lets the service know when the recipient exits.
func (m *manager) watchRecipient(r *recipient) (err error) {
	if r.pidfd, err = openProcess(r.pid); err != nil {
		return err
	}
	if r.start, err = startTime(r.pid); err != nil {
		unix.Close(r.pidfd)
		return err
	}
	if r.watch, err = m.service.watch(r.pidfd, r); err != nil {
		unix.Close(r.pidfd)
	}
	return err
}

// forgetRecipient drops the record of a process without handles.
func (m *manager) forgetRecipient(r *recipient) {
	delete(m.table.recipients, r.pid)
	if r.pidfd >= 0 {
		m.service.unwatch(r.watch, r.pidfd)
		unix.Close(r.pidfd)
	}
}

// ready is called when the recipient has exited.
func (r *recipient) ready(uint32) { host.recipientExited(r) }

// recipientExited destroys the handles aimed at a process that is gone, before
// another one can get its pid.
func (m *manager) recipientExited(r *recipient) {
	for r.first != nil {
		h := r.first
		if c := h.carrier; c != nil {
			h.carrier, c.transit = nil, nil
		}
		m.destroy(h)
	}
	m.forgetRecipient(r)
}

// destroy ends a handle.
func (m *manager) destroy(h *handle) {
	m.table.remove(h, self().pid)
	m.releaseAnchor(h.object)
	m.tidyLater()
}

// optNoFD is the option of a handle that cannot become a descriptor.
const optNoFD = 0x1

// CreateHandle is shm_create_handle.
func CreateHandle(fd, pid, access int, options uint32) (uint64, error) {
	if _, err := accessMode(access); err != nil || options&^optNoFD != 0 {
		return 0, syscall.EINVAL
	}
	return createHandle(fd, pid, access, options, nil)
}

// CreateSubrangeHandle is shm_create_subrange_handle.
func CreateSubrangeHandle(fd, pid, access int, options uint32, size, offset int64) (uint64, error) {
	if _, err := accessMode(access); err != nil || options&^optNoFD != 0 {
		return 0, syscall.EINVAL
	}
	if size <= 0 || offset < 0 || size%pageSize != 0 || offset%pageSize != 0 {
		return 0, qnxerr.Cause{Errno: syscall.EINVAL, Text: fmt.Sprintf("size and offset must be multiples of the page size, %d, and the size not 0", pageSize)}
	}
	return createHandle(fd, pid, access, options, &window{offset, size})
}

// createHandle makes a handle of the object behind fd, or of a part of it, with
// checked access.
func createHandle(fd, pid, access int, options uint32, part *window) (uint64, error) {
	d, err := describe(fd)
	if err == nil {
		d, err = d.withAccess(fd)
	}
	if err == syscall.EMFILE || err == syscall.ENFILE {
		return 0, noDescriptors(err)
	}
	if err != nil || !d.object {
		return 0, syscall.EBADF
	}
	w := d.window
	if part != nil {
		if w, err = w.within(part.offset, part.size, d.size); err != nil {
			return 0, qnxerr.Cause{Errno: syscall.EINVAL, Text: "the part does not lie within the object"}
		}
	}
	if !covers(d.access, access) {
		return 0, syscall.EACCES
	}
	if err := timersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	var l *outboundLink
	if d.revocable() {
		if l, err = host.hold(d.creator, d.key, true); err != nil {
			return 0, noDescriptors(err)
		}
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	if l != nil {
		defer func() { l.held-- }()
	}
	r, err := host.recipient(pid)
	if err != nil {
		return 0, noDescriptors(err)
	}
	if host.overLimit(r) {
		host.tidyLater()
		return 0, syscall.EAGAIN
	}
	a, err := host.anchor(fd, d)
	if err != nil {
		host.tidyLater()
		return 0, noDescriptors(err)
	}
	if d.revocable() && d.creator == thisProcess() {
		host.grant(d.key, pid)
	}
	h := &handle{access: access, noFD: options&optNoFD != 0, recipient: r, object: a, window: w}
	host.table.add(h, self().pid, randomUint64)
	return h.id, nil
}

// noDescriptors turns the want of a descriptor into the errno of the calls that
// give none to their caller.
func noDescriptors(err error) error {
	switch err {
	case syscall.EMFILE:
		return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "this process has no descriptor left to serve it with"}
	case syscall.ENFILE:
		return qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the system has no descriptor left to serve it with"}
	}
	return err
}

// OpenHandle is shm_open_handle.
func OpenHandle(id uint64, access int) (fd int, err error) {
	return openHandle(id, access, makerOf(id))
}

// OpenHandlePID is shm_open_handle_pid.
func OpenHandlePID(id uint64, access, maker int) (fd int, err error) {
	return openHandle(id, access, maker)
}

func openHandle(id uint64, access, maker int) (fd int, err error) {
	access, err = accessMode(access &^ syscall.O_CLOEXEC)
	if err != nil {
		return -1, err
	}
	fd = -1
	err = host.use(openRequest, id, access, maker, func(r received) error {
		if err := objects.add(r.key, r.fd, r.window, r.creator); err != nil {
			return err
		}
		if !r.own && r.creator == thisProcess() {
			if err := r.comesBack(); err != nil {
				return err
			}
		}
		fd = r.fd
		return nil
	})
	if err != nil && fd >= 0 { // taken, but the maker does not agree
		unix.Close(fd)
	}
	if err != nil {
		return -1, err
	}
	return fd, nil
}

// comesBack lets others register again for an object of this process, of which
// it may have had no descriptor for some time.
func (r received) comesBack() error {
	d, err := describe(r.fd)
	if err == nil && d.revocable() {
		err = host.ownRevocable()
	}
	return err
}

// received is what a handle was turned into.
type received struct {
	fd      int
	key     objectKey
	window  window
	creator creator
	own     bool // made by this process
}

// use turns a handle of this process into a descriptor for take, which owns it
// when it succeeds, and has to undo what it did if use fails after all. Only a
// use that succeeds uses the handle up. A mapRequest is for a descriptor that the
// program never sees.
func (m *manager) use(kind frameKind, id uint64, access, maker int, take func(received) error) error {
	switch {
	case id == allOnes:
		return syscall.EBADF
	case makerOf(id) == 0 || makerOf(id) != maker:
		return syscall.ESRCH
	}
	if err := timersWork(); err != nil {
		return err
	}
	if maker == self().pid {
		return m.useOwn(kind, id, access, take)
	}
	return m.useForeign(kind, id, access, maker, take)
}

// useOwn is use of a handle that this process made for itself.
func (m *manager) useOwn(kind frameKind, id uint64, access int, take func(received) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, err := m.table.find(id, self().pid)
	if err == nil {
		err = h.permits(kind, access)
	}
	if err != nil {
		return err
	}
	fd, err := h.object.open(-1, access)
	if err != nil {
		return err
	}
	if err := take(received{fd, h.object.object, h.window, h.object.creator, true}); err != nil {
		unix.Close(fd)
		return err
	}
	m.destroy(h)
	return nil
}

// DeleteHandle is shm_delete_handle.
func DeleteHandle(id uint64) error {
	maker := makerOf(id)
	if maker == 0 || id == allOnes {
		return syscall.ESRCH
	}
	if err := timersWork(); err != nil {
		return noDescriptors(err)
	}
	if maker != self().pid {
		return host.deleteForeign(id, maker)
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	return host.deleteOwn(host.table.handles[id])
}

// deleteOwn deletes a handle of this process for its maker or its recipient.
func (m *manager) deleteOwn(h *handle) error {
	if h != nil && h.recipient.pidfd >= 0 && exited(h.recipient.pidfd) {
		m.recipientExited(h.recipient)
		h = nil
	}
	if h == nil || h.doomed {
		return syscall.ESRCH
	}
	if c := h.carrier; c != nil {
		if c.inTransit() {
			// Being opened this moment: used, unless the opener has no use
			// for it, and then nobody can have it either.
			h.doomed = true
		}
		if m.table.handles[h.id] == nil || h.doomed {
			return syscall.ESRCH
		}
	}
	m.destroy(h)
	return nil
}

// A limit of unused handles (RLIMIT_SHM_HANDLES_NP). Unlimited is all ones.
type limit struct {
	mu       sync.Mutex
	set      bool
	cur, max uint64
}

var handleLimit limit

// HandleLimit returns the limit of unused handles of this process. There is
// none at first. The error is for systems that are no host.
func HandleLimit() (cur, max uint64, err error) {
	handleLimit.mu.Lock()
	defer handleLimit.mu.Unlock()
	cur, max = handleLimit.get()
	return cur, max, nil
}

func (l *limit) get() (cur, max uint64) {
	if !l.set {
		return unlimited, unlimited
	}
	return l.cur, l.max
}

const unlimited = ^uint64(0)

// SetHandleLimit is setrlimit: without privilege max can only be lowered.
func SetHandleLimit(cur, max uint64) error {
	handleLimit.mu.Lock()
	defer handleLimit.mu.Unlock()
	_, was := handleLimit.get()
	switch {
	case cur > max:
		return syscall.EINVAL
	case max > was && unix.Geteuid() != 0:
		return syscall.EPERM
	}
	handleLimit.set, handleLimit.cur, handleLimit.max = true, cur, max
	return nil
}

// overLimit reports whether no further handle may be made. Handles that were
// used, or whose recipient is gone, but are not known to be, do not count. next is
// the recipient, which was there a moment ago, of the handle to be made.
func (m *manager) overLimit(next *recipient) bool {
	cur, _, _ := HandleLimit()
	if uint64(len(m.table.handles)) < cur {
		return false
	}
	if s := m.service; s != nil {
		for _, w := range s.watched {
			switch w := w.(type) {
			case *inbound:
				w.inTransit()
			case *recipient:
				if w != next && exited(w.pidfd) {
					m.recipientExited(w)
				}
			}
		}
	}
	return uint64(len(m.table.handles)) >= cur
}
