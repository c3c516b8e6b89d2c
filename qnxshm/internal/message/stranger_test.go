//go:build linux

package message_test

import (
	"math"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// undelayed is how long a call may take whatever a stranger does. A descriptor
// that blocks in close does so for much longer.
const (
	undelayed   = 2 * time.Second
	closeBlocks = 10 // s
)

// newBlocker returns a descriptor whose last close blocks: a socket with data that
// its peer, which stays, does not take.
func newBlocker() (fd int, err error) {
	const small = 4096
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(listener)
	unix.SetsockoptInt(listener, unix.SOL_SOCKET, unix.SO_RCVBUF, small)
	if err = unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return -1, err
	}
	if err = unix.Listen(listener, 1); err != nil {
		return -1, err
	}
	at, err := unix.Getsockname(listener)
	if err != nil {
		return -1, err
	}
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, small)
	if err = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: closeBlocks}); err != nil {
		return -1, err
	}
	if err = unix.Connect(fd, at); err != nil {
		return -1, err
	}
	if _, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC); err != nil {
		return -1, err
	}
	for full := 0; full < 10; full++ { // some goes on to the peer for a while
		for n := 1; n > 0; {
			if n, err = unix.SendmsgN(fd, make([]byte, small), nil, nil, unix.MSG_DONTWAIT); err == nil {
				full = 0
			}
		}
		time.Sleep(time.Millisecond)
	}
	return fd, nil
}

// sayBlocker sends a frame with so many descriptors of a new blocker, which is the
// receiver's alone then, if it does not run yet.
func (r raw) sayBlocker(f wire.Frame, payload string, count int) error {
	fd, err := newBlocker()
	if err != nil {
		return err
	}
	fds := make([]int, count)
	for i := range fds {
		fds[i] = fd
	}
	if err = r.say(f, payload, fds...); err != nil {
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
	}
	unix.Close(fd)
	return err
}

// whileStopped does something while the server does not run.
func (s *scene) whileStopped(t testing.TB, do func()) {
	t.Helper()
	s.server.stop()
	do()
	require.NoError(t, s.server.cmd.Process.Signal(syscall.SIGCONT))
}

// lane attaches to a channel and opens a lane, and returns both connections.
func (n *node) lane(a arguments) ([]any, error) { // socket chid
	open := func(hello wire.Frame) (raw, *wire.Welcome, error) {
		r, err := rawDial(a[0])
		if err == nil {
			err = r.say(hello, "")
		}
		if err != nil {
			return r, nil, err
		}
		n.conns[r.fd] = r
		f, _, _, err := r.receive(0)
		w, _ := f.(*wire.Welcome)
		if w == nil || w.Errno != 0 {
			return r, nil, syscall.EPROTO
		}
		return r, w, err
	}
	control, w, err := open(&wire.HelloAttach{Token: 1, ChannelID: int32(a.int(1))})
	if err != nil {
		return nil, err
	}
	lane, _, err := open(&wire.HelloLane{Token: 1, ChannelID: w.ChannelID, SCOID: w.SCOID})
	return []any{control.fd, lane.fd}, err
}

// blockers sends what blocks in close on a lane, in a way.
func (n *node) blockers(a arguments) ([]any, error) { // conn way count
	r, count := n.conns[a.int(0)], a.int(2)
	switch a[1] {
	case "file":
		return nil, r.sayBlocker(&wire.Message{Seq: 1, Len: 4096, InFile: true}, "", count)
	case "message":
		return nil, r.sayBlocker(&wire.Message{Seq: 1, Len: 1}, "x", count)
	case "cancelled":
		return nil, r.sayBlocker(&wire.Message{Seq: math.MaxUint64, Len: 4096, InFile: true}, "", count)
	case "pulse":
		return nil, r.sayBlocker(&wire.Pulse{Code: 1}, "", count)
	case "garbage":
		return nil, r.sayBlocker(&wire.Verdict{}, "", count)
	case "queue": // the second lies in the queue when the lane ends
		if err := r.sayBlocker(&wire.Verdict{}, "", count); err != nil {
			return nil, err
		}
		err := r.sayBlocker(&wire.Pulse{}, "", count)
		if err == syscall.EPIPE || err == syscall.ECONNRESET {
			err = nil
		}
		return nil, err
	}
	return nil, syscall.EINVAL
}

// TestBlockingDescriptors: a stranger's descriptors that block in close delay
// nobody, wherever they come.
func TestBlockingDescriptors(t *testing.T) {
	s := newScene(t, 0)
	for _, way := range []string{"file", "message", "cancelled", "pulse", "garbage", "queue"} {
		for _, count := range []int{1, 2, 253} {
			t.Run(way+" "+strconv.Itoa(count), func(t *testing.T) {
				s.of(t)
				stranger := startStranger(t)
				conns := stranger.do("lane", s.socket, s.chid)
				s.whileStopped(t, func() { stranger.do("blockers", conns[1], way, count) })
				s.servedIn(t, undelayed)
				// Its end, and what lies in the queue then.
				stranger.kill()
				s.servedIn(t, undelayed)
			})
		}
	}
}

