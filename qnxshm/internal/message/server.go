//go:build linux

package message

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

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

// A channel has clients, each with memory that both share, and a queue of what they
// have sent.
type channel struct {
	chid     int
	flags    uint32
	service  *procnto.Service // of which the receivers do the work while they wait
	epfd     int              // of the clients' sockets; an edge is told once
	messages sleepers         // who receives all
	pulses   sleepers         // who receives pulses only
	gate     gate.Gate
	locals   atomic.Int32 // clients of this process

	mu       sync.Mutex
	clients  map[int]*client // by scoid, until the server detaches them
	departed int             // of clients
	queue    queue[arrival]
	recent   []*client // that were active last: receivers look at their memory
	looking  int       // receivers that do
	looks    uint      // counts
	names    []*Name
	closed   bool
}

// An arrival is what a channel was sent: a message or pulse in a client's ring, or a
// pulse of this library's own.
type arrival struct {
	client *client
	sent   entry

	pulse *Received
	// With unblock set it tells of a message whose thread does not want to wait any
	// more, and is not delivered if that is not so any more.
	unblock    *served
	generation uint32
}

// A client is a process that is attached to a channel, by any number of
// connections, as the server sees it.
type client struct {
	shared
	channel *channel
	peer    wire.Peer
	scoid   int
	local   localSide     // in this process; then there is no socket
	conn    *procnto.Conn // whose place in the admission it has

	socket   sync.Mutex // one thread hears what comes
	fd       int
	packet   wire.Packet
	coming   coming
	segments [segments]mapped // of shared.segment, to be given back

	// Of channel.mu.
	tail     uint32    // as shared.tail, which the client can change
	queued   int       // in the channel's queue
	hung     bool      // the bell
	behind   bool      // there may be more in the ring than the queue could take
	slots    []*served // by index
	users    int       // threads that use memory and socket
	joined   bool      // the memory is there
	ended    bool      // no message is received or answered any more
	released bool      // memory and socket are given back
	detached bool      // by the server, or nothing is left to detach
	left     bool      // by the attachment, whose memory it is
	unused   bool      // that memory, from now on
}

// A localSide is the client's side, where that is of this process.
type localSide interface {
	wake(slot int) // its thread, with -1 all that wait for room
	end()          // the channel does not serve it any more
	unmap()        // the memory, which nobody uses any more
}

// coming is memory whose parts come.
type coming struct {
	memory  receivedMemory
	segment uint32
	slot    uint32
	number  uint32 // of a buffer; 0: it is a segment
	failed  bool   // there was no room for it
}

// A served is the server's side of a slot. It is named by the rcvid, which so stands
// for a client's thread, as on a target: the thread's next message has the same.
type served struct {
	client *client
	index  int
	slot   *slot
	rcvid  int

	writers sync.Mutex // one thread writes to the reply at a time

	// Of channel.mu.
	generation uint32 // of the message that was received last
	received   time.Time
	info       Received
	buffer     *buffer // of that message, nil if the slot has it
	coming     *buffer // that came last
	lost       uint32  // number of a buffer for which there was no room
	told       uint32  // generation of which an unblock pulse was sent
}

// client returns the client scoid, nil if there is none.
func (ch *channel) client(scoid int) *client {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.clients[scoid]
}

// crowded reports whether so many clients have gone, and not been detached by
// the server, that no other may come. The channel's lock is held.
func (ch *channel) crowded() bool {
	const most = 4096
	return ch.departed > most
}

// A Name is a name that NameAttach has published.
type Name struct{ listener *procnto.Listener }

// Detach removes the name. Connections opened by it stay.
func (n *Name) Detach() error {
	n.listener.Close()
	return nil
}
