package procnto

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// Channel flags, as QNX numbers them.
const (
	flagFixedPriority = 0x1
	flagUnblock       = 0x2
	flagDisconnect    = 0x8
	flagSenderLen     = 0x20
	flagReplyLen      = 0x80

	// The host has no priorities, and always tells the lengths.
	knownChannelFlags = flagFixedPriority | flagUnblock | flagDisconnect | flagSenderLen | flagReplyLen
)

const (
	codeUnblock    = -32
	codeDisconnect = -33

	firstSCOID = 0x10001
)

// A channel receives messages on lanes: sockets that carry one message at a
// time, so that a thread of a client that is blocked in MsgSend has one for
// itself.
type channel struct {
	chid    int
	flags   uint32
	service *service // of which the receivers do the work while they wait
	epfd    int      // of the lanes, wakefd, and the service
	wakefd  int      // readable while there are pulses in own, and once closed
	gate    gate.Gate
	queued  atomic.Int32 // pulses in own

	mu      sync.Mutex
	clients map[clientKey]*client
	bySCOID map[int]*client
	own     []Received // pulses that this library sends
	muted   []*lane    // whose messages MsgReceivePulse has left to MsgReceive
	takers  int        // threads in MsgReceive
	closed  bool
}

// A clientKey tells a client process from a later one of the same pid.
type clientKey struct {
	pid   int
	token uint64
}

// A client is a process that is attached to a channel, by any number of
// connections.
type client struct {
	clientKey
	peer     unix.Ucred
	channel  *channel
	scoid    int
	attached int
	lanes    map[*lane]struct{}
	detached bool // by the server
}

// A lane is the server's end of a socket for messages.
type lane struct {
	id     uint32
	number int64 // the client's name for it
	client *client
	coid   int

	mu        sync.Mutex
	fd        int
	seq       uint32 // of the message that waits for its reply, 0 if there is none
	last      uint32 // seq of the last message received
	cancelled uint64 // seq of a message that shall not be received
	packet    packet

	// Of the message that waits.
	info   Received
	kept   []byte  // the message, unless it is in file
	file   int     // or noFD
	pieces []piece // written to the client's reply buffer
}

func (l *lane) rcvid() int64 { return int64(l.id)<<32 | int64(l.seq) }

// forget ends the wait for a reply. The lane's lock is held.
func (l *lane) forget() {
	const worthKeeping = 4096
	l.seq = 0
	l.pieces = nil
	if cap(l.kept) > worthKeeping {
		l.kept = nil
	}
	if l.file != noFD {
		unix.Close(l.file)
		l.file = noFD
	}
}

// serviceEvent is the epoll id of the service in a channel; lanes have less.
const serviceEvent = 1 << 32

// lanes finds the lane that a rcvid means.
var lanes laneTable

type laneTable struct {
	mu   sync.RWMutex
	byID map[uint32]*lane
	last uint32
}

func (t *laneTable) add(l *lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[uint32]*lane)
	}
	for l.id = 0; l.id == 0 || t.byID[l.id] != nil; l.id = t.last {
		t.last = (t.last + 1) & (1<<31 - 1)
	}
	t.byID[l.id] = l
}

