//go:build linux

package message

import (
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// The host has no priorities, and always tells the lengths.
const knownChannelFlags = nto.ChannelFixedPriority | nto.ChannelUnblock | nto.ChannelDisconnect | nto.ChannelSenderLen | nto.ChannelReplyLen

const firstSCOID = nto.ConnectionSCOID + 1

// channels are this process's.
var channels channelTable

type channelTable struct {
	mu        sync.Mutex
	byID      map[int]*channel
	lastChid  int
	lastSCOID int
}

func (t *channelTable) get(chid int) *channel {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[chid]
}

func (t *channelTable) add(ch *channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[int]*channel)
	}
	t.lastChid++
	ch.chid = t.lastChid
	t.byID[ch.chid] = ch
}

func (t *channelTable) remove(chid int) *channel {
	t.mu.Lock()
	defer t.mu.Unlock()
	ch := t.byID[chid]
	delete(t.byID, chid)
	return ch
}

func (t *channelTable) all() []*channel {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.byID))
}

func (t *channelTable) nextSCOID() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastSCOID = max(t.lastSCOID+1, firstSCOID)
	return t.lastSCOID
}

// A channel receives messages on lanes: sockets that carry one message at a
// time, so that a thread of a client that is blocked in MsgSend has one for
// itself.
type channel struct {
	chid    int
	flags   uint32
	service *procnto.Service // of which the receivers do the work while they wait
	epfd    int              // of the lanes, wakefd, and the service
	wakefd  int              // readable while there are pulses in own, and once closed
	gate    gate.Gate
	queued  atomic.Int32 // pulses in own

	mu      sync.Mutex
	clients map[clientKey]*client
	bySCOID map[int]*client
	own     []Received // pulses that this library sends
	names   []*Name
	muted   []*lane // whose messages MsgReceivePulse has left to MsgReceive
	takers  int     // threads in MsgReceive
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
	peer     wire.Peer
	channel  *channel
	scoid    int
	attached map[*procnto.Conn]struct{}
	lanes    map[*lane]struct{}
	detached bool // by the server
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
	if err := linux.TimersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	procnto.GiveRoles(hello)
	if ch.service, err = procnto.Serve(); err != nil {
		return 0, noDescriptors(err)
	}
	if err = ch.open(); err != nil {
		return 0, noDescriptors(err)
	}
	channels.add(ch)
	return ch.chid, nil
}

func (ch *channel) open() (err error) {
	if ch.epfd, err = linux.NewEpoll(); err != nil {
		return err
	}
	if ch.wakefd, err = linux.NewEventfd(0); err != nil {
		unix.Close(ch.epfd)
		return err
	}
	if err = linux.EpollAdd(ch.epfd, ch.wakefd, unix.EPOLLIN, 0); err == nil {
		err = linux.EpollAdd(ch.epfd, ch.service.Descriptor(), unix.EPOLLIN, serviceEvent)
		if err == syscall.EINVAL { // the kernel lets only so many wait for one
			err = qnxerr.Cause{Errno: syscall.EAGAIN, Text: "the host has no more channels for this process"}
		}
	}
	if err != nil {
		unix.Close(ch.epfd)
		unix.Close(ch.wakefd)
	}
	return err
}

// noDescriptors turns the want of a descriptor into the errno of the calls that
// give none to their caller.
func noDescriptors(err error) error { return procnto.NoDescriptors(err) }

// ChannelDestroy is ChannelDestroy.
func ChannelDestroy(chid int) error {
	ch := channels.remove(chid)
	if ch == nil {
		return syscall.EINVAL
	}
	ch.mu.Lock()
	names := ch.names
	attached := ch.attachedConns(nil)
	ch.mu.Unlock()
	for _, n := range names {
		n.Detach()
	}
	closeAll(attached)
	ch.gate.Close(func() {
		ch.mu.Lock() // nextOwn must not take this wake for a pulse's
		defer ch.mu.Unlock()
		linux.Wake(ch.wakefd)
	})
	closeAll(ch.end()) // those that have come meanwhile
	return nil
}

// end is the end of a channel in which nobody is any more. It returns the
// connections that are still attached.
func (ch *channel) end() (attached []*procnto.Conn) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.closed = true
	attached = ch.attachedConns(nil)
	for _, c := range ch.bySCOID {
		c.cutOff()
	}
	unix.Close(ch.epfd)
	unix.Close(ch.wakefd)
	return attached
}

