//go:build linux

package hostile_test

import (
	"encoding/json"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, testproc.Roles{"node": newNode}) }

// startChild starts a process that first enters a room (see rooms), if there is
// one to enter.
func startChild(t testing.TB, room ...step) *testproc.Child { return startIn(t, nil, room...) }

// startIn is startChild with what only the start of a process can give it.
func startIn(t testing.TB, attr *syscall.SysProcAttr, room ...step) *testproc.Child {
	t.Helper()
	o := testproc.Options{Attr: attr}
	if len(room) > 0 {
		steps, err := json.Marshal(room)
		require.NoError(t, err)
		o.Env = []string{roomEnv + "=" + string(steps)}
	}
	return o.Start(t, "node")
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes of other users")
	}
}

// another user, whom nobody else is.
func anotherUser() step {
	return step{"user", strconv.Itoa(1<<20 + int(uint32(time.Now().UnixNano())>>8))}
}
