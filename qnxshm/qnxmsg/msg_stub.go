//go:build !qnx

package qnxmsg

import (
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// The host backend: each call goes to the host's process manager. msg_qnx.go is
// its twin for the target; the docs stand in the portable files.

type attachedName = procnto.Name

func channelCreate(flags ChannelFlags) (chid int, err error) {
	return procnto.ChannelCreate(uint32(flags))
}

func channelDestroy(chid int) error { return procnto.ChannelDestroy(chid) }

func nameAttach(name string, chid int) (*attachedName, error) {
	n, err := procnto.NameAttach(name, chid)
	if err != nil {
		procnto.ChannelDestroy(chid)
	}
	return n, err
}

func nameDetach(n *attachedName, chid int) error {
	n.Detach()
	return procnto.ChannelDestroy(chid)
}

func msgReceive(chid int, buf []byte, timeout time.Duration, m *Message) (n int, err error) {
	r, err := procnto.MsgReceive(chid, buf, timeout)
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
	return procnto.MsgReply(rcvid, status, data)
}

func msgError(rcvid int64, errno syscall.Errno) error { return procnto.MsgError(rcvid, errno) }

func detachClient(chid, scoid int) error { return procnto.DetachClient(chid, scoid) }

func connectAttach(pid, chid int) (coid int, err error) { return procnto.ConnectAttach(pid, chid) }

func nameOpen(name string) (coid int, err error) { return procnto.NameOpen(name) }

func connectDetach(coid int) error { return procnto.ConnectDetach(coid) }

func serverPID(coid int) (int, error) {
	info, err := procnto.ConnectServerInfo(coid)
	return info.PID, err
}

func msgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	return procnto.MsgSend(coid, msg, reply, timeout)
}

func msgSendPulse(coid, priority, code int, value int64) error {
	return procnto.MsgSendPulse(coid, priority, code, value)
}
