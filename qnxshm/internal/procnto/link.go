//go:build linux

package procnto

import (
	"maps"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// An outboundLink is this process's link to the creator of objects that it has
// mapped or made handles of. It stays until the creator is gone.
type outboundLink struct {
	process *process // the creator

	mu     sync.Mutex // one packet at a time
	c      *Outbound  // nil once ended
	id     uint64
	unsent []uint64         // revocations done that the creator has no room to be told of
	unused []*wire.Withdraw // and registrations
	room   chan struct{}    // closed when there may be, for which the service waits; else nil

	answers  bool                     // the creator answers registrations
	awaiting map[uint64]chan struct{} // closed when it has, or the link has ended; by number

	// Of tables.
	objects map[memory.Origin]registered // as the creator knows them
	lastNo  uint64
	sweepAt int // so many objects are looked through
	held    int // calls that need the link as it is
}

type registered struct {
	registration
	key memory.Key
}

// outlinks are this process's links; of tables.
var outlinks = make(map[*process]*outboundLink)

// ready is called when the creator asks for something, or is gone.
func (l *outboundLink) ready(uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take()
}

// take does what the creator asks for next, and reports whether there was
// anything. The link's lock is held.
func (l *outboundLink) take() bool {
	if l.c == nil {
		return false
	}
	r, err := l.c.packet.Receive(l.c.fd, wire.OneRight, nil, nil, unix.MSG_DONTWAIT)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		l.sendUnsent()
		return err == syscall.EINTR
	}
	if err != nil || r.N != 0 || r.FD != linux.NoFD || !l.act(r.Frame) {
		l.c.packet.Discard(&r)
		l.close()
		return false
	}
	return true
}

// act does what a frame says, and reports whether it had its place there.
func (l *outboundLink) act(f wire.Frame) bool {
	switch f := f.(type) {
	case *wire.Answer:
		l.answered(f.ID)
	case *wire.Revoke: // what cannot be taken away is not confirmed
		by := memory.Origin{PID: int32(l.process.pid), Serial: f.Serial, Secret: f.Secret}
		if revokeHere(memory.Key{Dev: f.Dev, Ino: f.Ino}, by, int(f.PID)) {
			l.unsent = append(l.unsent, f.ID)
			l.sendUnsent()
		}
	default:
		return false
	}
	return true
}

// answered lets the call go on that awaits an answer, if there is one.
func (l *outboundLink) answered(number uint64) {
	if done := l.awaiting[number]; done != nil {
		close(done)
		delete(l.awaiting, number)
	}
}

// catchUp does all that the creator has asked for, unless another thread is at it:
// less than a socket holds of.
func (l *outboundLink) catchUp() {
	const most = 1 << 12
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 0; i < most && l.take(); i++ {
	}
}

// maxUnsent bounds what is kept for a creator that does not listen. It cannot have
// more withdrawn than it has confirmed.
const maxUnsent = 4096

// sendUnsent tells the creator what was done. If it has no room now, the epoll tells
// when it has.
func (l *outboundLink) sendUnsent() {
	for len(l.unsent) > 0 || len(l.unused) > 0 {
		var f wire.Frame
		if len(l.unsent) > 0 {
			f = &wire.Revoked{ID: l.unsent[0]}
		} else {
			f = l.unused[0]
		}
		err := l.c.packet.Send(l.c.fd, f, nil, linux.NoFD)
		if noRoom(err) && len(l.unsent) < maxUnsent {
			l.waitForRoom(true)
			return
		}
		if err != nil {
			l.close()
			return
		}
		if len(l.unsent) > 0 {
			l.unsent = l.unsent[1:]
		} else {
			l.unused = l.unused[1:]
		}
	}
	l.unsent, l.unused = nil, nil
	l.waitForRoom(false)
}

// waitForRoom changes whether the service waits for room, besides what the creator
// asks.
func (l *outboundLink) waitForRoom(on bool) {
	if on == (l.room != nil) {
		return
	}
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if on {
		l.room = make(chan struct{})
		events |= unix.EPOLLOUT
	} else {
		l.endWait()
	}
	linux.EpollChange(service.Load().epfd, l.c.fd, events, l.id)
}

