//go:build linux

package procnto_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// TestLimitOfThreads: however many make handles at once, of objects that nobody has
// made one of, there are no more than there may be.
func TestLimitOfThreads(t *testing.T) {
	const limit, threads = 3, 8
	cur, most, err := procnto.HandleLimit()
	require.NoError(t, err)
	require.NoError(t, procnto.SetHandleLimit(limit, most))
	defer procnto.SetHandleLimit(cur, most)
	for range 200 {
		var made atomic.Int32
		var all sync.WaitGroup
		fds, handles := [threads]int{}, [threads]uint64{}
		for i := range threads {
			fds[i] = newObject(t, 1, "one")
		}
		for i := range threads {
			all.Add(1)
			go func() {
				defer all.Done()
				var err error
				if handles[i], err = procnto.CreateHandle(fds[i], os.Getpid(), os.O_RDONLY, 0); err == nil {
					made.Add(1)
				}
			}()
		}
		all.Wait()
		for i := range threads {
			unix.Close(fds[i])
			if handles[i] != 0 {
				require.NoError(t, procnto.DeleteHandle(handles[i]))
			}
		}
		require.EqualValues(t, limit, made.Load())
	}
}
