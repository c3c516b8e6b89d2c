//go:build linux

package message_test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// sendTo sends a message with room for 8 bytes to a server. What is behind the room
// stays as it was.
func sendTo(t testing.TB, server *testproc.Child, timeout time.Duration) error {
	t.Helper()
	coid, err := message.ConnectAttach(server.PID(), 1)
	require.NoError(t, err)
	defer message.ConnectDetach(coid)
	buf := slices.Repeat([]byte{0xee}, 8192)
	_, err = message.MsgSend(coid, []byte("hello"), buf[:8:8], timeout)
	require.Equal(t, slices.Repeat([]byte{0xee}, len(buf)-8), buf[8:], "written behind the buffer")
	return err
}

// TestHostileServer sends messages to a server that replies anything but what it
// should. The client gets an errno and keeps nothing.
func TestHostileServer(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	check := noLeak(t)
	const ok, late = 0, syscall.ETIMEDOUT
	for act, want := range map[string]syscall.Errno{
		"longer than the room": ok, "longer than anything": ok, "length of a sign": ok, "other buffer": ok,
		"any errno":                 syscall.Errno(1<<32 - 1),
		"any status":                syscall.Errno(1), // a negative one is an errno
		"too many pieces":           syscall.ESRCH,
		"pieces of negative offset": syscall.ESRCH, "pieces of negative length": syscall.ESRCH, "pieces that are too long": syscall.ESRCH,
		"pieces beyond the room": syscall.ESRCH, "pieces beyond any room": syscall.ESRCH, "pieces with a sum": syscall.ESRCH,
		"pieces, the second is wrong": syscall.ESRCH,
		"state of another generation": late, "state that is none": late, "state of all bits": late, "state idle": late,
		"state abandoned": late, "never stops writing": late, "wakes without an end": late,
		"end": syscall.ESRCH,
		// A client that has no thread in poll does not listen.
		"bell: garbage": ok, "bell: zeros": ok, "bell: other version": ok, "bell: descriptor": ok, "bell: many": ok,
	} {
		t.Run(act, func(t *testing.T) {
			server := server.For(t)
			for range 3 {
				behave(server, act)
				timeout := testproc.Patience
				if want == late {
					timeout = 20 * time.Millisecond
				}
				err := sendTo(t, server, timeout)
				if act == "too many pieces" && err == nil {
					continue // those are there, and empty
				}
				testproc.WantErrno(t, want, err)
			}
			behave(server, "well")
			require.NoError(t, sendTo(t, server, testproc.Patience))
		})
	}
	check()
}

// TestHostileServerStays: a server that decides how long its client waits may do so
// until it ends, though not if it says of the message what cannot be.
func TestHostileServerStays(t *testing.T) {
	acts := map[string]syscall.Errno{
		"state of another generation": syscall.ETIMEDOUT, "state that is none": syscall.ETIMEDOUT,
		"state idle": syscall.ETIMEDOUT, "state abandoned": syscall.ETIMEDOUT,
		"never stops writing": syscall.ESRCH, "takes the wake-up": syscall.ESRCH,
	}
	servers := make(map[string]*testproc.Child)
	for act := range acts {
		servers[act] = testproc.Start(t, "node")
		servers[act].Do("impostor", 0)
	}
	check := noLeak(t)
	for act, want := range acts {
		server := servers[act]
		behave(server, act+", unblock")
		coid, err := message.ConnectAttach(server.PID(), 1)
		require.NoError(t, err)
		const threads = 3
		errs := sendAll(coid, threads, 200*time.Millisecond)
		if want == syscall.ESRCH { // they stay
			testproc.Eventually(t, testproc.Patience, func() bool { return server.Do("asked").Int() == threads }, "%s: they do not ask to be let go", act)
			testproc.Within(t, "ConnectDetach", func() { require.NoError(t, message.ConnectDetach(coid)) })
			server.Kill()
		}
		for _, err := range errs() {
			testproc.WantErrno(t, want, err, act)
		}
		if want != syscall.ESRCH {
			testproc.Within(t, "ConnectDetach", func() { require.NoError(t, message.ConnectDetach(coid)) })
		}
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
				require.ErrorContains(t, err, fmt.Sprint("version ", otherVersion, " "))
				require.ErrorContains(t, err, fmt.Sprint("version ", wire.Version))
			}
		}
	}
	check()
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

// TestDetachBeforeReceived wakes threads whose messages no server takes.
func TestDetachBeforeReceived(t *testing.T) {
	server := testproc.Start(t, "node")
	server.Do("impostor", 0)
	check := noLeak(t)
	behave(server, "silence")
	coid, err := message.ConnectAttach(server.PID(), 1)
	require.NoError(t, err)
	_, err = message.MsgSend(coid, nil, nil, time.Millisecond)
	testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	// More than there are slots at first, and more than the ring has room for.
	errs := sendAll(coid, 3*message.FirstSegment, -1)
	for message.MsgSendPulse(coid, -1, 1, 1) == nil {
	}
	testproc.WantErrno(t, syscall.EAGAIN, message.MsgSendPulse(coid, -1, 1, 1))
	full := sendAll(coid, 3, -1)
	_, err = message.MsgSend(coid, nil, nil, time.Millisecond)
	testproc.WantErrno(t, syscall.ETIMEDOUT, err)
	testproc.Within(t, "ConnectDetach", func() { require.NoError(t, message.ConnectDetach(coid)) })
	for _, err := range append(errs(), full()...) {
		testproc.WantErrno(t, syscall.EBADF, err)
	}
	check()
}

// TestServerHangs attaches to a process that takes the hello and is silent.
func TestServerHangs(t *testing.T) {
	testproc.TakesLong(t, "waits for who never answers")
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
