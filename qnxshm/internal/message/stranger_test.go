//go:build linux

package message_test

import (
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// undelayed is how long a call may take whatever a stranger does. A descriptor
// that blocks in close does so for much longer.
const undelayed = 2 * time.Second

// sayBlocker sends a frame with so many descriptors of a new blocker, which is the
// receiver's alone then, if it does not run yet.
func sayBlocker(r testproc.Raw, f wire.Frame, payload string, count int) error {
	fd, _, err := testproc.NewBlocker()
	if err != nil {
		return err
	}
	if err = r.SayWith(f, payload, slices.Repeat([]int{fd}, count)...); err != nil {
		testproc.CloseBlocker(fd)
		return err
	}
	return unix.Close(fd)
}

// whileStopped does something while the server does not run.
func (s *scene) whileStopped(t testing.TB, do func()) {
	t.Helper()
	s.server.Stop()
	do()
	s.server.Continue()
}

// blockers sends what blocks in close, in a way.
func (n *node) blockers(number int, way string, count int) error {
	c := n.clients[number]
	switch way {
	case "segment":
		return sayBlocker(c.Raw, &wire.Segment{Number: 1, Part: whole(message.SegmentSize(1))}, "", count)
	case "buffer":
		return sayBlocker(c.Raw, &wire.Buffer{Number: 1, Part: whole(64 << 10)}, "", count)
	case "a buffer's second part":
		err := sayBlocker(c.Raw, &wire.Buffer{Number: 1, Part: wire.Part{Size: 64 << 10, Length: 4096}}, "", count)
		if err == nil {
			err = sayBlocker(c.Raw, &wire.Buffer{Number: 1, Part: wire.Part{Size: 64 << 10, Offset: 4096, Length: 4096}}, "", count)
		}
		return err
	case "bell":
		return sayBlocker(c.Raw, new(wire.Bell), "", count)
	case "garbage":
		return sayBlocker(c.Raw, new(wire.Welcome), "", count)
	case "queue": // the second lies in the queue when the connection ends
		if err := sayBlocker(c.Raw, new(wire.Welcome), "", count); err != nil {
			return err
		}
		err := sayBlocker(c.Raw, new(wire.Bell), "", count)
		if err == syscall.EPIPE || err == syscall.ECONNRESET {
			err = nil
		}
		return err
	}
	return syscall.EINVAL
}

// TestBlockingDescriptors: a stranger's descriptors that block in close delay
// nobody, wherever they come.
func TestBlockingDescriptors(t *testing.T) {
	s := newScene(t, 0)
	for _, way := range []string{"segment", "buffer", "a buffer's second part", "bell", "garbage", "queue"} {
		for _, count := range []int{1, 2, 253} {
			t.Run(way+" "+strconv.Itoa(count), func(t *testing.T) {
				s.of(t)
				stranger := startStranger(t)
				client := stranger.Do("join", s.socket, s.chid).At(0)
				s.whileStopped(t, func() { stranger.Do("blockers", client, way, count) })
				s.servedIn(t, undelayed)
				// Its end, and what lies in the queue then.
				stranger.Kill()
				s.servedIn(t, undelayed)
			})
		}
	}
}

// strew sends many descriptors to a channel, as client after client, whatever becomes
// of each, and tells how many clients there were before the server refused one.
func (n *node) strew(socket string, chid int) (clients int) {
	fds := slices.Repeat([]int{aPipe()}, 253)
	const enough = 1000
	for ; clients < enough; clients++ {
		c, err := join(socket, chid)
		if err != nil { // refused
			break
		}
		if c.Say(new(wire.Bell), fds...) == nil { // until the server drops it
			unix.Recvfrom(c.FD, make([]byte, 1), 0)
		}
		c.close()
	}
	return clients
}

// TestManyDescriptors: the descriptors of a stranger's that wait to be closed are
// bounded, and only the stranger is refused.
func TestManyDescriptors(t *testing.T) {
	s := newScene(t, 4096)
	stranger := startStranger(t)
	var clients []testproc.Value
	for range 4 { // a signal may end the close of one
		clients = append(clients, stranger.Do("join", s.socket, s.chid).At(0))
	}
	s.whileStopped(t, func() {
		for _, client := range clients {
			stranger.Do("blockers", client, "bell", 1)
		}
	})
	joined := stranger.Do("strew", s.socket, s.chid).Int()
	require.Greater(t, joined, 0)
	require.Less(t, joined, 500)
	require.Less(t, len(testproc.Descriptors(t, s.server.PID())), s.before+1000)
	s.servedIn(t, undelayed)
	stranger.Kill()
	testproc.Eventually(t, 5*testproc.BlockerTakes, func() bool { return len(testproc.Descriptors(t, s.server.PID())) <= s.before+20 }, "they stay: %v", testproc.Kinds(s.server.PID()))
	again := startStranger(t)
	again.Do("join", s.socket, s.chid)
}

// An ambush lets a hostile server send just when its client is stopped.
type ambush struct{ ready, fire, done chan struct{} }

func newAmbush() ambush {
	return ambush{make(chan struct{}, 16), make(chan struct{}), make(chan struct{})}
}

var theAmbush = newAmbush()

// sayBlocker is the testproc.Raw one's, once the node is told to fire.
func (a ambush) sayBlocker(r testproc.Raw, f wire.Frame, count int) {
	a.ready <- struct{}{}
	<-a.fire
	sayBlocker(r, f, "", count)
	a.done <- struct{}{}
}

func ready() { <-theAmbush.ready }

func fire() {
	theAmbush.fire <- struct{}{}
	<-theAmbush.done
}

// visit attaches to a channel, sends a message, detaches, and tells how long each
// took.
func visit(pid, chid int) (took []time.Duration) {
	began := time.Now()
	lap := func() {
		took = append(took, time.Since(began))
		began = time.Now()
	}
	coid, err := message.ConnectAttach(pid, chid)
	lap()
	if err == nil {
		message.MsgSend(coid, []byte("hello"), make([]byte, 8), 200*time.Millisecond)
		lap()
		message.ConnectDetach(coid)
		lap()
	}
	return took
}

// TestBlockingReplies: nor do they delay a client of that stranger's.
func TestBlockingReplies(t *testing.T) {
	for _, act := range []string{
		"welcome: blocker", "welcome: blockers", "bell: blocker", "bell: blockers",
	} {
		t.Run(act, func(t *testing.T) {
			server, client := startStranger(t), testproc.Start(t, "node")
			server.Do("impostor", 0)
			behave(server, act)
			visit := client.Begin("visit", server.PID(), 1)
			server.Do("ready")
			client.Stop()
			server.Do("fire")
			client.Continue()
			v, err := visit.Wait()
			require.NoError(t, err)
			var took []time.Duration
			v.Into(&took)
			for _, step := range took {
				require.Less(t, step, undelayed, "%v", took)
			}
		})
	}
}

// TestBlockers makes sure that what these tests send does block, unless a signal of
// Go's runtime ends it.
func TestBlockers(t *testing.T) {
	testproc.TakesLong(t, "waits for a close that blocks")
	t.Parallel()
	for range 5 {
		fd, _, err := testproc.NewBlocker()
		require.NoError(t, err)
		start := time.Now()
		unix.Close(fd)
		if time.Since(start) > 2*undelayed {
			return
		}
	}
	require.Fail(t, "they do not block")
}
