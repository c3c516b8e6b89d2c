package qnxmsg

import (
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

const notName = `a name has 1 to 255 bytes, none of them zero, does not begin with "/" and has no ".." between slashes`

const tooManyParts = "a message has at most 524288 pieces of memory"

// meaning tells a person what an errno means in a call, where the errno's own
// text would not.
func meaning(call string, errno syscall.Errno) string {
	switch call {
	case "ChannelCreate":
		if errno == syscall.EINVAL {
			return "flags must be none or some of ChannelUnblock (0x2), ChannelDisconnect (0x8), ChannelConnectionDeath (0x40) and ChannelPrivate (0x1000)"
		}
	case "name_attach":
		switch errno {
		case syscall.ENAMETOOLONG:
			return "a name has at most 255 bytes"
		case syscall.EEXIST, syscall.EBUSY:
			return "the name is taken: another server is running"
		case syscall.EINVAL:
			return notName
		}
	case "name_open":
		switch errno {
		case syscall.ENAMETOOLONG:
			return "a name has at most 255 bytes"
		case syscall.ENOENT:
			return "no server has this name"
		case syscall.EINVAL:
			return notName
		}
	case "ConnectAttach":
		if errno == syscall.ESRCH {
			return "no process has this pid, or it has no channel chid"
		}
		if errno == syscall.EPERM {
			return "the channel is private to its process"
		}
	case "MsgSend", "MsgSendv":
		// Or the server's answer, which may be any errno.
		switch errno {
		case syscall.EBADF:
			return "the server's channel is gone (or the server answered so)"
		case syscall.ESRCH:
			return "the server died or closed its channel before it replied (or answered so)"
		case syscall.ETIMEDOUT:
			return "no reply in time (or the server answered so)"
		case syscall.EFAULT:
			return "msg cannot be read, or reply not be written to (or the server answered so)"
		case qnxerr.ESRVRFAULT:
			return "the buffer of the server cannot be written to (or the server answered so)"
		case syscall.EOVERFLOW:
			return tooManyParts + " (or the server answered so)"
		case syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.ENXIO:
			return errno.Error() + " (or the server answered so)"
		default:
			return errno.Error() + " (the server answered so)"
		}
	case "MsgSendPulse":
		switch errno {
		case syscall.EBADF:
			return "the server's channel is gone"
		case syscall.EAGAIN:
			return "the server has too many pulses waiting"
		case syscall.EINVAL:
			return "priority must be 0 to 255, or -1 for the caller's own; code 0 to 127; value 32 bits wide on QNX SDP 7.1"
		}
	case "MsgReceive":
		switch errno {
		case syscall.ESRCH:
			return "the channel was destroyed"
		case syscall.ETIMEDOUT:
			return "nothing came in time"
		case syscall.EFAULT:
			return "the buffer cannot be written to"
		}
	case "MsgReply", "MsgReplyv", "MsgError":
		switch errno {
		case syscall.EOVERFLOW:
			return tooManyParts
		case syscall.EINVAL:
			if call == "MsgError" {
				return "a pulse is not answered; an errno is at most 2147483647; Unblock lets nobody go that waits on"
			}
			return "a pulse is not answered; status must be 0 to 2147483647 (ReplyError is for errors)"
		case syscall.ESRCH:
			return "nobody waits for this answer: given already, or the client is gone or timed out"
		}
	case "MsgRead", "MsgWrite":
		switch errno {
		case syscall.EINVAL:
			return "the offset must not be negative, and a pulse has no more than Pulse tells"
		case syscall.ESRCH:
			return "nobody waits for an answer to this message any more"
		}
	case "MsgRegisterEvent":
		if errno == syscall.EINVAL {
			return "flags must be none or EventUpdateable (0x400), priority -1 to 255, code 0 to 127, value 32 bits wide on QNX SDP 7.1"
		}
	case "MsgUnregisterEvent":
		if errno == syscall.ESRCH {
			return "this process has not registered the event, or not any more"
		}
	case "MsgDeliverEvent", "MsgVerifyEvent":
		switch errno {
		case syscall.EINVAL:
			return "it is no event, or this is a pulse, whose sender gives none"
		case syscall.ESRCH:
			return "the client is gone, or it has closed the channel that the event is for"
		case syscall.EBADF:
			return "the client has closed its connection"
		case syscall.EACCES:
			return "the client has not registered the event for this server, or not any more, or takes none"
		case syscall.EAGAIN:
			return "too many pulses wait for the client to receive them"
		}
	case "ConnectClientInfo":
		if errno == syscall.EINVAL {
			return "no such client, or it is gone"
		}
	case "ConnectDetach":
		if errno == syscall.EINVAL {
			return "no such connection"
		}
	case "ConnectServerInfo":
		if errno == syscall.EINVAL {
			return "no such connection"
		}
	case "ChannelDestroy":
		if errno == syscall.EINVAL {
			return "no such channel"
		}
	}
	return ""
}
