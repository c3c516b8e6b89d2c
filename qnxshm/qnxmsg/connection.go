package qnxmsg

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

const maxPriority = 255

// A Connection is where a client sends messages and pulses to one channel. Its
// methods may be called by many goroutines, also while others are blocked in
// Send. The zero Connection is one that was closed already.
type Connection struct {
	gate gate.Gate
	coid int
}

// Connect connects to the channel chid of the process pid; pid 0 is the calling
// process.
//
// Errors:
//
//	ESRCH   no such process, or no such channel in it
//	EAGAIN  no connection left; host: the process did not answer for 5 s
//	EPROTO  host: the process has another version of this module
//	EMFILE  target: no connection left in the process (or ENFILE)
//	ENXIO   target: the process is terminating
//	EPERM   the channel is private to its process; target: also not allowed to
//	        connect to it
//
// Since QNX SDP 6.
//
// Implements: int ConnectAttach(uint32_t nd, pid_t pid, int chid, unsigned index, int flags), index _NTO_SIDE_CHANNEL, flags _NTO_COF_CLOEXEC
func Connect(pid, chid int) (*Connection, error) {
	coid, err := connectAttach(pid, chid)
	if err != nil {
		return nil, wrap(err, "ConnectAttach", "pid %d, chid %d", pid, chid)
	}
	return &Connection{coid: coid}, nil
}

// OpenName connects to the channel that [AttachName] has published under name.
//
// Errors:
//
//	ENOENT        no server has this name (on the host, in this pid and network
//	              namespace)
//	EINVAL        not a name: empty, or begins with "/", or has ".."
//	ENAMETOOLONG  longer than 255 bytes
//	EAGAIN        no connection left; host: the server did not answer for 5 s
//	EPROTO        host: the server has another version of this module
//	EACCES        target: not permitted
//	EMFILE        target: no connection left in the process (or ENFILE)
//	EBUSY, EINTR, EISDIR, ELOOP, ENOTDIR, EBADFSYS
//	              target: of the path to the name
//
// Since QNX SDP 6.
//
// Implements: int name_open(const char *name, int flags)
func OpenName(name string) (*Connection, error) {
	coid, err := nameOpen(name)
	if err != nil {
		return nil, wrap(err, "name_open", "%q", name)
	}
	return &Connection{coid: coid}, nil
}

// OpenWait is [OpenName] that waits until there is a server: while name_open
// answers ENOENT it tries again, some milliseconds later, until ctx ends. Then
// the error matches both ctx.Err() and ENOENT. ctx is looked at between the
// attempts only.
func OpenWait(ctx context.Context, name string) (*Connection, error) {
	const first, last = time.Millisecond, 64 * time.Millisecond
	for pause := first; ; pause = min(2*pause, last) {
		conn, err := OpenName(name)
		if err == nil || !errors.Is(err, syscall.ENOENT) {
			return conn, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("%w: %w", err, ctx.Err())
		}
	}
}

func (c *Connection) enter() bool { return c.coid != 0 && c.gate.Enter() }

// ID returns the connection's id in this process (coid), which a [PulseConnectionDeath]
// has as its value.
func (c *Connection) ID() int { return c.coid }

// ServerPID returns the process id of the server, for handles that the client
// makes for it.
//
// Errors:
//
//	EINVAL  the connection does not exist
//
// Since QNX SDP 6.
//
// Implements: int ConnectServerInfo(pid_t pid, int coid, struct _server_info *info)
func (c *Connection) ServerPID() (int, error) {
	info, err := c.ServerInfo()
	return info.PID, err
}

// ServerInfo tells about the other end of a connection (struct _server_info).
type ServerInfo struct {
	PID       int // the server process
	ChannelID int // its channel
	SCOID     int // how it names this process: Info.SCOID there
}

// ServerInfo tells who is at the other end of the connection.
//
// Errors:
//
//	EINVAL  the connection does not exist
//
// Since QNX SDP 6.
//
// Implements: int ConnectServerInfo(pid_t pid, int coid, struct _server_info *info)
func (c *Connection) ServerInfo() (ServerInfo, error) {
	if !c.enter() {
		return ServerInfo{}, qnxerr.Closed("qnxmsg: Connection.ServerInfo")
	}
	defer c.gate.Leave()
	info, err := serverInfo(c.coid)
	if c.gate.Closed() {
		return ServerInfo{}, qnxerr.Closed("qnxmsg: Connection.ServerInfo")
	}
	if err != nil {
		return ServerInfo{}, wrap(err, "ConnectServerInfo", "coid %#x", c.coid)
	}
	return info, nil
}

// Send sends msg and waits for the reply, which is copied into reply as far as
// it has room, and returns the status the server gave. How much of reply was
// filled only the protocol between the two can tell: the kernel does not say.
// The rest of reply keeps what it had. Messages may have any size that fits
// memory, 0 included.
//
// Errors:
//
//	EBADF   the server or its channel was gone before, or the channel was
//	        destroyed before the message was received
//	ESRCH   the server process died meanwhile, or destroyed the channel while it
//	        had the message
//	EAGAIN  host: no descriptor left to send with
//	ENOMEM  host: no memory for a large message, here or in the server
//	EFAULT  msg cannot be read or reply cannot be written to, such as a
//	        read-only mapping
//	ESRVRFAULT
//	        the buffer of the server's Receive cannot be written to
//	ENXIO   target: the server process is terminating
//	any     the server answered with ReplyError
//
// When Close was called the error matches [os.ErrClosed] instead.
//
// Since QNX SDP 6.
//
// Implements: long MsgSend(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes)
func (c *Connection) Send(msg, reply []byte) (status int, err error) {
	return c.SendTimeout(msg, reply, -1)
}

