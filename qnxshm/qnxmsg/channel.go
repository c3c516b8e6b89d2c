package qnxmsg

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// ChannelFlags choose what a channel reports. The zero value is a plain
// channel. On the target _NTO_CHF_FIXED_PRIORITY is always added: a received
// message would otherwise lend its priority to the thread, on which Go then
// runs anything.
type ChannelFlags uint32

const (
	// ChannelUnblock (_NTO_CHF_UNBLOCK): a client that has a timeout, or is
	// interrupted, stays blocked once its message was received. The server gets a
	// PulseUnblock instead, with the message's id as value, and must answer the
	// message: what it replies is what the client's Send returns.
	ChannelUnblock ChannelFlags = nto.ChannelUnblock // 0x2

	// ChannelDisconnect (_NTO_CHF_DISCONNECT): deliver a PulseDisconnect when the
	// last connection of a client process is gone, be it closed or killed.
	ChannelDisconnect ChannelFlags = nto.ChannelDisconnect // 0x8

	// ChannelConnectionDeath (_NTO_CHF_COID_DISCONNECT): deliver a PulseConnectionDeath
	// for each connection of this process, to whatever channel, whose server closes its
	// channel or ends. So a client that does not send learns of it, too. Some releases
	// have it for one channel of a process at a time (EBUSY).
	ChannelConnectionDeath ChannelFlags = nto.ChannelCOIDDisconnect // 0x40

	// ChannelPrivate (_NTO_CHF_PRIVATE): only this process can connect. On a target it
	// needs no ability, which a channel for others does.
	ChannelPrivate ChannelFlags = nto.ChannelPrivate // 0x1000
)

const knownFlags = ChannelUnblock | ChannelDisconnect | ChannelConnectionDeath | ChannelPrivate

// A Channel is where a server receives messages and pulses. Its methods may be
// called by many goroutines; each Receive takes one message. The zero Channel is
// one that was closed already.
type Channel struct {
	gate gate.Gate
	chid int
	name *attachedName

	serving atomic.Bool // Serve runs

	selfMu   sync.Mutex
	selfCOID int // of a connection to the channel itself, 0 if there is none
}

// NewChannel makes a channel without a name. A client connects to it by the
// process id and ID.
//
// Errors:
//
//	EINVAL  unknown flags
//	EAGAIN  no channel left; host: no descriptors left to serve it with
//	ENOSYS  host: /proc is not mounted
//	EBUSY   target: another channel of this process has ChannelConnectionDeath
//	EPERM   target: not allowed to make a channel that is not private
//
// Since QNX SDP 6.
//
// Implements: int ChannelCreate(unsigned flags)
func NewChannel(flags ChannelFlags) (*Channel, error) {
	chid, err := 0, error(syscall.EINVAL)
	if flags&^knownFlags == 0 {
		chid, err = channelCreate(flags)
	}
	if err != nil {
		return nil, wrap(err, "ChannelCreate", "%#x", uint32(flags))
	}
	return &Channel{chid: chid}, nil
}

// AttachName makes a channel with the flag [ChannelDisconnect] and publishes it under
// name, where [OpenName] finds it. The name goes with the channel, or with the
// process. A name has 1 to 255 bytes, does not begin with "/", and has no ".."
// between slashes.
//
// Errors:
//
//	EINVAL        not a name
//	ENAMETOOLONG  longer than 255 bytes
//	EEXIST        the name is taken (a target may answer EBUSY)
//	EAGAIN        no channel left; host: no descriptors left to serve it with
//	ENOSYS        host: /proc is not mounted
//	ENOMEM        target: no memory
//	EPERM         target: not allowed to publish names
//
// Host and target: the host has no directories; "a/b" is a name like any other.
//
// Since QNX SDP 6.
//
// Implements: name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags)
func AttachName(name string) (*Channel, error) {
	chid, err := channelCreate(ChannelDisconnect)
	if err != nil {
		return nil, wrap(err, "name_attach", "%q", name)
	}
	attached, err := nameAttach(name, chid) // the channel is the name's from here on
	if err != nil {
		return nil, wrap(err, "name_attach", "%q", name)
	}
	return &Channel{chid: chid, name: attached}, nil
}

func (c *Channel) enter() bool { return c.chid != 0 && c.gate.Enter() }

// ID returns the channel's id in this process (chid), for [Connect].
func (c *Channel) ID() int { return c.chid }

// Pulse codes that the system sends. Codes from 0 to 127 are free for programs.
const (
	PulseUnblock    = nto.PulseUnblock    // -32, _PULSE_CODE_UNBLOCK: the client of the message with the id Value wants an answer now
	PulseDisconnect = nto.PulseDisconnect // -33, _PULSE_CODE_DISCONNECT: the client SCOID is gone; call DetachClient

	// PulseConnectionDeath, -35, _PULSE_CODE_COIDDEATH: the server of the connection whose
	// ID is Value is gone. The connection is still to be closed. SCOID means nothing.
	PulseConnectionDeath = nto.PulseCOIDDeath
)

