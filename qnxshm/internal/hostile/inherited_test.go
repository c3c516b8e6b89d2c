//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestForkedChildHoldsName: a child that was forked has the sockets of its parent,
// who goes on to serve.
func TestForkedChildHoldsName(t *testing.T) {
	victim := startChild(t)
	h := victim.Do("handle", victim.Do("object", 1), os.Getpid(), os.O_RDONLY)
	heir := victim.Do("bequeath").Int()
	t.Cleanup(func() { unix.Kill(heir, unix.SIGKILL) })
	victim.Do("delete", h)
	requireServes(t, victim)
}

// TestNameHeldAfterDeath: the child has the sockets of a process that is gone and
// whose number another one has.
func TestNameHeldAfterDeath(t *testing.T) {
	needRoot(t)
	const soon = time.Second // the heir is given time to answer
	first := startFirst(t)
	serve := func(p string) (h testproc.Value) {
		fd := first.Do("tell", p, "object", 1).Int()
		h = first.Do("tell", p, "handle", fd, 1, os.O_RDONLY)
		_, err := first.Begin("open", h, os.O_RDONLY).Within(soon)
		require.NoError(t, err)
		return first.Do("tell", p, "handle", fd, 1, os.O_RDONLY)
	}
	var h testproc.Value
	for pid, other := 200, false; !other; {
		pid = startFrom(t, first, "parent", pid+10)
		h = serve("parent")
		first.Do("tell", "parent", "bequeath")
		first.Do("end", "parent")
		other = first.Err("start", "other", pid) == nil
	}
	serve("other")
	_, err := first.Begin("open", h, os.O_RDONLY).Within(soon)
	testproc.WantErrno(t, syscall.ESRCH, err, "its maker is gone")
}

// startFirst starts the first process of a pid namespace: those that it starts
// have the numbers that it chooses, and all end with it.
func startFirst(t *testing.T, room ...step) *testproc.Child {
	t.Helper()
	if _, err := os.Stat("/proc/sys/kernel/ns_last_pid"); err != nil {
		t.Skip("this kernel does not let anybody choose the numbers of processes:", err)
	}
	room = append([]step{{"mounts"}, {"mount", "proc", "/proc", ""}}, room...)
	return startIn(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}, room...)
}

// startFrom starts a process whose number is from, or the next ten, or ...: a thread
// of the first process may have one.
func startFrom(t *testing.T, first *testproc.Child, who string, from int) int {
	t.Helper()
	for pid := from; pid < 4000; pid += 10 {
		if first.Err("start", who, pid) == nil {
			return pid
		}
	}
	t.Fatalf("no number for %s from %d on", who, from)
	return 0
}

// TestHighestNumber: handles say the number of their maker.
func TestHighestNumber(t *testing.T) {
	needRoot(t)
	first := startFirst(t)
	limit, err := os.ReadFile("/proc/sys/kernel/pid_max")
	require.NoError(t, err)
	var highest int
	_, err = fmt.Sscan(string(limit), &highest)
	require.NoError(t, err)
	for n := highest - 1; first.Err("start", "last", n) != nil; n-- { // a thread of the first process may have it
		require.Greater(t, n, highest-50)
	}
	h := first.Do("tell", "last", "handle", first.Do("tell", "last", "object", 1).Int(), 1, os.O_RDONLY)
	first.Do("open", h, os.O_RDONLY)
}

// TestConnectionOfDead: a connection belongs to the process that made it, also
// when that is gone, somebody has kept its descriptor, and another process has its
// number.
func TestConnectionOfDead(t *testing.T) {
	needRoot(t)
	probe, err := testproc.NewRaw()
	require.NoError(t, err)
	defer probe.Close()
	if _, err := unix.GetsockoptInt(probe.FD, unix.SOL_SOCKET, unix.SO_PEERPIDFD); err == unix.ENOPROTOOPT {
		t.Skip("before Linux 6.5 nobody can tell")
	}
	first := startFirst(t)
	const name = "hostile"
	victim := startFrom(t, first, "victim", 200)
	dead := startFrom(t, first, "heir", victim+10)
	fd := first.Do("tell", "victim", "object", 1).Int()
	first.Do("tell", "victim", "handle", fd, 1, os.O_RDONLY)
	chid := first.Do("tell", "victim", "channel").Int()
	first.Do("tell", "victim", "channel", name)
	for _, purpose := range []string{"handles", "link", "channel", "name"} {
		t.Run(purpose, func(t *testing.T) {
			first := first.For(t)
			dial, socket := "dial", any(victim)
			if purpose == "name" {
				dial, socket = "dialname", name
			}
			var stolen int
			for later := false; !later; {
				dead = startFrom(t, first, "dead", dead+10)
				theirs := first.Do("tell", "dead", dial, socket).Int()
				stolen = first.Do("tell", "heir", "steal", dead, theirs).Int()
				first.Do("end", "dead")
				later = first.Err("start", "later", dead) == nil
			}
			require.False(t, first.Do("tell", "heir", "hello", stolen, purpose, chid).Bool(), "welcome")
			own := first.Do("tell", "heir", dial, socket).Int()
			require.True(t, first.Do("tell", "heir", "hello", own, purpose, chid).Bool(), "refused with his own")
		})
		first.Do("end", "later")
	}
}