func (t *laneTable) get(id uint32) *lane {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

func (t *laneTable) remove(id uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

// ChannelCreate is ChannelCreate.
func ChannelCreate(flags uint32) (chid int, err error) {
	if flags&^knownChannelFlags != 0 {
		return 0, syscall.EINVAL
	}
	ch := &channel{
		flags:   flags,
		clients: make(map[clientKey]*client),
		bySCOID: make(map[int]*client),
	}
	if err := timersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	if ch.epfd, ch.wakefd, err = newEpoll(); err != nil {
		return 0, noDescriptors(err)
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	if err = host.serve(); err == nil {
		ch.service = host.service
		err = epollAdd(ch.epfd, ch.service.epfd, unix.EPOLLIN, serviceEvent)
		if err == syscall.EINVAL { // the kernel lets only so many wait for one
			err = qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the host has no more channels for this process"}
		}
	}
	if err != nil {
		unix.Close(ch.epfd)
		unix.Close(ch.wakefd)
		return 0, noDescriptors(err)
	}
	if host.channels == nil {
		host.channels = make(map[int]*channel)
	}
	host.lastChid++
	ch.chid = host.lastChid
	host.channels[ch.chid] = ch
	return ch.chid, nil
}

// channel finds a channel of this process.
func (m *manager) channel(chid int) *channel {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.channels[chid]
}

// ChannelDestroy is ChannelDestroy.
func ChannelDestroy(chid int) error {
	host.mu.Lock()
	ch := host.channels[chid]
	if ch == nil {
		host.mu.Unlock()
		return syscall.EINVAL
	}
	delete(host.channels, chid)
	for _, w := range host.service.watched {
		switch w := w.(type) {
		case *listener:
			if w.chid == chid {
				w.close()
			}
		case *inbound:
			if w.client != nil && w.client.channel == ch {
				w.close()
			}
		}
	}
	host.tidyLater()
	host.mu.Unlock()
	ch.gate.Close(func() {
		ch.mu.Lock() // nextOwn must not take this wake for a pulse's
		defer ch.mu.Unlock()
		wake(ch.wakefd)
	})
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.closed = true
	for _, c := range ch.bySCOID {
		c.cutOff()
	}
	unix.Close(ch.epfd)
	unix.Close(ch.wakefd)
	return nil
}

// attach enters a connection of a client process. The manager's lock is held.
func (ch *channel) attach(peer unix.Ucred, token uint64) *client {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	key := clientKey{int(peer.Pid), token}
	c := ch.clients[key]
	if c == nil {
		host.lastSCOID = max(host.lastSCOID+1, firstSCOID)
		c = &client{clientKey: key, peer: peer, channel: ch, scoid: host.lastSCOID, lanes: make(map[*lane]struct{})}
		ch.clients[key] = c
		ch.bySCOID[c.scoid] = c
	}
	c.attached++
	return c
}

// detachOne is called when a connection of the client has ended.
func (c *client) detachOne() {
	c.channel.mu.Lock()
	defer c.channel.mu.Unlock()
	c.attached--
	c.gone()
}

// gone reports a client that has no connection left, and whose last messages
// and pulses have been received. The channel's lock is held.
func (c *client) gone() {
	ch := c.channel
	if c.attached > 0 || len(c.lanes) > 0 || c.detached || ch.clients[c.clientKey] != c {
		return
	}
	delete(ch.clients, c.clientKey)
	if ch.flags&flagDisconnect == 0 {
		delete(ch.bySCOID, c.scoid)
		return
	}
	if ch.closed {
		return
	}
	ch.push(Received{Code: codeDisconnect, SCOID: c.scoid})
}

// crowded reports whether so many clients have gone, and not been detached by
// the server, that no other may come.
func (ch *channel) crowded() bool {
	const most = 4096
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return len(ch.bySCOID)-len(ch.clients) > most
}

// push sends a pulse of this library. The channel's lock is held.
func (ch *channel) push(pulse Received) {
	ch.own = append(ch.own, pulse)
	ch.queued.Store(int32(len(ch.own)))
	wake(ch.wakefd)
}

// cancel is called when a thread of the client does not want to wait any more
// for its message seq on the lane of that number.
func (c *client) cancel(number int64, seq uint64) (verdict int32) {
	ch := c.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for l := range c.lanes {
		if l.number != number {
			continue
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case l.seq == 0 && uint64(l.last) == seq:
			return cancelReplied
		case uint64(l.seq) == seq && ch.flags&flagUnblock != 0:
			if !l.info.UnblockRequested {
				l.info.UnblockRequested = true
				ch.push(Received{Code: codeUnblock, Value: l.rcvid(), SCOID: c.scoid})
			}
			return cancelStay
		case uint64(l.seq) == seq:
			l.forget()
		default:
			l.cancelled = seq
		}
	}
	return cancelGone
}

// nextOwn takes a pulse that this library has sent.
func (ch *channel) nextOwn() (Received, bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if len(ch.own) == 0 {
		return Received{}, false
	}
	r := ch.own[0]
	ch.own = ch.own[1:]
	ch.queued.Store(int32(len(ch.own)))
	if len(ch.own) == 0 && !ch.gate.Closed() {
		ch.own = nil
		var b [8]byte
		unix.Read(ch.wakefd, b[:])
	}
	return r, true
}

// DetachClient is ConnectDetach of a client of one channel.
func DetachClient(chid, scoid int) error {
	host.mu.Lock()
	defer host.mu.Unlock()
	ch := host.channels[chid]
	if ch == nil || !host.cutOff(ch, scoid) {
		return syscall.EINVAL
	}
	return nil
}

// detachClient is ConnectDetach of a scoid.
func (m *manager) detachClient(scoid int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ch := range m.channels {
		if m.cutOff(ch, scoid) {
			return nil
		}
	}
	return syscall.EINVAL
}

// ClientInfo tells about a client.
type ClientInfo struct{ PID, UID, GID int }

// ConnectClientInfo is ConnectClientInfo; scoid -1 is the calling process.
func ConnectClientInfo(scoid int) (ClientInfo, error) {
	if scoid == -1 {
		return ClientInfo{self().pid, unix.Geteuid(), unix.Getegid()}, nil
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	for _, ch := range host.channels {
		ch.mu.Lock()
		c := ch.bySCOID[scoid]
		ch.mu.Unlock()
		if c != nil {
			return ClientInfo{c.pid, int(c.peer.Uid), int(c.peer.Gid)}, nil
		}
	}
	return ClientInfo{}, syscall.EINVAL
}

// cutOff lets go of the client scoid of ch, if it has that.
func (m *manager) cutOff(ch *channel, scoid int) bool {
	ch.mu.Lock()
	c := ch.bySCOID[scoid]
	if c != nil {
		c.cutOff()
	}
	ch.mu.Unlock()
	if c == nil {
		return false
	}
	for _, w := range m.service.watched {
		if w, ok := w.(*inbound); ok && w.client == c {
			w.close()
		}
	}
	return true
}

// cutOff forgets a client and unblocks its threads with what it means to them.
// The channel's lock is held.
func (c *client) cutOff() {
	c.detached = true
	delete(c.channel.bySCOID, c.scoid)
	if c.channel.clients[c.clientKey] == c {
		delete(c.channel.clients, c.clientKey)
	}
	for l := range c.lanes {
		l.mu.Lock()
		l.unblock()
		l.close()
		l.mu.Unlock()
	}
	clear(c.lanes)
	c.channel.muted = slices.DeleteFunc(c.channel.muted, func(l *lane) bool { return l.client == c })
}

// addLane takes the socket fd of an attached client in. It is called by the
// service and reports whether the hello was right.
func (ch *channel) addLane(fd, pid int, hello *frame) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c := ch.bySCOID[int(hello.scoid)]
	if ch.closed || c == nil || c.clientKey != (clientKey{pid, hello.id}) || c.attached == 0 {
		return false
	}
	if host.packet.send(fd, &frame{kind: welcome}, nil, noFD) != nil {
		return false
	}
	l := &lane{number: hello.a, client: c, coid: int(hello.coid), fd: fd, file: noFD}
	lanes.add(l)
	if err := epollAdd(ch.epfd, fd, unix.EPOLLIN|unix.EPOLLRDHUP, uint64(l.id)); err != nil {
		lanes.remove(l.id)
		return false
	}
	c.lanes[l] = struct{}{}
	return true
}

// dropLane ends a lane whose client has closed it, or broken the protocol.
func (ch *channel) dropLane(l *lane) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	l.mu.Lock()
	l.close()
	l.mu.Unlock()
	delete(l.client.lanes, l)
	ch.muted = slices.DeleteFunc(ch.muted, func(m *lane) bool { return m == l })
	l.client.gone()
}

// close closes the lane's socket. The lane's lock is held.
func (l *lane) close() {
	if l.fd >= 0 {
		// Closing is not enough while a forked child has the descriptor too.
		unix.EpollCtl(l.client.channel.epfd, unix.EPOLL_CTL_DEL, l.fd, nil)
		unix.Close(l.fd)
		l.fd = -1
		l.forget()
		lanes.remove(l.id)
		admission.leave(l.client.pid)
	}
}

// unblock lets the client's thread go, because the channel is going: ESRCH when
// the server has its message, EBADF when the message was not received. The
// lane's lock is held.
func (l *lane) unblock() {
	if l.fd < 0 {
		return
	}
	// What is queued can be read still, but no more can be sent: the client's
	// next thread may use the lane as soon as this one has its answer.
	unix.Shutdown(l.fd, unix.SHUT_RD)
	if l.seq != 0 {
		l.packet.send(l.fd, &frame{kind: reply, id: uint64(l.seq), errno: int32(syscall.ESRCH)}, nil, noFD)
	}
	scratch := make([]byte, maxInline)
	for {
		var f frame
		r, err := l.packet.receive(l.fd, &f, scratch, nil, unix.MSG_DONTWAIT)
		if r.fd != noFD {
			unix.Close(r.fd)
		}
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return
		}
		if f.kind == message {
			l.packet.send(l.fd, &frame{kind: reply, id: f.id, errno: int32(syscall.EBADF)}, nil, noFD)
		}
	}
}

// A receiver is what a thread in MsgReceive needs.
type receiver struct {
	events [1]unix.EpollEvent
	packet packet
	turn   turn
	rest   [maxInline]byte // of a message longer than the buffer
}

var receivers = sync.Pool{New: func() any { return new(receiver) }}

// MsgReceive is MsgReceive, with TimerTimeout if timeout is not negative.
func MsgReceive(chid int, buf []byte, timeout time.Duration) (Received, error) {
	rc, err := BeginReceive(chid, false)
	if err != nil {
		return Received{}, err
	}
	defer rc.End()
	rc.rcv.turn.pass()
	deadline := deadlineOf(timeout)
	for {
		r, err := rc.Try(buf, !onlyProcessor || timeout >= 0)
		if err != syscall.EAGAIN {
			return r, err
		}
		if err := rc.sleep(deadline); err != nil {
			return Received{}, err
		}
	}
}

// A Receiving is a thread in MsgReceive. The C face waits between its methods,
// on the caller's own thread.
type Receiving struct {
	ch         *channel
	rcv        *receiver
	pulsesOnly bool
	// ready is set when rcv holds the event that sleep came back with.
	ready bool
}

// BeginReceive enters MsgReceive, or MsgReceivePulse. On success End must
// follow.
func BeginReceive(chid int, pulsesOnly bool) (Receiving, error) {
	ch := host.channel(chid)
	if ch == nil || !ch.gate.Enter() {
		return Receiving{}, syscall.ESRCH
	}
	ch.service.join()
	if !pulsesOnly {
		ch.unmute()
	}
	return Receiving{ch: ch, rcv: receivers.Get().(*receiver), pulsesOnly: pulsesOnly}, nil
}

// End leaves.
func (rc *Receiving) End() {
	receivers.Put(rc.rcv)
	if !rc.pulsesOnly {
		rc.ch.mu.Lock()
		rc.ch.takers--
		rc.ch.mu.Unlock()
	}
	rc.ch.service.leave()
	rc.ch.gate.Leave()
}

// ChannelID returns the chid.
func (rc *Receiving) ChannelID() int { return rc.ch.chid }

// Descriptor becomes readable when Try may succeed.
func (rc *Receiving) Descriptor() int { return rc.ch.epfd }

// Try takes a message or a pulse if there is one, else EAGAIN. With look it
// looks, for a short while; without, it only takes what sleep has found.
func (rc *Receiving) Try(buf []byte, look bool) (Received, error) {
	const enough = 64
	ch, fruitless := rc.ch, 0
	var spin spinner
	for {
		if ch.gate.Closed() {
			return Received{}, syscall.ESRCH
		}
		if ch.queued.Load() > 0 {
			if r, ok := ch.nextOwn(); ok {
				return r, nil
			}
		}
		if !rc.ready {
			if !look {
				return Received{}, syscall.EAGAIN
			}
			n, err := pollEvents(ch.epfd, rc.rcv.events[:])
			if n == 0 && err == nil && !spin.again() {
				return Received{}, syscall.EAGAIN
			}
			if n == 0 || err != nil { // EINTR
				continue
			}
		}
		rc.ready = false
		spin = spinner{}
		if r, err := rc.handle(&rc.rcv.events[0], buf); err != syscall.EAGAIN {
			return r, err
		}
		if fruitless++; fruitless == enough {
			return Received{}, syscall.EAGAIN // the caller may have a deadline
		}
	}
}

// handle acts on an event of the channel. EAGAIN: it was nothing to receive.
func (rc *Receiving) handle(ev *unix.EpollEvent, buf []byte) (Received, error) {
	if epollID(ev) == serviceEvent {
		rc.ch.service.step()
		return Received{}, syscall.EAGAIN
	}
	l := lanes.get(uint32(epollID(ev)))
	if l == nil {
		return Received{}, syscall.EAGAIN
	}
	hangup := ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0
	r, err := l.take(rc.rcv, buf, hangup, rc.pulsesOnly)
	switch err {
	case io.EOF:
		rc.ch.dropLane(l)
		err = syscall.EAGAIN
	case errNoPulse:
		rc.ch.mute(l, rc.rcv)
		err = syscall.EAGAIN
	}
	return r, err
}

// errNoPulse: a message is next, which is not for MsgReceivePulse.
var errNoPulse = errors.New("a message is next")

// sleep waits until something may be there, at most until the deadline unless
// that is zero.
func (rc *Receiving) sleep(deadline time.Time) error {
	if !deadline.IsZero() {
		return waitFor(rc.ch.epfd, unix.POLLIN, deadline)
	}
	n, err := unix.EpollWait(rc.ch.epfd, rc.rcv.events[:], -1)
	rc.ready = n > 0 && err == nil
	return nil
}

// next returns what is next on the lane: message, pulse, or 0 for nothing. The
// lane's lock is held, so nobody else can take it.
func (l *lane) next(rcv *receiver) (kind frameKind, err error) {
	var f frame
	r, err := rcv.packet.receive(l.fd, &f, rcv.rest[:], nil, unix.MSG_DONTWAIT|unix.MSG_PEEK)
	if r.fd != noFD {
		unix.Close(r.fd)
	}
	return f.kind, err
}

// mute leaves the lane's message to a later MsgReceive.
func (ch *channel) mute(l *lane, rcv *receiver) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.takers > 0 {
		schedYield() // one of them is about to take it
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return
	}
	// It may have been taken meanwhile: what comes next is a pulse perhaps.
	if kind, err := l.next(rcv); err != nil || kind != message {
		return
	}
	if l.listen(ch.epfd, 0) {
		ch.muted = append(ch.muted, l)
	}
}

