//go:build linux

package qnxmsg_test

import (
	"math"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// sends has a client send a message, which the channel returned receives. answered
// tells what Send has returned.
func sends(t *testing.T) (receive func() qnxmsg.Message, answered func() (int, error)) {
	t.Helper()
	ch, err := qnxmsg.NewChannel(0)
	require.NoError(t, err)
	t.Cleanup(func() { ch.Close() })
	conn, err := qnxmsg.Connect(0, ch.ID())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	type answer struct {
		status int
		err    error
	}
	answers := make(chan answer, 1)
	receive = func() qnxmsg.Message {
		go func() {
			status, err := conn.Send(nil, nil)
			answers <- answer{status, err}
		}()
		m, err := ch.Receive(nil)
		require.NoError(t, err)
		return m
	}
	return receive, func() (int, error) {
		a := <-answers
		return a.status, a.err
	}
}

// On a target the id names the sending thread: a second answer would be the
// answer to the thread's next message.
func TestSecondAnswerReachesNobody(t *testing.T) {
	receive, answered := sends(t)
	again := map[string]func(m *qnxmsg.Message) error{
		"Reply":      func(m *qnxmsg.Message) error { return m.Reply(2, nil) },
		"ReplyError": func(m *qnxmsg.Message) error { return m.ReplyError(syscall.EPERM) },
	}
	for name, second := range again {
		first := receive()
		before := first // a copy is the same message
		require.NoError(t, first.Reply(1, nil))
		_, err := answered()
		require.NoError(t, err)

		next := receive()
		first.SetID(next.ID())
		before.SetID(next.ID())
		after := first
		for _, m := range []*qnxmsg.Message{&first, &before, &after} {
			err := second(m)
			require.ErrorIs(t, err, syscall.ESRCH, name)
			require.ErrorContains(t, err, "answered already", name)
		}
		require.NoError(t, next.Reply(3, nil), name)
		status, err := answered()
		require.NoError(t, err, name)
		require.Equal(t, 3, status, name)
	}
}

// An answer that was refused was none.
func TestRefusedAnswerIsNone(t *testing.T) {
	receive, answered := sends(t)
	m := receive()
	require.ErrorIs(t, m.Reply(-1, nil), syscall.EINVAL)
	require.ErrorIs(t, m.ReplyError(^syscall.Errno(0)), syscall.EINVAL)
	require.NoError(t, m.Reply(7, nil))
	status, err := answered()
	require.NoError(t, err)
	require.Equal(t, 7, status)
}

func TestOneOfManyAnswers(t *testing.T) {
	receive, answered := sends(t)
	for range 20 {
		m := receive()
		const n = 8
		results := make(chan error, n)
		for i := range n {
			go func(m qnxmsg.Message) { results <- m.Reply(i, nil) }(m)
		}
		given := 0
		for range n {
			if err := <-results; err == nil {
				given++
			} else {
				require.ErrorIs(t, err, syscall.ESRCH)
			}
		}
		require.Equal(t, 1, given)
		_, err := answered()
		require.NoError(t, err)
	}
}

// A C server may answer with a negative status, which looks like an errno on a target.
func TestNegativeStatusIsAnError(t *testing.T) {
	for _, c := range []struct {
		status int
		errno  syscall.Errno
	}{
		{-1, syscall.EPERM}, {-5, syscall.EIO}, {-math.MaxInt32, math.MaxInt32}, {math.MinInt32, syscall.EINVAL}, {math.MinInt, syscall.EINVAL},
	} {
		status, errno := c.status, c.errno
		receive, answered := sends(t)
		m := receive()
		require.NoError(t, message.MsgReply(m.ID(), status))
		got, err := answered()
		require.ErrorIs(t, err, errno, "status %d", status)
		require.Zero(t, got)
	}
}
