//go:build linux

package qnxmsg_test

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// Each would get what is meant for the other: the end of its context, and of clients.
func TestServeOnceAtATime(t *testing.T) {
	t.Parallel()
	ch := newChannel(t, qnxmsg.ChannelDisconnect)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	inside, ended := make(chan bool), make(chan error)
	conn := connect(t, os.Getpid(), ch.ID())
	go func() {
		ended <- ch.Serve(ctx, &qnxmsg.Server{Pulse: func(*qnxmsg.Client, qnxmsg.Pulse) { inside <- true }})
	}()
	require.NoError(t, conn.SendPulse(-1, 1, 0))
	<-inside
	require.ErrorIs(t, ch.Serve(ctx, new(qnxmsg.Server)), syscall.EBUSY)
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, ch.Serve(ctx, nil))
}

func TestServeOfNothing(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, new(qnxmsg.Channel).Serve(context.Background(), nil), os.ErrClosed)
	ch := newChannel(t, 0)
	conn := connect(t, os.Getpid(), ch.ID())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- ch.Serve(ctx, nil) }()
	_, err := conn.SendTimeout(typed(0x200, ""), nil, testproc.Patience)
	require.ErrorIs(t, err, syscall.ENOSYS)
	stop()
	require.NoError(t, <-ended)
}

// The channel stays open when there is no room for the pulse that ends Serve.
func TestServeEndsBehindManyPulses(t *testing.T) {
	t.Parallel()
	busy, proceed := make(chan bool), make(chan bool)
	var pulses atomic.Int32
	sv := startServing(t, &qnxmsg.Server{
		Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{0x200: func(_ *qnxmsg.Client, m *qnxmsg.Message) error {
			busy <- true
			<-proceed
			return m.Reply(0, nil)
		}},
		Pulse: func(*qnxmsg.Client, qnxmsg.Pulse) { pulses.Add(1) },
	})
	conn := sv.connect(t)
	sent := make(chan error)
	go func() {
		_, err := conn.Send(typed(0x200, ""), nil)
		sent <- err
	}()
	<-busy
	var err error
	n := int32(0)
	for ; err == nil; n++ {
		err = conn.SendPulse(-1, 1, 0)
	}
	require.ErrorIs(t, err, syscall.EAGAIN)
	sv.stop()
	close(proceed)
	require.NoError(t, <-sent)
	require.NoError(t, <-sv.ended)
	require.Equal(t, n-1, pulses.Load())
	_, err = sv.ch.ReceiveTimeout(nil, 0)
	require.ErrorIs(t, err, syscall.ETIMEDOUT)
}

// That a client is gone comes before the pulses it has sent: they are none of a client
// that stays known.
func TestServePulsesOfGoneClient(t *testing.T) {
	t.Parallel()
	const many = 5
	busy, proceed, last, scoids := make(chan bool), make(chan bool), make(chan int, 1), make(chan int, 1)
	clients, pulses := make(map[*qnxmsg.Client]bool), 0
	sv := startServing(t, &qnxmsg.Server{
		Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{0x200: func(_ *qnxmsg.Client, m *qnxmsg.Message) error {
			busy <- true
			<-proceed
			return m.Reply(0, nil)
		}},
		Pulse: func(cl *qnxmsg.Client, p qnxmsg.Pulse) {
			clients[cl] = true
			pulses++
			switch p.Code {
			case 7:
				scoids <- p.SCOID
			case 6:
				last <- len(clients)
			}
		},
		Gone: func(cl *qnxmsg.Client) { delete(clients, cl) },
	})
	conn := sv.connect(t)
	p := testproc.Start(t, "peer")
	i := p.Do("connect", os.Getpid(), sv.ch.ID())
	p.Do("pulse", i, 7)
	scoid := <-scoids
	sent := make(chan error)
	go func() {
		_, err := conn.Send(typed(0x200, ""), nil)
		sent <- err
	}()
	<-busy
	for range many {
		p.Do("pulse", i, 5)
	}
	p.Kill()
	testproc.Eventually(t, testproc.Patience, func() bool {
		_, err := sv.ch.ClientInfo(scoid)
		return err != nil
	}, "the end of the client")
	close(proceed)
	require.NoError(t, <-sent)
	known := 0
	testproc.Eventually(t, testproc.Patience, func() bool {
		require.NoError(t, conn.SendPulse(1, 6, 0))
		known = <-last
		return pulses > many && known == 1 // and they do not change before the next one
	}, "%v pulses, %v clients; one is this process", testproc.Lazy(func() any { return pulses }), testproc.Lazy(func() any { return known }))
	sv.stop()
	require.NoError(t, <-sv.ended)
}