func (ch *channel) unmute() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.takers++
	for _, l := range ch.muted {
		l.mu.Lock()
		l.listen(ch.epfd, unix.EPOLLIN)
		l.mu.Unlock()
	}
	ch.muted = nil
}

// listen changes what the channel is told of the lane, besides its end. The
// lane's lock is held.
func (l *lane) listen(epfd int, events uint32) bool {
	if l.fd < 0 {
		return false
	}
	ev := unix.EpollEvent{Events: events | unix.EPOLLRDHUP, Fd: int32(l.id)}
	return unix.EpollCtl(epfd, unix.EPOLL_CTL_MOD, l.fd, &ev) == nil
}

// deadlineOf is the zero time for a timeout that never ends.
func deadlineOf(timeout time.Duration) time.Time {
	if timeout < 0 {
		return time.Time{}
	}
	return time.Now().Add(timeout)
}

// take receives a message or a pulse from a lane. EAGAIN: there is none. EOF:
// the lane is to be dropped. EFAULT: the message did not go into buf, and its
// sender has been told. hangup tells that the client's thread does not wait any
// more: its message, if it was not received yet, never will be, but its pulses
// are. pulsesOnly leaves a message where it is: errNoPulse.
func (l *lane) take(rcv *receiver, buf []byte, hangup, pulsesOnly bool) (Received, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return Received{}, syscall.EAGAIN
	}
	if pulsesOnly && !hangup {
		// Nothing now does not mean that nothing is there by the time of the
		// receive below.
		switch kind, err := l.next(rcv); {
		case err == syscall.EAGAIN, err == syscall.EINTR:
			return Received{}, syscall.EAGAIN
		case err == nil && kind == message:
			return Received{}, errNoPulse
		}
	}
	var f frame
	rc, err := rcv.packet.receive(l.fd, &f, buf, rcv.rest[:], unix.MSG_DONTWAIT)
	defer func() {
		if rc.fd != noFD {
			unix.Close(rc.fd)
		}
	}()
	switch {
	case err == syscall.EINTR, err == syscall.EAGAIN:
		return Received{}, syscall.EAGAIN
	case err != nil && err != syscall.EFAULT:
		return Received{}, io.EOF
	case f.kind == pulse && rc.n == 0 && rc.fd == noFD && f.number == int32(int8(f.number)):
		return Received{Code: int(f.number), Value: f.a, SCOID: l.client.scoid}, nil
	case f.kind != message || l.seq != 0 || f.id == 0 || f.id > 1<<31-1 || f.a < 0 || f.b < 0:
		return Received{}, io.EOF
	case hangup, f.id == l.cancelled:
		return Received{}, syscall.EAGAIN
	case rc.lost:
		l.refuse(&f, syscall.ENOMEM)
		return Received{}, syscall.EAGAIN
	}
	n := min(rc.n, len(buf))
	if err == nil && f.inFile {
		n, err = readPayload(rc.fd, buf, f.a)
	}
	switch {
	case err == syscall.EFAULT:
		l.refuse(&f, qnxerr.ESRVRFAULT)
		return Received{}, err
	case err != nil, f.inFile && rc.n != 0, !f.inFile && (int64(rc.n) != f.a || rc.fd != noFD):
		return Received{}, io.EOF
	}
	l.keep(&f, &rc, buf[:n], rcv.rest[:])
	l.info = Received{
		RcvID: l.rcvid(),
		PID:   l.client.pid, SCOID: l.client.scoid, COID: l.coid,
		MsgLen: n, SrcMsgLen: f.a, DstMsgLen: f.b,
	}
	return l.info, nil
}

