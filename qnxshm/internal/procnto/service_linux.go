package procnto

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A service answers what other processes ask of this one. The work is done by
// its own goroutine (run), or by the threads that wait in MsgReceive anyway:
// they are there already, and a second thread woken for each request would
// fight them for the processor. Most methods are called with the manager's lock
// held.
type service struct {
	epfd     int
	wakefd   int // makes run look at stopped
	endedFD  int // counts the revocations that have come to an end; -1 before the first one
	fdDir    int // /proc/self/fd: from there opening goes faster
	listener *listener
	watched  map[uint64]watched
	lastID   uint64
	stopped  bool
	idle     bool // had nothing to serve at the last tidy
	events   [16]unix.EpollEvent

	helpers  atomic.Int32  // threads in MsgReceive
	resting  atomic.Bool   // run leaves the work to them
	checking atomic.Bool   // a call of wakeIfAlone is due
	resume   chan struct{} // ends the rest of run
}

// Whatever the service waits for.
type watched interface {
	// ready is called with the epoll events that came.
	ready(events uint32)
}

// serve starts the service unless it runs.
func (m *manager) serve() error {
	if m.service != nil {
		m.service.idle = false
		return nil
	}
	s := &service{epfd: -1, wakefd: -1, endedFD: -1, fdDir: -1, watched: make(map[uint64]watched), resume: make(chan struct{}, 1)}
	if err := s.open(); err != nil {
		s.closeDescriptors()
		return err
	}
	m.service = s
	m.tidyLater()
	go s.run()
	return nil
}

func (s *service) open() (err error) {
	if s.epfd, s.wakefd, err = newEpoll(); err != nil {
		return err
	}
	if s.fdDir, err = openFDDir(); err != nil {
		return err
	}
	s.listener, err = s.listen(processSocket(self().pid, self().start), 0)
	if err == syscall.EADDRINUSE {
		err = qnxerr.Cause{Errno: syscall.EAGAIN, Text: "another process has taken the socket name of this one"}
	}
	return err
}

// newEpoll returns an epoll and an eventfd that is part of it, with the id 0.
func newEpoll() (epfd, wakefd int, err error) {
	if epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return -1, -1, err
	}
	if epfd, err = moveHigh(epfd); err != nil {
		return -1, -1, err
	}
	wakefd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		wakefd, err = moveHigh(wakefd)
	}
	if err == nil {
		err = epollAdd(epfd, wakefd, unix.EPOLLIN, 0)
		if err != nil {
			unix.Close(wakefd)
		}
	}
	if err != nil {
		unix.Close(epfd)
		return -1, -1, err
	}
	return epfd, wakefd, nil
}

func epollAdd(epfd, fd int, events uint32, id uint64) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	return unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, fd, &ev)
}

func epollID(ev *unix.EpollEvent) uint64 {
	return uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
}

func wake(eventfd int) {
	one := [8]byte{}
	binary.NativeEndian.PutUint64(one[:], 1)
	unix.Write(eventfd, one[:])
}

