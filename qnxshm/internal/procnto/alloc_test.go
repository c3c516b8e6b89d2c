//go:build linux

package procnto_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestAllocations holds the path that is gone most often to its budget: to create
// and delete a handle while others of the object are outstanding, as a server's
// are.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	other := testproc.Start(t, "node")
	for _, outstanding := range []int{1, 1000} {
		fd := newObject(t, 1, "")
		defer unix.Close(fd)
		for range outstanding {
			h, err := procnto.CreateHandle(fd, other.PID(), os.O_RDONLY, 0)
			require.NoError(t, err)
			defer procnto.DeleteHandle(h)
		}
		require.Zero(t, testing.AllocsPerRun(1000, func() {
			h, err := procnto.CreateHandle(fd, other.PID(), os.O_RDONLY, 0)
			if err == nil {
				err = procnto.DeleteHandle(h)
			}
			if err != nil {
				t.Error(err)
			}
		}), "%d outstanding", outstanding)
	}
	own := newObject(t, 1, "")
	defer unix.Close(own)
	h, err := procnto.CreateHandle(own, os.Getpid(), os.O_RDONLY, 0)
	require.NoError(t, err)
	defer procnto.DeleteHandle(h)
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		h, err := procnto.CreateHandle(own, os.Getpid(), os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := procnto.OpenHandle(h, os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		memory.CloseDescriptor(fd)
	}), 8.0, "for itself")
}
