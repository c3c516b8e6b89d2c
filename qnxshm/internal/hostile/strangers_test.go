//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/stretchr/testify/require"
)

// serving starts a process that serves handles, and returns its object.
func serving(t *testing.T, room ...step) (victim *testproc.Child, fd int) {
	t.Helper()
	victim = startChild(t, room...)
	fd = victim.Do("object", 1).Int()
	victim.Do("handle", fd, os.Getpid(), os.O_RDONLY)
	return victim, fd
}

func stranger(t *testing.T) *testproc.Child {
	t.Helper()
	needRoot(t)
	s := startChild(t, anotherUser())
	s.Do("blockers")
	return s
}

// suffer has a stranger send descriptors to a victim, which does not run
// meanwhile: so the victim is the last one to close them.
func suffer(victim, s *testproc.Child, procedure string, args ...any) {
	victim.Stop()
	s.Do(procedure, args...)
	victim.Continue()
	s.Do("taken")
}

// TestBlockingDescriptors: closing a descriptor that somebody else has sent may
// take as long as he likes. No call of the process must wait for that.
func TestBlockingDescriptors(t *testing.T) {
	for _, c := range []struct {
		name                 string
		packets, descriptors int
	}{{"one", 1, 1}, {"more than there is room for", 1, 3}, {"many", 100, 1}} {
		t.Run("unasked/"+c.name, func(t *testing.T) {
			shielded(t, func(t *testing.T) (*testproc.Child, time.Duration) {
				victim, _ := serving(t)
				suffer(victim, stranger(t), "packet", processSocket(victim.PID()), c.packets, c.descriptors)
				requireFewThreads(t, victim)
				return victim, 0
			})
		})
	}
	for name, attack := range blockingAttacks {
		t.Run(name, func(t *testing.T) { shielded(t, attack) })
	}
}

var blockingAttacks = map[string]func(t *testing.T) (victim *testproc.Child, pending time.Duration){
	"answer": func(t *testing.T) (*testproc.Child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		opened := victim.Begin("open", s.Do("falsemaker"), os.O_RDONLY)
		testproc.Eventually(t, testproc.Patience, func() bool { return s.Do("asked").Int() == 1 }, "the maker is not asked")
		suffer(victim, s, "answer")
		took, err := timed(opened.Wait)
		require.Error(t, err, "the maker has broken the rules")
		return victim, took
	},
	"client": func(t *testing.T) (*testproc.Child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		to := s.Do("connect", victim.PID(), victim.Do("channel"))
		s.Do("send", to, "text")
		suffer(victim, s, "abuse", victim.PID())
		return victim, 0
	},
	"server": func(t *testing.T) (*testproc.Child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		to := victim.Do("connect", s.PID(), s.Do("channel"))
		victim.Do("send", to, "text")
		pending := victim.Begin("send", to, "hold")
		testproc.Eventually(t, testproc.Patience, func() bool { return s.Do("held").Int() == 1 }, "the message does not come")
		suffer(victim, s, "abuse", victim.PID()) // to which nobody listens
		s.Kill()
		took, err := timed(pending.Wait)
		testproc.WantErrno(t, syscall.ESRCH, err)
		return victim, took
	},
	"mapper": func(t *testing.T) (*testproc.Child, time.Duration) {
		victim, _ := serving(t)
		fd := victim.Do("object", 1, "revocable").Int()
		s := stranger(t)
		s.Do("map", victim.Do("handle", fd, s.PID(), os.O_RDONLY), os.O_RDONLY, 1)
		suffer(victim, s, "abuse", victim.PID())
		return victim, 0
	},
	"creator": func(t *testing.T) (*testproc.Child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		fd := s.Do("object", 1, "revocable").Int()
		victim.Do("map", s.Do("handle", fd, victim.PID(), os.O_RDONLY), os.O_RDONLY, 1)
		suffer(victim, s, "abuse", victim.PID())
		return victim, 0
	},
}

// requireFewThreads: what blocks has a thread, and what a stranger can make block
// must have few.
func requireFewThreads(t *testing.T, c *testproc.Child) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", c.PID()))
	require.NoError(t, err)
	require.Less(t, len(threads), 64, "threads")
}

