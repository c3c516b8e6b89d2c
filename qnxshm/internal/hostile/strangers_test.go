//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serving starts a process that serves handles, and returns its object.
func serving(t *testing.T, room ...step) (victim *child, fd int) {
	t.Helper()
	victim = startChild(t, room...)
	fd = victim.number("object", 1)
	victim.do("handle", fd, os.Getpid(), os.O_RDONLY)
	return victim, fd
}

func stranger(t *testing.T) *child {
	t.Helper()
	needRoot(t)
	s := startChild(t, anotherUser())
	s.do("blockers")
	return s
}

// suffer has a stranger send descriptors to a victim, which does not run
// meanwhile: so the victim is the last one to close them.
func suffer(victim, s *child, command ...any) {
	victim.stop()
	s.do(command...)
	victim.resume()
	s.do("taken")
}

// TestBlockingDescriptors: closing a descriptor that somebody else has sent may
// take as long as he likes. No call of the process must wait for that.
func TestBlockingDescriptors(t *testing.T) {
	for _, c := range []struct {
		name                 string
		packets, descriptors int
	}{{"one", 1, 1}, {"more than there is room for", 1, 3}, {"many", 100, 1}} {
		t.Run("unasked/"+c.name, func(t *testing.T) {
			shielded(t, func(t *testing.T) (*child, time.Duration) {
				victim, _ := serving(t)
				suffer(victim, stranger(t), "packet", processSocket(victim.pid), c.packets, c.descriptors)
				requireFewThreads(t, victim)
				return victim, 0
			})
		})
	}
	for name, attack := range blockingAttacks {
		t.Run(name, func(t *testing.T) { shielded(t, attack) })
	}
}

var blockingAttacks = map[string]func(t *testing.T) (victim *child, pending time.Duration){
	"answer": func(t *testing.T) (*child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		opened := victim.later("open", s.do("falsemaker")[0], os.O_RDONLY)
		eventually(t, patience, func() bool { return s.number("asked") == 1 }, "the maker is not asked")
		suffer(victim, s, "answer")
		r, took := victim.timed("await", opened)
		require.NotZero(t, r.errno, "the maker has broken the rules")
		return victim, took
	},
	"client": func(t *testing.T) (*child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		to := s.do("connect", victim.pid, victim.number("channel"))[0]
		s.do("send", to, "text")
		suffer(victim, s, "abuse", victim.pid)
		return victim, 0
	},
	"server": func(t *testing.T) (*child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		to := victim.do("connect", s.pid, s.number("channel"))[0]
		victim.do("send", to, "text")
		pending := victim.later("send", to, "hold")
		eventually(t, patience, func() bool { return s.number("held") == 1 }, "the message does not come")
		suffer(victim, s, "abuse", victim.pid)
		r, took := victim.timed("await", pending)
		require.NotZero(t, r.errno, "the server has broken the rules")
		return victim, took
	},
	"mapper": func(t *testing.T) (*child, time.Duration) {
		victim, _ := serving(t)
		fd := victim.number("object", 1, "revocable")
		s := stranger(t)
		s.do("map", victim.do("handle", fd, s.pid, os.O_RDONLY)[0], os.O_RDONLY, 1)
		suffer(victim, s, "abuse", victim.pid)
		return victim, 0
	},
	"creator": func(t *testing.T) (*child, time.Duration) {
		victim, _ := serving(t)
		s := stranger(t)
		fd := s.number("object", 1, "revocable")
		victim.do("map", s.do("handle", fd, victim.pid, os.O_RDONLY)[0], os.O_RDONLY, 1)
		suffer(victim, s, "abuse", victim.pid)
		return victim, 0
	},
}

