package procnto

import (
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A connection is the client's side of an attachment to a channel.
type connection struct {
	server  int // its pid
	chid    int
	scoid   int
	coid    int
	socket  string    // where to dial lanes
	control *outbound // stands for the attachment until it is closed
	gate    gate.Gate

	mu     sync.Mutex
	idle   []*clientLane
	busy   map[*clientLane]struct{}
	closed bool
}

// A clientLane is the client's end of a socket for messages.
type clientLane struct {
	fd     int
	seq    uint32
	packet packet
}

// So many lanes are kept for the next threads that send at the same time.
const maxIdleLanes = 64

// connections are this process's, by coid.
var connections connectionTable

type connectionTable struct {
	mu   sync.RWMutex
	open []*connection // nil where a coid is free
}

// sideChannel begins the coids that are no file descriptors.
const sideChannel = 0x40000000

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
	c.coid = sideChannel + 1 + i
}

func (t *connectionTable) get(coid int) *connection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i := coid - sideChannel - 1; i >= 0 && i < len(t.open) {
		return t.open[i]
	}
	return nil
}

func (t *connectionTable) remove(coid int) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := coid - sideChannel - 1
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
		pid = self().pid
	}
	if pid < 0 || pid > maxPID || chid <= 0 || int(int32(chid)) != chid {
		return 0, syscall.ESRCH
	}
	if err := timersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	start, err := startTime(pid)
	if err != nil {
		return 0, noDescriptors(err)
	}
	hello := &frame{kind: helloAttach, number: int32(chid), id: self().token}
	control, _, err := dialSocket(processSocket(pid, start), pid, hello)
	if err != nil {
		return 0, noDescriptors(peerError(err, pid))
	}
	return attached(control, pid), nil
}

// NameOpen is name_open.
func NameOpen(name string) (coid int, err error) {
	if err := checkName(name); err != nil {
		return 0, err
	}
	if err := timersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	hello := &frame{kind: helloName, id: self().token}
	control, pid, err := dialSocket(nameSocket(name), 0, hello)
	if err != nil {
		if err = peerError(err, pid); err == syscall.ESRCH {
			err = syscall.ENOENT
		}
		return 0, noDescriptors(err)
	}
	return attached(control, pid), nil
}

// attached makes a connection of what the server pid has welcomed.
func attached(control *outbound, pid int) (coid int) {
	w := &control.answer
	c := &connection{
		server: pid, chid: int(w.number), scoid: int(w.scoid),
		socket: processSocket(pid, uint64(w.a)), control: control,
		busy: make(map[*clientLane]struct{}),
	}
	connections.add(c)
	return c.coid
}

// checkName applies the rules for names of channels.
func checkName(name string) error {
	switch {
	case name == "", name[0] == '/', strings.IndexByte(name, 0) >= 0,
		slices.Contains(strings.Split(name, "/"), ".."):
		return syscall.EINVAL
	case len(name) > unix.NAME_MAX:
		return syscall.ENAMETOOLONG
	}
	return nil
}

// A Name is a name that NameAttach has published.
type Name struct{ listener *listener }

// NameAttach publishes a channel of this process, as name_attach does.
func NameAttach(name string, chid int) (*Name, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	host.mu.Lock()
	defer host.mu.Unlock()
	if host.channels[chid] == nil {
		return nil, syscall.EINVAL
	}
	l, err := host.service.listen(nameSocket(name), chid)
	if err == syscall.EADDRINUSE {
		return nil, syscall.EEXIST
	}
	if err != nil {
		return nil, noDescriptors(err)
	}
	return &Name{l}, nil
}

// Detach removes the name. Connections opened by it stay.
func (n *Name) Detach() error {
	host.mu.Lock()
	defer host.mu.Unlock()
	n.listener.close()
	return nil
}

// ConnectServerInfo returns the pid of the server behind coid.
func ConnectServerInfo(coid int) (pid int, err error) {
	c := connections.get(coid)
	if c == nil {
		return 0, syscall.EINVAL
	}
	return c.server, nil
}

// ConnectDetach is ConnectDetach.
func ConnectDetach(coid int) error {
	c := connections.remove(coid)
	if c == nil {
		return syscall.EINVAL
	}
	c.gate.Close(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closed = true
		for l := range c.busy {
			unix.Shutdown(l.fd, unix.SHUT_RDWR)
		}
	})
	for _, l := range c.idle {
		unix.Close(l.fd)
	}
	unix.Close(c.control.fd)
	return nil
}

