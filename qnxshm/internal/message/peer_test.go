//go:build linux

package message_test

import (
	"math"
	"slices"
	"sync/atomic"
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
		{"half a frame", peerHalfFrame},
		{"other version", peerOtherVersion},
		{"no place for the frame", peerWrongPlace},
		{"wrong memory", peerWrongMemory},
		{"wrong files", peerWrongFiles},
		{"wrong messages", peerWrongMessages},
		{"second message", peerSecondMessage},
		{"a descriptor too many", peerDescriptor},
		{"never reads", peerNeverReads},
		{"rings", peerRings},
		{"buffers", peerBuffers},
		{"replaces a buffer", peerReplaces},
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
		c := s.join(t)
		defer c.close()
		c.echo(t)
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
	c := s.join(t) // and even this peer
	defer c.close()
	c.echo(t)
	open[0].Ended(t)
}

func peerGarbage(t *testing.T, s *scene) {
	lengths := []int{1 << 10, wire.FrameSize - 1, wire.FrameSize, wire.FrameSize + 1, 100 << 10}
	for n := 0; n < 200; n += 3 {
		lengths = append(lengths, n)
	}
	for _, name := range s.sockets() {
		for _, n := range lengths {
			for what, packet := range testproc.Garbage(n) {
				r := testproc.Reach(t, name)
				if n%2 == 1 { // later is no better
					require.NoError(t, r.Say(s.hello(name)))
					r.WantWelcome(t, 0)
				}
				require.NoError(t, r.Send(packet))
				r.Ended(t, n, what)
				r.Close()
			}
		}
	}
	for _, n := range []int{0, 1, 8, 63, 64, 65, 200, 4096, 100 << 10} {
		for _, packet := range testproc.Garbage(n) {
			s.onClient(t, 1, func(c *rawClient) error { return c.Send(packet) })
		}
	}
}

// hello attaches to the channel through either socket.
func (s *scene) hello(socket string) wire.Frame {
	if socket == s.socket {
		return &wire.HelloAttach{ChannelID: int32(s.chid)}
	}
	return new(wire.HelloName)
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
			r.WantWelcome(t, syscall.EPROTO)
			r.Ended(t)
			r.Close()
		}
	}
	// Where both have said that they speak the same, nothing is explained.
	s.onClient(t, 1, func(c *rawClient) error { return c.Send(testproc.OfVersion(otherVersion, wire.FrameSize)) })
}

func peerWrongPlace(t *testing.T, s *scene) {
	for kind := range wire.LastKind + 2 {
		if kind == wire.KindBell { // too early does no harm
			continue
		}
		r := testproc.Reach(t, s.socket)
		require.NoError(t, r.Say(s.hello(s.socket)))
		r.WantWelcome(t, 0)
		require.NoError(t, r.Send(ofKind(kind)))
		r.Ended(t, "attached", kind)
		r.Close()
		s.onClient(t, 1, func(c *rawClient) error { return c.Send(ofKind(kind)) })
	}
	s.onClient(t, 1, func(c *rawClient) error { return c.SayWith(new(wire.Bell), "x") })
	for _, chid := range []int32{0, -1, math.MinInt32, math.MaxInt32, int32(s.chid) + 1} {
		r := testproc.Reach(t, s.socket)
		require.NoError(t, r.Say(&wire.HelloAttach{ChannelID: chid}))
		r.WantWelcome(t, syscall.ESRCH)
		r.Ended(t)
		r.Close()
	}
	r := testproc.Reach(t, s.socket) // which has no name
	defer r.Close()
	require.NoError(t, r.Say(new(wire.HelloName)))
	r.WantWelcome(t, syscall.ESRCH)
}

// peerWrongMessages enters what is no message.
func peerWrongMessages(t *testing.T, s *scene) {
	for _, change := range []func(message.SlotWords){
		func(w message.SlotWords) { w.Length.Store(uint64(message.MaxRequest) + 1) },
		func(w message.SlotWords) { w.Length.Store(math.MaxInt64) },
		func(w message.SlotWords) { w.Length.Store(math.MaxUint64) },
		func(w message.SlotWords) { w.Room.Store(uint64(message.MaxReply) + 1) },
		func(w message.SlotWords) { w.Room.Store(math.MaxInt64) },
		func(w message.SlotWords) { w.Room.Store(math.MaxUint64) },
	} {
		s.onClient(t, 1, func(c *rawClient) error {
			w := c.memory.Slot(5)
			w.Length.Store(1)
			change(w)
			return c.enter(5)
		})
	}
	for _, slot := range []uint64{message.FirstSegment, message.MaxSlots - 1, message.MaxSlots, math.MaxInt64, math.MaxUint64} {
		s.onClient(t, 1, func(c *rawClient) error { return c.ring(c.memory.EnterAny(10, 1, slot)) })
	}
	for _, head := range []uint32{message.RingEntries + 1, math.MaxUint32, 1 << 31} {
		s.onClient(t, 1, func(c *rawClient) error {
			c.memory.Head().Add(head)
			return c.Say(new(wire.Bell))
		})
	}
	// What is not there is skipped, and so is what was received before.
	c := s.join(t)
	defer c.close()
	for range 100 {
		require.NoError(t, c.ring(c.memory.EnterAny(10, 77, 5)))
		require.NoError(t, c.ring(c.memory.Enter(3, c.generation)))
	}
	c.echo(t)
	// A buffer that never came is like one for which there was no room.
	for _, number := range []uint32{1, math.MaxUint32} {
		c.memory.Slot(3).Buffer.Store(number)
		require.NoError(t, c.enter(3))
		errno, _ := c.replied(t, 3)
		require.Equal(t, syscall.ENOMEM, errno)
	}
	// A message beyond its buffer.
	for _, length := range []int64{4096 + 1, 1 << 20, math.MaxInt64, -1} {
		s.onClient(t, 1, func(c *rawClient) error {
			if err := c.buffer(5, 1, 4096); err != nil {
				return err
			}
			w := c.memory.Slot(5)
			w.Buffer.Store(1)
			w.Length.Store(uint64(length))
			return c.enter(5)
		})
	}
}