// keep holds a received message for MsgRead, until it is replied to.
func (l *lane) keep(f *frame, rc *receipt, begin, rest []byte) {
	l.seq, l.last = uint32(f.id), uint32(f.id)
	l.kept = l.kept[:0]
	if !f.inFile {
		l.kept = append(append(l.kept, begin...), rest[:rc.n-len(begin)]...)
		return
	}
	var err error
	if l.file, err = dupHigh(rc.fd); err != nil {
		l.file, rc.fd = rc.fd, noFD // no room there
	}
}

// refuse answers a message that cannot be received.
func (l *lane) refuse(f *frame, errno syscall.Errno) {
	l.packet.send(l.fd, &frame{kind: reply, id: f.id, errno: int32(errno)}, nil, noFD)
}

// waiting returns the lane on which rcvid waits for its reply, locked.
func waiting(rcvid int64) (*lane, error) {
	l := lanes.get(uint32(rcvid >> 32))
	if l == nil || rcvid < 0 {
		return nil, syscall.ESRCH
	}
	l.mu.Lock()
	if l.fd < 0 || l.seq == 0 || l.seq != uint32(rcvid) {
		l.mu.Unlock()
		return nil, syscall.ESRCH
	}
	return l, nil
}

// MsgInfo is MsgInfo, with the chid.
func MsgInfo(rcvid int64) (info Received, chid int, err error) {
	l, err := waiting(rcvid)
	if err != nil {
		return Received{}, 0, err
	}
	defer l.mu.Unlock()
	return l.info, l.client.channel.chid, nil
}

