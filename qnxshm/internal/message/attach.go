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

// Those without a meaning on the host are accepted like the others: no connection outlives
// an exec, and what asks for a connection of another kind gets one of this.
const knownConnectionFlags = nto.ConnectionCloexec | nto.ConnectionDead | nto.ConnectionNoInherit | nto.ConnectionLocal |
	nto.ConnectionNoShare | nto.ConnectionAllowed | nto.ConnectionPipe | nto.ConnectionNoEvent | nto.ConnectionRegEvents | nto.ConnectionDup2

// OfGo are the flags of the connections of programs in Go. Those have registered what
// events they have, so their servers can deliver no others.
const OfGo = nto.ConnectionCloexec | nto.ConnectionRegEvents

// ConnectAttach is ConnectAttach of a side channel, by a program in Go.
func ConnectAttach(pid, chid int) (coid int, err error) {
	return ConnectAttachFlags(pid, chid, OfGo)
}

// ConnectAttachFlags is ConnectAttach of a side channel, with flags.
func ConnectAttachFlags(pid, chid int, flags uint32) (coid int, err error) {
	if flags&^knownConnectionFlags != 0 {
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
	alone := flags&nto.ConnectionNoShare != 0
	var at *attachment
	if !alone {
		at = attachments.join(address{pid, chid})
	}
	switch {
	case at != nil:
	case pid == os.Getpid():
		at, err = attachHere(chid, alone)
	default:
		var out *procnto.Outbound
		var w *wire.Welcome
		out, w, err = procnto.Dial(pid, &wire.HelloAttach{ChannelID: int32(chid)})
		if err == nil {
			at, err = attachTo(out, w, alone)
		}
	}
	if err != nil {
		return 0, noDescriptors(err)
	}
	return connections.add(at, flags), nil
}
