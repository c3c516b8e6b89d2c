//go:build linux

package message_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A scene is a live server and a peer that it serves all the time, while the
// test does its worst to the server.
type scene struct {
	server, good *child
	name         string // of the channel
	chid         int
	socket       string // of the server
	before       int    // descriptors of the server
}

// newScene limits the descriptors of the server, unless limit is 0.
func newScene(t testing.TB, limit int) *scene {
	t.Helper()
	s := &scene{server: startChild(t), good: startChild(t)}
	s.name, s.socket = nameOf(s.server), processSocket(s.server.pid())
	if limit > 0 {
		s.server.do("limit", limit)
	}
	s.chid = s.server.number("serve", s.name)
	s.good.do("good", s.name)
	s.good.do("progress", 3)
	s.good.do("pause", 1)
	s.before = s.rest(t)
	s.good.do("pause", 0)
	return s
}

// rest waits until the server has only what is needed for the good peer, who
// pauses, and counts its descriptors.
func (s *scene) rest(t testing.TB) int {
	t.Helper()
	s.of(t)
	n := -1
	eventually(t, leakLimit, func() bool {
		was := n
		n = len(descriptors(t, s.server.pid()))
		time.Sleep(250 * time.Millisecond) // longer than the host remembers a process
		return n == was
	}, "the server never rests")
	return n
}

// of lets a test have the scene.
func (s *scene) of(t testing.TB) { s.server.t, s.good.t = t, t }

// served checks that the good peer gets on.
func (s *scene) served(t testing.TB) {
	t.Helper()
	s.of(t)
	if out, errno := s.good.try("progress", 3); errno != 0 {
		s.good.do("good", s.name) // for those who come next
		require.FailNow(t, "the good peer", "%s %v", qnxerr.Name(errno), out)
	}
}

// servedIn checks that none of many rounds of the good peer takes longer.
func (s *scene) servedIn(t testing.TB, limit time.Duration) {
	t.Helper()
	s.of(t)
	took, err := strconv.Atoi(s.good.do("progress", 50)[0])
	require.NoError(t, err)
	require.Less(t, time.Duration(took)*time.Millisecond, limit)
}

// unharmed checks besides that the server keeps nothing of what was done to it.
func (s *scene) unharmed(t testing.TB) {
	t.Helper()
	s.served(t)
	s.good.do("pause", 1)
	defer s.good.do("pause", 0)
	eventually(t, leakLimit, func() bool { return len(descriptors(t, s.server.pid())) <= s.before },
		"the server had %d descriptors, now %v", s.before, kinds(t, s.server.pid()))
}

// sockets are the two ways to the server.
func (s *scene) sockets() []string { return []string{s.socket, message.NameSocket(s.name)} }

// attach attaches to the server's channel as a process with that token would.
func (s *scene) attach(t testing.TB, token uint64) (control raw, scoid int32) {
	t.Helper()
	return attach(t, s.socket, s.chid, token)
}

// lane attaches and opens a lane.
func (s *scene) lane(t testing.TB) (control, lane raw) {
	t.Helper()
	return attachLane(t, s.socket, s.chid, 0)
}

// onLane does something on a lane that works, some times, and checks that the
// server then drops it.
func (s *scene) onLane(t testing.TB, times int, do func(raw) error) {
	t.Helper()
	for range times {
		control, lane := s.lane(t)
		echo(t, lane, 1)
		require.NoError(t, do(lane))
		lane.ended(t)
		control.close()
		lane.close()
	}
}

func echo(t testing.TB, lane raw, seq uint64) {
	t.Helper()
	require.NoError(t, lane.say(&wire.Message{Seq: seq, Len: 5, Room: 5}, "hello"))
	f, payload, _, err := lane.receive(0)
	require.NoError(t, err)
	require.Equal(t, &wire.Reply{Seq: seq, Len: 5}, f)
	require.Equal(t, "hello", string(payload))
}
