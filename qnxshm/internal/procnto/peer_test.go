//go:build linux

package procnto_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A scene is a live server and a peer that it serves all the time, while the
// test does its worst to the server.
type scene struct {
	server, good *testproc.Child
	name         string // another one that the server listens under
	socket       string // of the server
	before       int    // descriptors of the server
	old          bool   // the server's kernel cannot refuse descriptors
}

// newScene limits the descriptors of the server.
func newScene(t testing.TB, limit int, old bool) *scene {
	t.Helper()
	s := &scene{server: testproc.Start(t, "node"), good: testproc.Start(t, "node"), old: old}
	s.name = fmt.Sprintf("%sprocnto-test/%d", procnto.Space(), s.server.PID())
	s.server.Do("limit", limit)
	if old {
		requireOldKernel(t, s.server)
	}
	s.server.Do("serve", s.name)
	s.socket = plainSocket(s.server.PID())
	s.good.Do("good", s.server.PID(), s.name)
	s.good.Do("progress", 6)
	s.good.Do("pause")
	s.before = s.rest(t)
	s.good.Do("resume")
	return s
}

// requireOldKernel takes a process the newest options of sockets.
func requireOldKernel(t testing.TB, c *testproc.Child) {
	t.Helper()
	if err := c.Err("oldkernel"); err != nil {
		t.Skip("no seccomp filter: ", err)
	}
}

// rest waits until the server has only what is needed for the good peer, who
// pauses, and counts its descriptors.
func (s *scene) rest(t testing.TB) int {
	t.Helper()
	s.server, s.good = s.server.For(t), s.good.For(t)
	n := -1
	testproc.Eventually(t, testproc.LeakLimit, func() bool {
		was := n
		n = len(testproc.Descriptors(t, s.server.PID()))
		time.Sleep(250 * time.Millisecond) // longer than the host lingers
		return n == was
	}, "the server never rests")
	return n
}

// served checks that the good peer gets on.
func (s *scene) served(t testing.TB) {
	t.Helper()
	s.server, s.good = s.server.For(t), s.good.For(t)
	if err := s.good.Err("progress", 6); err != nil {
		s.good.Do("good", s.server.PID(), s.name) // for those who come next
		require.NoError(t, err, "the good peer")
	}
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

// delete deletes a handle of this process.
func (s *scene) delete(t testing.TB, h uint64) {
	t.Helper()
	w := greet(t, s.socket)
	defer w.Close()
	require.NoError(t, w.Say(&wire.Delete{Handle: h}))
	require.Zero(t, answered(t, w))
}

// sockets are the two ways to the server.
func (s *scene) sockets() []string { return []string{s.socket, s.name} }

// TestHostilePeer does to one server everything that a peer could.
func TestHostilePeer(t *testing.T) { hostilePeer(t, false) }

// TestHostilePeerOldKernel is the same where the kernel cannot refuse descriptors
// and does not tell whether a peer lives.
func TestHostilePeerOldKernel(t *testing.T) {
	testproc.TakesLong(t, "as long as TestHostilePeer")
	hostilePeer(t, true)
}

func hostilePeer(t *testing.T, old bool) {
	s := newScene(t, 1500, old)
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *scene)
	}{
		{"silence", peerSilence},
		{"garbage", peerGarbage},
		{"half a frame", peerHalfFrame},
		{"other version", peerOtherVersion},
		{"no hello", peerNoHello},
		{"no place for the frame", peerWrongPlace},
		{"handle of another", peerForeignHandle},
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
}

func peerSilence(t *testing.T, s *scene) {
	var open []testproc.Raw
	defer func() {
		for _, w := range open {
			w.Close()
		}
	}()
	// Far more than there is room for: the oldest have to make some.
	for range 1000 {
		for _, name := range s.sockets() {
			open = append(open, testproc.Reach(t, name))
		}
	}
	s.served(t)
	greet(t, s.socket).Close() // and even this peer
	open[0].WantWelcome(t, syscall.EAGAIN)
	open[0].Ended(t)
}

