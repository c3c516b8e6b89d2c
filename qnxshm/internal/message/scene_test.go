//go:build linux

package message_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// A scene is a live server and a peer that it serves all the time, while the
// test does its worst to the server.
type scene struct {
	server, good *testproc.Child
	name         string // of the channel
	chid         int
	socket       string // of the server
	before       int    // descriptors of the server
}

// newScene limits the descriptors of the server, unless limit is 0.
func newScene(t testing.TB, limit int) *scene {
	t.Helper()
	s := &scene{server: testproc.Start(t, "node"), good: testproc.Start(t, "node")}
	s.name, s.socket = nameOf(s.server), processSocket(s.server.PID())
	if limit > 0 {
		s.server.Do("limit", limit)
	}
	s.chid = s.server.Do("serve", s.name).Int()
	s.good.Do("good", s.name)
	s.good.Do("progress", 3)
	s.good.Do("pause")
	s.before = s.rest(t)
	s.good.Do("resume")
	return s
}

// rest waits until the server has only what is needed for the good peer, who
// pauses, and counts its descriptors.
func (s *scene) rest(t testing.TB) int {
	t.Helper()
	s.of(t)
	n := -1
	testproc.Eventually(t, testproc.LeakLimit, func() bool {
		was := n
		n = len(testproc.Descriptors(t, s.server.PID()))
		time.Sleep(250 * time.Millisecond) // longer than the host remembers a process
		return n == was
	}, "the server never rests")
	return n
}

// of lets a test have the scene.
func (s *scene) of(t testing.TB) { s.server, s.good = s.server.For(t), s.good.For(t) }

// served checks that the good peer gets on.
func (s *scene) served(t testing.TB) {
	t.Helper()
	s.of(t)
	if err := s.good.Err("progress", 3); err != nil {
		s.good.Do("good", s.name) // for those who come next
		require.NoError(t, err, "the good peer")
	}
}

// servedIn checks that none of many rounds of the good peer takes longer.
func (s *scene) servedIn(t testing.TB, limit time.Duration) {
	t.Helper()
	s.of(t)
	var longest time.Duration
	s.good.Do("progress", 50).Into(&longest)
	require.Less(t, longest, limit)
}

// unharmed checks besides that the server keeps nothing of what was done to it.
func (s *scene) unharmed(t testing.TB) {
	t.Helper()
	s.served(t)
	s.good.Do("pause")
	defer s.good.Do("resume")
	testproc.Eventually(t, testproc.LeakLimit, func() bool { return len(testproc.Descriptors(t, s.server.PID())) <= s.before },
		"the server had %d descriptors, now %v", s.before, testproc.Kinds(s.server.PID()))
}

// sockets are the two ways to the server.
func (s *scene) sockets() []string { return []string{s.socket, message.NameSocket(s.name)} }

// join attaches to the server's channel without the library. The caller closes it.
func (s *scene) join(t testing.TB) *rawClient {
	t.Helper()
	c, err := join(s.socket, s.chid)
	require.NoError(t, err)
	return c
}

// onClient does something as a client that works, some times, and checks that the
// server then drops it.
func (s *scene) onClient(t testing.TB, times int, do func(*rawClient) error) {
	t.Helper()
	for range times {
		c := s.join(t)
		c.echo(t)
		if err := do(c); err != syscall.EPIPE && err != syscall.ECONNRESET { // it may be dropped before
			require.NoError(t, err)
		}
		c.dropped(t)
		c.close()
	}
}
