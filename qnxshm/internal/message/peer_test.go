//go:build linux

package message_test

import (
	"math"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// TestHostilePeer does to one server everything that a client could.
func TestHostilePeer(t *testing.T) {
	s := newScene(t, 1500)
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *scene)
	}{
		{"silence", peerSilence},
		{"garbage", peerGarbage},
		{"garbage on a lane", peerGarbageOnLane},
		{"half a frame", peerHalfFrame},
		{"other version", peerOtherVersion},
		{"no place for the frame", peerWrongPlace},
		{"hello for a lane", peerWrongLane},
		{"wrong messages", peerWrongMessages},
		{"wrong files", peerWrongFiles},
		{"second message", peerSecondMessage},
		{"a descriptor too many", peerDescriptor},
		{"never reads", peerNeverReads},
		{"leaves in between", peerLeaves},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.run(t, s)
			s.unharmed(t)
		})
		if t.Failed() {
			s.before = s.rest(t) // the next one has its own chance
		}
	}
	t.Run("server still works", func(t *testing.T) {
		control, lane := s.lane(t)
		defer control.close()
		defer lane.close()
		echo(t, lane, 7)
	})
}

// peerSilence makes far more connections than there is room for: the oldest have
// to make room.
func peerSilence(t *testing.T, s *scene) {
	var open []raw
	defer func() {
		for _, r := range open {
			r.close()
		}
	}()
	for range 1000 {
		for _, name := range s.sockets() {
			open = append(open, reach(t, name))
		}
	}
	s.served(t)
	control, lane := s.lane(t) // and even this peer
	echo(t, lane, 1)
	lane.close()
	control.close()
	open[0].ended(t)
}

func peerGarbage(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		lengths := []int{1 << 10, message.MaxInline, message.MaxInline + 1, message.MaxInline + wire.FrameSize, 100 << 10}
		for n := 0; n < 200; n += 3 {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			for what, packet := range garbage(n) {
				r := reach(t, name)
				if n%2 == 1 { // later is no better
					require.NoError(t, r.say(s.hello(name), ""))
					require.Zero(t, mustReceive[*wire.Welcome](t, r).Errno)
				}
				require.NoError(t, r.send(packet))
				r.ended(t, n, what)
				r.close()
			}
		}
	}
}

// hello attaches to the channel through either socket.
func (s *scene) hello(socket string) wire.Frame {
	if socket == s.socket {
		return &wire.HelloAttach{Token: 1, ChannelID: int32(s.chid)}
	}
	return &wire.HelloName{Token: 1}
}

func peerGarbageOnLane(t *testing.T, s *scene) {
	for _, n := range []int{0, 1, 7, 8, 63, 64, 65, 200, message.MaxInline, message.MaxInline + 64, 100 << 10, 180 << 10} {
		for _, packet := range garbage(n) {
			s.onLane(t, 1, func(lane raw) error { return lane.send(packet) })
		}
	}
	// Right, but for another place.
	for kind := range wire.LastKind + 2 {
		if kind != wire.KindMessage && kind != wire.KindPulse {
			s.onLane(t, 1, func(lane raw) error { return lane.send(ofKind(kind)) })
		}
	}
}

func peerHalfFrame(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for n := range wire.FrameSize {
			r := reach(t, name)
			require.NoError(t, r.send(encoded(s.hello(name))[:n]))
			r.close()
		}
	}
}

// peerOtherVersion: the peer has to learn which version is spoken here, from a
// frame whose beginning no version changes.
func peerOtherVersion(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for _, n := range []int{wire.FrameSize, wire.FrameSize - 16, wire.FrameSize + 16, 4096} {
			r := reach(t, name)
			require.NoError(t, r.send(ofVersion(otherVersion, n)))
			require.Equal(t, int32(syscall.EPROTO), mustReceive[*wire.Welcome](t, r).Errno, "hello of %d bytes", n)
			r.ended(t)
			r.close()
		}
	}
	// Where both have said that they speak the same, nothing is explained.
	s.onLane(t, 1, func(lane raw) error { return lane.send(ofVersion(otherVersion, wire.FrameSize)) })
}

func peerWrongPlace(t *testing.T, s *scene) {
	for kind := range wire.LastKind + 2 {
		r, _ := s.attach(t, 1)
		require.NoError(t, r.send(ofKind(kind)))
		if kind == wire.KindCancel { // of nothing
			require.False(t, mustReceive[*wire.Verdict](t, r).Stay)
		} else {
			r.ended(t, "attached", kind)
		}
		r.close()
	}
	for _, chid := range []int32{0, -1, math.MinInt32, math.MaxInt32, int32(s.chid) + 1} {
		r := reach(t, s.socket)
		require.NoError(t, r.say(&wire.HelloAttach{Token: 1, ChannelID: chid}, ""))
		require.Equal(t, int32(syscall.ESRCH), mustReceive[*wire.Welcome](t, r).Errno)
		r.ended(t)
		r.close()
	}
	r := reach(t, s.socket) // which has no name
	defer r.close()
	require.NoError(t, r.say(&wire.HelloName{Token: 1}, ""))
	require.Equal(t, int32(syscall.ESRCH), mustReceive[*wire.Welcome](t, r).Errno)
}

