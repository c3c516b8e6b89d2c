//go:build linux

package qnxmsg_test

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// TestTimeoutOfOtherConnection: what times out on one connection of a process does not
// touch what is sent on another.
func TestTimeoutOfOtherConnection(t *testing.T) {
	for _, flags := range []qnxmsg.ChannelFlags{0, qnxmsg.ChannelUnblock} {
		ch := newChannel(t, flags)
		p := testproc.Start(t, "peer")
		const connections = 3
		for i := range connections {
			p.Do("connect", os.Getpid(), ch.ID())
			p.Do("pulse", i, 1)
			require.True(t, func() bool { m := receive(t, ch); return m.IsPulse() }())
		}
		for i := range connections {
			testproc.WantErrno(t, syscall.ETIMEDOUT, p.Err("send", i, "nobody receives", time.Millisecond))
			next := p.Begin("send", (i+1)%connections, "next", time.Duration(-1))
			m := receive(t, ch)
			require.Equal(t, "next", string(m.Data))
			require.NoError(t, m.Reply(2, []byte("ok")))
			v, err := next.Wait()
			require.NoError(t, err)
			require.Equal(t, "ok", v.Text())
		}
	}
}

// TestStoppedServer: timeouts hold, and pulses do not wait, when the server is stopped.
func TestStoppedServer(t *testing.T) {
	p, chid := server(t)
	used, fresh := connect(t, p.PID(), chid), connect(t, p.PID(), chid)
	_, err := used.Send([]byte("warm"), nil)
	require.NoError(t, err)
	p.Stop()
	defer p.Continue()
	const soon = 2 * time.Second // the host's own patience is longer
	began := time.Now()
	require.NoError(t, fresh.SendPulse(-1, 1, 0))
	require.Less(t, time.Since(began), soon, "the first pulse of a connection")
	var all sync.WaitGroup
	for range 6 {
		all.Add(1)
		go func() {
			defer all.Done()
			_, err := used.SendTimeout([]byte("never received"), nil, 10*time.Millisecond)
			if testproc.ErrnoOf(err) != syscall.ETIMEDOUT {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	require.Less(t, time.Since(began), soon, "six threads with a timeout of 10 ms")
}

// TestOrderAfterTimeout: a timeout changes nothing in the order of what one thread
// sends.
func TestOrderAfterTimeout(t *testing.T) {
	ch := newChannel(t, 0)
	p := testproc.Start(t, "peer")
	p.Do("connect", os.Getpid(), ch.ID())
	for code := 1; code <= 8; code++ {
		p.Do("pulse", 0, code)
		if code == 4 {
			testproc.WantErrno(t, syscall.ETIMEDOUT, p.Err("send", 0, "nobody receives", time.Millisecond))
		}
	}
	var order []int
	for range 8 {
		order = append(order, receive(t, ch).Pulse.Code)
	}
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8}, order)
}

// TestAnswerTooLate: an answer that comes after the timeout is refused, until the same
// thread has another message with the server: as on a target the id is the thread's,
// and that message gets it.
func TestAnswerTooLate(t *testing.T) {
	ch := newChannel(t, 0)
	p := testproc.Start(t, "peer")
	p.Do("connect", os.Getpid(), ch.ID())
	timedOut := func() qnxmsg.Message {
		call := p.Begin("sendByOne", 0, "late", 20*time.Millisecond)
		m := receive(t, ch)
		_, err := call.Wait()
		testproc.WantErrno(t, syscall.ETIMEDOUT, err)
		return m
	}
	late := timedOut()
	testproc.WantErrno(t, syscall.ESRCH, late.Reply(0, nil), "timed out")

	late = timedOut()
	next := p.Begin("sendByOne", 0, "next", time.Duration(-1))
	testproc.WantErrno(t, syscall.ESRCH, late.Reply(0, nil), "sent again, not received again")
	m := receive(t, ch)
	require.NoError(t, m.Reply(2, []byte("ok")))
	v, err := next.Wait()
	require.NoError(t, err)
	require.Equal(t, "ok", v.Text())
	testproc.WantErrno(t, syscall.ESRCH, m.Reply(0, nil), "a second answer")

	late = timedOut()
	next = p.Begin("sendByOne", 0, "next", time.Duration(-1))
	m = receive(t, ch)
	require.Equal(t, late.ID(), m.ID())
	require.NoError(t, late.Reply(4, []byte("late")), "received again")
	v, err = next.Wait()
	require.NoError(t, err)
	require.Equal(t, "late", v.Text())
	testproc.WantErrno(t, syscall.ESRCH, m.Reply(0, nil), "it was answered")
}

// TestIDs: the id of a message fits a C int, also on 7.1, and the next message of the
// same thread has the same.
func TestIDs(t *testing.T) {
	ch := newChannel(t, 0)
	p := testproc.Start(t, "peer")
	p.Do("connect", os.Getpid(), ch.ID())
	ids := make(map[int64]bool)
	for range 10 {
		call := p.Begin("sendByOne", 0, "x", time.Duration(-1))
		m := receive(t, ch)
		require.Positive(t, m.ID())
		require.LessOrEqual(t, m.ID(), int64(1<<31-1))
		ids[m.ID()] = true
		require.NoError(t, m.Reply(0, nil))
		call.Wait()
	}
	require.Len(t, ids, 1)
}
