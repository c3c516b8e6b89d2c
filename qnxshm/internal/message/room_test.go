//go:build linux

package message_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// fillUp attaches to the server until there is no room for more: attachments
// cannot be closed to make some.
func (s *scene) fillUp(t testing.TB) (empty func()) {
	t.Helper()
	var open []testproc.Raw
	empty = func() {
		for _, r := range open {
			r.Close()
		}
		open = nil
	}
	t.Cleanup(empty)
	for {
		r := testproc.Reach(t, s.socket)
		r.Say(&wire.HelloAttach{ChannelID: int32(s.chid)})
		if testproc.MustReceive[*wire.Welcome](t, r).Errno != 0 {
			r.Close()
			return empty
		}
		open = append(open, r)
		require.Less(t, len(open), 1000, "no limit")
	}
}

// TestTooManyConnections: whoever has no place is told so, and the errno is not
// that of something that does not exist. Whoever has one goes on.
func TestTooManyConnections(t *testing.T) {
	s := newScene(t, 600)
	coid, err := message.NameOpen(s.name)
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	other := testproc.Start(t, "node") // this process is attached, and gets more connections from that
	s.good.Do("pause")                 // it would not get on either
	empty := s.fillUp(t)
	for range 200 {
		testproc.WantErrno(t, syscall.EAGAIN, other.Err("connect", s.name))
		testproc.WantErrno(t, syscall.EAGAIN, other.Err("attach", s.server.PID(), s.chid))
		_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
		require.NoError(t, err)
	}
	empty()
	testproc.Eventually(t, testproc.Patience, func() bool {
		err := other.Err("connect", s.name)
		if testproc.ErrnoOf(err) != syscall.EAGAIN {
			require.NoError(t, err)
		}
		return err == nil
	}, "no place again")
	s.good.Do("resume")
	s.served(t)
}

// TestRefusedPulse: a pulse for which the server has no room was not sent. All others
// come, in order, and messages that wait for room come after them.
func TestRefusedPulse(t *testing.T) {
	s := newScene(t, 0)
	coid, err := message.NameOpen(s.name)
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
	require.NoError(t, err)
	s.server.Stop()
	sent := 0
	for ; err == nil; sent++ {
		err = message.MsgSendPulse(coid, -1, 1, int64(sent))
	}
	testproc.WantErrno(t, syscall.EAGAIN, err)
	require.Equal(t, message.RingEntries+1, sent)
	_, err = message.MsgSend(coid, nil, nil, time.Millisecond)
	testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	errs := sendAll(coid, 10, testproc.Patience)
	s.server.Continue()
	for _, err := range errs() {
		require.NoError(t, err)
	}
	require.NoError(t, message.MsgSendPulse(coid, -1, 1, 1))
	s.served(t)
}

// TestCrowdOfStrangers: the processes of another user can have a share of the
// server's connections, and all the rest is for others.
func TestCrowdOfStrangers(t *testing.T) {
	s := newScene(t, 1500)
	var had []int
	for range 3 {
		crowd := startStranger(t)
		had = append(had, crowd.Do("crowd", s.socket, s.chid).Int())
	}
	require.Less(t, had[0], (1500-512)/4, "too large a share")
	require.Greater(t, had[0], 10)
	require.Equal(t, []int{0, 0}, had[1:], "the share is of all its processes")
	s.served(t)
	coid, err := message.NameOpen(s.name)
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
	require.NoError(t, err)
}
