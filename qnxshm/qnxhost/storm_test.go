//go:build linux && cgo

package qnxhost_test

import (
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// However calls end, and although clients are killed and the server is stopped for a
// while, each reply is to the message of who gets it, and no errno is another than the
// reason for which the call has ended.
func TestCStorm(t *testing.T) {
	t.Parallel()
	for _, flags := range []qnxmsg.ChannelFlags{0, qnxmsg.ChannelUnblock} {
		t.Run(strconv.Itoa(int(flags)), func(t *testing.T) {
			t.Parallel()
			arg := strconv.Itoa(int(flags))
			server := start(t, "c-storm", arg)
			at := strings.Fields(server.line(t))
			run := func() *process { return start(t, "c-storm", append([]string{arg}, at...)...) }
			clients := []*process{run(), run(), run()}
			for range 5 {
				victim := run()
				require.NoError(t, server.cmd.Process.Signal(syscall.SIGSTOP))
				require.NoError(t, victim.cmd.Process.Kill())
				require.Error(t, victim.end())
				require.NoError(t, server.cmd.Process.Signal(syscall.SIGCONT))
			}
			for _, c := range clients {
				c.succeeds(t)
			}
			chid, err := strconv.Atoi(at[1])
			require.NoError(t, err)
			conn, err := qnxmsg.Connect(server.pid(), chid)
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SendPulse(-1, 0, 0))
			server.succeeds(t)
		})
	}
}
