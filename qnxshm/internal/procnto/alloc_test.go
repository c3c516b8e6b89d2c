//go:build linux

package procnto_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// TestAllocations holds the paths that are gone most often to their budgets.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	t.Run("messages", func(t *testing.T) {
		chid := newChannel(t, 0)
		go func() {
			buf := make([]byte, 64)
			for {
				r, err := procnto.MsgReceive(chid, buf, -1)
				if err != nil {
					return
				}
				procnto.MsgReply(r.RcvID, 0, buf[:r.MsgLen])
			}
		}()
		coid := attachSelf(t, chid)
		msg, reply := make([]byte, 64), make([]byte, 64)
		// On a busy machine a message takes so long that the service looks after
		// itself, once a millisecond, which allocates: that is not the path.
		allocs := 1.0
		for range 10 {
			if allocs = testing.AllocsPerRun(1000, func() {
				if _, err := procnto.MsgSend(coid, msg, reply, -1); err != nil {
					t.Error(err)
				}
			}); allocs == 0 {
				break
			}
		}
		require.Zero(t, allocs)
	})
	t.Run("handles", func(t *testing.T) {
		other := startChild(t)
		fd := newObject(t, 1, "")
		defer unix.Close(fd)
		// Another handle keeps the object's anchor, as that of a server is kept.
		h, err := procnto.CreateHandle(fd, other.pid(), os.O_RDONLY, 0)
		require.NoError(t, err)
		defer procnto.DeleteHandle(h)
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
			h, err := procnto.CreateHandle(fd, other.pid(), os.O_RDONLY, 0)
			if err == nil {
				err = procnto.DeleteHandle(h)
			}
			if err != nil {
				t.Error(err)
			}
		}), 2.0)
	})
}