func (s *service) closeDescriptors() {
	for _, fd := range []int{s.epfd, s.wakefd, s.endedFD, s.fdDir} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

func (s *service) watch(fd int, w watched) (id uint64, err error) {
	s.lastID++
	if err := epollAdd(s.epfd, fd, unix.EPOLLIN|unix.EPOLLRDHUP, s.lastID); err != nil {
		return 0, err
	}
	s.watched[s.lastID] = w
	return s.lastID, nil
}

// unwatch forgets what is watched on fd. Closing fd would not do while a forked
// child has it too.
func (s *service) unwatch(id uint64, fd int) {
	delete(s.watched, id)
	unix.EpollCtl(s.epfd, unix.EPOLL_CTL_DEL, fd, nil)
}

// run serves until the service is stopped.
func (s *service) run() {
	defer s.closeDescriptors()
	var spin spinner
	for {
		worked, running := s.step()
		switch {
		case !running:
			return
		case worked:
			spin = spinner{}
		case s.helpers.Load() > 0:
			s.rest()
		case !spin.again():
			var ev [1]unix.EpollEvent
			unix.EpollWait(s.epfd, ev[:], -1)
			if s.helpers.Load() > 0 {
				s.rest()
			}
		}
	}
}

// step lets act what is ready, and reports whether there was anything and
// whether the service goes on.
func (s *service) step() (worked, running bool) {
	host.mu.Lock()
	defer host.mu.Unlock()
	if s.stopped {
		return false, false
	}
	n, err := pollEvents(s.epfd, s.events[:])
	if err != nil { // EINTR
		return true, true
	}
	for i := range s.events[:n] {
		if w := s.watched[epollID(&s.events[i])]; w != nil {
			w.ready(s.events[i].Events)
		}
	}
	return n > 0, true
}

// rest leaves the work to the helpers until they have been away for a while.
func (s *service) rest() {
	s.resting.Store(true)
	s.wakeIfAloneLater() // the helpers may have gone before they could see it
	<-s.resume
	s.resting.Store(false)
}

// join is called by a thread that begins to help, leave when it does something
// else.
func (s *service) join() { s.helpers.Add(1) }

func (s *service) leave() {
	if s.helpers.Add(-1) == 0 && s.resting.Load() {
		s.wakeIfAloneLater()
	}
}

// absence is how long the helpers may be away, such as to act on a message,
// before the service's own goroutine takes over.
const absence = time.Millisecond

func (s *service) wakeIfAloneLater() {
	if !s.checking.Swap(true) {
		time.AfterFunc(absence, s.wakeIfAlone)
	}
}

func (s *service) wakeIfAlone() {
	s.checking.Store(false)
	if s.helpers.Load() == 0 && s.resting.Load() {
		select {
		case s.resume <- struct{}{}:
		default:
		}
	}
}

// stop ends the service; the listener's name is free at once.
func (s *service) stop() {
	s.stopped = true
	for _, w := range s.watched {
		switch w := w.(type) {
		case *listener:
			w.close()
		case *inbound:
			w.close()
		case *recipient:
			host.forgetRecipient(w)
		case *outboundLink:
			w.close()
		}
	}
	host.service = nil
	wake(s.wakefd)
	s.wakeIfAloneLater()
}

// A listener takes connections for the process, or for a channel with a name.
type listener struct {
	fd   int
	id   uint64
	name string
	chid int // of the name; 0 for the process
}

func (s *service) listen(name string, chid int) (*listener, error) {
	// A child that this process is just starting has the last listener too, until
	// it has called exec, and with it the name.
	const starting = 200 * time.Millisecond
	fd, err := listen(name)
	for began := time.Now(); err == syscall.EADDRINUSE && !s.listens(name) && listenedHere(name) && time.Since(began) < starting; {
		time.Sleep(starting / 1000)
		fd, err = listen(name)
	}
	if err != nil {
		return nil, err
	}
	l := &listener{fd: fd, name: name, chid: chid}
	if l.id, err = s.watch(fd, l); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return l, nil
}

// listens reports whether this process has a listener of that name.
func (s *service) listens(name string) bool {
	for _, w := range s.watched {
		if l, ok := w.(*listener); ok && l.name == name {
			return true
		}
	}
	return false
}

func (l *listener) close() {
	if l.fd >= 0 {
		if s := host.service; s != nil {
			s.unwatch(l.id, l.fd)
		}
		unix.Close(l.fd)
		l.fd = -1
	}
}

// ready takes connections that wait; more than some at a time have to wait on.
func (l *listener) ready(uint32) {
	for range 64 {
		if l.fd < 0 {
			return
		}
		fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch err {
		case nil:
			host.admit(fd, l.chid)
		case syscall.EINTR, syscall.ECONNABORTED:
		case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
			if !l.shed() {
				return
			}
		default:
			return
		}
	}
}

// shed is called when there is no descriptor for the next connection. It closes
// an idle one, or else turns the next one away, so that nobody waits for what
// may never come.
func (l *listener) shed() (again bool) {
	s := host.service
	if c := s.longestIdle(anyPeer); c != nil {
		c.evict()
		return true
	}
	if s.fdDir < 0 {
		l.pause()
		return false
	}
	unix.Close(s.fdDir)
	if fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK); err == nil {
		host.turnAway(fd)
		again = true
	}
	s.fdDir, _ = openFDDir() // -1 if somebody was faster: then without
	return again
}