// endWait lets those try again that wait for room.
func (l *outboundLink) endWait() {
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}

// close ends the link. Its lock is held.
func (l *outboundLink) close() {
	if l.c == nil {
		return
	}
	service.Load().unwatch(l.id, l.c.fd)
	l.c.close()
	l.c, l.unsent, l.unused = nil, nil, nil
	l.endWait()
	tables.lock()
	defer tables.unlock()
	if outlinks[l.process] == l {
		delete(outlinks, l.process)
	}
	if !l.process.gone && len(l.objects) > 0 {
		go renew(maps.Clone(l.objects))
	}
	for number := range l.awaiting { // enter finds that the link has ended
		l.answered(number)
	}
	l.process.drop()
}

// renew registers what is still used anew, after a link has ended whose creator may
// be there.
func renew(lost map[memory.Origin]registered) {
	for by, r := range lost {
		tables.lock()
		used := handles.objects[r.key] != nil
		tables.unlock()
		if !used && !memory.Mapped(r.key, by) {
			continue
		}
		l, err := hold(by, r.key, r.makes)
		if l.letGo(); err != nil || l == nil {
			return // gone, or does not answer: then nobody else will do better
		}
	}
}

// register lets the creator of an object know that this process has mapped it.
// There is nothing to do when the creator is gone: nobody can revoke any more.
func register(by memory.Origin, key memory.Key) error {
	l, err := hold(by, key, false)
	l.letGo()
	return err
}

// letGo ends a hold; there may be none.
func (l *outboundLink) letGo() {
	if l != nil {
		tables.lock()
		l.held--
		tables.unlock()
	}
}

// hold registers an object with its creator, if that is another process that can
// be reached: it has the registration, if it may not have read it yet. The link stays
// as it is until the caller lets go of it.
func hold(by memory.Origin, key memory.Key, makes bool) (*outboundLink, error) {
	if by.Own() || !by.Known() {
		return nil, nil
	}
	const (
		atOnce  = 3  // attempts without a pause
		longest = 20 // milliseconds of a pause
	)
	began := time.Now()
	for attempt := 1; ; attempt++ {
		l, again, err := holdOnce(by, key, makes)
		switch {
		case !again:
			return l, err
		case time.Since(began) >= PeerTimeout:
			return nil, NotAnswering(int(by.PID))
		case attempt >= atOnce: // a creator that ends each link at once
			time.Sleep(time.Duration(min(attempt, longest)) * time.Millisecond)
		}
	}
}

// holdOnce is hold, unless the link has ended meanwhile.
func holdOnce(by memory.Origin, key memory.Key, makes bool) (held *outboundLink, again bool, err error) {
	l, err := linkTo(int(by.PID))
	if err != nil || l == nil {
		return nil, false, err
	}
	tables.lock()
	switch {
	case outlinks[l.process] != l:
		tables.unlock()
		return nil, true, nil
	case l.objects[by].covers(makes):
		l.held++
		tables.unlock()
		return l, false, nil
	}
	l.held++
	l.lastNo++
	r := registration{l.lastNo, makes}
	tables.unlock()
	err = l.announce(&wire.Register{Secret: by.Secret, Serial: by.Serial, Makes: makes, Number: r.number})
	if err == nil && l.enter(by, registered{r, key}) {
		l.sweep(by)
		return l, false, nil
	}
	l.letGo()
	return nil, err == nil || err == syscall.EPIPE, err
}

// announce sends a registration, and waits for an answer if there is one. EPIPE: the
// link has ended. No lock is held while it waits for room, or the answer.
func (l *outboundLink) announce(f *wire.Register) error {
	sent, wait, err := l.send(f)
	if wait == nil {
		return err
	}
	if sent {
		l.look(wait)
	}
	timer := time.NewTimer(PeerTimeout)
	defer timer.Stop()
	for {
		select {
		case <-wait:
		case <-timer.C:
			l.mu.Lock()
			defer l.mu.Unlock()
			delete(l.awaiting, f.Number)
			return NotAnswering(l.process.pid)
		}
		if sent {
			return nil // or the link has ended, which enter finds out
		}
		if sent, wait, err = l.send(f); wait == nil {
			return err
		}
	}
}