func peerGarbage(t *testing.T, s *scene) {
	lengths := []int{1 << 10, 10 << 10, 64 << 10, 64<<10 + 1, 100 << 10}
	for n := range 201 {
		lengths = append(lengths, n)
	}
	for _, name := range s.sockets() {
		for _, n := range lengths {
			for what, packet := range testproc.Garbage(n) {
				w := testproc.Reach(t, name)
				if n%2 == 1 {
					w.Close()
					w = greet(t, name) // later is no better
				}
				require.NoError(t, w.Send(packet))
				w.Ended(t, n, what)
				w.Close()
			}
		}
	}
}

func peerHalfFrame(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for n := range wire.FrameSize {
			w := testproc.Reach(t, name)
			require.NoError(t, w.Send(testproc.Encode(new(wire.HelloHandles))[:n]))
			w.Close()
		}
	}
}

// peerOtherVersion: the peer has to learn which version is spoken here, from a
// frame whose beginning no version changes.
func peerOtherVersion(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for _, version := range []uint16{wire.Version - 1, wire.Version + 1} {
			for _, n := range []int{wire.FrameSize, wire.FrameSize - 16, wire.FrameSize + 16, 4096} {
				w := testproc.Reach(t, name)
				require.NoError(t, w.Send(testproc.OfVersion(version, n)))
				w.WantWelcome(t, syscall.EPROTO)
				w.Ended(t)
				w.Close()
			}
		}
	}
}

func peerNoHello(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for kind := range wire.LastKind + 2 {
			switch kind {
			case wire.KindHelloHandles, wire.KindHelloAttach, wire.KindHelloName, wire.KindHelloLink:
				continue
			}
			w := testproc.Reach(t, name)
			require.NoError(t, w.Send(testproc.OfKind(kind, 0)))
			_, err := w.ReceiveFrame()
			require.Error(t, err, "kind %d", kind)
			w.Close()
		}
	}
}

func peerWrongPlace(t *testing.T, s *scene) {
	for kind := range wire.LastKind + 2 {
		w := greet(t, s.socket)
		require.NoError(t, w.Send(testproc.OfKind(kind, 0)))
		switch kind {
		case wire.KindOpen, wire.KindMap, wire.KindDelete, wire.KindClaim: // of nothing
			require.Equal(t, syscall.ESRCH, answered(t, w), "kind %d", kind)
		default:
			w.Ended(t, "handles", kind)
		}
		w.Close()
		w = greetLink(t, s.socket)
		require.NoError(t, w.Send(testproc.OfKind(kind, 0)))
		switch kind {
		case wire.KindRegister, wire.KindRevoked, wire.KindWithdraw: // of nothing, and without an answer
		default:
			w.Ended(t, "link", kind)
		}
		w.Close()
		w = testproc.Reach(t, s.socket)
		require.NoError(t, w.Say(new(wire.HelloAttach)))
		w.WantWelcome(t, 0)
		require.NoError(t, w.Send(testproc.OfKind(kind, 0)))
		if kind != wire.KindBell {
			w.Ended(t, "another role", kind)
		} else {
			s.delete(t, testproc.MustReceive[*wire.Answer](t, w).ID)
		}
		w.Close()
	}
}

func peerForeignHandle(t *testing.T, s *scene) {
	other := testproc.Start(t, "node")
	defer other.Kill()
	fd := s.server.Do("object", 1).Int()
	h := s.server.Do("handle", fd, other.PID(), os.O_RDONLY).Uint64()
	w := greet(t, s.socket)
	defer w.Close()
	ask := func(f wire.Frame) syscall.Errno {
		t.Helper()
		require.NoError(t, w.Say(f))
		return answered(t, w)
	}
	for _, id := range []uint64{h, 0, 1, h + 1, math.MaxUint64, h &^ (1<<42 - 1)} {
		require.Equal(t, syscall.ESRCH, ask(&wire.Open{Handle: id}))
		require.Equal(t, syscall.ESRCH, ask(&wire.Map{Handle: id}))
		require.Equal(t, syscall.ESRCH, ask(&wire.Claim{Handle: id}))
		require.Equal(t, syscall.ESRCH, ask(&wire.Delete{Handle: id}))
	}
	mine := s.server.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
	for _, access := range []int32{-1, 3, 4, math.MaxInt32, math.MinInt32, int32(os.O_TRUNC)} {
		require.Equal(t, syscall.EINVAL, ask(&wire.Open{Handle: mine, Access: access}))
	}
	for _, access := range []int32{int32(os.O_WRONLY), int32(os.O_RDWR)} {
		require.Equal(t, syscall.EACCES, ask(&wire.Open{Handle: mine, Access: access}))
	}
	require.Zero(t, ask(&wire.Delete{Handle: mine}))
	require.Equal(t, syscall.ESRCH, ask(&wire.Delete{Handle: mine}))
	// The right one can still use it.
	got := other.Do("open", h, os.O_RDONLY).Int()
	other.Do("close", got)
	s.server.Do("close", fd)
}

