//go:build linux

package hostile_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// requireShare requires that two processes can do everything with each other, one
// way.
func requireShare(t *testing.T, maker, recipient *testproc.Child) {
	t.Helper()
	fd := maker.Do("object", 1, "revocable").Int()
	h := maker.Do("handle", fd, recipient.PID(), os.O_RDONLY)
	recipient.Do("open", h, os.O_RDONLY)
	m := recipient.Do("map", maker.Do("handle", fd, recipient.PID(), os.O_RDONLY), os.O_RDONLY, 1)
	recipient.Do("touch", m)
	maker.Do("revoke", fd, -1)
	require.Error(t, recipient.Err("touch", m), "revoked")
	recipient.Do("send", recipient.Do("connect", maker.PID(), maker.Do("channel")), "text")
}

func requireShareBothWays(t *testing.T, one, other *testproc.Child) {
	t.Helper()
	t.Run("to it", func(t *testing.T) { requireShare(t, one.For(t), other.For(t)) })
	t.Run("from it", func(t *testing.T) { requireShare(t, other.For(t), one.For(t)) })
}

// TestTimeNamespaces: processes in which the kernel shows other times.
func TestTimeNamespaces(t *testing.T) {
	needRoot(t)
	ours, err := os.Readlink("/proc/self/ns/time")
	if err != nil {
		t.Skip("a kernel without time namespaces:", err)
	}
	other := startChild(t, step{"time", "100000"})
	theirs, err := os.Readlink("/proc/" + strconv.Itoa(other.PID()) + "/ns/time")
	require.NoError(t, err)
	if ours == theirs {
		t.Skip("this kernel does not let a process enter its time namespace by exec")
	}
	requireShareBothWays(t, startChild(t), other)
}

// TestOtherView: an emulator of another processor shows a process its own times
// and numbers.
func TestOtherView(t *testing.T) {
	needRoot(t)
	c := startChild(t, step{"mounts"}, step{"falsestat"})
	requireShareBothWays(t, startChild(t), c)
}

// TestHiddenProcesses: with the option hidepid /proc shows nobody the processes of
// other users.
func TestHiddenProcesses(t *testing.T) {
	needRoot(t)
	c := startChild(t, step{"mounts"}, step{"mount", "proc", "/proc", "hidepid=2"}, anotherUser())
	requireShareBothWays(t, startChild(t), c)
}

// TestOtherUser: what the others need, but for what they are about.
func TestOtherUser(t *testing.T) {
	needRoot(t)
	requireShareBothWays(t, startChild(t), startChild(t, step{"mounts"}, anotherUser()))
}

// TestUserNamespace: in which everybody is somebody else.
func TestUserNamespace(t *testing.T) {
	needRoot(t)
	c := startIn(t, &syscall.SysProcAttr{
		Cloneflags:                 unix.CLONE_NEWUSER,
		UidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: 1 << 21, Size: 1 << 16}},
		GidMappingsEnableSetgroups: true,
		GidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: 1 << 21, Size: 1 << 16}},
		Credential:                 &syscall.Credential{Uid: 7, Gid: 7},
	})
	requireShareBothWays(t, startChild(t), c)
}
