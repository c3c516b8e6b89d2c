//go:build linux

package message

import (
	"sync"
	"sync/atomic"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"golang.org/x/sys/unix"
)

// An attachment is this process's to a channel: all its connections to the channel
// share memory and socket, so that what they send stays in order.
type attachment struct {
	shared
	server int // its pid
	chid   int
	scoid  int
	flags  uint32 // of the channel
	local  *client
	out    *procnto.Outbound // nil where the channel is this process's own
	watch  *procnto.Watch

	gone    atomic.Bool // the server's process, or our place with it
	putting sync.Mutex  // one thread enters something in the ring

	sharing sync.Mutex // one thread shares memory, whose parts come one after the other
	packets sync.Mutex // one thread sends or takes packets

	ready       chan struct{} // closed when it was made
	failed      bool          // or could not be
	connections int           // of attachments.mu

	mu       sync.Mutex
	closed   bool
	ended    bool // the server's process is gone, or its end
	users    map[*connection]bool
	senders  []*sender // by index
	free     []*sender // the one used last is behind
	retired  []*sender // that the server may still write to
	segments int
}

// A sender is the client's side of a slot.
type sender struct {
	*slot
	at         *attachment
	index      int
	generation uint32
	owner      int    // the thread that used it last, 0 for goroutines
	tells      uint32 // slot.tell of the next message
	priority   int    // of the thread
	turn       linux.Turn

	// The buffer for large messages.
	large   *buffer
	number  uint32 // of the last one
	used    bool   // by the message on its way
	replyAt int64  // in the buffer

	// Of attachment.mu, or atomic.
	connection atomic.Pointer[connection] // that sends
	parked     chan struct{}              // has room for one
	eventfd    int                        // of a C thread that sleeps, or linux.NoFD
	signalled  bool                       // that was written to
}

// A connection is one of this process's to a channel.
type connection struct {
	coid  int
	at    *attachment
	flags atomic.Uint32
	gate  gate.Gate
}

// enter lets the connection be told of the attachment's end.
func (c *connection) enter() {
	c.at.mu.Lock()
	if c.at.users == nil {
		c.at.users = make(map[*connection]bool)
	}
	c.at.users[c] = true
	ended := c.at.ended
	c.at.mu.Unlock()
	if ended {
		c.die()
	}
}

// leave is the end of enter.
func (c *connection) leave() {
	c.at.mu.Lock()
	defer c.at.mu.Unlock()
	delete(c.at.users, c)
}

// die tells this process that the connection leads nowhere any more. The attachment's
// lock is not held.
func (c *connection) die() {
	if !c.gate.Closed() {
		channels.tellDeath(c.coid)
	}
}

// full reports whether the ring has no room.
func (at *attachment) full() bool { return at.head.Load()-at.tail.Load() >= ringEntries }

func (s *sender) dropBuffer() {
	s.large.drop()
	s.large = nil
}

// dead reports whether nothing can be sent any more.
func (at *attachment) dead() bool {
	if at.gone.Load() || at.shared.closed.Load() != 0 {
		return true
	}
	if at.out == nil {
		return false
	}
	revents, err := linux.PollIn(at.out.Descriptor())
	return err == nil && revents&(unix.POLLHUP|unix.POLLERR|unix.POLLRDHUP) != 0
}

func (at *attachment) put(e entry) (ok, ring bool) {
	at.putting.Lock()
	defer at.putting.Unlock()
	return at.shared.put(e)
}
