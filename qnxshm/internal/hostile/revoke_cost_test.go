//go:build linux

package hostile_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRevokeOfStopped: a process that is stopped delays whoever takes memory
// back from it once, however many buffers it has.
func TestRevokeOfStopped(t *testing.T) {
	creator, mapper := startChild(t), startChild(t)
	const buffers = 4
	var fds []int
	var maps []string
	for range buffers {
		fd := creator.number("object", 1, "revocable")
		h := creator.do("handle", fd, mapper.pid, os.O_RDONLY, int(noFD))[0]
		fds, maps = append(fds, fd), append(maps, mapper.do("map", h, os.O_RDONLY, 1)[0])
	}
	mapper.stop()
	began := time.Now()
	for _, fd := range fds {
		r := creator.try("revoke", fd, -1)
		require.Equal(t, syscall.EAGAIN, r.errno, "%s", r)
	}
	took := time.Since(began)
	mapper.resume()
	for _, m := range maps { // as soon as it runs again
		eventually(t, patience, func() bool { return mapper.try("touch", m).errno != 0 }, "still mapped")
	}
	require.Less(t, took, 2*time.Second, "for %d buffers", buffers)
}
