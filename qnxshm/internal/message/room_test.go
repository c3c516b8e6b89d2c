//go:build linux

package message_test

import (
	"syscall"
	"testing"

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
		r.Say(&wire.HelloAttach{Token: 1, ChannelID: int32(s.chid)})
		if testproc.MustReceive[*wire.Welcome](t, r).Errno != 0 {
			r.Close()
			return empty
		}
		open = append(open, r)
		require.Less(t, len(open), 1000, "no limit")
	}
}

// TestTooManyConnections: whoever has no place is told so, and the errno is not
// that of something that does not exist.
func TestTooManyConnections(t *testing.T) {
	s := newScene(t, 600)
	coid, err := message.NameOpen(s.name)
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	s.good.Do("pause") // it would not get on either
	empty := s.fillUp(t)
	for range 200 {
		_, err = message.NameOpen(s.name)
		testproc.WantErrno(t, syscall.EAGAIN, err)
		_, err = message.ConnectAttach(s.server.PID(), s.chid)
		testproc.WantErrno(t, syscall.EAGAIN, err)
		_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
		testproc.WantErrno(t, syscall.EAGAIN, err)
	}
	empty()
	testproc.Eventually(t, testproc.Patience, func() bool {
		_, err := message.MsgSend(coid, nil, nil, testproc.Patience)
		if testproc.ErrnoOf(err) != syscall.EAGAIN {
			require.NoError(t, err)
		}
		return err == nil
	}, "no place again")
	s.good.Do("resume")
	s.served(t)
}

// TestRefusedPulse: a pulse that the server will never see was not sent, and
// what refused it does not stay behind.
func TestRefusedPulse(t *testing.T) {
	s := newScene(t, 600)
	coid, err := message.NameOpen(s.name)
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	s.good.Do("pause")
	empty := s.fillUp(t)
	full := len(testproc.Descriptors(t, s.server.PID()))
	testproc.WantErrno(t, syscall.EAGAIN, message.MsgSendPulse(coid, -1, 1, 2))
	empty()
	testproc.Eventually(t, testproc.Patience, func() bool { return len(testproc.Descriptors(t, s.server.PID())) < full }, "no place again")
	for range 20 {
		_, err = message.MsgSend(coid, nil, nil, testproc.Patience)
		if testproc.ErrnoOf(err) != syscall.EAGAIN {
			require.NoError(t, err, "the attachment is as good as before")
		}
	}
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