// peerWrongLane tries to be somebody who is attached.
func peerWrongLane(t *testing.T, s *scene) {
	control, scoid := s.attach(t, 1)
	right := wire.HelloLane{Token: 1, ChannelID: int32(s.chid), SCOID: scoid}
	ebadf := int32(syscall.EBADF)
	refused := func(hello wire.HelloLane) {
		t.Helper()
		r := reach(t, s.socket)
		defer r.close()
		require.NoError(t, r.say(&hello, ""))
		require.Equal(t, ebadf, mustReceive[*wire.Welcome](t, r).Errno)
		r.ended(t)
	}
	for _, change := range []func(*wire.HelloLane){
		func(f *wire.HelloLane) { f.Token = 2 },
		func(f *wire.HelloLane) { f.Token = 0 },
		func(f *wire.HelloLane) { f.SCOID++ },
		func(f *wire.HelloLane) { f.SCOID = 0 },
		func(f *wire.HelloLane) { f.SCOID = math.MinInt32 },
		func(f *wire.HelloLane) { f.ChannelID++ },
		func(f *wire.HelloLane) { f.ChannelID = -1 },
	} {
		hello := right
		change(&hello)
		refused(hello)
	}
	// All is right, but it comes from another process.
	thief := startChild(t)
	conn := thief.number("dial", s.socket)
	thief.do("rawsend", conn, quote(encoded(&right)))
	require.Equal(t, strconv.Itoa(int(ebadf)), thief.do("rawreceive", conn)[1])
	thief.kill()
	// And once this process is not attached any more.
	control.close()
	eventually(t, patience, func() bool {
		r := reach(t, s.socket)
		defer r.close()
		require.NoError(t, r.say(&right, ""))
		return mustReceive[*wire.Welcome](t, r).Errno == ebadf
	}, "a lane without an attachment")
}

func peerWrongMessages(t *testing.T, s *scene) {
	for _, f := range []wire.Message{
		{Len: -1}, {Len: math.MinInt64}, {Len: math.MaxInt64}, {Len: 1}, {Len: 6}, // it is 5
		{Len: 5, Room: -1}, {Len: 5, Room: math.MinInt64},
	} {
		f.Seq = 2
		s.onLane(t, 1, func(lane raw) error { return lane.say(&f, "hello") })
	}
	for _, seq := range []uint64{0, 1 << 31, 1 << 32, math.MaxUint64} {
		s.onLane(t, 1, func(lane raw) error { return lane.say(&wire.Message{Seq: seq, Len: 5, Room: 5}, "hello") })
	}
	for _, code := range []int32{-129, 128, math.MaxInt32, math.MinInt32} {
		s.onLane(t, 1, func(lane raw) error { return lane.say(&wire.Pulse{Code: code}, "") })
	}
	s.onLane(t, 1, func(lane raw) error { return lane.say(&wire.Pulse{}, "x") })
	// Room for a reply that no process has: the server replies what there is.
	control, lane := s.lane(t)
	defer control.close()
	defer lane.close()
	require.NoError(t, lane.say(&wire.Message{Seq: 1, Len: 1, Room: math.MaxInt64}, "x"))
	require.Equal(t, int64(1), mustReceive[*wire.Reply](t, lane).Len)
}

// peerSecondMessage sends a message while the one before has no reply.
func peerSecondMessage(t *testing.T, s *scene) {
	const n = 5
	s.onLane(t, n, func(lane raw) error {
		if err := lane.say(&wire.Message{Seq: 2, Len: 4, Room: 4}, "hold"); err != nil {
			return err
		}
		return lane.say(&wire.Message{Seq: 3, Len: 4, Room: 4}, "hold")
	})
	require.Equal(t, slices.Repeat([]string{qnxerr.Name(syscall.ESRCH)}, n), s.server.do("release", n))
}

// peerNeverReads asks and asks, and never reads an answer. The server must not
// wait for it, nor keep all answers.
func peerNeverReads(t *testing.T, s *scene) {
	flood := func(r raw, f wire.Frame, payload string) {
		t.Helper()
		for range 100_000 {
			if err := r.say(f, payload); err != nil {
				require.Contains(t, []error{syscall.EPIPE, syscall.ECONNRESET}, err)
				return
			}
		}
		require.FailNow(t, "the server takes everything")
	}
	control, lane := s.lane(t)
	defer control.close()
	defer lane.close()
	flood(control, &wire.Cancel{ID: 1}, "")
	s.served(t)
	// On a lane each message would wait for the server's reply to the one
	// before: who does not is dropped.
	control, lane = s.lane(t)
	defer control.close()
	defer lane.close()
	flood(lane, &wire.Message{Seq: 1, Len: 1, Room: 1}, "x")
	s.served(t)
}

// peerLeaves closes its connections after each step of what is usual.
func peerLeaves(t *testing.T, s *scene) {
	for read := range 2 {
		for steps := range 6 {
			control, scoid := s.attach(t, 1)
			lane := reach(t, s.socket)
			for i, f := range []wire.Frame{
				&wire.HelloLane{Token: 1, ChannelID: int32(s.chid), SCOID: scoid},
				&wire.Pulse{},
				&wire.Message{Seq: 1, Room: 10},
				&wire.Pulse{},
				&wire.Message{Seq: 2, Room: 10},
			} {
				if i == steps {
					break
				}
				require.NoError(t, lane.say(f, ""))
				if _, pulse := f.(*wire.Pulse); read == 1 && !pulse {
					mustReceive[wire.Frame](t, lane)
				}
			}
			if steps%2 == 0 {
				lane.close()
				control.close()
			} else {
				control.close()
				lane.close()
			}
		}
	}
}