// TestPlacesForConnections: what one user's processes hold is taken from no other
// user.
func TestPlacesForConnections(t *testing.T) {
	needRoot(t)
	victim, fd := serving(t)
	user := anotherUser()
	const crowd, each = 6, 1100
	var pending []*testproc.Call
	for range crowd {
		pending = append(pending, startChild(t, user).Begin("hold", processSocket(victim.PID()), each))
	}
	held := 0
	for _, call := range pending {
		v, err := call.Wait()
		require.NoError(t, err)
		held += v.Int()
	}
	t.Log("connections held by one other user:", held)
	for name, room := range map[string][]step{"same user": nil, "third user": {anotherUser()}} {
		t.Run(name, func(t *testing.T) {
			recipient, victim := startChild(t, room...), victim.For(t)
			requirePrompt(t, func() (time.Duration, error) {
				h := victim.Do("handle", fd, recipient.PID(), os.O_RDONLY)
				return timed(func() (testproc.Value, error) { return recipient.Try("open", h, os.O_RDONLY) })
			})
			recipient.Do("connect", victim.PID(), victim.Do("channel"))
		})
	}
}

// requireServes requires that others reach a process: by handles, and by
// channels.
func requireServes(t *testing.T, victim *testproc.Child) {
	t.Helper()
	fd := victim.Do("object", 1)
	var recipient *testproc.Child
	requirePrompt(t, func() (time.Duration, error) {
		recipient = startChild(t) // which has to find the victim
		h := victim.Do("handle", fd, recipient.PID(), os.O_RDONLY)
		return timed(func() (testproc.Value, error) { return recipient.Try("open", h, os.O_RDONLY) })
	})
	recipient.Do("send", recipient.Do("connect", victim.PID(), victim.Do("channel")), "text")
}

// TestNameAfterIdling: a process that had nothing to serve for a while keeps its
// name.
func TestNameAfterIdling(t *testing.T) {
	victim := startChild(t)
	h := victim.Do("handle", victim.Do("object", 1), os.Getpid(), os.O_RDONLY)
	victim.Do("delete", h)
	const idle = time.Second
	t.Log("the name was taken:", stranger(t).Do("take", "listen", idle, processSocket(victim.PID())))
	requireServes(t, victim)
}

// TestNameTakenBefore: a stranger may have the name before its process needs it.
func TestNameTakenBefore(t *testing.T) {
	for _, how := range []string{"bound", "listen"} {
		t.Run(how, func(t *testing.T) {
			victim := startChild(t)
			require.True(t, stranger(t).Do("take", how, 0, processSocket(victim.PID())).Bool())
			requireServes(t, victim)
		})
	}
	t.Run("and many like it", func(t *testing.T) {
		victim, s := startChild(t), stranger(t)
		require.True(t, s.Do("take", "listen", 0, processSocket(victim.PID())).Bool())
		for range 4 { // each has its own descriptors
			s := stranger(t)
			s.Do("crowd", victim.PID(), 900)
		}
		requireServes(t, victim)
	})
}

// TestGuessedRegistration: only who has had an object can make its creator wait.
func TestGuessedRegistration(t *testing.T) {
	victim, _ := serving(t)
	mapper, s := startChild(t), stranger(t)
	for _, of := range []int{s.PID(), -1} {
		requirePrompt(t, func() (time.Duration, error) {
			fd := victim.Do("object", 1, "revocable")
			m := mapper.Do("map", victim.Do("handle", fd, mapper.PID(), os.O_RDONLY, int(qnxshm.HandleNoFD)), os.O_RDONLY, 1)
			s.Try("register", victim.PID(), victim.Do("inode", fd)) // the best guess there is
			took, err := timed(func() (testproc.Value, error) { return victim.Try("revoke", fd, of) })
			require.Equal(t, of == -1, mapper.Err("touch", m) != nil, "revoked")
			return took, err
		})
	}
}

// TestFloodOfRegistrations: strangers register all the time, on all links that they can
// have, and the victim reads that before it revokes.
func TestFloodOfRegistrations(t *testing.T) {
	needRoot(t)
	victim, _ := serving(t)
	mapper := startChild(t)
	user := anotherUser()
	for range 2 {
		require.Positive(t, startChild(t, user).Do("flood", processSocket(victim.PID()), 256).Int())
	}
	t.Log("the slowest call:", slowestCall(victim, time.Second))
	requirePrompt(t, func() (time.Duration, error) {
		fd := victim.Do("object", 1, "revocable")
		m := mapper.Do("map", victim.Do("handle", fd, mapper.PID(), os.O_RDONLY, int(qnxshm.HandleNoFD)), os.O_RDONLY, 1)
		took, err := timed(func() (testproc.Value, error) { return victim.Try("revoke", fd, -1) })
		require.Error(t, mapper.Err("touch", m), "still mapped")
		return took, err
	})
}
