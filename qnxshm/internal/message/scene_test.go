//go:build linux

package message_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
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

// attach attaches to the server's channel as a process with that token would.
func (s *scene) attach(t testing.TB, token uint64) (control testproc.Raw, scoid int32) {
	t.Helper()
	return attach(t, s.socket, s.chid, token)
}

// lane attaches and opens a lane.
func (s *scene) lane(t testing.TB) (control, lane testproc.Raw) {
	t.Helper()
	return attachLane(t, s.socket, s.chid, 0)
}

// onLane does something on a lane that works, some times, and checks that the
// server then drops it.
func (s *scene) onLane(t testing.TB, times int, do func(testproc.Raw) error) {
	t.Helper()
	for range times {
		control, lane := s.lane(t)
		echo(t, lane, 1)
		require.NoError(t, do(lane))
		lane.Ended(t)
		control.Close()
		lane.Close()
	}
}

func echo(t testing.TB, lane testproc.Raw, seq uint64) {
	t.Helper()
	require.NoError(t, lane.SayWith(&wire.Message{Seq: seq, Len: 5, Room: 5}, "hello"))
	p, err := lane.Receive(0)
	require.NoError(t, err)
	require.Equal(t, &wire.Reply{Seq: seq, Len: 5}, p.Frame)
	require.Equal(t, "hello", string(p.Payload))
}