// peerSecondMessage sends a message while the one before has no reply: that has lost
// its sender.
func peerSecondMessage(t *testing.T, s *scene) {
	const n = 5
	for held := 0; held < 2*n; {
		c := s.join(t)
		defer c.close()
		for generation := range uint32(2) {
			require.NoError(t, c.send(0, "hold", 4))
			require.True(t, await(testproc.Patience, c.memory.Slot(0).State, message.Word(generation+1, message.StateReceived)))
			// Else it is copied still, and what is sent next is in its place.
			held++
			testproc.Eventually(t, testproc.Patience, func() bool { return s.server.Do("holds").Int() == held }, "%d are not held", held)
		}
	}
	var errnos []string
	s.server.Do("release", 2*n).Into(&errnos)
	late := slices.DeleteFunc(errnos, func(e string) bool { return e != qnxerr.Name(syscall.ESRCH) })
	require.Len(t, late, n, "both have the sender's number: the first reply is the newer message's")
}

// peerNeverReads has itself woken on its socket, and never reads that.
func peerNeverReads(t *testing.T, s *scene) {
	const waitBell = 2
	c := s.join(t)
	defer c.close()
	for i := range 2000 {
		slot := i % message.FirstSegment
		c.memory.Slot(slot).Wake.Store(waitBell)
		require.NoError(t, c.send(slot, "x", 1))
		c.replied(t, slot)
	}
	s.served(t)
}

// peerRings rings as often as it can, for nothing.
func peerRings(t *testing.T, s *scene) {
	c := s.join(t)
	defer c.close()
	for range 50_000 {
		require.NoError(t, c.Say(new(wire.Bell)))
	}
	s.served(t)
	c.echo(t)
}

// peerBuffers sends buffer after buffer: a slot has one.
func peerBuffers(t *testing.T, s *scene) {
	c := s.join(t)
	defer c.close()
	for i := range uint32(5000) {
		require.NoError(t, c.buffer(i%message.FirstSegment, i+1, 64<<10))
	}
	c.echo(t)
	require.Less(t, mappings(t, s.server.PID(), ""), 2*message.FirstSegment+200)
	s.served(t)
}

// peerReplaces sends another buffer for the slot of a message while that is received.
func peerReplaces(t *testing.T, s *scene) {
	const size = 1 << 20
	c := s.join(t)
	defer c.close()
	require.NoError(t, c.buffer(0, 1, size))
	var stop atomic.Bool
	var wg group
	wg.Go(func() {
		for i := 0; !stop.Load(); i++ {
			w := c.memory.Slot(i % 4)
			w.Length.Store(size / 2)
			w.Room.Store(size / 2)
			w.Buffer.Store(1)
			c.generation++
			w.State.Store(message.Word(c.generation, message.StateSent))
			c.memory.Enter(i%4, c.generation)
		}
	})
	for i := range uint32(4000) {
		require.NoError(t, c.buffer(i%4, 1, size))
	}
	stop.Store(true)
	wg.Wait()
	s.served(t)
}

// peerLeaves closes its connection after each step of what is usual.
func peerLeaves(t *testing.T, s *scene) {
	for wait := range 2 {
		for steps := range 6 {
			c, err := attach(s.socket, s.hello(s.socket))
			require.NoError(t, err)
			for i, step := range []func() error{
				func() error { return c.share(0) },
				func() error { return c.ring(c.memory.EnterPulse(1, 1, 1)) },
				func() error { return c.send(0, "hello", 10) },
				func() error { return c.buffer(1, 1, 64<<10) },
				func() error { return c.send(1, "hold", 10) },
			} {
				if i == steps {
					break
				}
				require.NoError(t, step())
				if wait == 1 && i == 2 {
					c.replied(t, 0)
				}
			}
			c.close()
		}
	}
}
