//go:build linux && !qnx

package qnxmsg_test

import (
	"encoding/binary"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// sendTo sends a message that the peer then receives on a channel, and does not answer.
func sendTo(p *testproc.Child, channel testproc.Value, conn *qnxmsg.Connection) (sent chan error) {
	sent = make(chan error)
	go func() {
		_, err := conn.SendTimeout([]byte("x"), nil, testproc.Patience)
		sent <- err
	}()
	p.Do("receive", channel)
	return sent
}

// A server that makes events up gets no pulse to a channel of its client's, by whose
// connection ever. The target's connections take them, as Message.DeliverEvent tells.
func TestServerMakesEventUp(t *testing.T) {
	t.Parallel()
	p := testproc.Start(t, "peer")
	made := p.Do("channel", 0)
	conn := connect(t, p.PID(), made.At(1).Int())
	ch := newChannel(t, qnxmsg.ChannelDisconnect)
	self := connect(t, os.Getpid(), ch.ID())
	_, err := ch.RegisterEvent(conn, 0, -1, 1, 1)
	require.NoError(t, err)
	sent := sendTo(p, made.At(0), conn)
	event := func(notify, which uint32, code int16) []byte {
		b := make([]byte, qnxmsg.EventSize)
		binary.NativeEndian.PutUint32(b, notify)
		binary.NativeEndian.PutUint32(b[8:], which)
		binary.NativeEndian.PutUint16(b[24:], uint16(code))
		binary.NativeEndian.PutUint16(b[26:], 255)
		return b
	}
	for _, c := range []struct {
		name string
		e    []byte
		want syscall.Errno
	}{
		{"pulse", event(nto.EventPulse, uint32(self.ID()), 1), syscall.EACCES},
		{"pulse of the system", event(nto.EventPulse, uint32(self.ID()), nto.PulseDisconnect), syscall.EACCES},
		{"handle", event(nto.EventPulse|nto.EventHandle, 1<<31, 1), syscall.EACCES},
		{"signal", event(nto.EventSignal, uint32(syscall.SIGKILL), 0), syscall.EINVAL},
		{"nothing known", event(1, 2, 3), syscall.EINVAL},
	} {
		require.ErrorIs(t, p.Err("deliver", 0, c.e), c.want, c.name)
	}
	_, err = ch.ReceiveTimeout(nil, 10*time.Millisecond)
	require.ErrorIs(t, err, syscall.ETIMEDOUT)
	p.Do("reply", 0, "")
	require.NoError(t, <-sent)
}

// A server that has no descriptor left delivers the event when it has one again.
func TestDeliverWithoutDescriptor(t *testing.T) {
	t.Parallel()
	p := testproc.Start(t, "peer")
	made := p.Do("channel", 0)
	conn := connect(t, p.PID(), made.At(1).Int())
	ch := newChannel(t, 0)
	e, err := ch.RegisterEvent(conn, 0, -1, 1, 1)
	require.NoError(t, err)
	sigevent, err := e.MarshalBinary()
	require.NoError(t, err)
	sent := sendTo(p, made.At(0), conn)
	p.Do("limit", 0)
	err = p.Err("deliver", 0, sigevent)
	require.ErrorIs(t, err, syscall.EAGAIN)
	require.ErrorContains(t, err, "RLIMIT_NOFILE")
	p.Do("limit", 1024)
	p.Do("deliver", 0, sigevent)
	m, err := ch.ReceiveTimeout(nil, testproc.Patience)
	require.NoError(t, err)
	require.Equal(t, 1, m.Pulse.Code)
	p.Do("reply", 0, "")
	require.NoError(t, <-sent)
}
