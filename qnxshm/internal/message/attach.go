//go:build linux

package message

import (
	"os"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// maxCOID bounds the coid that a caller can want.
const maxCOID = nto.SideChannel + 1<<16

// ConnectAttach is ConnectAttach.
func ConnectAttach(pid, chid int) (coid int, err error) { return ConnectAttachIndex(pid, chid, 0) }

// ConnectAttachIndex is ConnectAttach with the lowest acceptable coid.
func ConnectAttachIndex(pid, chid, lowest int) (coid int, err error) {
	if lowest > maxCOID {
		return 0, syscall.EINVAL
	}
	if pid == 0 {
		pid = os.Getpid()
	}
	if pid < 0 || pid > linux.MaxPID || chid <= 0 || int(int32(chid)) != chid {
		return 0, syscall.ESRCH
	}
	if err := linux.TimersWork(); err != nil {
		return 0, noDescriptors(err)
	}
	at := attachments.join(address{pid, chid})
	if at != nil {
		return connections.add(at, lowest), nil
	}
	if pid == os.Getpid() {
		at, err = attachHere(chid)
	} else {
		var out *procnto.Outbound
		var w *wire.Welcome
		out, w, err = procnto.Dial(pid, &wire.HelloAttach{ChannelID: int32(chid)})
		if err == nil {
			at, err = attachTo(out, w)
		}
	}
	if err != nil {
		return 0, noDescriptors(err)
	}
	return connections.add(at, lowest), nil
}