// requireFewThreads: what blocks has a thread, and what a stranger can make block
// must have few.
func requireFewThreads(t *testing.T, c *child) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", c.pid))
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
	var crowded []*child
	var pending []string
	for range crowd {
		s := startChild(t, user)
		crowded, pending = append(crowded, s), append(pending, s.later("hold", processSocket(victim.pid), each))
	}
	held := 0
	for i, s := range crowded {
		held += s.number("await", pending[i])
	}
	t.Log("connections held by one other user:", held)
	for name, room := range map[string][]step{"same user": nil, "third user": {anotherUser()}} {
		t.Run(name, func(t *testing.T) {
			recipient, victim := startChild(t, room...), victim.of(t)
			requirePrompt(t, func() (result, time.Duration) {
				return recipient.timed("open", victim.do("handle", fd, recipient.pid, os.O_RDONLY)[0], os.O_RDONLY)
			})
			recipient.do("connect", victim.pid, victim.number("channel"))
		})
	}
}

// requireServes requires that others reach a process: by handles, and by
// channels.
func requireServes(t *testing.T, victim *child) {
	t.Helper()
	fd := victim.number("object", 1)
	var recipient *child
	requirePrompt(t, func() (result, time.Duration) {
		recipient = startChild(t) // which has to find the victim
		r := victim.try("handle", fd, recipient.pid, os.O_RDONLY)
		require.Zero(t, r.errno, "%s", r)
		return recipient.timed("open", r.words[0], os.O_RDONLY)
	})
	r := victim.try("channel")
	require.Zero(t, r.errno, "%s", r)
	recipient.do("send", recipient.do("connect", victim.pid, r.words[0])[0], "text")
}

// TestNameAfterIdling: a process that had nothing to serve for a while keeps its
// name.
func TestNameAfterIdling(t *testing.T) {
	victim := startChild(t)
	h := victim.do("handle", victim.number("object", 1), os.Getpid(), os.O_RDONLY)[0]
	victim.do("delete", h)
	const idle = 1000 // ms
	t.Log("the name was", stranger(t).do("take", "listen", idle, processSocket(victim.pid)))
	requireServes(t, victim)
}

// TestNameTakenBefore: a stranger may have the name before its process needs it.
func TestNameTakenBefore(t *testing.T) {
	for _, how := range []string{"bound", "listen"} {
		t.Run(how, func(t *testing.T) {
			victim := startChild(t)
			require.Equal(t, []string{"taken"}, stranger(t).do("take", how, 0, processSocket(victim.pid)))
			requireServes(t, victim)
		})
	}
	t.Run("and many like it", func(t *testing.T) {
		victim, s := startChild(t), stranger(t)
		require.Equal(t, []string{"taken"}, s.do("take", "listen", 0, processSocket(victim.pid)))
		for range 4 { // each has its own descriptors
			s := stranger(t)
			s.do("crowd", victim.pid, 900)
		}
		requireServes(t, victim)
	})
}

// TestGuessedRegistration: only who has had an object can make its creator wait.
func TestGuessedRegistration(t *testing.T) {
	victim, _ := serving(t)
	mapper, s := startChild(t), stranger(t)
	for _, of := range []int{s.pid, -1} {
		requirePrompt(t, func() (result, time.Duration) {
			object := victim.do("object", 1, "revocable")
			m := mapper.do("map", victim.do("handle", object[0], mapper.pid, os.O_RDONLY, int(noFD))[0], os.O_RDONLY, 1)[0]
			s.try("register", victim.pid, object[1], object[2]) // the best guess there is
			r, took := victim.timed("revoke", object[0], of)
			require.Equal(t, of == -1, mapper.try("touch", m).errno != 0, "revoked")
			return r, took
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
		require.Positive(t, startChild(t, user).number("flood", processSocket(victim.pid), 256))
	}
	slowest, err := time.ParseDuration(victim.do("calls", 1000)[0])
	require.NoError(t, err)
	t.Log("the slowest call:", slowest)
	requirePrompt(t, func() (result, time.Duration) {
		object := victim.do("object", 1, "revocable")
		m := mapper.do("map", victim.do("handle", object[0], mapper.pid, os.O_RDONLY, int(noFD))[0], os.O_RDONLY, 1)[0]
		r, took := victim.timed("revoke", object[0], -1)
		require.NotZero(t, mapper.try("touch", m).errno, "still mapped")
		return r, took
	})
}
