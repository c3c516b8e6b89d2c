//go:build linux

package message_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestDeliverWhileDetaching: who looks for a connection by which to deliver comes upon
// those that are just being closed.
func TestDeliverWhileDetaching(t *testing.T) {
	const rounds = 20_000
	chid := newChannel(t, 0)
	connect := func() int {
		coid, err := message.ConnectAttach(0, chid)
		require.NoError(t, err)
		return coid
	}
	coid := connect()
	sent := sendAll(coid, 1, testproc.Patience)
	rcvid := receiveMessage(t, chid).RcvID
	require.NoError(t, message.MsgReply(rcvid, 0, nil))
	for _, err := range sent() {
		require.NoError(t, err)
	}
	e := message.Event{Notify: nto.EventNone}
	require.NoError(t, message.MsgRegisterEvent(&e, coid))
	var over atomic.Bool
	var wg group
	for range 4 {
		wg.Go(func() {
			for !over.Load() {
				require.NoError(t, message.MsgDeliverEvent(rcvid, e))
			}
		})
	}
	testproc.Within(t, "ConnectDetach", func() {
		for range rounds {
			require.NoError(t, message.ConnectDetach(connect()))
		}
	})
	over.Store(true)
	testproc.Within(t, "MsgDeliverEvent", wg.Wait)
	require.NoError(t, message.ConnectDetach(coid))
}