// pause lets the others wait in the listener's queue, without being woken for
// them over and over.
func (l *listener) pause() {
	const pause = 20 * time.Millisecond
	s := host.service
	unix.EpollCtl(s.epfd, unix.EPOLL_CTL_DEL, l.fd, nil)
	time.AfterFunc(pause, func() {
		host.mu.Lock()
		defer host.mu.Unlock()
		if l.fd >= 0 && host.service == s {
			epollAdd(s.epfd, l.fd, unix.EPOLLIN, l.id)
		}
	})
}

// An inbound is a connection from another process about handles, or the one
// that stands for an attached client. Before its hello it is neither.
type inbound struct {
	fd       int
	id       uint64
	peer     unix.Ucred // as the kernel says
	pid      int        // of the peer
	start    uint64     // when that process began; a later one may have its pid
	chid     int        // of the name it was opened by, 0 if by process
	purpose  frameKind
	transit  *handle // its descriptor was sent and perhaps not taken yet
	mapping  bool    // the transit ends with a claim, not with the descriptor
	client   *client
	lastUsed uint64

	// Of a link: the objects that the peer has mapped or made handles of, and
	// revocations that it has no room for.
	link   map[objectKey]registration
	token  uint64
	unsent []frame
}

// admit takes a new connection in, or turns it away.
func (m *manager) admit(fd, chid int) {
	cred, err := peerOf(fd)
	if err != nil {
		unix.Close(fd)
		return
	}
	pid := int(cred.Pid)
	if !m.makeRoom(pid) {
		m.turnAway(fd)
		return
	}
	high, err := dupHigh(fd)
	if err == syscall.EINVAL { // the limit of descriptors is below the range
		high, err = fd, nil
	}
	c := &inbound{fd: high, peer: *cred, pid: pid, chid: chid}
	if err == nil {
		c.id, err = m.service.watch(high, c)
		c.lastUsed = c.id
	}
	switch {
	case err != nil:
		admission.leave(pid)
		if high >= 0 && high != fd {
			unix.Close(high)
		}
		m.turnAway(fd)
	case high != fd:
		unix.Close(fd)
	}
}

// turnAway tells a peer that there is no room for its connection.
func (m *manager) turnAway(fd int) {
	m.packet.send(fd, &frame{kind: welcome, errno: int32(syscall.EAGAIN)}, nil, noFD)
	unix.Close(fd)
}

// makeRoom counts a connection from pid in, closing an idle one if it must: one
// of the same peer if that has all it may have.
func (m *manager) makeRoom(pid int) bool {
	ok, whose := admission.enter(pid)
	if ok {
		return true
	}
	c := m.service.longestIdle(whose)
	if c == nil {
		return false
	}
	c.evict()
	ok, _ = admission.enter(pid)
	return ok
}

const anyPeer = 0

// longestIdle returns the connection of a peer to close first, nil if none can
// be.
func (s *service) longestIdle(pid int) (oldest *inbound) {
	for _, w := range s.watched {
		c, ok := w.(*inbound)
		if ok && (pid == anyPeer || c.pid == pid) && c.idle() && (oldest == nil || c.lastUsed < oldest.lastUsed) {
			oldest = c
		}
	}
	return oldest
}

// admission bounds the connections from other processes, and the share each of
// them can have.
var admission admissionCounter

type admissionCounter struct {
	mu      sync.Mutex
	limit   int
	total   int
	perPeer map[int]int
}

// enter counts a connection in, or tells of whom one has to go first.
func (a *admissionCounter) enter(pid int) (ok bool, whose int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limit == 0 {
		a.limit = connectionLimit()
		a.perPeer = make(map[int]int)
	}
	switch {
	case a.perPeer[pid] >= a.limit/4:
		return false, pid
	case a.total >= a.limit:
		return false, anyPeer
	}
	a.total++
	a.perPeer[pid]++
	return true, 0
}

func (a *admissionCounter) leave(pid int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total--
	if a.perPeer[pid]--; a.perPeer[pid] == 0 {
		delete(a.perPeer, pid)
	}
}

// connectionLimit leaves a quarter of the host's own range to other uses.
func connectionLimit() int {
	const least, most = 64, 4096
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil || lim.Cur < firstOwnFD {
		return least
	}
	return int(min(most, max(least, (lim.Cur-firstOwnFD)/4*3)))
}

func (c *inbound) idle() bool {
	return (c.purpose == 0 || c.purpose == helloHandles) && c.transit == nil
}

