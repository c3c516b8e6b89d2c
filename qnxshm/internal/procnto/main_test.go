//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, testproc.Roles{"node": newNode}, unusedHandles) }

// unusedHandles are handles that no test needs any more.
func unusedHandles() []string {
	if n := procnto.UnusedHandles(); n > 0 {
		return []string{fmt.Sprint(n, " handles")}
	}
	return nil
}

// noLeak is that of testproc, for a process that serves.
func noLeak(t testing.TB) (check func()) {
	t.Helper()
	_, err := procnto.Serve()
	require.NoError(t, err)
	return testproc.NoLeak(t)
}

// stranger is a user that is not this process's.
const stranger = 54321

// startStranger starts a process of another user.
func startStranger(t testing.TB, uid uint32) *testproc.Child {
	t.Helper()
	return testproc.StartStranger(t, "node", uid)
}

// objects is the number of a process's descriptors of objects.
func objects(t testing.TB, pid int) (n int) {
	t.Helper()
	for _, to := range testproc.Descriptors(t, pid) {
		if strings.HasPrefix(to, "/memfd:qnxshm") {
			n++
		}
	}
	return n
}

// switches is how often the threads of a process have stopped running.
func switches(t testing.TB, pid int) (n uint64) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	require.NoError(t, err)
	for _, file := range files {
		status, _ := os.ReadFile(file) // the thread may have ended
		for line := range strings.Lines(string(status)) {
			if _, count, ok := strings.Cut(line, "ctxt_switches:"); ok {
				some, err := strconv.ParseUint(strings.TrimSpace(count), 10, 64)
				require.NoError(t, err)
				n += some
			}
		}
	}
	return n
}

// newObject returns a descriptor of an object with a text in it, for the caller
// to close.
func newObject(t testing.TB, pages int, text string) int {
	t.Helper()
	fd, err := anObject(pages, text)
	require.NoError(t, err)
	return fd
}

// newRevocable is newObject of one page that can be revoked.
func newRevocable(t testing.TB) (fd int) {
	t.Helper()
	fd = newObject(t, 1, "secret")
	_, err := procnto.Control(fd, nto.ControlRevocable, 0, 0)
	require.NoError(t, err)
	return fd
}

// openObject turns a handle into a descriptor and closes it.
func openObject(h uint64, access int) error {
	fd, err := procnto.OpenHandle(h, access)
	if err != nil {
		return err
	}
	return memory.CloseDescriptor(fd)
}

var page = int64(os.Getpagesize())

func pathOf(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
