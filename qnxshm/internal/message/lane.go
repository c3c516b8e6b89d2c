//go:build linux

package message

import (
	"io"
	"slices"
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// A lane is the server's end of a socket for messages.
type lane struct {
	id     uint32
	number uint64 // the client's name for it
	client *client
	coid   int
	conn   *procnto.Conn // whose place in the admission it has

	mu        sync.Mutex
	fd        int
	seq       uint32 // of the message that waits for its reply, 0 if there is none
	last      uint32 // seq of the last message received
	cancelled uint64 // seq of a message that shall not be received
	packet    wire.Packet
	reply     wire.Reply // that is sent

	// Of the message that waits.
	info   Received
	kept   []byte  // the message, unless it is in file
	file   int     // or linux.NoFD
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
	if l.file != linux.NoFD {
		unix.Close(l.file)
		l.file = linux.NoFD
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

// addLane takes a connection of an attached client in. It reports whether the hello
// was right.
func (ch *channel) addLane(conn *procnto.Conn, hello *wire.HelloLane) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c := ch.bySCOID[int(hello.SCOID)]
	if ch.closed || c == nil || c.clientKey != (clientKey{conn.Peer.PID, hello.Token}) || len(c.attached) == 0 {
		return false
	}
	l := &lane{number: hello.Lane, client: c, coid: int(hello.COID), conn: conn, file: linux.NoFD}
	l.packet.Blame = conn.Peer.UID
	l.fd = conn.Detach()
	wire.AllowRights(l.fd)
	l.mu.Lock()
	defer l.mu.Unlock()
	lanes.add(l)
	err := l.packet.Send(l.fd, new(wire.Welcome), nil, linux.NoFD)
	if err == nil {
		err = linux.EpollAdd(ch.epfd, l.fd, unix.EPOLLIN|unix.EPOLLRDHUP, uint64(l.id))
	}
	c.lanes[l] = struct{}{}
	if err != nil {
		l.close()
		delete(c.lanes, l)
	}
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
		// Closing is not enough while a forked child has the descriptor too, and
		// may be late.
		linux.EpollRemove(l.client.channel.epfd, l.fd)
		unix.Shutdown(l.fd, unix.SHUT_RDWR)
		linux.Dispose(l.packet.Blame, l.fd)
		l.fd = -1
		l.forget()
		lanes.remove(l.id)
		l.conn.Leave()
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
		l.refuse(uint64(l.seq), syscall.ESRCH)
	}
	scratch := make([]byte, maxInline)
	for !linux.Overdrawn(l.packet.Blame) {
		r, err := l.packet.Receive(l.fd, wire.OneRight, scratch, nil, unix.MSG_DONTWAIT)
		l.packet.Discard(&r)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return
		}
		if f, ok := r.Frame.(*wire.Message); ok {
			l.refuse(f.Seq, syscall.EBADF)
		}
	}
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
		switch f, err := rcv.packet.Peek(l.fd); {
		case err == syscall.EAGAIN, err == syscall.EINTR:
			return Received{}, syscall.EAGAIN
		case err == nil && isMessage(f):
			return Received{}, errNoPulse
		}
	}
	if linux.Overdrawn(l.packet.Blame) {
		return Received{}, io.EOF
	}
	rcv.packet.Blame = l.packet.Blame
	rc, err := rcv.packet.Receive(l.fd, wire.OneRight, buf, rcv.rest[:], unix.MSG_DONTWAIT)
	defer rcv.packet.Discard(&rc)
	switch {
	case err == syscall.EINTR, err == syscall.EAGAIN:
		return Received{}, syscall.EAGAIN
	case err != nil && err != syscall.EFAULT:
		return Received{}, io.EOF
	}
	switch f := rc.Frame.(type) {
	case *wire.Pulse:
		if rc.N == 0 && rc.FD == linux.NoFD && f.Code == int32(int8(f.Code)) {
			return Received{Code: int(f.Code), Value: f.Value, SCOID: l.client.scoid}, nil
		}
	case *wire.Message:
		if l.seq == 0 && f.Seq != 0 && f.Seq <= 1<<31-1 && f.Len >= 0 && f.Room >= 0 {
			return l.takeMessage(f, &rc, err, rcv, buf, hangup)
		}
	}
	return Received{}, io.EOF
}

// takeMessage is take of a message that has come, or with EFAULT has not.
func (l *lane) takeMessage(f *wire.Message, rc *wire.Receipt, err error, rcv *receiver, buf []byte, hangup bool) (Received, error) {
	switch {
	case hangup, f.Seq == l.cancelled:
		return Received{}, syscall.EAGAIN
	case rc.Lost:
		l.refuse(f.Seq, syscall.ENOMEM)
		return Received{}, syscall.EAGAIN
	}
	n := min(rc.N, len(buf))
	if err == nil && f.InFile {
		n, err = readPayload(rc.FD, buf, f.Len)
	}
	switch {
	case err == syscall.EFAULT:
		l.refuse(f.Seq, qnxerr.ESRVRFAULT)
		return Received{}, err
	case err != nil, f.InFile && rc.N != 0, !f.InFile && (int64(rc.N) != f.Len || rc.FD != linux.NoFD):
		return Received{}, io.EOF
	}
	l.keep(f, rc, buf[:n], rcv.rest[:])
	l.info = Received{
		RcvID: l.rcvid(),
		PID:   l.client.pid, SCOID: l.client.scoid, COID: l.coid,
		MsgLen: n, SrcMsgLen: f.Len, DstMsgLen: f.Room,
	}
	return l.info, nil
}

// keep holds a received message for MsgRead, until it is replied to.
func (l *lane) keep(f *wire.Message, rc *wire.Receipt, begin, rest []byte) {
	l.seq, l.last = uint32(f.Seq), uint32(f.Seq)
	l.kept = l.kept[:0]
	if !f.InFile {
		l.kept = append(append(l.kept, begin...), rest[:rc.N-len(begin)]...)
		return
	}
	var err error
	if l.file, err = linux.DupHigh(rc.FD); err != nil {
		l.file, rc.FD = rc.FD, linux.NoFD // no room there
	}
}

// refuse answers a message that cannot be received, or will not be.
func (l *lane) refuse(seq uint64, errno syscall.Errno) {
	l.packet.Send(l.fd, &wire.Reply{Seq: seq, Errno: int32(errno)}, nil, linux.NoFD)
}
