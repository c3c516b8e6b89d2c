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
	flags   uint32    // of the channel
	control *outbound // stands for the attachment until it is closed
	gate    gate.Gate

	controlMu sync.Mutex // one exchange at a time

	mu       sync.Mutex
	idle     []*clientLane
	busy     map[*clientLane]struct{}
	lastLane int64
	closed   bool
}

// A clientLane is the client's end of a socket for messages.
type clientLane struct {
	fd     int
	number int64
	seq    uint32
	broken bool // cannot carry another message
	turn   turn
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
		socket: processSocket(pid, uint64(w.a)), flags: uint32(w.b), control: control,
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
	if coid < sideChannel {
		return host.detachClient(coid)
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
			unix.Shutdown(l.fd, unix.SHUT_RDWR)
		}
	})
	for _, l := range c.idle {
		unix.Close(l.fd)
	}
	unix.Close(c.control.fd)
	return nil
}

// acquire takes a lane for one message or pulse. If it has to make one it waits
// for the server until the deadline, unless that is zero.
func (c *connection) acquire(deadline time.Time) (*clientLane, error) {
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
	const attempts = 3
	for range attempts {
		if l, err := c.newLane(deadline); err != io.EOF {
			return l, err
		}
	}
	return nil, syscall.EBADF
}

// newLane makes a lane. EOF: the server has closed it without a word.
func (c *connection) newLane(deadline time.Time) (*clientLane, error) {
	// The server closes its end when the channel or the client is let go.
	if revents, err := pollIn(c.control.fd); err == nil && revents&^unix.POLLIN != 0 {
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
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		unix.Close(fd)
		return nil, syscall.EBADF
	}
	c.lastLane++
	l := &clientLane{fd: fd, number: c.lastLane}
	c.busy[l] = struct{}{}
	c.mu.Unlock()
	if err := l.introduce(c, deadline); err != nil {
		c.release(l, false)
		return nil, err
	}
	return l, nil
}

// introduce says hello on a new lane and waits until the channel has it.
func (l *clientLane) introduce(c *connection, deadline time.Time) error {
	f := frame{kind: helloLane, number: int32(c.chid), coid: int32(c.coid), scoid: int32(c.scoid), id: self().token, a: l.number}
	if err := l.packet.send(l.fd, &f, nil, noFD); err != nil && !ended(err) {
		return syscall.EBADF
	}
	r, err := l.packet.await(l.fd, &f, nil, deadline, false, 0)
	if r.fd != noFD {
		unix.Close(r.fd)
	}
	switch {
	case err == syscall.ETIMEDOUT, err == io.EOF:
		return err
	case err != nil || f.kind != welcome && f.kind != reply || f.kind == reply && f.errno == 0:
		return syscall.EBADF
	case f.errno != 0:
		return refusal(f.errno)
	}
	return nil
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
	deadline := deadlineOf(timeout)
	s, err := BeginSend(coid, msg, len(reply), deadline)
	if err != nil {
		return 0, err
	}
	defer s.End()
	status, err = s.finish(reply, deadline)
	if err == syscall.ETIMEDOUT && s.Stays() {
		status, err = s.finish(reply, time.Time{})
	}
	return status, err
}

// A Sending is a message that was sent and whose sender has not come back yet.
// The C face waits between its methods, on the caller's own thread.
type Sending struct {
	c *connection
	l *clientLane
}

// BeginSend sends a message whose reply has room bytes. On success End must
// follow.
func BeginSend(coid int, msg []byte, room int, deadline time.Time) (Sending, error) {
	c := connections.get(coid)
	if c == nil || !c.gate.Enter() {
		return Sending{}, syscall.EBADF
	}
	l, err := c.acquire(deadline)
	if err != nil {
		if c.gate.Closed() {
			err = syscall.EBADF
		}
		c.gate.Leave()
		return Sending{}, err
	}
	s := Sending{c, l}
	if err := l.send(msg, room, deadline); err != nil {
		err = s.errorOf(err)
		s.End()
		return Sending{}, err
	}
	return s, nil
}

// send sends a message. Afterwards the lane is broken, unless the reply is
// taken from it.
func (l *clientLane) send(msg []byte, room int, deadline time.Time) error {
	l.turn.pass()
	l.seq = max(1, (l.seq+1)&(1<<31-1))
	f := frame{kind: message, id: uint64(l.seq), a: int64(len(msg)), b: int64(room)}
	l.broken = true
	for {
		err := l.packet.sendPayload(l.fd, &f, msg)
		if err == syscall.EAGAIN {
			// Full of pulses that the server has not received.
			if err = waitFor(l.fd, unix.POLLOUT, deadline); err == nil {
				continue
			}
			return err
		}
		if ended(err) {
			return syscall.EBADF
		}
		l.broken = err == nil // else nothing was sent
		return err
	}
}

// Descriptor becomes readable when Try may succeed.
func (s Sending) Descriptor() int { return s.l.fd }

