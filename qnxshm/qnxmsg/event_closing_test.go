//go:build linux

package qnxmsg_test

import (
	"errors"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A server that goes on delivering to a client that closes its last connection gets
// EBADF or ESRCH, and the client lives.
func TestEventsWhileClosing(t *testing.T) {
	t.Parallel()
	newChannel(t, 0) // so that the servers reach this process
	event, err := qnxmsg.Event{}.MarshalBinary()
	require.NoError(t, err)
	const servers = 4
	ended := make(chan error, servers)
	for range servers {
		p := testproc.Start(t, "peer")
		made := p.Do("channel", 0)
		for range 3 {
			p.Do("pester", made.At(0))
		}
		go func() { ended <- closeOften(p.PID(), made.At(1).Int(), event) }()
	}
	for range servers {
		require.NoError(t, <-ended)
	}
}

func closeOften(pid, chid int, event []byte) error {
	rounds := 2000
	if testing.Short() {
		rounds = 100
	}
	for i := range rounds {
		conn, err := qnxmsg.Connect(pid, chid)
		if err != nil {
			return err
		}
		if _, err = conn.SendTimeout(event, nil, testproc.Patience); err != nil {
			return err
		}
		for range i % 20 {
			runtime.Gosched()
		}
		if err = conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

func pester(ch *qnxmsg.Channel) {
	for {
		m, err := ch.Receive(make([]byte, qnxmsg.EventSize))
		if err != nil {
			return
		}
		if m.IsPulse() {
			continue
		}
		var e qnxmsg.Event
		if e.UnmarshalBinary(m.Data) != nil || m.Reply(0, nil) != nil {
			continue
		}
		for range 200 { // EACCES while the client is there
			if err := m.DeliverEvent(e); errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.ESRCH) {
				break
			}
		}
	}
}
