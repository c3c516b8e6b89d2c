//go:build linux

package message_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// processSocket is the name of the socket of the process pid.
func processSocket(pid int) string { return procnto.Space() + strconv.Itoa(pid) }

// attach attaches to a channel of the process behind a socket, as a process with
// that token would.
func attach(t testing.TB, socket string, chid int, token uint64) (control testproc.Raw, scoid int32) {
	t.Helper()
	control = testproc.Reach(t, socket)
	require.NoError(t, control.Say(&wire.HelloAttach{Token: token, ChannelID: int32(chid)}))
	return control, control.WantWelcome(t, 0).SCOID
}

// attachLane is attach, and a lane of that number.
func attachLane(t testing.TB, socket string, chid int, number uint64) (control, lane testproc.Raw) {
	t.Helper()
	control, scoid := attach(t, socket, chid, 1)
	lane = testproc.Reach(t, socket)
	require.NoError(t, lane.Say(&wire.HelloLane{Token: 1, Lane: number, ChannelID: int32(chid), SCOID: scoid}))
	lane.WantWelcome(t, 0)
	return control, lane
}

const otherVersion = wire.Version + 1

// ofKind is the frame of a kind, as it could be right in its place, or of no kind.
func ofKind(kind wire.Kind) []byte {
	if kind > wire.KindHelloHandles {
		return testproc.OfKind(kind, 1) // what most begin with is not 0
	}
	return testproc.OfKind(kind, 0)
}