// A Pulse is a small message that nobody waits for.
type Pulse struct {
	Code  int   // what it is: from -128 to 127
	Value int64 // what comes with it; 32 bits on QNX SDP 7.1
	SCOID int   // the client it came from
}

// Info tells about a received message (struct _msg_info).
//
// Host and target: TID is the kernel's number of the thread. On the host a Go program's
// blocked calls are numbered instead, from 1 on, since goroutines change threads.
type Info struct {
	PID       int   // process that sent it, as the kernel reports it
	TID       int   // thread of that process which is blocked; see below
	ChannelID int   // channel it arrived on
	SCOID     int   // the client: one id for each client process on a channel
	COID      int   // the client's own connection id
	Priority  int   // of the message: that of the sender's thread
	MsgLen    int64 // bytes received: at most the length of the buffer
	SrcMsgLen int64 // bytes the client sent
	DstMsgLen int64 // bytes the client has room for in its reply buffer
}

// A Message is what Receive got: a message, to be answered once by Reply, Replyv or
// ReplyError while its sender waits, or a pulse, which is not answered. A copy is
// the same message: whichever is answered, the others are.
//
// A message may be answered by any goroutine, at any time: its sender waits until
// then, and other messages can be received meanwhile. Data lies in the buffer given
// to Receive, so who keeps the message for later copies what it needs of Data, or
// gives each Receive a buffer of its own.
type Message struct {
	Data  []byte // the message, as far as it fits the buffer given to Receive, which it lies in
	Info  Info   // zero for a pulse
	Pulse Pulse  // zero for a message

	rcvid    int64 // 0 for a pulse
	channel  *Channel
	answered *atomic.Bool // of all copies
}

// ID returns the message's id (rcvid), which a [PulseUnblock] has as its value; 0
// for a pulse.
func (m *Message) ID() int64 { return m.rcvid }

// IsPulse reports whether this is a pulse.
func (m *Message) IsPulse() bool { return m.rcvid == 0 }

// Receive waits for the next message or pulse. What of a message does not fit
// buf is not received, which [Info] tells: SrcMsgLen is then larger than MsgLen, and
// [Message.ReadAt] reads the rest. A pulse needs no room in buf.
//
// Errors:
//
//	ESRCH   the channel was destroyed
//	EFAULT  buf cannot be written to, such as a read-only mapping
//
// When Close was called the error matches [os.ErrClosed] instead.
//
// Since QNX SDP 6.
//
// Implements: rcvid_t MsgReceive(int chid, void *msg, size_t bytes, struct _msg_info *info)
func (c *Channel) Receive(buf []byte) (Message, error) { return c.ReceiveTimeout(buf, -1) }

// ReceiveTimeout is Receive that waits no longer than timeout: 0 polls, a
// negative timeout waits for ever.
//
// Errors are those of Receive, and
//
//	ETIMEDOUT  nothing came in time
//
// Since QNX SDP 6.
//
// Implements: int TimerTimeout(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime), then MsgReceive
func (c *Channel) ReceiveTimeout(buf []byte, timeout time.Duration) (Message, error) {
	if !c.enter() {
		return Message{}, qnxerr.Closed("qnxmsg: Channel.Receive")
	}
	defer c.gate.Leave()
	m := Message{channel: c}
	n, err := msgReceive(c.chid, buf, timeout, &m)
	if err != nil {
		if c.gate.Closed() {
			return Message{}, qnxerr.Closed("qnxmsg: Channel.Receive")
		}
		return Message{}, wrap(err, "MsgReceive", "chid %d, %d bytes", c.chid, len(buf))
	}
	m.Data, m.answered = buf[:n], new(atomic.Bool)
	return m, nil
}

// Reply answers the message: Send returns status to the client, and data in its
// reply buffer, as far as that has room. status is 0 to 2147483647; a negative
// one would look like an error to C clients (EINVAL; use ReplyError).
//
// Errors:
//
//	EINVAL  status is negative or too large, or this is a pulse
//	ESRCH   nobody waits for this answer: the message was answered already, or
//	        the client is gone, timed out (see [Connection.SendTimeout]), or
//	        detached
//	EFAULT  target: the client's reply buffer is bad (on the host only the
//	        client is told)
//
// Since QNX SDP 6.
//
// Implements: int MsgReply(rcvid_t rcvid, long status, const void *msg, size_t bytes)
func (m *Message) Reply(status int, data []byte) error {
	return m.reply("MsgReply", status, int64(len(data)), func() error { return msgReply(m.rcvid, status, data) })
}

// reply answers with what give gives.
func (m *Message) reply(call string, status int, length int64, give func() error) error {
	err := error(syscall.EINVAL)
	if !m.IsPulse() && status >= 0 && status <= math.MaxInt32 {
		if !m.channel.enter() {
			return qnxerr.Closed("qnxmsg: Message.Reply")
		}
		defer m.channel.gate.Leave()
		err = m.answer(give)
	}
	if err != nil {
		return wrap(err, call, "rcvid %#x, status %d, %d bytes", m.rcvid, status, length)
	}
	return nil
}