// look takes what the creator says, as long as an answer is likely to come soon.
func (l *outboundLink) look(answered <-chan struct{}) {
	for spin := (linux.Spinner{}); spin.Again(); l.catchUp() {
		select {
		case <-answered:
			return
		default:
		}
	}
}

// send sends a registration if there is room. It returns what to wait for, if
// anything: room, or, once it is sent, the answer.
func (l *outboundLink) send(f *wire.Register) (sent bool, wait <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.c == nil:
		return false, nil, syscall.EPIPE
	case l.room != nil: // others were first
		return false, l.room, nil
	}
	if err = l.c.packet.Send(l.c.fd, f, nil, linux.NoFD); noRoom(err) {
		l.waitForRoom(true)
		return false, l.room, nil
	}
	if err != nil {
		l.close()
		return false, nil, syscall.EPIPE
	}
	if !l.answers {
		return true, nil, nil
	}
	done := make(chan struct{})
	l.awaiting[f.Number] = done
	return true, done, nil
}

// enter remembers what was registered, unless the link has ended meanwhile: then
// nobody would register it anew.
func (l *outboundLink) enter(by memory.Origin, r registered) bool {
	tables.lock()
	defer tables.unlock()
	if outlinks[l.process] != l {
		return false
	}
	l.objects[by] = registered{l.objects[by].with(r.registration), r.key}
	return true
}

// knownLink returns the link to the creator of an object, nil if there is none. The
// lock is held.
func knownLink(by memory.Origin) *outboundLink {
	if p := processes[int(by.PID)]; p != nil {
		return outlinks[p]
	}
	return nil
}

// linkTo returns the link to a creator, nil if that is gone.
func linkTo(pid int) (*outboundLink, error) {
	p, err := processOf(pid)
	if err == syscall.ESRCH {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tables.lock()
	l := outlinks[p]
	tables.unlock()
	if l != nil {
		p.release()
		return l, nil
	}
	l = &outboundLink{process: p, objects: make(map[memory.Origin]registered), sweepAt: 64, awaiting: make(map[uint64]chan struct{})}
	c, w, err := p.dial(new(wire.HelloLink))
	if err != nil {
		p.release()
		if err = PeerError(err, pid); err == syscall.ESRCH {
			err = nil
		}
		return nil, err
	}
	l.answers = w.Flags&wire.LinkAnswers != 0
	return l.begin(c)
}

// begin makes the link known, unless another thread was faster.
func (l *outboundLink) begin(c *Outbound) (*outboundLink, error) {
	s := service.Load()
	l.mu.Lock() // until the id is known
	defer l.mu.Unlock()
	tables.lock()
	defer tables.unlock()
	if other := outlinks[l.process]; other != nil {
		tables.disposeLater(c.blame(), c.fd)
		l.process.drop()
		return other, nil
	}
	id, err := s.watch(c.fd, l)
	if err != nil {
		tables.disposeLater(c.blame(), c.fd)
		l.process.drop()
		return nil, err
	}
	l.c, l.id = c, id
	outlinks[l.process] = l
	return l, nil
}

// sweep withdraws the registrations of objects that this process uses no more. It
// looks when they have doubled, and nobody is about to use one but the caller: that
// of begun.
func (l *outboundLink) sweep(begun memory.Origin) {
	var unused []*wire.Withdraw
	tables.lock()
	if len(l.objects) >= l.sweepAt && l.held <= 1 {
		for by, r := range l.objects {
			if by != begun && handles.objects[r.key] == nil && !memory.Mapped(r.key, by) {
				unused = append(unused, &wire.Withdraw{Secret: by.Secret, Serial: by.Serial, Number: r.number})
				delete(l.objects, by)
			}
		}
		l.sweepAt = max(64, 2*len(l.objects))
	}
	tables.unlock()
	if len(unused) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.c != nil {
		l.unused = append(l.unused, unused...)
		l.sendUnsent()
	}
}
