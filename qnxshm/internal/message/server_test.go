//go:build linux

package message_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// impostor makes the node listen where the process pid would, or with 0 itself.
// What it does to clients behave says.
func (n *node) impostor(pid int) error {
	if pid == 0 {
		pid = os.Getpid()
	}
	return n.bad.Listen(processSocket(pid), pretend)
}

// behave tells an impostor what to do to the next client.
func behave(c *testproc.Child, act string) { c.Do("behave", act) }

// pretend does to one client what a hostile server could.
func pretend(r testproc.Raw, act string) {
	defer r.Close()
	if act == "end at once" {
		return
	}
	hello, err := r.ReceiveFrame()
	if err != nil {
		return
	}
	w := &wire.Welcome{ChannelID: 1, SCOID: 1, Flags: nto.ChannelUnblock}
	if _, lane := hello.(*wire.HelloLane); lane {
		if misbehave(r, "lane: ", act, w) {
			return
		}
		for good := r.Say(w) == nil; good; {
			good = serveBadly(r, act)
		}
		return
	}
	if misbehave(r, "welcome: ", act, w) || r.Say(w) != nil {
		return
	}
	for { // until the client detaches
		f, err := r.ReceiveFrame()
		if err != nil {
			return
		}
		if cancel, ok := f.(*wire.Cancel); ok {
			v := &wire.Verdict{ID: cancel.ID}
			if misbehave(r, "verdict: ", act, v) || r.Say(v) != nil {
				return
			}
		}
	}
}

// serveBadly takes a message from a lane and replies, and reports whether to go
// on.
func serveBadly(r testproc.Raw, act string) bool {
	f, err := r.ReceiveFrame()
	m, ok := f.(*wire.Message)
	if err != nil || !ok {
		return err == nil
	}
	if strings.HasPrefix(act, "verdict: ") { // first the client has to lose its testproc.Patience
		r.ReceiveFrame()
		return false
	}
	if misbehave(r, "reply: ", act, &wire.Reply{Seq: m.Seq}) {
		return false
	}
	return r.SayWith(&wire.Reply{Seq: m.Seq, Len: m.Room}, string(make([]byte, m.Room))) == nil
}