// acquire takes a lane for one message or pulse.
func (c *connection) acquire() (*clientLane, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		l := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.busy[l] = struct{}{}
		c.mu.Unlock()
		return l, nil
	}
	c.mu.Unlock()
	if err := timersWork(); err != nil {
		return nil, noDescriptors(err)
	}
	// The server closes its end when the channel or the client is let go.
	if revents, err := pollIn(c.control.fd); err == nil && revents != 0 {
		return nil, syscall.EBADF
	}
	fd, _, err := dial(c.socket, c.server, 0)
	switch err {
	case nil:
	case syscall.ECONNREFUSED:
		return nil, syscall.EBADF
	case syscall.EAGAIN:
		return nil, notAnswering(c.server)
	default:
		return nil, noDescriptors(err)
	}
	l := &clientLane{fd: fd}
	hello := frame{kind: helloLane, number: int32(c.chid), coid: int32(c.coid), scoid: int32(c.scoid), id: self().token}
	if err := l.packet.send(fd, &hello, nil, noFD); err != nil {
		unix.Close(fd)
		return nil, syscall.EBADF
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		unix.Close(fd)
		return nil, syscall.EBADF
	}
	c.busy[l] = struct{}{}
	return l, nil
}

// release gives a lane back, to be used again if it is good.
func (c *connection) release(l *clientLane, good bool) {
	c.mu.Lock()
	delete(c.busy, l)
	good = good && len(c.idle) < maxIdleLanes
	if good {
		c.idle = append(c.idle, l)
	}
	c.mu.Unlock()
	if !good {
		// To the server this also means that nobody waits for a reply.
		unix.Close(l.fd)
	}
}

// MsgSend is MsgSend, with TimerTimeout if timeout is not negative.
func MsgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	c := connections.get(coid)
	if c == nil || !c.gate.Enter() {
		return 0, syscall.EBADF
	}
	defer c.gate.Leave()
	l, err := c.acquire()
	if err != nil {
		return 0, err
	}
	status, good, err := l.exchange(msg, reply, deadlineOf(timeout))
	if c.gate.Closed() && err != nil {
		err = syscall.EBADF
	}
	c.release(l, good)
	return status, err
}

// exchange sends a message and waits for its reply. The lane is good when it
// can carry another one.
func (l *clientLane) exchange(msg, replyBuf []byte, deadline time.Time) (status int, good bool, err error) {
	l.seq = max(1, (l.seq+1)&(1<<31-1))
	f := frame{kind: message, id: uint64(l.seq), a: int64(len(msg)), b: int64(len(replyBuf))}
	for {
		err = l.packet.sendPayload(l.fd, &f, msg)
		if err != syscall.EAGAIN {
			break
		}
		// Full of pulses that the server has not received.
		if err = waitFor(l.fd, unix.POLLOUT, deadline); err != nil {
			return 0, false, err
		}
	}
	if err != nil {
		if _, ok := err.(qnxerr.Cause); ok {
			return 0, true, err
		}
		return 0, false, syscall.EBADF
	}
	r, err := l.packet.await(l.fd, &f, replyBuf, deadline, 0)
	if r.fd != noFD {
		defer unix.Close(r.fd)
	}
	switch {
	case err == syscall.ETIMEDOUT:
		return 0, false, err
	case err == io.EOF:
		return 0, false, syscall.ESRCH
	case err != nil:
		return 0, false, qnxerr.Cause{Errno: syscall.ESRCH, Text: "what the server sent is no reply: " + err.Error()}
	case f.kind == welcome && f.errno != 0, f.kind == reply && f.id == 0 && f.errno != 0:
		return 0, false, refusal(f.errno)
	case f.kind != reply || f.id != uint64(l.seq) || r.lost:
		return 0, false, syscall.ESRCH
	case f.errno != 0:
		return 0, true, syscall.Errno(f.errno)
	case f.inFile:
		if _, err := readPayload(r.fd, replyBuf, f.b); err != nil || r.n != 0 {
			return 0, false, syscall.ESRCH
		}
	case f.b != int64(r.n) || r.fd != noFD:
		return 0, false, syscall.ESRCH
	}
	return int(f.a), true, nil
}

// MsgSendPulse is MsgSendPulse.
func MsgSendPulse(coid, priority, code int, value int64) error {
	if priority != -1 && (priority < 1 || priority > 255) || code < -128 || code > 127 {
		return syscall.EINVAL
	}
	c := connections.get(coid)
	if c == nil || !c.gate.Enter() {
		return syscall.EBADF
	}
	defer c.gate.Leave()
	l, err := c.acquire()
	if err != nil {
		return err
	}
	err = l.packet.send(l.fd, &frame{kind: pulse, number: int32(code), a: value}, nil, noFD)
	c.release(l, err == nil || err == syscall.EAGAIN)
	if err != nil && err != syscall.EAGAIN {
		return syscall.EBADF
	}
	return err
}
