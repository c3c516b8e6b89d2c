//go:build linux && cgo

package qnxhost_test

import (
	"context"
	"encoding/binary"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// What testdata/events.c sends: its struct request, and where that has the event.
const (
	typeDeliver, typeVerify, typeQuit = 0x200, 0x201, 0x202

	eventAt, valueAt, requestSize = 8, 8 + 16, 8 + qnxmsg.EventSize
)

// Events pass between processes in C and in Go, either of which is the server.
func TestCEvents(t *testing.T) {
	t.Parallel()
	for dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			program := "c-events-" + dialect
			t.Run("C and C", func(t *testing.T) {
				t.Parallel()
				name := uniqueName()
				s := start(t, program, "server", name)
				s.line(t)
				start(t, program, "client", name).succeeds(t)
				s.succeeds(t)
			})
			t.Run("Go server", func(t *testing.T) {
				t.Parallel()
				name := uniqueName()
				ch, err := qnxmsg.AttachName(name)
				require.NoError(t, err)
				defer ch.Close()
				c := start(t, program, "client", name)
				serveEvents(t, ch)
				c.succeeds(t)
			})
			t.Run("Go client", func(t *testing.T) {
				t.Parallel()
				name := uniqueName()
				s := start(t, program, "server", name)
				s.line(t)
				subscribe(t, name)
				s.succeeds(t)
			})
		})
	}
}

// serveEvents serves one client.
func serveEvents(t *testing.T, ch *qnxmsg.Channel) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	require.NoError(t, ch.Serve(ctx, &qnxmsg.Server{
		Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
			typeDeliver: deliver, typeVerify: deliver,
			typeQuit: func(_ *qnxmsg.Client, m *qnxmsg.Message) error { return m.Reply(0, nil) },
		},
		Gone: func(*qnxmsg.Client) { stop() },
	}))
}

// deliver does what a client in C asks for; the status is the errno.
func deliver(_ *qnxmsg.Client, m *qnxmsg.Message) error {
	n := binary.NativeEndian
	what, blocked, add := n.Uint16(m.Data), n.Uint16(m.Data[2:]) != 0, int32(n.Uint32(m.Data[4:]))
	var e qnxmsg.Event
	if err := e.UnmarshalBinary(m.Data[eventAt:requestSize]); err != nil {
		return err
	}
	e.SetValue(int64(n.Uint64(m.Data[valueAt:])) + int64(add))
	do := m.DeliverEvent
	if what == typeVerify {
		do = m.VerifyEvent
	} else if !blocked {
		if err := m.Reply(0, nil); err != nil {
			return err
		}
	}
	err := do(e)
	if what == typeDeliver && !blocked {
		return nil
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	return m.Reply(int(errno), nil)
}

// subscribe is a client in Go of a server in C.
func subscribe(t *testing.T, name string) {
	conn, err := qnxmsg.OpenName(name)
	require.NoError(t, err)
	defer conn.Close()
	ch, err := qnxmsg.NewChannel(0)
	require.NoError(t, err)
	defer ch.Close()
	ask := func(what, when uint16, add int32, e qnxmsg.Event) int {
		n := binary.NativeEndian
		msg := n.AppendUint32(n.AppendUint16(n.AppendUint16(nil, what), when), uint32(add))
		msg, _ = e.AppendBinary(msg)
		status, err := conn.SendTimeout(msg, nil, patience)
		require.NoError(t, err)
		return status
	}
	pulse := func(value int64) {
		t.Helper()
		m, err := ch.ReceiveTimeout(nil, 10*time.Second)
		require.NoError(t, err)
		require.Equal(t, 9, m.Pulse.Code)
		require.Equal(t, value, m.Pulse.Value)
	}
	e, err := ch.RegisterEvent(conn, qnxmsg.EventUpdateable, -1, 9, 100)
	require.NoError(t, err)
	require.Zero(t, ask(typeVerify, 1, 0, e))
	for when := range uint16(2) {
		for i := range int32(5) {
			require.Zero(t, ask(typeDeliver, when, i, e))
			pulse(100 + int64(i))
		}
	}
	require.NoError(t, e.Unregister())
	require.Equal(t, int(syscall.EACCES), ask(typeDeliver, 1, 0, e))
	require.Zero(t, ask(typeQuit, 1, 0, e))
}
