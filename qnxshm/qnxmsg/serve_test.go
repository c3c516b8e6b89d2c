//go:build linux

package qnxmsg_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A served is a channel on which Serve runs.
type served struct {
	ch    *qnxmsg.Channel
	stop  context.CancelFunc
	ended chan error
}

func startServing(t *testing.T, s *qnxmsg.Server) *served {
	t.Helper()
	ch, err := qnxmsg.NewChannel(qnxmsg.ChannelDisconnect)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	sv := &served{ch, stop, make(chan error, 1)}
	go func() { sv.ended <- ch.Serve(ctx, s) }()
	t.Cleanup(func() {
		stop()
		ch.Close()
	})
	return sv
}

func (sv *served) connect(t *testing.T) *qnxmsg.Connection {
	t.Helper()
	conn, err := qnxmsg.Connect(os.Getpid(), sv.ch.ID())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func typed(what uint16, rest string) []byte {
	return append(binary.NativeEndian.AppendUint16(nil, what), rest...)
}

// What handlers return is the answer, if they have not given one.
func TestServeAnswers(t *testing.T) {
	t.Parallel()
	later := make(chan *qnxmsg.Message, 1)
	sv := startServing(t, &qnxmsg.Server{BufferSize: 8, Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
		0x200: func(_ *qnxmsg.Client, m *qnxmsg.Message) error { return m.Reply(len(m.Data), m.Data) },
		0x201: func(*qnxmsg.Client, *qnxmsg.Message) error { return fmt.Errorf("around: %w", syscall.EDOM) },
		0x202: func(*qnxmsg.Client, *qnxmsg.Message) error { return errors.New("no errno") },
		0x203: func(_ *qnxmsg.Client, m *qnxmsg.Message) error { later <- m; return nil },
		0x204: func(_ *qnxmsg.Client, m *qnxmsg.Message) error {
			m.Reply(7, nil)
			return syscall.EPERM // too late
		},
	}})
	conn := sv.connect(t)
	reply := make([]byte, 10)
	n, err := conn.Send(typed(0x200, "hello, world"), reply)
	require.NoError(t, err)
	require.Equal(t, 8, n)
	require.Equal(t, "hello,", string(reply[2:8]))
	for _, c := range []struct {
		msg    []byte
		status int
		err    error
	}{
		{typed(0x201, ""), 0, syscall.EDOM},
		{typed(0x202, ""), 0, syscall.EIO},
		{typed(0x204, ""), 7, nil},
		{typed(0x205, ""), 0, syscall.ENOSYS},
		{typed(0x100, ""), 0, nil}, // _IO_CONNECT
		{typed(0x101, ""), 0, syscall.ENOSYS},
		{[]byte{1}, 0, syscall.EBADMSG},
		{nil, 0, syscall.EBADMSG},
	} {
		n, err := conn.Send(c.msg, nil)
		require.ErrorIs(t, err, c.err, "%x", c.msg)
		require.Equal(t, c.status, n)
	}
	done := make(chan int, 1)
	go func() {
		n, err := conn.Send(typed(0x203, ""), nil)
		if err == nil {
			done <- n
		}
		close(done)
	}()
	m := <-later
	_, err = conn.Send(typed(0x200, ""), nil) // it serves on meanwhile
	require.NoError(t, err)
	require.NoError(t, m.Reply(9, nil))
	require.Equal(t, 9, <-done)
}

// A client keeps its state, until it is gone.
func TestServeKnowsClients(t *testing.T) {
	t.Parallel()
	gone := make(chan any, 10)
	pulses := make(chan qnxmsg.Pulse, 10)
	count := func(cl *qnxmsg.Client, m *qnxmsg.Message) error {
		n, _ := cl.State.(int)
		cl.State = n + 1
		return m.Reply(n, nil)
	}
	sv := startServing(t, &qnxmsg.Server{
		Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{0x200: count},
		Pulse:    func(_ *qnxmsg.Client, p qnxmsg.Pulse) { pulses <- p },
		Gone:     func(cl *qnxmsg.Client) { gone <- cl.State },
	})
	conn := sv.connect(t)
	for i := range 3 {
		n, err := conn.Send(typed(0x200, ""), nil)
		require.NoError(t, err)
		require.Equal(t, i, n)
	}
	require.NoError(t, conn.SendPulse(-1, 127, 5))
	require.EqualValues(t, 5, (<-pulses).Value)
	scoid, err := conn.ServerInfo()
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Equal(t, 3, <-gone)
	again := sv.connect(t)
	n, err := again.Send(typed(0x200, ""), nil)
	require.NoError(t, err)
	require.Zero(t, n, "a client that comes again is a new one")
	require.ErrorIs(t, sv.ch.DetachClient(scoid.SCOID), syscall.EINVAL, "Serve has detached it")
	sv.stop()
	require.NoError(t, <-sv.ended)
	require.Equal(t, 1, <-gone, "and those that are left are gone with Serve")
	require.Empty(t, gone)
}

// The end of the context lets what has come before be answered.
func TestServeStops(t *testing.T) {
	t.Parallel()
	began, proceed := make(chan bool), make(chan bool)
	sv := startServing(t, &qnxmsg.Server{Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
		0x200: func(_ *qnxmsg.Client, m *qnxmsg.Message) error {
			began <- true
			<-proceed
			return m.Reply(1, nil)
		},
		0x201: func(_ *qnxmsg.Client, m *qnxmsg.Message) error { return m.Reply(2, nil) },
	}})
	conn := sv.connect(t)
	var all sync.WaitGroup
	send := func(what uint16, want int) {
		all.Add(1)
		go func() {
			defer all.Done()
			n, err := conn.Send(typed(what, ""), nil)
			if err != nil || n != want {
				t.Errorf("%#x: %d, %v", what, n, err)
			}
		}()
	}
	send(0x200, 1)
	<-began
	sv.stop()
	close(proceed)
	require.NoError(t, <-sv.ended)
	all.Wait()

	// It can be served again.
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		sv.ended <- sv.ch.Serve(ctx, &qnxmsg.Server{Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
			0x201: func(_ *qnxmsg.Client, m *qnxmsg.Message) error { return m.Reply(2, nil) },
		}})
	}()
	send(0x201, 2)
	all.Wait()
	stop()
	require.NoError(t, <-sv.ended)
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, sv.ch.Serve(stopped, new(qnxmsg.Server)))
}

func TestServeEndsWithChannel(t *testing.T) {
	t.Parallel()
	sv := startServing(t, new(qnxmsg.Server))
	time.AfterFunc(time.Millisecond, func() { sv.ch.Close() })
	require.ErrorIs(t, <-sv.ended, os.ErrClosed)
	require.ErrorIs(t, sv.ch.Serve(context.Background(), new(qnxmsg.Server)), os.ErrClosed)
}

// TestServersErrorIsToldAsSuch: an ENOSYS of the server does not look as if MsgSend were missing.
func TestServersErrorIsToldAsSuch(t *testing.T) {
	t.Parallel()
	sv := startServing(t, &qnxmsg.Server{})
	conn := sv.connect(t)
	_, err := conn.Send(typed(0x200, ""), nil)
	require.ErrorIs(t, err, syscall.ENOSYS)
	require.ErrorContains(t, err, "ENOSYS: "+syscall.ENOSYS.Error()+" (the server answered so)")
}
