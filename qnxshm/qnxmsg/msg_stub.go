//go:build !qnx

package qnxmsg

import (
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/message"
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
		PID: r.PID, ChannelID: chid, SCOID: r.SCOID, COID: r.COID,
		MsgLen: int64(r.MsgLen), SrcMsgLen: r.SrcMsgLen, DstMsgLen: r.DstMsgLen,
	}
	return r.MsgLen, nil
}

func msgReply(rcvid int64, status int, data []byte) error {
	return message.MsgReply(rcvid, status, data)
}

func msgError(rcvid int64, errno syscall.Errno) error { return message.MsgError(rcvid, errno) }

func detachClient(chid, scoid int) error { return message.DetachClient(chid, scoid) }

func connectAttach(pid, chid int) (coid int, err error) { return message.ConnectAttach(pid, chid) }

func nameOpen(name string) (coid int, err error) { return message.NameOpen(name) }

// The host gives an id to others only when the last one who uses it has come back.
func connectDetach(coid int) (forget func(), err error) {
	return func() {}, message.ConnectDetach(coid)
}

func serverPID(coid int) (int, error) {
	info, err := message.ConnectServerInfo(coid)
	return info.PID, err
}

func msgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	return message.MsgSend(coid, msg, reply, timeout)
}

func msgSendPulse(coid, priority, code int, value int64) error {
	return message.MsgSendPulse(coid, priority, code, value)
}
