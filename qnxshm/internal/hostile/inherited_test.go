//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestForkedChildHoldsName: a child that was forked has the sockets of its parent,
// who goes on to serve.
func TestForkedChildHoldsName(t *testing.T) {
	victim := startChild(t)
	h := victim.do("handle", victim.number("object", 1), os.Getpid(), os.O_RDONLY)[0]
	heir := victim.number("bequeath")
	t.Cleanup(func() { unix.Kill(heir, unix.SIGKILL) })
	victim.do("delete", h)
	requireServes(t, victim)
}

// TestNameHeldAfterDeath: the child has the sockets of a process that is gone and
// whose number another one has.
func TestNameHeldAfterDeath(t *testing.T) {
	needRoot(t)
	const soon = time.Second // the heir is given time to answer
	first := startFirst(t)
	serve := func(p string) (h string) {
		fd := first.number("tell", p, "object", 1)
		h = first.do("tell", p, "handle", fd, 1, os.O_RDONLY)[0]
		r := first.within(soon, "open", h, os.O_RDONLY)
		require.Zero(t, r.errno, "%s", r)
		return first.do("tell", p, "handle", fd, 1, os.O_RDONLY)[0]
	}
	var h string
	for pid, other := 200, false; !other; pid += 10 { // a thread of the first process may have a number
		require.Less(t, pid, 4000, "no number for two processes")
		if first.try("start", "parent", pid).errno != 0 {
			continue
		}
		h = serve("parent")
		first.do("tell", "parent", "bequeath")
		first.do("end", "parent")
		other = first.try("start", "other", pid).errno == 0
	}
	serve("other")
	r := first.within(soon, "open", h, os.O_RDONLY)
	require.Equal(t, syscall.ESRCH, r.errno, "its maker is gone: %s", r)
}

// startFirst starts the first process of a pid namespace: those that it starts
// have the numbers that it chooses, and all end with it.
func startFirst(t *testing.T, room ...step) *child {
	t.Helper()
	if _, err := os.Stat("/proc/sys/kernel/ns_last_pid"); err != nil {
		t.Skip("this kernel does not let anybody choose the numbers of processes:", err)
	}
	room = append([]step{{"mounts"}, {"mount", "proc", "/proc", ""}}, room...)
	return startIn(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}, room...)
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
	for n := highest - 1; first.try("start", "last", n).errno != 0; n-- { // a thread of the first process may have it
		require.Greater(t, n, highest-50)
	}
	h := first.do("tell", "last", "handle", first.number("tell", "last", "object", 1), 1, os.O_RDONLY)[0]
	first.do("open", h, os.O_RDONLY)
}

// TestConnectionOfDead: a connection belongs to the process that made it, also
// when that is gone, somebody has kept its descriptor, and another process has its
// number.
func TestConnectionOfDead(t *testing.T) {
	needRoot(t)
	probe, err := rawSocket()
	require.NoError(t, err)
	defer unix.Close(probe.fd)
	if _, err := unix.GetsockoptInt(probe.fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD); err == unix.ENOPROTOOPT {
		t.Skip("before Linux 6.5 nobody can tell")
	}
	first := startFirst(t)
	const victim, heir, name = 200, 300, "hostile"
	dead := 400 // and on: a thread of the first process may have a number
	first.do("start", "victim", victim)
	first.do("start", "heir", heir)
	fd := first.number("tell", "victim", "object", 1)
	first.do("tell", "victim", "handle", fd, 1, os.O_RDONLY)
	chid := first.number("tell", "victim", "channel")
	first.do("tell", "victim", "channel", name)
	for _, purpose := range []string{"handles", "link", "channel", "name"} {
		t.Run(purpose, func(t *testing.T) {
			first := first.of(t)
			socket := any(victim)
			if purpose == "name" {
				socket = name
			}
			var stolen int
			for later := false; !later; {
				dead += 10
				require.Less(t, dead, 4000, "no number for two processes")
				if first.try("start", "dead", dead).errno != 0 {
					continue
				}
				theirs := first.number("tell", "dead", "dial", socket)
				stolen = first.number("tell", "heir", "steal", dead, theirs)
				first.do("end", "dead")
				later = first.try("start", "later", dead).errno == 0
			}
			require.Equal(t, "refused", first.do("tell", "heir", "hello", stolen, purpose, chid)[0])
			own := first.number("tell", "heir", "dial", socket)
			require.Equal(t, "welcome", first.do("tell", "heir", "hello", own, purpose, chid)[0], "of his own")
		})
		first.do("end", "later")
	}
}
