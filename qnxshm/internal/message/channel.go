//go:build linux

package message

import (
	"maps"
	"slices"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// Those without a meaning on the host are accepted like the others: it lends no priorities
// or processors, always tells the lengths, and has pulses enough.
const knownChannelFlags = nto.ChannelFixedPriority | nto.ChannelUnblock | nto.ChannelThreadDeath | nto.ChannelDisconnect |
	nto.ChannelNetMsg | nto.ChannelSenderLen | nto.ChannelCOIDDisconnect | nto.ChannelReplyLen | nto.ChannelPulsePool |
	nto.ChannelGlobal | nto.ChannelPrivate | nto.ChannelMsgPausing | nto.ChannelInheritRunmask | nto.ChannelUnblockTimer

// ChannelCreate is ChannelCreate.
func ChannelCreate(flags uint32) (chid int, err error) {
	if flags&^knownChannelFlags != 0 {
		return 0, syscall.EINVAL
	}
	ch := &channel{flags: flags, epfd: linux.NoFD, clients: make(map[int]*client)}
	ch.messages.init()
	ch.pulses.init()
	if err := linux.TimersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	procnto.GiveRoles(hello)
	if ch.service, err = procnto.Serve(); err != nil {
		return 0, noDescriptors(err)
	}
	if !linux.IsOpen(ch.service.Descriptor()) { // else the channel's own may get its number
		return 0, closedByProgram
	}
	if err = ch.open(); err != nil {
		ch.closeDescriptors()
		return 0, noDescriptors(err)
	}
	channels.add(ch)
	return ch.chid, nil
}

func (ch *channel) open() (err error) {
	if ch.epfd, err = linux.NewEpoll(); err != nil {
		return err
	}
	return ch.messages.open(ch.epfd, ch.service.Descriptor())
}

func (ch *channel) closeDescriptors() {
	ch.messages.close()
	ch.pulses.close()
	if ch.epfd >= 0 {
		unix.Close(ch.epfd)
	}
}

// ChannelDestroy is ChannelDestroy.
func ChannelDestroy(chid int) error {
	ch := channels.remove(chid)
	if ch == nil {
		return syscall.EINVAL
	}
	ch.mu.Lock()
	names := ch.names
	ch.mu.Unlock()
	for _, n := range names {
		n.Detach()
	}
	ch.gate.Close(ch.wakeAll)
	ch.end()
	return nil
}

// end is the end of a channel in which nobody is any more.
func (ch *channel) end() {
	ch.mu.Lock()
	ch.closed = true
	clients := slices.Collect(maps.Values(ch.clients))
	ch.mu.Unlock()
	for _, cl := range clients {
		cl.cutOff()
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.queue = queue[arrival]{}
	ch.recent = nil
	ch.closeDescriptors()
}

// hello gives the connections about messages their roles.
func hello(c *procnto.Conn, f wire.Frame) (procnto.Role, *wire.Welcome) {
	var ch *channel
	switch f := f.(type) {
	case *wire.HelloAttach:
		ch = channels.get(int(f.ChannelID))
	case *wire.HelloName:
		ch, _ = c.For.(*channel)
	default:
		return nil, nil
	}
	errno := syscall.ESRCH
	if ch != nil {
		if errno = ch.attach(c); errno == 0 {
			return nil, nil // the channel has it now
		}
	}
	return nil, &wire.Welcome{Errno: int32(errno)}
}

// attach enters a new client process, whose memory comes next.
func (ch *channel) attach(c *procnto.Conn) syscall.Errno {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case ch.closed || ch.gate.Closed():
		return syscall.ESRCH
	case ch.flags&nto.ChannelPrivate != 0:
		return syscall.EPERM
	case ch.crowded():
		return syscall.EAGAIN
	}
	cl := &client{channel: ch, peer: c.Peer, scoid: channels.nextSCOID(), conn: c}
	cl.packet.Blame = c.Peer.UID
	cl.fd = c.Detach(cl.died)
	wire.AllowRights(cl.fd)
	err := cl.packet.Send(cl.fd, &wire.Welcome{ChannelID: int32(ch.chid), SCOID: int32(cl.scoid), Flags: ch.flags}, nil, linux.NoFD)
	ch.clients[cl.scoid] = cl
	if err == nil {
		err = linux.EpollAdd(ch.epfd, cl.fd, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLET, uint64(cl.scoid))
	}
	if err != nil {
		delete(ch.clients, cl.scoid)
		cl.detached = true
		cl.users++
		cl.end()
		go cl.leave()
	}
	return 0
}

// died is called when the client's process has exited, with a lock held.
func (cl *client) died() {
	go func() {
		cl.hear()
		cl.depart()
	}()
}

// cutOff lets go of a client because the server wants so, or the channel is going. It
// reports whether the client was there.
func (cl *client) cutOff() bool {
	cl.hear() // it may have sent its memory, and nobody has looked since
	ch := cl.channel
	ch.mu.Lock()
	was, there := !cl.detached, false
	if was {
		cl.detached = true
		delete(ch.clients, cl.scoid)
		if there = cl.use(); there {
			cl.end()
		} else {
			ch.departed--
		}
	}
	ch.mu.Unlock()
	if there {
		if cl.local != nil {
			cl.local.end()
		}
		cl.leave()
	}
	return was
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

// detach lets go of the client scoid, if the channel has it.
func (ch *channel) detach(scoid int) bool {
	cl := ch.client(scoid)
	return cl != nil && cl.cutOff()
}
