//go:build linux

package message_test

import (
	"math"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
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
		defer control.Close()
		defer lane.Close()
		echo(t, lane, 7)
	})
}

// peerSilence makes far more connections than there is room for: the oldest have
// to make room.
func peerSilence(t *testing.T, s *scene) {
	var open []testproc.Raw
	defer func() {
		for _, r := range open {
			r.Close()
		}
	}()
	for range 1000 {
		for _, name := range s.sockets() {
			open = append(open, testproc.Reach(t, name))
		}
	}
	s.served(t)
	control, lane := s.lane(t) // and even this peer
	echo(t, lane, 1)
	lane.Close()
	control.Close()
	open[0].Ended(t)
}

func peerGarbage(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		lengths := []int{1 << 10, message.MaxInline, message.MaxInline + 1, message.MaxInline + wire.FrameSize, 100 << 10}
		for n := 0; n < 200; n += 3 {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			for what, packet := range testproc.Garbage(n) {
				r := testproc.Reach(t, name)
				if n%2 == 1 { // later is no better
					require.NoError(t, r.Say(s.hello(name)))
					require.Zero(t, testproc.MustReceive[*wire.Welcome](t, r).Errno)
				}
				require.NoError(t, r.Send(packet))
				r.Ended(t, n, what)
				r.Close()
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
		for _, packet := range testproc.Garbage(n) {
			s.onLane(t, 1, func(lane testproc.Raw) error { return lane.Send(packet) })
		}
	}
	// Right, but for another place.
	for kind := range wire.LastKind + 2 {
		if kind != wire.KindMessage && kind != wire.KindPulse {
			s.onLane(t, 1, func(lane testproc.Raw) error { return lane.Send(ofKind(kind)) })
		}
	}
}

func peerHalfFrame(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for n := range wire.FrameSize {
			r := testproc.Reach(t, name)
			require.NoError(t, r.Send(testproc.Encode(s.hello(name))[:n]))
			r.Close()
		}
	}
}

// peerOtherVersion: the peer has to learn which version is spoken here, from a
// frame whose beginning no version changes.
func peerOtherVersion(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for _, n := range []int{wire.FrameSize, wire.FrameSize - 16, wire.FrameSize + 16, 4096} {
			r := testproc.Reach(t, name)
			require.NoError(t, r.Send(testproc.OfVersion(otherVersion, n)))
			require.Equal(t, int32(syscall.EPROTO), testproc.MustReceive[*wire.Welcome](t, r).Errno, "hello of %d bytes", n)
			r.Ended(t)
			r.Close()
		}
	}
	// Where both have said that they speak the same, nothing is explained.
	s.onLane(t, 1, func(lane testproc.Raw) error { return lane.Send(testproc.OfVersion(otherVersion, wire.FrameSize)) })
}

func peerWrongPlace(t *testing.T, s *scene) {
	for kind := range wire.LastKind + 2 {
		r, _ := s.attach(t, 1)
		require.NoError(t, r.Send(ofKind(kind)))
		if kind == wire.KindCancel { // of nothing
			require.False(t, testproc.MustReceive[*wire.Verdict](t, r).Stay)
		} else {
			r.Ended(t, "attached", kind)
		}
		r.Close()
	}
	for _, chid := range []int32{0, -1, math.MinInt32, math.MaxInt32, int32(s.chid) + 1} {
		r := testproc.Reach(t, s.socket)
		require.NoError(t, r.Say(&wire.HelloAttach{Token: 1, ChannelID: chid}))
		require.Equal(t, int32(syscall.ESRCH), testproc.MustReceive[*wire.Welcome](t, r).Errno)
		r.Ended(t)
		r.Close()
	}
	r := testproc.Reach(t, s.socket) // which has no name
	defer r.Close()
	require.NoError(t, r.Say(&wire.HelloName{Token: 1}))
	require.Equal(t, int32(syscall.ESRCH), testproc.MustReceive[*wire.Welcome](t, r).Errno)
}

