//go:build !linux && !qnx

package message

import (
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
)

// A Name is a name that NameAttach has published.
type Name struct{}

// Detach removes the name.
func (*Name) Detach() error { return memory.ErrUnsupported }

func ChannelCreate(flags uint32) (chid int, err error) { return 0, memory.ErrUnsupported }

func ChannelDestroy(chid int) error { return memory.ErrUnsupported }

func NameAttach(name string, chid int) (*Name, error) { return nil, memory.ErrUnsupported }

func NameOpen(name string) (coid int, err error) { return 0, memory.ErrUnsupported }

func ConnectAttach(pid, chid int) (coid int, err error) { return 0, memory.ErrUnsupported }

func BeginDetach(coid int) (forget func(), err error) { return func() {}, memory.ErrUnsupported }

func ConnectServerInfo(coid int) (ServerInfo, error) { return ServerInfo{}, memory.ErrUnsupported }

func ConnectClientInfo(scoid int) (ClientInfo, error) { return ClientInfo{}, memory.ErrUnsupported }

func DetachClient(chid, scoid int) error { return memory.ErrUnsupported }

func MsgReceive(chid int, buf []byte, timeout time.Duration) (Received, error) {
	return Received{}, memory.ErrUnsupported
}

func MsgReply(rcvid int64, status int, parts ...[]byte) error { return memory.ErrUnsupported }

func MsgRead(rcvid int64, parts [][]byte, offset int64) (n int, err error) {
	return 0, memory.ErrUnsupported
}

func MsgWrite(rcvid int64, parts [][]byte, offset int64) (n int, err error) {
	return 0, memory.ErrUnsupported
}

func MsgError(rcvid int64, errno syscall.Errno) error { return memory.ErrUnsupported }

func MsgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	return 0, memory.ErrUnsupported
}

func MsgSendv(coid int, msg, reply [][]byte, timeout time.Duration) (status int, err error) {
	return 0, memory.ErrUnsupported
}

func MsgRegisterEvent(e *Event, coid int) error { return memory.ErrUnsupported }

func MsgUnregisterEvent(e Event) error { return memory.ErrUnsupported }

func MsgDeliverEvent(rcvid int64, e Event) error { return memory.ErrUnsupported }

func MsgVerifyEvent(rcvid int64, e Event) error { return memory.ErrUnsupported }

func MsgSendPulse(coid, priority, code int, value int64) error { return memory.ErrUnsupported }
