//go:build !qnx

package qnxmsg

import (
	"encoding/binary"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

// The host backend: each call goes to the host's process manager. msg_qnx.go is
// its twin for the target; the docs stand in the portable files.

type attachedName = message.Name

func channelCreate(flags ChannelFlags) (chid int, err error) {
	return message.ChannelCreate(uint32(flags))
}

// holdNumbers has nothing to do: the host gives no chid twice.
func holdNumbers() (release func()) { return func() {} }

func channelDestroy(chid int) error { return message.ChannelDestroy(chid) }

func nameAttach(name string, chid int) (*attachedName, error) {
	n, err := message.NameAttach(name, chid)
	if err != nil {
		message.ChannelDestroy(chid)
	}
	return n, err
}

func nameDetach(n *attachedName, chid int) error {
	n.Detach()
	return message.ChannelDestroy(chid)
}

func msgReceive(chid int, buf []byte, timeout time.Duration, m *Message) (n int, err error) {
	r, err := message.MsgReceive(chid, buf, timeout)
	if err != nil {
		return 0, err
	}
	m.rcvid = r.RcvID
	if r.RcvID == 0 {
		m.Pulse = Pulse{Code: r.Code, Value: r.Value, SCOID: r.SCOID}
		return 0, nil
	}
	m.Info = Info{
		PID: r.PID, TID: r.TID, ChannelID: chid, SCOID: r.SCOID, COID: r.COID, Priority: r.Priority,
		MsgLen: int64(r.MsgLen), SrcMsgLen: r.SrcMsgLen, DstMsgLen: r.DstMsgLen,
	}
	return r.MsgLen, nil
}

func msgReply(rcvid int64, status int, data []byte) error {
	return message.MsgReply(rcvid, status, data)
}

func msgReplyv(rcvid int64, status int, parts [][]byte) error {
	return message.MsgReply(rcvid, status, parts...)
}

func msgRead(rcvid int64, p []byte, off int64) (n int, err error) {
	return message.MsgRead(rcvid, [][]byte{p}, off)
}

func msgWrite(rcvid int64, p []byte, off int64) (n int, err error) {
	return message.MsgWrite(rcvid, [][]byte{p}, off)
}

func msgError(rcvid int64, errno syscall.Errno) error { return message.MsgError(rcvid, errno) }

func msgRestart(rcvid int64) error { return message.MsgError(rcvid, message.Restart) }

func msgUnblock(rcvid int64) error { return message.MsgError(rcvid, message.LetGo) }

func detachClient(chid, scoid int) error { return message.DetachClient(chid, scoid) }

func connectAttach(pid, chid int) (coid int, err error) { return message.ConnectAttach(pid, chid) }

func nameOpen(name string) (coid int, err error) { return message.NameOpen(name) }

// connectDetach wakes those who use the connection. forget is to be called when the
// last one has come back, also of those who have not come to use the id yet: until then
// nobody gets it.
func connectDetach(coid int) (forget func(), err error) { return message.BeginDetach(coid) }

func serverInfo(coid int) (ServerInfo, error) {
	info, err := message.ConnectServerInfo(coid)
	if err == nil && info.COID != coid {
		err = syscall.EINVAL // it is the next one's
	}
	return ServerInfo{PID: info.PID, ChannelID: info.ChannelID, SCOID: info.SCOID}, err
}

func clientInfo(scoid int) (ClientInfo, error) {
	info, err := message.ConnectClientInfo(scoid)
	if err != nil {
		return ClientInfo{}, err
	}
	return ClientInfo{
		PID: info.PID, SID: info.SID,
		RealUID: info.UID[0], EffectiveUID: info.UID[1], SavedUID: info.UID[2],
		RealGID: info.GID[0], EffectiveGID: info.GID[1], SavedGID: info.GID[2],
		Groups: info.Groups,
	}, nil
}

func msgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	return message.MsgSend(coid, msg, reply, timeout)
}

func msgSendv(coid int, msg, reply [][]byte, timeout time.Duration) (status int, err error) {
	return message.MsgSendv(coid, msg, reply, timeout)
}

func eventOf(e Event) message.Event {
	n := binary.NativeEndian
	b := e.sigevent[:]
	return message.Event{
		Notify: int(int32(n.Uint32(b[notifyAt:]))), Which: int(int32(n.Uint32(b[handleAt:]))), Value: int64(n.Uint64(b[valueAt:])),
		Code: int(int16(n.Uint16(b[codeAt:]))), Priority: int(int16(n.Uint16(b[priorityAt:]))),
	}
}

func registerPulse(self, coid int, flags EventFlags, priority, code int, value int64) (e Event, err error) {
	r := message.Event{Notify: nto.EventPulse | int(flags), Which: self, Value: value, Code: code, Priority: priority}
	if err := message.MsgRegisterEvent(&r, coid); err != nil {
		return Event{}, err
	}
	n := binary.NativeEndian
	b := e.sigevent[:]
	n.PutUint32(b[notifyAt:], uint32(r.Notify))
	n.PutUint32(b[handleAt:], uint32(r.Which))
	n.PutUint64(b[valueAt:], uint64(value))
	n.PutUint16(b[codeAt:], uint16(code))
	n.PutUint16(b[priorityAt:], uint16(priority))
	return e, nil
}

func unregisterEvent(e Event) error { return message.MsgUnregisterEvent(eventOf(e)) }

func deliverEvent(rcvid int64, e Event) error { return message.MsgDeliverEvent(rcvid, eventOf(e)) }

func verifyEvent(rcvid int64, e Event) error { return message.MsgVerifyEvent(rcvid, eventOf(e)) }

func msgSendPulse(coid, priority, code int, value int64) error {
	return message.MsgSendPulse(coid, priority, code, value)
}