// SendTimeout is Send that waits no longer than timeout: 0 does not wait at
// all, a negative timeout waits for ever. A server that received the message
// may act on it all the same; its answer is then refused with ESRCH, unless the
// server has received the next message of the same thread by then, or on the host of
// the goroutine that sent next: that one gets the answer, as the same rcvid names it.
//
// Errors are those of Send, and
//
//	ETIMEDOUT  no reply in time
//
// Since QNX SDP 6.
//
// Implements: int TimerTimeout(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime), flags _NTO_TIMEOUT_SEND|_NTO_TIMEOUT_REPLY, then MsgSend
func (c *Connection) SendTimeout(msg, reply []byte, timeout time.Duration) (status int, err error) {
	if !c.enter() {
		return 0, qnxerr.Closed("qnxmsg: Connection.Send")
	}
	defer c.gate.Leave()
	status, err = msgSend(c.coid, msg, reply, timeout)
	if err != nil {
		if c.gate.Closed() {
			return 0, qnxerr.Closed("qnxmsg: Connection.Send")
		}
		return 0, wrap(err, "MsgSend", "coid %#x, %d bytes, %d bytes", c.coid, len(msg), len(reply))
	}
	return status, nil
}

// Sendv is Send of a message that lies in several pieces of memory, and whose reply
// does: it is one message, of all the bytes of msg one piece after the other, and the
// reply fills the pieces of reply in their order.
//
// Errors are those of Send, and
//
//	EOVERFLOW  more than 524288 pieces in msg, or in reply
//
// Since QNX SDP 6.
//
// Implements: long MsgSendv(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts)
func (c *Connection) Sendv(msg, reply [][]byte) (status int, err error) {
	return c.SendvTimeout(msg, reply, -1)
}

// SendvTimeout is Sendv that waits no longer than timeout, as SendTimeout does.
//
// Errors are those of Sendv and SendTimeout.
//
// Since QNX SDP 6.
//
// Implements: int TimerTimeout(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime), flags _NTO_TIMEOUT_SEND|_NTO_TIMEOUT_REPLY, then MsgSendv
func (c *Connection) SendvTimeout(msg, reply [][]byte, timeout time.Duration) (status int, err error) {
	if !c.enter() {
		return 0, qnxerr.Closed("qnxmsg: Connection.Sendv")
	}
	defer c.gate.Leave()
	err = syscall.EOVERFLOW
	if len(msg) <= maxParts && len(reply) <= maxParts {
		status, err = msgSendv(c.coid, msg, reply, timeout)
	}
	if err != nil {
		if c.gate.Closed() {
			return 0, qnxerr.Closed("qnxmsg: Connection.Sendv")
		}
		return 0, wrap(err, "MsgSendv", "coid %#x, %d bytes in %d parts, %d bytes in %d parts", c.coid, lengthOf(msg), len(msg), lengthOf(reply), len(reply))
	}
	return status, nil
}

// maxParts is how many pieces of memory a call takes.
const maxParts = 524288

func lengthOf(parts [][]byte) (n int64) {
	for _, p := range parts {
		n += int64(len(p))
	}
	return n
}

// SendPulse sends a pulse and does not wait. priority is 1 to 255, or -1 for
// the caller's own, and 0 is 1; code is 0 to 127; value has 32 bits on QNX SDP 7.1
// and 64 on QNX OS 8.0 and the host. What waits to be received is so by priority,
// then in the order in which it came.
//
// Errors:
//
//	EINVAL  priority or code is out of range, or value on 7.1
//	EBADF   the server's channel is gone
//	EAGAIN  the server has too many pulses waiting
//	ENXIO   target: the server process is terminating
//	EPERM   target: not allowed to signal the server process
//
// Host and target: on the host -1 is 10. A pulse lends its priority to
// nobody.
//
// Since QNX SDP 6.
//
// Implements: int MsgSendPulse(int coid, int priority, int code, long value)
func (c *Connection) SendPulse(priority, code int, value int64) error {
	if !c.enter() {
		return qnxerr.Closed("qnxmsg: Connection.SendPulse")
	}
	defer c.gate.Leave()
	err := error(syscall.EINVAL)
	if priority >= -1 && priority <= maxPriority && code >= nto.PulseMinAvail && code <= nto.PulseMaxAvail {
		err = msgSendPulse(c.coid, priority, code, value)
	}
	if err != nil {
		if c.gate.Closed() {
			return qnxerr.Closed("qnxmsg: Connection.SendPulse")
		}
		return wrap(err, "MsgSendPulse", "coid %#x, priority %d, code %d, value %d", c.coid, priority, code, value)
	}
	return nil
}

// Close detaches the connection. Blocked Sends return an error that matches
// [os.ErrClosed], except those whose message a server with [ChannelUnblock] has received:
// it gets a [PulseUnblock] for each, and they end with its answer. Close does not wait
// for that. When it was the last connection of this process to the channel, the server
// gets a [PulseDisconnect], once all Sends have ended. Calling Close again does nothing
// and returns nil.
//
// Errors:
//
//	EINVAL  somebody else has detached the connection
//
// Since QNX SDP 6.
//
// Implements: int ConnectDetach(int coid), int name_close(int coid)
func (c *Connection) Close() error {
	var err error
	forget := func() {}
	c.gate.Shut(func() {
		if c.coid != 0 {
			forget, err = connectDetach(c.coid)
		}
	}, func() { forget() })
	if err != nil {
		return wrap(err, "ConnectDetach", "coid %#x", c.coid)
	}
	return nil
}
