//go:build linux

package message

import (
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// A connection is the client's side of an attachment to a channel.
type connection struct {
	server  int // its pid
	chid    int
	scoid   int
	coid    int
	flags   uint32            // of the channel
	control *procnto.Outbound // stands for the attachment until it is closed
	gate    gate.Gate

	controlMu sync.Mutex // one exchange at a time
	cancels   uint64     // how many were sent on control

	mu       sync.Mutex
	idle     []*clientLane
	begun    []*clientLane // not welcomed yet
	busy     map[*clientLane]struct{}
	lastLane uint64
	closed   bool
}

// A clientLane is the client's end of a socket for messages.
type clientLane struct {
	conn   *procnto.Outbound
	number uint64
	seq    uint32
	broken bool // cannot carry another message
	turn   linux.Turn

	message wire.Message // that is sent, as the next
	pulse   wire.Pulse
}

// So many lanes are kept for the next threads that send at the same time.
const maxIdleLanes = 64

// connections are this process's, by coid.
var connections connectionTable

type connectionTable struct {
	mu   sync.RWMutex
	open []*connection // nil where a coid is free
}

// add gives c the lowest free coid.
func (t *connectionTable) add(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.open, nil)
	if i < 0 {
		i = len(t.open)
		t.open = append(t.open, nil)
	}
	t.open[i] = c
	c.coid = nto.SideChannel + 1 + i
}

func (t *connectionTable) get(coid int) *connection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i := coid - nto.SideChannel - 1; i >= 0 && i < len(t.open) {
		return t.open[i]
	}
	return nil
}

func (t *connectionTable) remove(coid int) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := coid - nto.SideChannel - 1
	if i < 0 || i >= len(t.open) {
		return nil
	}
	c := t.open[i]
	t.open[i] = nil
	return c
}

// ConnectAttach is ConnectAttach.
func ConnectAttach(pid, chid int) (coid int, err error) {
	if pid == 0 {
		pid = os.Getpid()
	}
	if pid < 0 || pid > linux.MaxPID || chid <= 0 || int(int32(chid)) != chid {
		return 0, syscall.ESRCH
	}
	if err := linux.TimersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	control, w, err := procnto.Dial(pid, &wire.HelloAttach{Token: procnto.Token(), ChannelID: int32(chid)})
	if err != nil {
		return 0, noDescriptors(err)
	}
	return attached(control, w), nil
}

// attached makes a connection of what the server has welcomed.
func attached(control *procnto.Outbound, w *wire.Welcome) (coid int) {
	c := &connection{
		server: control.PID(), chid: int(w.ChannelID), scoid: int(w.SCOID), flags: w.Flags, control: control,
		busy: make(map[*clientLane]struct{}),
	}
	connections.add(c)
	return c.coid
}

// ConnectServerInfo is ConnectServerInfo, for connections of this process.
func ConnectServerInfo(coid int) (ServerInfo, error) {
	c := connections.get(coid)
	if c == nil {
		return ServerInfo{}, syscall.EINVAL
	}
	return ServerInfo{c.server, c.chid, c.scoid}, nil
}

// ConnectDetach is ConnectDetach, of a connection or of a client (scoid).
func ConnectDetach(coid int) error {
	if coid < nto.SideChannel {
		return detachClient(coid)
	}
	c := connections.remove(coid)
	if c == nil {
		return syscall.EINVAL
	}
	c.gate.Close(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closed = true
		for l := range c.busy {
			unix.Shutdown(l.conn.Descriptor(), unix.SHUT_RDWR)
		}
	})
	for _, l := range slices.Concat(c.idle, c.begun) {
		l.conn.CloseAnother()
	}
	c.control.Close()
	return nil
}