// ReplyError makes the client's Send fail with the errno of err, which is all that
// can be told: err is a [syscall.Errno], or one is in its chain. Where none is, the
// client gets EIO. nil and errno 0 let Send succeed with status 0 and no data.
//
// Errors:
//
//	EINVAL  this is a pulse, or the errno is above 2147483647
//	ESRCH   nobody waits for this answer, as in Reply
//
// Since QNX SDP 6.
//
// Implements: int MsgError(rcvid_t rcvid, int error)
func (m *Message) ReplyError(err error) error {
	errno := syscall.Errno(0)
	if err != nil && !errors.As(err, &errno) {
		errno = syscall.EIO
	}
	if m.IsPulse() {
		return wrap(syscall.EINVAL, "MsgError", "rcvid %#x, %s", m.rcvid, qnxerr.Name(errno))
	}
	if !m.channel.enter() {
		return qnxerr.Closed("qnxmsg: Message.ReplyError")
	}
	defer m.channel.gate.Leave()
	if err := m.answer(func() error { return msgError(m.rcvid, errno) }); err != nil {
		return wrap(err, "MsgError", "rcvid %#x, %s", m.rcvid, qnxerr.Name(errno))
	}
	return nil
}

// Restart makes the client send the message again, as it is by then, unless it does not
// want to wait any more. What was written to its reply buffer before may be in it.
//
// Errors:
//
//	EINVAL  this is a pulse
//	ESRCH   nobody waits for this answer, as in Reply
//
// Since QNX SDP 6.
//
// Implements: int MsgError(rcvid_t rcvid, int error), error ERESTART
func (m *Message) Restart() error { return m.special("Restart", "ERESTART", msgRestart) }

// Unblock lets a client go that does not want to wait any more, of which a
// [PulseUnblock] has told: its Send fails as it would have without [ChannelUnblock], with
// ETIMEDOUT when its timeout has passed, or as interrupted (EINTR, of C programs).
//
// Errors:
//
//	EINVAL  this is a pulse, or the client waits on
//	ESRCH   nobody waits for this answer, as in Reply
//
// Since QNX SDP 7.0.1.
//
// Implements: int MsgError(rcvid_t rcvid, int error), error -1
func (m *Message) Unblock() error { return m.special("Unblock", "-1", msgUnblock) }

// special is MsgError with an errno that means something of its own.
func (m *Message) special(method, errno string, call func(rcvid int64) error) error {
	if m.IsPulse() {
		return wrap(syscall.EINVAL, "MsgError", "rcvid %#x, %s", m.rcvid, errno)
	}
	if !m.channel.enter() {
		return qnxerr.Closed("qnxmsg: Message." + method)
	}
	defer m.channel.gate.Leave()
	if err := m.answer(func() error { return call(m.rcvid) }); err != nil {
		return wrap(err, "MsgError", "rcvid %#x, %s", m.rcvid, errno)
	}
	return nil
}

// answer gives the message its answer, unless it has one: on a target the next
// message of the same thread has the same id, and would get a second one. An answer
// that was refused, while the client goes on waiting, is none.
func (m *Message) answer(give func() error) error {
	if m.answered.Swap(true) {
		return qnxerr.Cause{Errno: syscall.ESRCH, Text: "the message was answered already"}
	}
	err := give()
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		m.answered.Store(false)
	}
	return err
}

// DetachClient lets go of the client scoid. A server calls it after
// [PulseDisconnect], else the id is never used again. Called earlier, it cuts the
// client off on the host: its blocked Send fails, and so do later ones (EBADF).
//
// Errors:
//
//	EINVAL  no client of this channel that a message or a PulseDisconnect has
//	        told of; target: perhaps also a client that is still connected
//
// Since QNX SDP 6.
//
// Implements: int ConnectDetach(int coid)
func (c *Channel) DetachClient(scoid int) error {
	if !c.enter() {
		return qnxerr.Closed("qnxmsg: Channel.DetachClient")
	}
	defer c.gate.Leave()
	if err := detachClient(c.chid, scoid); err != nil {
		err = qnxerr.Because(err, syscall.EINVAL, "scoid is no client of this channel: take it from Info of a message, or from a PulseDisconnect")
		return wrap(err, "ConnectDetach", "scoid %#x", scoid)
	}
	return nil
}

// Close removes the name, if any, and destroys the channel. Blocked Receives
// return an error that matches [os.ErrClosed]. A client waiting for an answer
// gets ESRCH, one whose message was not received yet EBADF. Calling Close again
// does nothing and returns nil.
//
// Errors:
//
//	EINVAL  somebody else has destroyed the channel
//
// Since QNX SDP 6.
//
// Implements: int ChannelDestroy(int chid), int name_detach(name_attach_t *attach, unsigned flags)
func (c *Channel) Close() error {
	err := c.destroy()
	c.detachSelf()
	if err != nil {
		return wrap(err, "ChannelDestroy", "%d", c.chid)
	}
	return nil
}

func (c *Channel) destroy() (err error) {
	// Those in Receive come back at once.
	defer holdNumbers()()
	c.gate.Close(func() {
		if c.name != nil {
			err = nameDetach(c.name, c.chid) // and the channel goes with it
		} else if c.chid != 0 {
			err = channelDestroy(c.chid)
		}
	})
	return err
}
