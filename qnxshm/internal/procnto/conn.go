//go:build linux

package procnto

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A Conn is a connection that another process has made.
type Conn struct {
	Peer    wire.Peer
	For     any // what the name stands for under which it came; nil for the process
	service *Service
	place   *place

	mu      sync.Mutex // one packet at a time
	fd      int        // linux.NoFD once closed
	id      uint64
	packet  wire.Packet
	process *process // from the hello on
	watch   *exitWatch
	role    Role // nil before the hello
	// A link on which registrations have no answer: a Revoke reads it before it asks.
	unanswered bool
	roles      Roles
	taken      func() (open bool) // while it waits until the peer takes what it was sent
}

// A Role is what a connection is for, after its hello.
type Role interface {
	// Frame acts on a frame and reports whether it had its place here. It is
	// called for one frame at a time.
	Frame(c *Conn, f wire.Frame) bool
	// Idle reports whether nothing is lost when the connection ends.
	Idle() bool
	// Ended is called once the connection is closed. tookAll: the peer had taken
	// all it was sent when it closed the connection itself.
	Ended(c *Conn, tookAll bool)
}

// Roles gives a connection its role, after the hello. A nil role with a Welcome
// refuses the connection; without one the role's giver has detached it, or wants it
// closed.
type Roles func(c *Conn, hello wire.Frame) (Role, *wire.Welcome)

// admit takes a new connection in, or turns it away.
func (s *Service) admit(fd int, standsFor any, roles Roles) {
	peer, err := wire.PeerOf(fd)
	if err != nil {
		wire.CloseAccepted(peer.UID, fd)
		return
	}
	c := &Conn{Peer: peer, For: standsFor, roles: roles, service: s, fd: fd}
	c.packet.Blame = peer.UID
	place, ok := admission.enter(peer.UID, c)
	if !ok {
		c.turnAway(syscall.EAGAIN)
		return
	}
	c.place = place
	if err := c.begin(); err != nil {
		admission.leave(place)
		c.turnAway(syscall.EAGAIN)
	}
}

// begin lets the service watch a new connection.
func (c *Conn) begin() (err error) {
	high, err := linux.DupHigh(c.fd)
	for err != nil && admission.shed() {
		high, err = linux.DupHigh(c.fd)
	}
	if err != nil {
		return err
	}
	unix.Close(c.fd)
	c.fd = high
	c.mu.Lock() // until the id is known
	defer c.mu.Unlock()
	if c.id, err = c.service.watch(c.fd, c); err == nil {
		admission.setIdle(c.place, true)
	}
	return err
}

// turnAway tells a peer that there is no room for its connection.
func (c *Conn) turnAway(errno syscall.Errno) {
	c.packet.Send(c.fd, &wire.Welcome{Errno: int32(errno)}, nil, linux.NoFD)
	wire.CloseAccepted(c.Peer.UID, c.fd)
	c.fd = linux.NoFD
}

// evict closes an idle connection to make room for another one.
func (c *Conn) evict() {
	c.mu.Lock()
	defer c.mu.Unlock()
	admission.setIdle(c.place, false) // whatever it is: nobody shall find it again
	if c.fd < 0 || !c.idle() {
		return
	}
	if c.role == nil { // the peer is about to say hello
		c.Answer(&wire.Welcome{Errno: int32(syscall.EAGAIN)})
	}
	c.close(false)
}

// idle reports whether nothing is lost when the connection ends. The lock is
// held.
func (c *Conn) idle() bool { return c.role == nil || c.role.Idle() }

// Close closes the connection.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close(false)
}

func (c *Conn) close(tookAll bool) {
	if c.fd < 0 {
		return
	}
	fd := c.detach()
	if c.process != nil {
		c.process.release()
	}
	wire.CloseAccepted(c.Peer.UID, fd)
	admission.leave(c.place)
	if c.role != nil {
		c.role.Ended(c, tookAll)
	}
}

// detach takes the socket out of the connection, which is its caller's from then on.
func (c *Conn) detach() int {
	fd := c.fd
	c.service.unwatch(c.id, fd)
	if c.unanswered {
		linux.EpollRemove(c.service.links, fd)
	}
	c.fd = linux.NoFD
	return fd
}

