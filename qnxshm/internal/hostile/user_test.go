//go:build linux

package hostile_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestChangedUser: to Linux an object that a process has made before it became another
// user is not that one's, as docs/host.md says. All else goes on.
func TestChangedUser(t *testing.T) {
	needRoot(t)
	p := startChild(t)
	before := p.Do("object", 1).Int()
	unused := p.Do("handle", before, os.Getpid(), int(qnxshm.ReadWrite))
	p.Do("become", anotherUser()[1])
	for _, made := range []string{"before", "after"} {
		fd := before
		if made == "after" {
			fd = p.Do("object", 1).Int()
		}
		for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.ReadWrite, qnxshm.WriteOnly} {
			err := p.Err("open", p.Do("handle", fd, p.PID(), int(qnxshm.ReadWrite)), int(access))
			if made == "before" && access == qnxshm.WriteOnly {
				testproc.WantErrno(t, syscall.EACCES, err)
			} else {
				require.NoError(t, err, "made %s, %v", made, access)
			}
		}
		if err := p.Err("control", fd, int(qnxshm.ControlRevocable), 0); made == "before" {
			testproc.WantErrno(t, syscall.EPERM, err)
		} else {
			require.NoError(t, err)
		}
	}
	var h qnxshm.Handle
	unused.Into(&h)
	obj, err := qnxshm.Open(h, qnxshm.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, obj.Close())
}
