//go:build linux

package message_test

import (
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// TestDetachWhileSending wakes threads that wait for replies.
func TestDetachWhileSending(t *testing.T) {
	const threads = 50
	check := noLeak(t)
	chid, err := message.ChannelCreate(0)
	require.NoError(t, err)
	coid, err := message.ConnectAttach(0, chid)
	require.NoError(t, err)
	errs := sendAll(coid, threads, -1)
	var waiting []int64
	for range threads / 2 {
		waiting = append(waiting, receiveMessage(t, chid).RcvID)
	}
	testproc.Within(t, "ConnectDetach", func() { require.NoError(t, message.ConnectDetach(coid)) })
	for _, err := range errs() {
		testproc.WantErrno(t, syscall.EBADF, err)
	}
	testproc.WantErrno(t, syscall.EINVAL, message.ConnectDetach(coid))
	for _, id := range waiting {
		// The end of the connection may not have been seen yet; the reply then
		// goes nowhere.
		err := message.MsgReply(id, 0, nil)
		require.True(t, err == nil || testproc.ErrnoOf(err) == syscall.ESRCH, "%v", err)
	}
	require.NoError(t, message.ChannelDestroy(chid))
	check()
}

// TestRestartTooLate lets the server ask for the message again just when its sender does
// not want to wait any more: then it is not sent again.
func TestRestartTooLate(t *testing.T) {
	for _, flags := range []uint32{0, nto.ChannelUnblock} {
		check := noLeak(t)
		chid, err := message.ChannelCreate(flags)
		require.NoError(t, err)
		coid, err := message.ConnectAttach(0, chid)
		require.NoError(t, err)
		s, err := message.BeginSend(coid, 1, 0)
		require.NoError(t, err)
		msg := [][]byte{[]byte("x")}
		_, done, err := s.Try(msg, nil)
		require.NoError(t, err)
		require.False(t, done)
		require.NoError(t, message.MsgError(receiveMessage(t, chid).RcvID, message.Restart))
		require.False(t, s.Stays(syscall.EINTR))
		_, err = s.GiveUp(nil, syscall.EINTR)
		require.Equal(t, syscall.EINTR, err)
		s.End()
		_, err = message.MsgReceive(chid, nil, 0)
		testproc.WantErrno(t, syscall.ETIMEDOUT, err)
		require.NoError(t, message.ConnectDetach(coid))
		require.NoError(t, message.ChannelDestroy(chid))
		check()
	}
}

// TestDestroyWithDisconnectPulses destroys channels whose clients are there:
// their disconnect pulses come just when the receivers are woken to leave.
func TestDestroyWithDisconnectPulses(t *testing.T) {
	for range 300 {
		chid, err := message.ChannelCreate(nto.ChannelDisconnect)
		require.NoError(t, err)
		var wg group
		for range 4 {
			wg.Go(func() {
				for {
					if _, err := message.MsgReceive(chid, nil, -1); err != nil {
						return
					}
				}
			})
		}
		for range 3 {
			c, err := join(processSocket(os.Getpid()), chid)
			require.NoError(t, err)
			defer c.close()
		}
		testproc.Within(t, "ChannelDestroy", func() { message.ChannelDestroy(chid) })
		testproc.Within(t, "MsgReceive", wg.Wait)
	}
}

// TestAttachWhileDestroyed: nobody stays attached to a channel that is gone.
func TestAttachWhileDestroyed(t *testing.T) {
	for range 100 {
		chid, err := message.ChannelCreate(0)
		require.NoError(t, err)
		var wg group
		conns := make([]testproc.Raw, 4)
		for i := range conns {
			conns[i] = testproc.Reach(t, processSocket(os.Getpid()))
			defer conns[i].Close()
			wg.Go(func() { conns[i].Say(&wire.HelloAttach{ChannelID: int32(chid)}) })
		}
		require.NoError(t, message.ChannelDestroy(chid))
		wg.Wait()
		for _, c := range conns {
			c.Ended(t)
		}
	}
}

// TestBeginDetach: who is about to use a connection, or uses it still, does not come upon
// the next one, which would have its number.
func TestBeginDetach(t *testing.T) {
	chid := newChannel(t, nto.ChannelUnblock)
	connect := func() int {
		coid, err := message.ConnectAttach(0, chid)
		require.NoError(t, err)
		return coid
	}
	for _, forgotten := range []string{"first", "last"} {
		t.Run(forgotten, func(t *testing.T) {
			coid := connect()
			sending := sendAll(coid, 1, -1)
			waiting := receiveMessage(t, chid)
			forget, err := message.BeginDetach(coid)
			require.NoError(t, err)
			nothing, err := message.BeginDetach(coid)
			testproc.WantErrno(t, syscall.EINVAL, err)
			nothing()
			steps := []func(){forget, func() {
				require.NoError(t, message.MsgReply(waiting.RcvID, 0, nil))
				require.NoError(t, sending()[0])
			}}
			if forgotten == "last" {
				slices.Reverse(steps)
			}
			for _, step := range steps {
				other := connect()
				require.NotEqual(t, coid, other)
				require.NoError(t, message.ConnectDetach(other))
				testproc.WantErrno(t, syscall.EBADF, message.MsgSendPulse(coid, -1, 1, 1))
				step()
			}
			require.Equal(t, coid, connect(), "free again")
			require.NoError(t, message.ConnectDetach(coid))
		})
	}
}

// TestDetachClient lets go of a client that lives and goes on sending.
func TestDetachClient(t *testing.T) {
	check := noLeak(t)
	chid, err := message.ChannelCreate(nto.ChannelDisconnect)
	require.NoError(t, err)
	coid, err := message.ConnectAttach(0, chid)
	require.NoError(t, err)
	received := sendAll(coid, 1, -1)
	waiting := receiveMessage(t, chid)
	rest := sendAll(coid, 10, -1)
	require.NoError(t, message.DetachClient(chid, waiting.SCOID))
	testproc.WantErrno(t, syscall.EINVAL, message.DetachClient(chid, waiting.SCOID))
	testproc.WantErrno(t, syscall.ESRCH, received()[0])
	for _, err := range rest() {
		testproc.WantErrno(t, syscall.EBADF, err)
	}
	testproc.WantErrno(t, syscall.ESRCH, message.MsgReply(waiting.RcvID, 0, nil))
	_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
	testproc.WantErrno(t, syscall.EBADF, err)
	testproc.WantErrno(t, syscall.EBADF, message.MsgSendPulse(coid, -1, 1, 1))
	// It may come again, as somebody else.
	again, err := message.ConnectAttach(0, chid)
	require.NoError(t, err)
	errs := sendAll(again, 1, testproc.Patience)
	r := receiveMessage(t, chid)
	require.NotEqual(t, waiting.SCOID, r.SCOID)
	require.NoError(t, message.MsgReply(r.RcvID, 0, nil))
	require.NoError(t, errs()[0])
	require.NoError(t, message.ConnectDetach(coid))
	require.NoError(t, message.ConnectDetach(again))
	require.NoError(t, message.ChannelDestroy(chid))
	check()
}

// TestReplyIsLast: what a client was replied is not lost when the server closes
// right after it.
func TestReplyIsLast(t *testing.T) {
	chid := newChannel(t, 0)
	for range 300 {
		coid, err := message.ConnectAttach(0, chid)
		require.NoError(t, err)
		errs := sendAll(coid, 1, testproc.Patience)
		r := receiveMessage(t, chid)
		require.NoError(t, message.MsgReply(r.RcvID, 0, nil))
		require.NoError(t, message.DetachClient(chid, r.SCOID))
		require.NoError(t, errs()[0])
		require.NoError(t, message.ConnectDetach(coid))
	}
}

// TestDetachFlooder lets go of a client that sends without end. Neither that
// nor the rest of the server may have to wait for its last pulse.
func TestDetachFlooder(t *testing.T) {
	for _, how := range []string{"detach", "destroy"} {
		t.Run(how, func(t *testing.T) {
			server, flooder := testproc.Start(t, "node"), testproc.Start(t, "node")
			chid := server.Do("serve", nameOf(server)).Int()
			var scoid int32
			for range 3 {
				joined := flooder.Do("join", processSocket(server.PID()), chid)
				joined.At(1).Into(&scoid)
				flooder.Do("flood", joined.At(0))
			}
			if how == "detach" {
				server.Do("detach", chid, scoid)
			} else {
				server.Do("destroy", chid)
			}
		})
	}
}

// TestDestroyWhileUsed wakes threads in MsgReceive, and clients whose messages
// were received and were not.
func TestDestroyWhileUsed(t *testing.T) {
	const threads = 20
	check := noLeak(t)
	for range 5 {
		idle, err := message.ChannelCreate(nto.ChannelDisconnect)
		require.NoError(t, err)
		received := make(chan error, threads)
		for range threads {
			go func() {
				_, err := message.MsgReceive(idle, make([]byte, 8), -1)
				received <- err
			}()
		}
		busy, err := message.ChannelCreate(0)
		require.NoError(t, err)
		coid, err := message.ConnectAttach(0, busy)
		require.NoError(t, err)
		errs := sendAll(coid, threads, -1)
		for range threads / 2 {
			receiveMessage(t, busy)
		}
		testproc.Within(t, "ChannelDestroy", func() {
			require.NoError(t, message.ChannelDestroy(busy))
			require.NoError(t, message.ChannelDestroy(idle))
		})
		count := make(map[syscall.Errno]int)
		for _, err := range errs() {
			count[testproc.ErrnoOf(err)]++
		}
		require.Equal(t, map[syscall.Errno]int{syscall.ESRCH: threads / 2, syscall.EBADF: threads / 2}, count)
		for range threads {
			testproc.WantErrno(t, syscall.ESRCH, <-received)
		}
		_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
		testproc.WantErrno(t, syscall.EBADF, err)
		require.NoError(t, message.ConnectDetach(coid))
	}
	check()
}
