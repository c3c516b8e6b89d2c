package qnxmsg

import (
	"io"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// ReadAt reads from the message as the client has sent it, off bytes after its
// begin: what did not fit the buffer of Receive, for one. It copies straight from the
// client, who waits meanwhile. At the end of the message the error is [io.EOF].
//
// Errors:
//
//	EINVAL  off is negative, or this is a pulse
//	ESRCH   nobody waits for an answer to this message any more
//	EFAULT  target: the client's message cannot be read
//	ESRVRFAULT
//	        p cannot be written to, such as a read-only mapping
//
// Since QNX SDP 6.
//
// Implements: ssize_t MsgRead(rcvid_t rcvid, void *msg, size_t bytes, size_t offset)
func (m *Message) ReadAt(p []byte, off int64) (n int, err error) {
	if n, err = m.copied("MsgRead", p, off, msgRead); err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// WriteAt writes to the client's reply buffer, off bytes after its begin, while the
// client waits. It does not answer: Reply does, whose data goes to the begin of the
// same buffer. With Reply(status, nil) what was written stays as it is. What does not
// fit the buffer (DstMsgLen of [Info]) is not written, and the error is [io.ErrShortWrite].
//
// Errors:
//
//	EINVAL  off is negative, or this is a pulse
//	ESRCH   nobody waits for an answer to this message any more
//	EAGAIN  host: more than 256 pieces that do not touch each other
//	EFAULT  target: the client's buffer cannot be written to
//	ESRVRFAULT
//	        p cannot be read
//
// Since QNX SDP 6.
//
// Implements: ssize_t MsgWrite(rcvid_t rcvid, const void *msg, size_t bytes, size_t offset)
func (m *Message) WriteAt(p []byte, off int64) (n int, err error) {
	if n, err = m.copied("MsgWrite", p, off, msgWrite); err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// copied makes a call that copies from or to the client.
func (m *Message) copied(call string, p []byte, off int64, do func(rcvid int64, p []byte, off int64) (int, error)) (n int, err error) {
	switch {
	case m.IsPulse() || off < 0:
		err = syscall.EINVAL
	case m.answered.Load(): // on a target the next message of the thread has the same id
		err = syscall.ESRCH
	case !m.channel.enter():
		return 0, qnxerr.Closed("qnxmsg: " + call)
	default:
		n, err = do(m.rcvid, p, off)
		m.channel.gate.Leave()
	}
	if err != nil {
		return 0, wrap(err, call, "rcvid %#x, %d bytes, offset %d", m.rcvid, len(p), off)
	}
	return n, nil
}

// Replyv is Reply with data that lies in several pieces of memory.
//
// Errors are those of Reply, and
//
//	EOVERFLOW  more than 524288 pieces
//
// Since QNX SDP 6.
//
// Implements: int MsgReplyv(rcvid_t rcvid, long status, const iov_t *riov, size_t rparts)
func (m *Message) Replyv(status int, data [][]byte) error {
	return m.reply("MsgReplyv", status, lengthOf(data), func() error {
		if len(data) > maxParts {
			return syscall.EOVERFLOW
		}
		return msgReplyv(m.rcvid, status, data)
	})
}
