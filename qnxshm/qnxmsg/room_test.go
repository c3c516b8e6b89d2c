//go:build linux

package qnxmsg_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// What docs/host.md and the package comment say of a channel's room.

// TestChannelDescriptors: a channel has three. It looks in a process of its own: what
// other tests leave is let go of some time later.
func TestChannelDescriptors(t *testing.T) { testproc.Options{}.Rerun(t, channelDescriptors) }

func channelDescriptors(t *testing.T) {
	open := func() *qnxmsg.Channel {
		ch, err := qnxmsg.NewChannel(0)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, ch.Close()) })
		return ch
	}
	count := func() int {
		fds, err := filepath.Glob("/proc/self/fd/*")
		require.NoError(t, err)
		return len(fds)
	}
	open() // and the process begins to serve
	before := count()
	open()
	require.Equal(t, 3, count()-before)
}

// TestPulsesWait: of one process at least 4096, and at most twice as many, whatever
// number of connections it has.
func TestPulsesWait(t *testing.T) {
	ch, err := qnxmsg.NewChannel(0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ch.Close()) })
	var to [2]*qnxmsg.Connection
	for i := range to {
		to[i], err = qnxmsg.Connect(0, ch.ID())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, to[i].Close()) })
	}
	n := 0
	for err == nil && n <= 1<<14 {
		if err = to[n%2].SendPulse(-1, 1, int64(n)); err == nil {
			n++
		}
	}
	require.ErrorIs(t, err, syscall.EAGAIN)
	require.GreaterOrEqual(t, n, 4096)
	require.LessOrEqual(t, n, 8192)
}

// TestManyChannels: a process can have some 500.
func TestManyChannels(t *testing.T) {
	n := 0
	for {
		ch, err := qnxmsg.NewChannel(0)
		if err != nil {
			require.ErrorIs(t, err, syscall.EAGAIN)
			break
		}
		t.Cleanup(func() { require.NoError(t, ch.Close()) })
		n++
	}
	require.InDelta(t, 500, n, 20)
}