// evict closes an idle connection to make room for another one.
func (c *inbound) evict() {
	if c.purpose == 0 { // the peer is about to say hello
		c.answer(frame{kind: welcome, errno: int32(syscall.EAGAIN)}, noFD)
	}
	c.close()
}

func (c *inbound) close() {
	if c.fd < 0 {
		return
	}
	if s := host.service; s != nil {
		s.unwatch(c.id, c.fd)
	}
	unix.Close(c.fd)
	c.fd = -1
	admission.leave(c.pid)
	if c.transit != nil {
		c.settle(false)
	}
	if c.client != nil {
		c.client.detachOne()
	}
	if c.link != nil {
		delete(host.links, clientKey{c.pid, c.token})
		for _, r := range host.waits {
			r.done(c)
		}
		host.tidyLater()
	}
}

// ready takes one packet that the peer has sent. If there is another one the
// epoll says so again.
func (c *inbound) ready(events uint32) {
	var f frame
	r, err := host.packet.receive(c.fd, &f, nil, nil, unix.MSG_DONTWAIT)
	switch {
	case err == syscall.EINTR, err == syscall.EAGAIN && events&(unix.EPOLLHUP|unix.EPOLLERR) == 0:
		return
	case err != nil:
		if c.transit != nil && err == io.EOF {
			c.settle(!r.unread && !c.mapping)
		}
		c.refuseVersion(err)
		c.close()
		return
	}
	if r.fd != noFD {
		unix.Close(r.fd)
	}
	if r.n != 0 || r.fd != noFD || r.lost || !c.dispatch(&f) {
		c.close()
	}
}

// refuseVersion lets a peer of another version know of ours.
func (c *inbound) refuseVersion(err error) {
	if _, ok := err.(versionError); ok {
		host.packet.send(c.fd, &frame{kind: welcome, errno: int32(syscall.EPROTO)}, nil, noFD)
	}
}

// dispatch acts on a frame and reports whether it had its place there.
func (c *inbound) dispatch(f *frame) bool {
	if s := host.service; s != nil {
		s.lastID++
		c.lastUsed = s.lastID
	}
	switch {
	case c.purpose == 0:
		return c.hello(f)
	case c.client != nil && f.kind == cancel:
		return c.answer(frame{kind: answer, id: f.id, errno: c.client.cancel(f.a, uint64(f.b))}, noFD)
	case c.link != nil && f.kind == revoked:
		if r := host.waits[f.id]; r != nil {
			r.done(c)
		}
		c.sendUnsent()
		return true
	case c.link != nil && f.kind == withdrawal:
		c.withdraw(f)
		return true
	case c.purpose != helloHandles:
		return false
	}
	if f.kind == claimRequest {
		return c.claim(f)
	}
	if c.transit != nil {
		c.settle(true) // whoever asks again has taken the last answer
	}
	switch f.kind {
	case openRequest, mapRequest:
		return c.open(f)
	case registerRequest:
		return c.answer(frame{kind: answer, id: f.id, errno: int32(host.enroll(c, f))}, noFD)
	case deleteRequest:
		h, err := host.table.find(f.id, c.pid)
		if err == nil {
			err = host.deleteOwn(h)
		}
		return c.answer(frame{kind: answer, id: f.id, errno: errnoOf(err)}, noFD)
	}
	return false
}

func errnoOf(err error) int32 {
	if err == nil {
		return 0
	}
	if errno, ok := err.(syscall.Errno); ok {
		return int32(errno)
	}
	return int32(syscall.EIO)
}

// answer sends f and reports whether the peer is still there to get it.
func (c *inbound) answer(f frame, pass int) bool {
	return host.packet.send(c.fd, &f, nil, pass) == nil
}