func closeAll(conns []*procnto.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// attachedConns returns the connections that stand for attachments, of one client
// or of all. The channel's lock is held.
func (ch *channel) attachedConns(of *client) (conns []*procnto.Conn) {
	for _, c := range ch.bySCOID {
		if of == nil || c == of {
			conns = slices.AppendSeq(conns, maps.Keys(c.attached))
		}
	}
	return conns
}

// hello gives the connections about messages their roles.
func hello(c *procnto.Conn, f wire.Frame) (procnto.Role, *wire.Welcome) {
	switch f := f.(type) {
	case *wire.HelloAttach:
		return channels.get(int(f.ChannelID)).attach(c, f.Token)
	case *wire.HelloName:
		ch, _ := c.For.(*channel)
		return ch.attach(c, f.Token)
	case *wire.HelloLane:
		if linux.Overdrawn(c.Peer.UID) {
			return nil, &wire.Welcome{Errno: int32(syscall.EAGAIN)}
		}
		ch := channels.get(int(f.ChannelID))
		if ch == nil || !ch.addLane(c, f) {
			return nil, &wire.Welcome{Errno: int32(syscall.EBADF)}
		}
		return nil, nil // the channel has it now
	}
	return nil, nil
}

// attach enters a connection of a client process.
func (ch *channel) attach(c *procnto.Conn, token uint64) (procnto.Role, *wire.Welcome) {
	if ch == nil {
		return nil, &wire.Welcome{Errno: int32(syscall.ESRCH)}
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case ch.closed || ch.gate.Closed():
		return nil, &wire.Welcome{Errno: int32(syscall.ESRCH)}
	case ch.crowded():
		return nil, &wire.Welcome{Errno: int32(syscall.EAGAIN)}
	}
	key := clientKey{c.Peer.PID, token}
	cl := ch.clients[key]
	if cl == nil {
		cl = &client{
			clientKey: key, peer: c.Peer, channel: ch, scoid: channels.nextSCOID(),
			attached: make(map[*procnto.Conn]struct{}), lanes: make(map[*lane]struct{}),
		}
		ch.clients[key] = cl
		ch.bySCOID[cl.scoid] = cl
	}
	cl.attached[c] = struct{}{}
	return attachment{cl}, &wire.Welcome{ChannelID: int32(ch.chid), SCOID: int32(cl.scoid), Flags: ch.flags}
}

// An attachment is the role of a connection that stands for one of a client to a
// channel.
type attachment struct{ client *client }

// Frame takes a Cancel.
func (a attachment) Frame(c *procnto.Conn, f wire.Frame) bool {
	if f, ok := f.(*wire.Cancel); ok {
		return c.Answer(&wire.Verdict{ID: f.ID, Stay: a.client.cancel(f.Lane, f.Seq)})
	}
	return false
}

// Idle is false: the client is attached for as long as the connection is there.
func (a attachment) Idle() bool { return false }

// Ended is called when the connection has ended.
func (a attachment) Ended(c *procnto.Conn, _ bool) {
	ch := a.client.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	delete(a.client.attached, c)
	a.client.gone()
}

// gone reports a client that has no connection left, and whose last messages
// and pulses have been received. The channel's lock is held.
func (c *client) gone() {
	ch := c.channel
	if len(c.attached) > 0 || len(c.lanes) > 0 || c.detached || ch.clients[c.clientKey] != c {
		return
	}
	delete(ch.clients, c.clientKey)
	if ch.flags&nto.ChannelDisconnect == 0 {
		delete(ch.bySCOID, c.scoid)
		return
	}
	if ch.closed {
		return
	}
	ch.push(Received{Code: nto.PulseDisconnect, SCOID: c.scoid})
}

// crowded reports whether so many clients have gone, and not been detached by
// the server, that no other may come. The channel's lock is held.
func (ch *channel) crowded() bool {
	const most = 4096
	return len(ch.bySCOID)-len(ch.clients) > most
}

// push sends a pulse of this library. The channel's lock is held.
func (ch *channel) push(pulse Received) {
	ch.own = append(ch.own, pulse)
	ch.queued.Store(int32(len(ch.own)))
	linux.Wake(ch.wakefd)
}

// cancel is called when a thread of the client does not want to wait any more
// for its message seq on the lane of that number. It reports whether the thread has
// to: the server was told, and will reply, or has.
func (c *client) cancel(number, seq uint64) (stay bool) {
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
			return true
		case uint64(l.seq) == seq && ch.flags&nto.ChannelUnblock != 0:
			if !l.info.UnblockRequested {
				l.info.UnblockRequested = true
				ch.push(Received{Code: nto.PulseUnblock, Value: l.rcvid(), SCOID: c.scoid})
			}
			return true
		case uint64(l.seq) == seq:
			l.forget()
		default:
			l.cancelled = seq
		}
	}
	return false
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
	if ch := channels.get(chid); ch != nil && ch.detach(scoid) {
		return nil
	}
	return syscall.EINVAL
}

// detachClient is ConnectDetach of a scoid.
func detachClient(scoid int) error {
	for _, ch := range channels.all() {
		if ch.detach(scoid) {
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
		return ClientInfo{os.Getpid(), unix.Geteuid(), unix.Getegid()}, nil
	}
	for _, ch := range channels.all() {
		ch.mu.Lock()
		c := ch.bySCOID[scoid]
		ch.mu.Unlock()
		if c != nil {
			return ClientInfo{c.pid, int(c.peer.UID), int(c.peer.GID)}, nil
		}
	}
	return ClientInfo{}, syscall.EINVAL
}

// detach lets go of the client scoid, if the channel has it.
func (ch *channel) detach(scoid int) bool {
	ch.mu.Lock()
	c := ch.bySCOID[scoid]
	var attached []*procnto.Conn
	if c != nil {
		attached = ch.attachedConns(c)
		c.cutOff()
	}
	ch.mu.Unlock()
	closeAll(attached)
	return c != nil
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