// peerWrongLane tries to be somebody who is attached.
func peerWrongLane(t *testing.T, s *scene) {
	control, scoid := s.attach(t, 1)
	right := wire.HelloLane{Token: 1, ChannelID: int32(s.chid), SCOID: scoid}
	ebadf := int32(syscall.EBADF)
	refused := func(hello wire.HelloLane) {
		t.Helper()
		r := testproc.Reach(t, s.socket)
		defer r.Close()
		require.NoError(t, r.Say(&hello))
		require.Equal(t, ebadf, testproc.MustReceive[*wire.Welcome](t, r).Errno)
		r.Ended(t)
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
	thief := testproc.Start(t, "node")
	conn := thief.Do("dial", s.socket).Int()
	thief.Do("rawsend", conn, testproc.Encode(&right))
	var welcome wire.Welcome
	thief.Do("rawreceive", conn).Into(&welcome)
	require.Equal(t, ebadf, welcome.Errno)
	thief.Kill()
	// And once this process is not attached any more.
	control.Close()
	testproc.Eventually(t, testproc.Patience, func() bool {
		r := testproc.Reach(t, s.socket)
		defer r.Close()
		require.NoError(t, r.Say(&right))
		return testproc.MustReceive[*wire.Welcome](t, r).Errno == ebadf
	}, "a lane without an attachment")
}

func peerWrongMessages(t *testing.T, s *scene) {
	for _, f := range []wire.Message{
		{Len: -1}, {Len: math.MinInt64}, {Len: math.MaxInt64}, {Len: 1}, {Len: 6}, // it is 5
		{Len: 5, Room: -1}, {Len: 5, Room: math.MinInt64},
	} {
		f.Seq = 2
		s.onLane(t, 1, func(lane testproc.Raw) error { return lane.SayWith(&f, "hello") })
	}
	for _, seq := range []uint64{0, 1 << 31, 1 << 32, math.MaxUint64} {
		s.onLane(t, 1, func(lane testproc.Raw) error { return lane.SayWith(&wire.Message{Seq: seq, Len: 5, Room: 5}, "hello") })
	}
	for _, code := range []int32{-129, 128, math.MaxInt32, math.MinInt32} {
		s.onLane(t, 1, func(lane testproc.Raw) error { return lane.Say(&wire.Pulse{Code: code}) })
	}
	s.onLane(t, 1, func(lane testproc.Raw) error { return lane.SayWith(&wire.Pulse{}, "x") })
	// Room for a reply that no process has: the server replies what there is.
	control, lane := s.lane(t)
	defer control.Close()
	defer lane.Close()
	require.NoError(t, lane.SayWith(&wire.Message{Seq: 1, Len: 1, Room: math.MaxInt64}, "x"))
	require.Equal(t, int64(1), testproc.MustReceive[*wire.Reply](t, lane).Len)
}

// peerSecondMessage sends a message while the one before has no reply.
func peerSecondMessage(t *testing.T, s *scene) {
	const n = 5
	s.onLane(t, n, func(lane testproc.Raw) error {
		if err := lane.SayWith(&wire.Message{Seq: 2, Len: 4, Room: 4}, "hold"); err != nil {
			return err
		}
		return lane.SayWith(&wire.Message{Seq: 3, Len: 4, Room: 4}, "hold")
	})
	var errnos []string
	s.server.Do("release", n).Into(&errnos)
	require.Equal(t, slices.Repeat([]string{qnxerr.Name(syscall.ESRCH)}, n), errnos)
}

// peerNeverReads asks and asks, and never reads an answer. The server must not
// wait for it, nor keep all answers.
func peerNeverReads(t *testing.T, s *scene) {
	flood := func(r testproc.Raw, f wire.Frame, payload string) {
		t.Helper()
		for range 100_000 {
			if err := r.SayWith(f, payload); err != nil {
				require.Contains(t, []error{syscall.EPIPE, syscall.ECONNRESET}, err)
				return
			}
		}
		require.FailNow(t, "the server takes everything")
	}
	control, lane := s.lane(t)
	defer control.Close()
	defer lane.Close()
	flood(control, &wire.Cancel{ID: 1}, "")
	s.served(t)
	// On a lane each message would wait for the server's reply to the one
	// before: who does not is dropped.
	control, lane = s.lane(t)
	defer control.Close()
	defer lane.Close()
	flood(lane, &wire.Message{Seq: 1, Len: 1, Room: 1}, "x")
	s.served(t)
}

// peerLeaves closes its connections after each step of what is usual.
func peerLeaves(t *testing.T, s *scene) {
	for read := range 2 {
		for steps := range 6 {
			control, scoid := s.attach(t, 1)
			lane := testproc.Reach(t, s.socket)
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
				require.NoError(t, lane.Say(f))
				if _, pulse := f.(*wire.Pulse); read == 1 && !pulse {
					testproc.MustReceive[wire.Frame](t, lane)
				}
			}
			if steps%2 == 0 {
				lane.Close()
				control.Close()
			} else {
				control.Close()
				lane.Close()
			}
		}
	}
}