// hello acts on the first frame.
func (c *inbound) hello(f *frame) bool {
	c.purpose = f.kind
	switch f.kind {
	case helloHandles:
		start, err := startTime(c.pid)
		if err != nil || !c.connectorLives() {
			return false // somebody else has the connection now
		}
		c.start = start
		return c.answer(frame{kind: welcome}, noFD)
	case helloAttach, helloName:
		chid := int(f.number)
		if f.kind == helloName {
			chid = c.chid
		}
		ch := host.channels[chid]
		if ch == nil {
			c.answer(frame{kind: welcome, errno: int32(syscall.ESRCH)}, noFD)
			return false
		}
		if ch.crowded() {
			c.answer(frame{kind: welcome, errno: int32(syscall.EAGAIN)}, noFD)
			return false
		}
		c.client = ch.attach(c.peer, f.id)
		w := frame{kind: welcome, number: int32(chid), scoid: int32(c.client.scoid), a: int64(self().start), b: int64(ch.flags)}
		return c.answer(w, noFD)
	case helloLink:
		key := clientKey{c.pid, f.id}
		start, err := startTime(c.pid)
		if err != nil || host.links[key] != nil {
			return false
		}
		c.start = start
		if host.links == nil {
			host.links = make(map[clientKey]*inbound)
		}
		host.links[key] = c
		c.link, c.token = make(map[objectKey]registration), f.id
		return c.answer(frame{kind: welcome}, noFD)
	case helloLane:
		ch := host.channels[int(f.number)]
		if ch == nil || !ch.addLane(c.fd, c.pid, f) {
			c.answer(frame{kind: reply, errno: int32(syscall.EBADF)}, noFD)
			return false
		}
		// The channel has it now, with its place in the admission.
		host.service.unwatch(c.id, c.fd)
		c.fd = -1
		return true
	}
	return false
}

// connectorLives reports whether the process that made the connection is there,
// so that its pid is not another one's by now. Before Linux 6.5 nobody can tell.
func (c *inbound) connectorLives() bool {
	pidfd, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
	if err != nil {
		return err == syscall.ENOPROTOOPT
	}
	defer unix.Close(pidfd)
	return !exited(pidfd)
}

// open grants an open, or says why not.
func (c *inbound) open(f *frame) bool {
	h, err := host.table.find(f.id, c.pid)
	if err == nil && (exited(h.recipient.pidfd) || c.start != h.recipient.start) {
		// The peer is a child that has inherited the connection, or the
		// connection is one of an earlier process.
		err = syscall.ESRCH
	}
	if err == nil && h.carrier != nil && h.carrier.inTransit() {
		err = syscall.EBUSY // to be asked again
	}
	if err == nil {
		h, err = host.table.find(f.id, c.pid)
	}
	var access int
	if err == nil {
		access, err = accessMode(int(f.number))
	}
	if err == nil {
		err = h.permits(f.kind, access)
	}
	fd := noFD
	if err == nil {
		fd, err = h.object.open(host.service.fdDir, access)
	}
	switch err {
	case nil:
		defer unix.Close(fd)
		c.transit, h.carrier, c.mapping = h, c, f.kind == mapRequest
		host.settleAfter(settleSoon)
		by := h.object.creator
		return c.answer(frame{kind: answer, id: f.id, a: h.window.offset, b: h.window.size, coid: int32(by.pid), c: by.start}, fd)
	case syscall.EMFILE, syscall.ENFILE:
		err = syscall.EAGAIN // the maker's want, not the opener's
	}
	return c.answer(frame{kind: answer, id: f.id, errno: errnoOf(err)}, noFD)
}

// inTransit finds out whether the peer has the descriptor it was sent by now,
// and reports whether that is still open.
func (c *inbound) inTransit() bool {
	if c.transit == nil {
		return false
	}
	if unreadBy(c.fd) {
		return true
	}
	if c.mapping {
		c.ready(0)
		return c.transit != nil
	}
	// Taken; or the peer has closed the connection, which ready sees.
	if h := c.transit; h != nil {
		c.ready(0)
		if c.transit == h {
			c.settle(true)
		}
	}
	return false
}

// settle ends the transit of a handle: it is used up, or unused again.
func (c *inbound) settle(used bool) {
	h := c.transit
	c.transit, h.carrier = nil, nil
	if used || h.doomed {
		host.destroy(h)
	}
}

// An opener takes a handle within microseconds, unless it is stopped.
const (
	settleSoon  = 5 * time.Millisecond
	settleLater = 200 * time.Millisecond
)

// settleAfter sees to it that a used handle does not keep its object for long.
func (m *manager) settleAfter(d time.Duration) {
	if m.settling {
		return
	}
	m.settling = true
	time.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.settling = false
		if m.service == nil {
			return
		}
		for _, w := range m.service.watched {
			if c, ok := w.(*inbound); ok && c.inTransit() {
				m.settleAfter(settleLater)
			}
		}
	})
}
