//go:build linux

package hostile_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// requireShare requires that two processes can do everything with each other, one
// way.
func requireShare(t *testing.T, maker, recipient *child) {
	t.Helper()
	fd := maker.number("object", 1, "revocable")
	h := maker.do("handle", fd, recipient.pid, os.O_RDONLY)[0]
	r := recipient.try("open", h, os.O_RDONLY)
	require.Zero(t, r.errno, "%s", r)
	r = recipient.try("map", maker.do("handle", fd, recipient.pid, os.O_RDONLY)[0], os.O_RDONLY, 1)
	require.Zero(t, r.errno, "%s", r)
	m := r.words[0]
	recipient.do("touch", m)
	r = maker.try("revoke", fd, -1)
	require.Zero(t, r.errno, "%s", r)
	require.NotZero(t, recipient.try("touch", m).errno, "revoked")
	recipient.do("send", recipient.do("connect", maker.pid, maker.number("channel"))[0], "text")
}

func requireShareBothWays(t *testing.T, one, other *child) {
	t.Helper()
	t.Run("to it", func(t *testing.T) { requireShare(t, one.of(t), other.of(t)) })
	t.Run("from it", func(t *testing.T) { requireShare(t, other.of(t), one.of(t)) })
}

// TestTimeNamespaces: processes in which the kernel shows other times.
func TestTimeNamespaces(t *testing.T) {
	needRoot(t)
	ours, err := os.Readlink("/proc/self/ns/time")
	if err != nil {
		t.Skip("a kernel without time namespaces:", err)
	}
	other := startChild(t, step{"time", "100000"})
	theirs, err := os.Readlink("/proc/" + strconv.Itoa(other.pid) + "/ns/time")
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