// Try is finish that does not sleep, and not done while there is no reply.
func (s Sending) Try(reply []byte) (status int, done bool, err error) {
	var f frame
	r, err := s.try(&f, reply)
	if err == syscall.EAGAIN {
		return 0, false, nil
	}
	status, err = s.result(&f, r, err, reply)
	return status, true, err
}

// try tries for a short while to take what comes on the lane, then EAGAIN.
// Meanwhile it does what a creator may ask for.
func (s Sending) try(f *frame, reply []byte) (receipt, error) {
	asked := linkedService.Load()
	var spin spinner
	for {
		r, err := s.l.packet.receive(s.l.fd, f, reply, nil, unix.MSG_DONTWAIT)
		if err != syscall.EAGAIN && err != syscall.EINTR {
			return r, err
		}
		if asked != nil {
			asked.step()
		}
		if err == syscall.EAGAIN && !spin.again() {
			return r, err
		}
	}
}

// await waits for what comes on the lane. It does what creators ask for as long
// as there are any: this thread is there already, as those that receive are.
func (s Sending) await(f *frame, reply []byte, deadline time.Time) (receipt, error) {
	for {
		asked := linkedService.Load()
		if asked == nil && !triesFirst(deadline) {
			return s.l.packet.sleep(s.l.fd, f, reply, deadline, false, 0)
		}
		if asked != nil {
			asked.join()
		}
		r, err := s.try(f, reply)
		if err == syscall.EAGAIN && asked != nil {
			wanted := []unix.PollFd{{Fd: int32(s.l.fd), Events: unix.POLLIN}, {Fd: int32(asked.epfd), Events: unix.POLLIN}}
			if waitForAny(wanted, deadline) == syscall.ETIMEDOUT {
				err = syscall.ETIMEDOUT
			}
		}
		if asked != nil {
			asked.leave()
		}
		switch {
		case err != syscall.EAGAIN:
			return r, err
		case asked == nil:
			return s.l.packet.sleep(s.l.fd, f, reply, deadline, false, 0)
		}
	}
}

// finish waits for the reply.
func (s Sending) finish(reply []byte, deadline time.Time) (status int, err error) {
	var f frame
	r, err := s.await(&f, reply, deadline)
	if err == syscall.ETIMEDOUT {
		return 0, err
	}
	return s.result(&f, r, err, reply)
}

// result reads what has come on the lane.
func (s Sending) result(f *frame, r receipt, err error, replyBuf []byte) (status int, _ error) {
	if r.fd != noFD {
		defer unix.Close(r.fd)
	}
	switch {
	case err == io.EOF:
		return 0, s.errorOf(syscall.ESRCH)
	case err == syscall.EFAULT:
		return 0, err
	case err != nil:
		return 0, qnxerr.Cause{Errno: syscall.ESRCH, Text: "what the server sent is no reply: " + err.Error()}
	case f.kind != reply || f.id != uint64(s.l.seq) || r.lost:
		return 0, syscall.ESRCH
	case f.errno != 0:
		err = syscall.Errno(f.errno)
	case f.inFile && r.n == 0 && f.number == 1:
		err = unpackPieces(r.fd, replyBuf, f.b)
	case f.inFile && r.n == 0:
		_, err = readPayload(r.fd, replyBuf, f.b)
	case f.inFile || f.b != int64(r.n) || r.fd != noFD:
		err = errMalformed
	}
	if err == errMalformed {
		return 0, syscall.ESRCH
	}
	s.l.broken = false
	return int(f.a), err
}

// errorOf is err, unless the connection was detached meanwhile.
func (s Sending) errorOf(err error) error {
	if s.c.gate.Closed() {
		return syscall.EBADF
	}
	return err
}

// Stays tells the server that the sender does not want to wait any more, and
// reports whether it has to: with UNBLOCK a server that has the message decides
// itself how long its client stays blocked.
func (s Sending) Stays() bool {
	if s.c.flags&flagUnblock == 0 {
		return false
	}
	s.c.controlMu.Lock()
	defer s.c.controlMu.Unlock()
	control := s.c.control
	control.cancels++
	err := control.exchange(&frame{kind: cancel, id: control.cancels, a: int64(s.l.number), b: int64(s.l.seq)}, 0)
	for err == nil && control.answer.id < control.cancels {
		// What a server that was stopped did not answer in time.
		control.discard()
		control.got, err = control.packet.await(control.fd, &control.answer, nil, time.Time{}, true, 0)
	}
	control.discard()
	return err == nil && control.answer.kind == answer && control.answer.errno != cancelGone
}

// End comes back from the send.
func (s Sending) End() {
	s.c.release(s.l, !s.l.broken)
	s.c.gate.Leave()
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
	l, err := c.acquire(time.Now().Add(peerTimeout))
	if err == syscall.ETIMEDOUT {
		return notAnswering(c.server)
	}
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