// strew sends many descriptors to a channel, on lane after lane, and tells on how
// many the server took some before it refused one.
func (n *node) strew(a arguments) ([]any, error) { // socket chid
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	fds := slices.Repeat(p[:1], 253)
	const enough = 40
	for i := range enough {
		conns, err := n.lane(a)
		if err == syscall.EPROTO {
			return []any{i}, nil
		}
		if err != nil {
			return nil, err
		}
		lane := n.conns[conns[1].(int)]
		err = lane.say(&wire.Pulse{}, "", fds...)
		for err == nil { // until the server drops the lane
			_, _, _, err = lane.receive(0)
		}
		n.conns[conns[0].(int)].close()
		lane.close()
	}
	return []any{enough}, nil
}

// TestManyDescriptors: the descriptors of a stranger's that wait to be closed are
// bounded, and only the stranger is refused.
func TestManyDescriptors(t *testing.T) {
	s := newScene(t, 4096)
	stranger := startStranger(t)
	var lanes []string
	for range 4 { // a signal may end the close of one
		lanes = append(lanes, stranger.do("lane", s.socket, s.chid)[1])
	}
	s.whileStopped(t, func() {
		for _, lane := range lanes {
			stranger.do("blockers", lane, "pulse", 1)
		}
	})
	took := stranger.number("strew", s.socket, s.chid)
	require.Greater(t, took, 0)
	require.Less(t, took, 10)
	require.Less(t, len(descriptors(t, s.server.pid())), s.before+1000)
	s.servedIn(t, undelayed)
	stranger.kill()
	eventually(t, 5*closeBlocks*time.Second, func() bool { return len(descriptors(t, s.server.pid())) <= s.before+20 }, "they stay: %v", kinds(t, s.server.pid()))
	again := startStranger(t)
	again.do("lane", s.socket, s.chid)
}

// An ambush lets a hostile server send just when its client is stopped.
type ambush struct{ ready, fire, done chan struct{} }

func newAmbush() ambush {
	return ambush{make(chan struct{}, 16), make(chan struct{}), make(chan struct{})}
}

var theAmbush = newAmbush()

// sayBlocker is the raw one's, once the node is told to fire.
func (a ambush) sayBlocker(r raw, f wire.Frame, count int) {
	a.ready <- struct{}{}
	<-a.fire
	r.sayBlocker(f, "", count)
	a.done <- struct{}{}
}

func (n *node) ready(arguments) ([]any, error) {
	<-theAmbush.ready
	return nil, nil
}

func (n *node) fire(arguments) ([]any, error) {
	theAmbush.fire <- struct{}{}
	<-theAmbush.done
	return nil, nil
}

// visit attaches to a channel, sends a message, detaches, and tells how many
// milliseconds each took.
func (n *node) visit(a arguments) ([]any, error) { // pid chid
	began := time.Now()
	lap := func() int64 {
		defer func() { began = time.Now() }()
		return time.Since(began).Milliseconds()
	}
	coid, err := message.ConnectAttach(a.int(0), a.int(1))
	took := []any{lap()}
	if err == nil {
		message.MsgSend(coid, []byte("hello"), make([]byte, 8), 200*time.Millisecond)
		took = append(took, lap())
		message.ConnectDetach(coid)
		took = append(took, lap())
	}
	return took, nil
}

// TestBlockingReplies: nor do they delay a client of that stranger's.
func TestBlockingReplies(t *testing.T) {
	for _, act := range []string{
		"welcome: blocker", "welcome: blockers", "lane: blocker", "lane: blockers", "verdict: blocker", "verdict: blockers",
		"reply: blocker", "reply: blockers", "reply: file that blocks",
	} {
		t.Run(act, func(t *testing.T) {
			server, client := startStranger(t), startChild(t)
			server.do("impostor", 0)
			behave(server, act)
			client.tell("visit", server.pid(), 1)
			server.do("ready")
			client.stop()
			server.do("fire")
			require.NoError(t, client.cmd.Process.Signal(syscall.SIGCONT))
			took, _ := client.answer(patience)
			for _, ms := range took {
				n, err := strconv.Atoi(ms)
				require.NoError(t, err)
				require.Less(t, time.Duration(n)*time.Millisecond, undelayed, "%v", took)
			}
		})
	}
}

// TestBlockers makes sure that what these tests send does block, unless a signal of
// Go's runtime ends it.
func TestBlockers(t *testing.T) {
	t.Parallel()
	for range 5 {
		fd, err := newBlocker()
		require.NoError(t, err)
		start := time.Now()
		unix.Close(fd)
		if time.Since(start) > 2*undelayed {
			return
		}
	}
	require.Fail(t, "they do not block")
}
