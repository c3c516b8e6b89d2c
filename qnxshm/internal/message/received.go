//go:build !qnx || linux

package message

import "syscall"

// LetGo is the errno -1 of MsgError: the call of a client that does not want to wait any
// more fails with what made it so.
const LetGo = syscall.Errno(1<<32 - 1)

// Restart is ERESTART: the client sends the message again.
const Restart = syscall.Errno(85)

// Received is what MsgReceive took from a channel: a message, or with RcvID 0 a
// pulse.
type Received struct {
	RcvID     int64
	PID       int // sender of a message
	TID       int
	SCOID     int
	COID      int
	Priority  int
	MsgLen    int   // bytes in the receive buffer
	SrcMsgLen int64 // bytes sent
	DstMsgLen int64 // bytes the sender has room for
	// The sender does not want to wait any more (from MsgInfo).
	UnblockRequested bool

	Code  int // of a pulse
	Value int64
}

// ClientInfo tells about a client.
type ClientInfo struct {
	PID, SID int
	Credentials
}

// Credentials are the real, effective and saved ids of a process, and its supplementary
// groups.
type Credentials struct {
	UID, GID [3]int
	Groups   []int
}

// An Event is a struct sigevent, without what of it only its program can mean.
type Event struct {
	Notify         int // its kind, and flags
	Which          int // coid of a pulse, number of a signal, or a handle
	Value          int64
	Code, Priority int
}

// ServerInfo tells about a connection, and the other end of it.
type ServerInfo struct {
	PID, ChannelID, SCOID, COID int

	Dead bool // the server's channel is gone
}
