//go:build linux

package message_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// TestPulseReceiver receives pulses in one thread and all else in another:
// a message that the first one leaves is for the second.
func TestPulseReceiver(t *testing.T) {
	chid := newChannel(t, 0)
	var wg group
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { message.ChannelDestroy(chid) })
	wg.Go(func() {
		buf := make([]byte, 8)
		for {
			r, err := message.MsgReceive(chid, buf, -1)
			if err != nil {
				return
			}
			if r.RcvID != 0 {
				message.MsgReply(r.RcvID, 0, nil)
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for {
				r, err := receivePulse(chid)
				if err != nil {
					return
				}
				if !assert.Zero(t, r.RcvID, "a message taken for a pulse") {
					message.MsgReply(r.RcvID, 0, nil)
				}
			}
		})
	}
	coid := attachSelf(t, chid)
	for i := range 300 {
		_, err := message.MsgSend(coid, nil, nil, testproc.Patience)
		require.NoError(t, err, "message %d", i)
	}
}

// receivePulse is MsgReceivePulse, as the C face makes it.
func receivePulse(chid int) (message.Received, error) {
	rc, err := message.BeginReceive(chid, true)
	if err != nil {
		return message.Received{}, err
	}
	defer rc.End()
	for {
		r, err := rc.Try(make([]byte, 8), true)
		if !errors.Is(err, syscall.EAGAIN) {
			return r, err
		}
		testproc.Retry(func() error {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(rc.Descriptor()), Events: unix.POLLIN}}, -1)
			return err
		})
	}
}

// TestUnblockOnce: however often a client says that it does not want to wait,
// the server is told once for each message.
func TestUnblockOnce(t *testing.T) {
	chid := newChannel(t, nto.ChannelUnblock)
	control, lane := attachLane(t, processSocket(os.Getpid()), chid, 5)
	defer control.Close()
	defer lane.Close()
	require.NoError(t, lane.Say(&wire.Message{Seq: 1}))
	received := receiveMessage(t, chid)
	for i := range uint64(1000) {
		require.NoError(t, control.Say(&wire.Cancel{ID: i, Lane: 5, Seq: 1}))
		require.Equal(t, &wire.Verdict{ID: i, Stay: true}, testproc.MustReceive[*wire.Verdict](t, control))
	}
	pulses := 0
	for {
		r, err := message.MsgReceive(chid, nil, 0)
		if err != nil {
			testproc.WantErrno(t, syscall.ETIMEDOUT, err)
			break
		}
		require.Equal(t, nto.PulseUnblock, r.Code)
		require.Equal(t, received.RcvID, r.Value)
		pulses++
	}
	require.Equal(t, 1, pulses)
	require.NoError(t, message.MsgReply(received.RcvID, 0, nil))
}

// TestCancel: a message of which the client says before it is received that it
// does not want to wait is not received; a reply that is on its way is waited for.
func TestCancel(t *testing.T) {
	chid := newChannel(t, nto.ChannelUnblock)
	control, lane := attachLane(t, processSocket(os.Getpid()), chid, 5)
	defer control.Close()
	defer lane.Close()
	cancel := func(number, seq uint64) (stay bool) {
		t.Helper()
		require.NoError(t, control.Say(&wire.Cancel{ID: seq, Lane: number, Seq: seq}))
		return testproc.MustReceive[*wire.Verdict](t, control).Stay
	}
	require.NoError(t, lane.Say(&wire.Message{Seq: 1}))
	require.False(t, cancel(5, 1), "not received")
	require.NoError(t, lane.SayWith(&wire.Message{Seq: 2, Len: 1}, "x"))
	r := receiveMessage(t, chid)
	require.Equal(t, 1, r.MsgLen, "the one that was not cancelled")
	require.False(t, cancel(6, 2), "another lane")
	require.False(t, cancel(5, 3), "another message")
	require.NoError(t, message.MsgReply(r.RcvID, 0, nil))
	require.True(t, cancel(5, 2), "replied to")
	require.Equal(t, uint64(2), testproc.MustReceive[*wire.Reply](t, lane).Seq)
	_, err := message.MsgReceive(chid, nil, 0)
	testproc.WantErrno(t, syscall.ETIMEDOUT, err, "no unblock pulse")
}