// MsgRead is MsgRead: it copies from offset of the client's message.
func MsgRead(rcvid int64, buf []byte, offset int64) (n int, err error) {
	l, err := waiting(rcvid)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	size := l.info.SrcMsgLen
	if offset < 0 || offset >= size {
		return 0, nil
	}
	buf = buf[:min(int64(len(buf)), size-offset)]
	if l.file == noFD {
		return copy(buf, l.kept[offset:]), nil
	}
	if err := readAt(l.file, buf, offset); err != nil {
		return 0, qnxerr.ESRVRFAULT
	}
	return len(buf), nil
}

// MsgWrite is MsgWrite: it copies to offset of the client's reply buffer, where
// the client finds it when it is replied to.
func MsgWrite(rcvid int64, data []byte, offset int64) (n int, err error) {
	l, err := waiting(rcvid)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	room := l.info.DstMsgLen
	if offset < 0 || offset >= room {
		return 0, nil
	}
	data = data[:min(int64(len(data)), room-offset)]
	l.pieces = append(l.pieces, piece{offset, bytes.Clone(data)})
	return len(data), nil
}

// MsgReply is MsgReply.
func MsgReply(rcvid int64, status int, data []byte) error {
	return answerMessage(rcvid, frame{kind: reply, a: int64(status)}, data)
}

// MsgError is MsgError.
func MsgError(rcvid int64, errno syscall.Errno) error {
	if errno > 1<<31-1 {
		return syscall.EINVAL
	}
	return answerMessage(rcvid, frame{kind: reply, errno: int32(errno)}, nil)
}

func answerMessage(rcvid int64, f frame, data []byte) error {
	l, err := waiting(rcvid)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	data = data[:min(int64(len(data)), l.info.DstMsgLen)]
	if len(l.pieces) > 0 && f.errno == 0 {
		data = packPieces(append(l.pieces, piece{0, data}))
		f.number = 1
	}
	f.id, f.b = uint64(l.seq), int64(len(data))
	if err := l.packet.sendPayload(l.fd, &f, data); err != nil {
		switch {
		case err == syscall.EFAULT:
			return qnxerr.ESRVRFAULT
		case !ended(err) && err != syscall.EAGAIN:
			return err // the client still waits
		}
		// The client is gone, or does not read: it is no client any more.
		l.forget()
		unix.Shutdown(l.fd, unix.SHUT_RDWR)
		return syscall.ESRCH
	}
	l.forget()
	return nil
}