// Detach takes the socket out of the connection, which is its caller's from then on,
// together with its place in the admission, until Leave. It is for who is called with
// a hello. gone is called, with a lock held, when the peer's process exits before.
func (c *Conn) Detach(gone func()) int {
	c.watch = c.process.watchExit(gone)
	return c.detach()
}

// Leave gives up the place of a connection that was detached.
func (c *Conn) Leave() {
	c.process.unwatchExit(c.watch)
	c.process.release()
	admission.leave(c.place)
}

// PeerExited reports whether the peer's process is gone.
func (c *Conn) PeerExited() bool { return c.process.exited() }

// Answer sends a frame and reports whether the peer is still there to get it.
func (c *Conn) Answer(f wire.Frame) bool { return c.send(f, linux.NoFD) == nil }

func (c *Conn) send(f wire.Frame, pass int) error { return c.packet.Send(c.fd, f, nil, pass) }

// ready takes one packet that the peer has sent. If there is another one the
// epoll says so again.
func (c *Conn) ready(events uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return
	}
	if c.taken != nil {
		// There may have been room to send before: then that it was taken is
		// still to come.
		if open := c.taken(); events&^unix.EPOLLOUT == 0 {
			if !open && c.fd >= 0 {
				c.watchTaken(nil)
			}
			return
		}
		if c.fd < 0 {
			return
		}
		c.watchTaken(nil)
	}
	c.take(events&(unix.EPOLLHUP|unix.EPOLLERR) != 0)
}

// take acts on the next packet. hangup: there has to be one, or the end. The lock
// is held.
func (c *Conn) take(hangup bool) {
	if c.fd < 0 {
		return
	}
	if c.unanswered {
		c.service.receiving.RLock()
		defer c.service.receiving.RUnlock()
	}
	r, err := c.packet.Receive(c.fd, wire.NoRights, nil, nil, unix.MSG_DONTWAIT)
	switch {
	case err == syscall.EINTR, err == syscall.EAGAIN && !hangup:
	case err != nil:
		var version wire.VersionError
		if errors.As(err, &version) {
			c.Answer(&wire.Welcome{Errno: int32(syscall.EPROTO)})
		}
		c.close(err == io.EOF && !r.Unread)
	case r.N != 0 || r.Lost || !c.dispatch(r.Frame):
		c.close(false)
	case c.fd >= 0:
		admission.setIdle(c.place, c.idle())
	}
}

// takeAll acts on all packets that have come by now.
func (c *Conn) takeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return
	}
	unread, _ := unix.IoctlGetUint32(c.fd, unix.TIOCINQ)
	for range (unread + wire.FrameSize - 1) / wire.FrameSize { // who sends shorter ones loses the connection
		c.take(false)
	}
}

// dispatch acts on a frame and reports whether it had its place there.
func (c *Conn) dispatch(f wire.Frame) bool {
	if c.role == nil {
		return c.hello(f)
	}
	return c.role.Frame(c, f)
}

// hello acts on the first frame.
func (c *Conn) hello(f wire.Frame) bool {
	switch err := c.identify(); err {
	case nil:
	case syscall.ESRCH:
		return false // somebody else has the connection now
	default: // it cannot be found out, for want of a descriptor or memory
		c.Answer(&wire.Welcome{Errno: int32(syscall.EAGAIN)})
		return false
	}
	var answer *wire.Welcome
	if c.role, answer = c.roles(c, f); answer == nil {
		return c.fd < 0
	}
	return c.Answer(answer) && c.role != nil
}

// identify finds out which process the peer is: the one that made the
// connection, ESRCH if that is gone.
func (c *Conn) identify() error {
	p, err := processOf(c.Peer.PID)
	if err != nil {
		return err
	}
	// Who is there after the process was found is that process.
	lives, err := wire.PeerLives(c.fd)
	if err == nil && !lives {
		err = syscall.ESRCH
	}
	if err != nil {
		p.release()
		return err
	}
	c.process = p
	return nil
}

// watchTaken lets the service call taken when the peer may have taken what it was
// sent, until it has; nil: not any more.
func (c *Conn) watchTaken(taken func() (open bool)) {
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if taken != nil {
		events |= unix.EPOLLOUT | unix.EPOLLET
	}
	c.taken = taken
	linux.EpollChange(c.service.epfd, c.fd, events, c.id)
}