// misbehave sends something in place of f, or something wrong about it, if act
// begins with step, and reports whether it does.
func misbehave(r testproc.Raw, step, act string, f wire.Frame) bool {
	what, ok := strings.CutPrefix(act, step)
	if !ok {
		return false
	}
	say := func(payload string, fds ...int) {
		r.SayWith(f, payload, fds...)
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	switch what {
	case "end":
	case "silence":
		r.ReceiveFrame()
	case "garbage":
		r.Send([]byte("What is your name?"))
	case "zeros":
		r.Send(make([]byte, wire.FrameSize))
	case "other version":
		r.Send(testproc.OfVersion(otherVersion, wire.FrameSize))
	case "other version, longer":
		r.Send(testproc.OfVersion(otherVersion, wire.FrameSize+16))
	case "other version, shorter":
		r.Send(testproc.OfVersion(otherVersion, wire.FrameSize-16))
	case "other kind":
		f = &wire.Answer{}
		say("", aPipe())
	case "refused":
		f = &wire.Welcome{Errno: int32(syscall.EAGAIN)}
		say("")
	case "payload":
		say("more")
	case "descriptor":
		say("", aPipe())
	case "two":
		say("", aPipe(), aPipe())
	case "many":
		fds := make([]int, 253) // the most that the kernel passes
		for i := range fds {
			fds[i] = aPipe()
		}
		say("", fds...)
	case "blocker":
		theAmbush.sayBlocker(r, f, 1)
	case "blockers":
		theAmbush.sayBlocker(r, f, 253)
	default:
		return misreply(r, what, f.(*wire.Reply))
	}
	return true
}

// misreply sends what is wrong as a reply alone.
func misreply(r testproc.Raw, what string, f *wire.Reply) bool {
	payload, file := "", -1
	shape, pieces := strings.CutPrefix(what, "pieces: ")
	switch {
	case pieces:
		var content []byte
		for _, n := range wrongPieces[shape] {
			content = binary.NativeEndian.AppendUint64(content, uint64(n))
		}
		f.Pieces, f.Len = true, int64(len(content))
		if shape == "without end" {
			f.Len = 1 << 50
		}
		file = sealedFile(content, f.Len, message.PayloadSeals)
	case what == "other seq":
		f.Seq++
	case what == "longer than the room":
		f.Len, payload = 1000, string(make([]byte, 1000))
	case what == "other length":
		f.Len, payload = 3, "x"
	case what == "negative length":
		f.Len = -1
	case what == "file without one":
		f.Len, f.InFile = 10, true
	case what == "file is a pipe":
		f.Len, file = 10, aPipe()
	case what == "file of another size":
		f.Len, file = 10, sealedFile(nil, 11, message.PayloadSeals)
	case what == "file of two":
		f.Len, f.InFile = 5, true
		file = sealedFile([]byte("hello"), 0, message.PayloadSeals)
		r.Say(f, file, file)
		unix.Close(file)
		return true
	case what == "file that blocks":
		f.Len, f.InFile = 8, true
		theAmbush.sayBlocker(r, f, 1)
		return true
	default:
		panic(what)
	}
	if file < 0 {
		return r.SayWith(f, payload) == nil
	}
	f.InFile = true
	defer unix.Close(file)
	return r.SayWith(f, payload, file) == nil
}

// wrongPieces are numbers that mean no pieces for a buffer of 8 bytes.
var wrongPieces = map[string][]int64{
	"half a head":     {0},
	"negative offset": {-1, 8, 0},
	"negative length": {0, -8, 0},
	"too long":        {0, math.MaxInt64, 0},
	"beyond the room": {8, 8, 0},
	"beyond any room": {math.MaxInt64, 8, 0},
	"cut off":         {0, 8},
	"without end":     {},
}

func aPipe() int {
	var p [2]int
	unix.Pipe2(p[:], unix.O_CLOEXEC)
	unix.Close(p[1])
	return p[0]
}

// TestHostileServer sends messages to a server that replies anything but what it
// should. The client gets an errno and keeps nothing.
func TestHostileServer(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	check := noLeak(t)
	send := func(t *testing.T, act string) error {
		server := server.For(t)
		behave(server, act)
		coid, err := message.ConnectAttach(server.PID(), 1)
		require.NoError(t, err)
		defer message.ConnectDetach(coid)
		_, err = message.MsgSend(coid, []byte("hello"), make([]byte, 8), testproc.Patience)
		if err != nil {
			behave(server, "well")
			_, again := message.MsgSend(coid, []byte("hello"), make([]byte, 8), testproc.Patience)
			require.NoError(t, again, "the connection stays usable")
		}
		return err
	}
	acts := []string{
		"end", "garbage", "zeros", "other version", "other kind", "other seq", "payload", "descriptor", "two", "many",
		"longer than the room", "other length", "negative length", "file without one", "file is a pipe", "file of another size", "file of two",
	}
	for shape := range wrongPieces {
		acts = append(acts, "pieces: "+shape)
	}
	for _, act := range acts {
		for range 3 {
			testproc.WantErrno(t, syscall.ESRCH, send(t, "reply: "+act), act)
		}
		require.NoError(t, send(t, "well"), "after %s", act)
	}
	for act, want := range map[string]syscall.Errno{
		"end": syscall.EBADF, "garbage": syscall.EBADF, "other kind": syscall.EBADF, "payload": syscall.EBADF, "two": syscall.EBADF,
		"many": syscall.EBADF, "refused": syscall.EAGAIN,
	} {
		testproc.WantErrno(t, want, send(t, "lane: "+act), act)
	}
	check()
}

// TestHostileWelcome attaches to a server that does not welcome as it should.
func TestHostileWelcome(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	check := noLeak(t)
	for act, want := range map[string]syscall.Errno{
		"end at once":                     syscall.ESRCH,
		"welcome: end":                    syscall.ESRCH,
		"welcome: garbage":                syscall.ESRCH,
		"welcome: zeros":                  syscall.ESRCH,
		"welcome: other kind":             syscall.ESRCH,
		"welcome: payload":                syscall.ESRCH,
		"welcome: two":                    syscall.ESRCH,
		"welcome: many":                   syscall.ESRCH,
		"welcome: refused":                syscall.EAGAIN,
		"welcome: other version":          syscall.EPROTO,
		"welcome: other version, longer":  syscall.EPROTO,
		"welcome: other version, shorter": syscall.EPROTO,
	} {
		behave(server, act)
		for range 5 {
			_, err := message.ConnectAttach(server.PID(), 1)
			testproc.WantErrno(t, want, err, act)
			if want == syscall.EPROTO {
				require.ErrorContains(t, err, fmt.Sprintf("version %d ", otherVersion))
				require.ErrorContains(t, err, fmt.Sprint("version ", wire.Version))
			}
		}
	}
	check()
}

// TestHostileVerdict asks a server whether it may go that answers something else:
// then it goes.
func TestHostileVerdict(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	check := noLeak(t)
	for _, act := range []string{"end", "garbage", "other kind", "payload", "descriptor", "two", "many", "refused"} {
		behave(server, "verdict: "+act)
		coid, err := message.ConnectAttach(server.PID(), 1)
		require.NoError(t, err)
		_, err = message.MsgSend(coid, []byte("hello"), nil, 10*time.Millisecond)
		testproc.WantErrno(t, syscall.ETIMEDOUT, err, act)
		require.NoError(t, message.ConnectDetach(coid))
	}
	check()
}

// TestHostileServerRepliesWithoutEnd: a file of any size costs its sender
// nothing. Its length must not be how long the client is busy with it.
func TestHostileServerRepliesWithoutEnd(t *testing.T) {
	server, client := testproc.Start(t, "node"), testproc.Start(t, "node")
	server.Do("impostor", 0)
	behave(server, "reply: pieces: without end")
	coid := client.Do("attach", server.PID(), 1).Int()
	testproc.WantErrno(t, syscall.ESRCH, client.Err("send", coid, 10))
}

// TestServersNameIsTaken: whoever listens in the server's place is not the server.
func TestServersNameIsTaken(t *testing.T) {
	server, squatter := testproc.Start(t, "node"), testproc.Start(t, "node")
	squatter.Do("impostor", server.PID())
	check := noLeak(t)
	for range 5 {
		_, err := message.ConnectAttach(server.PID(), 1)
		testproc.WantErrno(t, syscall.ESRCH, err)
	}
	// The server listens elsewhere, and is found there.
	chid := server.Do("serve", nameOf(server)).Int()
	coid, err := message.ConnectAttach(server.PID(), chid)
	require.NoError(t, err)
	_, err = message.MsgSend(coid, []byte("hello"), nil, testproc.Patience)
	require.NoError(t, err)
	require.NoError(t, message.ConnectDetach(coid))
	check()
}

// TestRefusalIsHeard: a server that has too many connections says so and closes.
// The client must hear it although it cannot send any more then.
func TestRefusalIsHeard(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	behave(server, testproc.RefuseAtOnce)
	for range 1000 {
		_, err := message.ConnectAttach(server.PID(), 1)
		testproc.WantErrno(t, syscall.EAGAIN, err)
	}
}

// TestLaneNotWelcomedYet: whoever does not wait for the server, as the C face, gets
// on when it comes again, and does not begin anew each time.
func TestLaneNotWelcomedYet(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	check := noLeak(t)
	behave(server, "lane: silence")
	coid, err := message.ConnectAttach(server.PID(), 1)
	require.NoError(t, err)
	for range 50 {
		_, err := message.BeginSend(coid, nil, 0, time.Unix(0, 0))
		testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	}
	testproc.Eventually(t, testproc.Patience, func() bool { return server.Do("accepted").Int() >= 2 }, "no lane")
	_, err = message.BeginSend(coid, nil, 0, time.Unix(0, 0))
	testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	require.Equal(t, 2, server.Do("accepted").Int(), "connections: of the attachment and of the lane")
	require.NoError(t, message.ConnectDetach(coid))
	check()
}

// TestDetachBeforeWelcome wakes a thread that waits for the server to take its
// lane.
func TestDetachBeforeWelcome(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	check := noLeak(t)
	behave(server, "lane: silence")
	coid, err := message.ConnectAttach(server.PID(), 1)
	require.NoError(t, err)
	errs := sendAll(coid, 3, -1)
	testproc.Eventually(t, testproc.Patience, func() bool { return server.Do("accepted").Int() == 4 }, "no lanes")
	testproc.Within(t, "ConnectDetach", func() { require.NoError(t, message.ConnectDetach(coid)) })
	for _, err := range errs() {
		testproc.WantErrno(t, syscall.EBADF, err)
	}
	check()
}

// TestServerHangs attaches to a process that takes the hello and is silent.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	behave(server, "welcome: silence")
	start := time.Now()
	_, err := message.ConnectAttach(server.PID(), 1)
	testproc.WantErrno(t, syscall.EAGAIN, err)
	require.Less(t, time.Since(start), procnto.PeerTimeout+3*time.Second)
	require.Greater(t, time.Since(start), procnto.PeerTimeout-time.Second)
	require.ErrorContains(t, err, "did not answer")
}