// peerDescriptor attaches descriptors to frames that take none. The kernel refuses
// to send them, or else the server has nothing more to do with such a peer.
func peerDescriptor(t *testing.T, s *scene) {
	pipe := make([]int, 2)
	require.NoError(t, unix.Pipe2(pipe, unix.O_CLOEXEC))
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	passRights := false // unless this process's own kernel refuses, too
	if w := testproc.Reach(t, ownSocket(t)); true {
		passRights = w.Say(new(wire.HelloHandles), pipe[0]) == nil
		w.Close()
	}
	send := func(w testproc.Raw, packet []byte, fds []int) {
		t.Helper()
		if err := w.Send(packet, fds...); s.old || passRights {
			require.NoError(t, err)
			w.Ended(t)
		} else {
			require.Equal(t, syscall.EPERM, err)
		}
		w.Close()
	}
	for _, n := range []int{1, 2, 3, 10, 253} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			fds := slices.Repeat(pipe[:1], n)
			for range 10 {
				for _, name := range s.sockets() {
					for _, packet := range [][]byte{testproc.Encode(new(wire.HelloHandles)), {}, {1}, testproc.OfVersion(1, wire.FrameSize), make([]byte, 1000)} {
						send(testproc.Reach(t, name), packet, fds)
					}
					send(greet(t, name), testproc.Encode(&wire.Open{Handle: 1}), fds)
				}
			}
			s.unharmed(t)
		})
	}
}

// peerNeverReads asks and asks, and never reads an answer. The server must not
// wait for it, nor keep all answers.
func peerNeverReads(t *testing.T, s *scene) {
	w := greet(t, s.socket)
	defer w.Close()
	packet := testproc.Encode(&wire.Open{Handle: 1})
	for range 100_000 {
		if err := w.Send(packet); err != nil {
			require.Contains(t, []error{syscall.EPIPE, syscall.ECONNRESET}, err)
			s.served(t)
			return
		}
	}
	require.FailNow(t, "the server takes everything")
}

// peerLeaves closes its connections after each step of what is usual.
func peerLeaves(t *testing.T, s *scene) {
	fd := s.server.Do("object", 1).Int()
	defer s.server.Do("close", fd)
	for _, read := range []bool{false, true} {
		for steps := range 6 {
			h := s.server.Do("handle", fd, os.Getpid(), os.O_RDONLY).Uint64()
			w := testproc.Reach(t, s.socket)
			for _, f := range []wire.Frame{
				new(wire.HelloHandles), &wire.Open{Handle: h}, &wire.Map{Handle: h}, &wire.Claim{Handle: h}, &wire.Delete{Handle: h},
			}[:min(steps, 5)] {
				require.NoError(t, w.Say(f))
				if read {
					testproc.MustReceive[wire.Frame](t, w)
				}
			}
			w.Close()
			s.server.Try("delete", h)
		}
	}
}

// TestNoTakerOfHellos: without channels there is nobody to attach to.
func TestNoTakerOfHellos(t *testing.T) {
	for _, hello := range []wire.Frame{new(wire.HelloAttach), new(wire.HelloName)} {
		w := testproc.Reach(t, ownSocket(t))
		require.NoError(t, w.Say(hello))
		w.WantWelcome(t, syscall.ESRCH)
		w.Ended(t)
		w.Close()
	}
}
