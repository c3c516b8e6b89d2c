//go:build linux

package message_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, testproc.Roles{"node": newNode}, left) }

// left are channels and connections that are there, and what belongs to them.
func left() []string {
	n := message.Left()
	if n.Channels+n.Clients+n.Rcvids+n.Attachments+n.Connections > 0 {
		return []string{fmt.Sprintf("%+v", n)}
	}
	return nil
}

// noLeak is that of testproc, for a process that serves.
func noLeak(t testing.TB) (check func()) {
	t.Helper()
	_, err := procnto.Serve()
	require.NoError(t, err)
	return testproc.NoLeak(t, left)
}

// startStranger starts a process of another user.
func startStranger(t testing.TB) *testproc.Child {
	t.Helper()
	return testproc.StartStranger(t, "node", 65534)
}

// nameOf is the name under which a child serves its channel.
func nameOf(c *testproc.Child) string { return fmt.Sprintf("message-test/%d", c.PID()) }

// newChannel makes a channel that is gone after the test.
func newChannel(t testing.TB, flags uint32) int {
	t.Helper()
	chid, err := message.ChannelCreate(flags)
	require.NoError(t, err)
	t.Cleanup(func() { message.ChannelDestroy(chid) })
	return chid
}

// attachSelf connects this process to its own channel.
func attachSelf(t testing.TB, chid int) int {
	t.Helper()
	coid, err := message.ConnectAttach(0, chid)
	require.NoError(t, err)
	t.Cleanup(func() { message.ConnectDetach(coid) })
	return coid
}

// sendAll sends from n threads at once and returns what collects their errors.
func sendAll(coid, n int, timeout time.Duration) (errs func() []error) {
	var wg group
	results := make([]error, n)
	for i := range n {
		wg.Go(func() { _, results[i] = message.MsgSend(coid, []byte("hello"), nil, timeout) })
	}
	return func() []error {
		wg.Wait()
		return results
	}
}

// receiveMessage receives what must not be a pulse.
func receiveMessage(t testing.TB, chid int) message.Received {
	t.Helper()
	r, err := message.MsgReceive(chid, make([]byte, 64), testproc.Patience)
	require.NoError(t, err)
	require.NotZero(t, r.RcvID)
	return r
}
