//go:build linux

package message_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
				r, err := receiveAsC(chid, true)
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

// pulses sends pulses whose values count.
func pulses(coid, from, n int) error {
	for i := range n {
		if err := message.MsgSendPulse(coid, -1, 1, int64(from+i)); err != nil {
			return err
		}
	}
	return nil
}

// TestUsersTakeTurns: where there is much to receive each user's pulses come in order,
// those of another one between them, and messages wait for what their user has sent.
func TestUsersTakeTurns(t *testing.T) {
	const many, few = 3000, 20
	chid := newChannel(t, 0)
	first, second := testproc.Start(t, "node"), startStranger(t)
	a, b := first.Do("attach", os.Getpid(), chid).Int(), second.Do("attach", os.Getpid(), chid).Int()
	first.Do("pulses", a, 0, many)
	last := first.Begin("send", a, 1)
	_, err := message.MsgReceive(chid, nil, testproc.Patience)
	require.NoError(t, err) // and what the first has sent is in the queue
	second.Do("pulses", b, many, few)
	next := [2]int64{1, many}
	ended := 0
	for next != [2]int64{many, many + few} {
		r, err := message.MsgReceive(chid, nil, testproc.Patience)
		require.NoError(t, err)
		require.Zero(t, r.RcvID, "a message before the pulses")
		who := 0
		if r.Value >= many {
			who = 1
		}
		require.Equal(t, next[who], r.Value)
		if next[who]++; next[1] == many+few && ended == 0 {
			ended = int(next[0])
		}
	}
	require.Less(t, ended, 3*few+500, "the first one's all came before")
	r := receiveMessage(t, chid)
	require.NoError(t, message.MsgReply(r.RcvID, 0, nil))
	_, err = last.Wait()
	require.NoError(t, err)
}

// TestUnblockOnce: however often a client says that it does not want to wait,
// the server is told once for each message.
func TestUnblockOnce(t *testing.T) {
	chid := newChannel(t, nto.ChannelUnblock)
	c, err := join(processSocket(os.Getpid()), chid)
	require.NoError(t, err)
	defer c.close()
	for range 2 {
		require.NoError(t, c.send(0, "x", 0))
		received := receiveMessage(t, chid)
		pulses := 0
		for range 100 {
			c.memory.AskUnblock(0, c.generation)
			c.memory.AskUnblock(1, 1)              // of a slot that was never used
			c.memory.AskUnblock(2, c.generation+1) // and of one that has another message
			require.NoError(t, c.Say(new(wire.Bell)))
			r, err := message.MsgReceive(chid, nil, time.Millisecond)
			if err != nil {
				testproc.WantErrno(t, syscall.ETIMEDOUT, err)
				continue
			}
			require.Equal(t, nto.PulseUnblock, r.Code)
			require.Equal(t, received.RcvID, r.Value)
			pulses++
		}
		require.Equal(t, 1, pulses)
		require.NoError(t, message.MsgReply(received.RcvID, 0, nil))
		c.replied(t, 0)
		c.memory.AskUnblock(0, c.generation) // too late
		require.NoError(t, c.Say(new(wire.Bell)))
		_, err := message.MsgReceive(chid, nil, 10*time.Millisecond)
		testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	}
}

// TestGiveUp: a message of which the client says before it is received that it does
// not want to wait is not received; a reply that is on its way is waited for.
func TestGiveUp(t *testing.T) {
	for _, flags := range []uint32{0, nto.ChannelUnblock} {
		server := testproc.Start(t, "node")
		server.Do("serve", nameOf(server), flags)
		coid, err := message.NameOpen(nameOf(server))
		require.NoError(t, err)
		require.NoError(t, send(coid, "", 1))
		server.Stop()
		testproc.WantErrno(t, syscall.ETIMEDOUT, sendFor(coid, "hold", 5*time.Millisecond))
		server.Continue()
		require.NoError(t, send(coid, "", 1))
		testproc.WantErrno(t, syscall.ETIMEDOUT, server.Err("peek", 0), "it was received")
		errs := make(chan error)
		go func() { errs <- sendFor(coid, "hold", 300*time.Millisecond) }()
		if flags == 0 {
			testproc.WantErrno(t, syscall.ETIMEDOUT, <-errs)
			var errnos []string
			server.Do("release", 1).Into(&errnos)
			require.Equal(t, []string{"ESRCH"}, errnos)
		} else {
			time.Sleep(400 * time.Millisecond) // it asks to be let go
			server.Do("release", 1)
			require.NoError(t, <-errs)
		}
		require.NoError(t, message.ConnectDetach(coid))
	}
}

func sendFor(coid int, text string, timeout time.Duration) error {
	_, err := message.MsgSend(coid, []byte(text), nil, timeout)
	return err
}
