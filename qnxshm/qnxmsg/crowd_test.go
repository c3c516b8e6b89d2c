//go:build linux

package qnxmsg_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// TestManySendsFewDescriptors: how many threads send at the same time does not depend
// on descriptors, neither the client's nor the server's.
func TestManySendsFewDescriptors(t *testing.T) {
	const threads = 300
	p, client := testproc.Start(t, "peer"), testproc.Start(t, "peer")
	p.Do("limit", 64)
	client.Do("limit", 64)
	made := p.Do("channel", 0)
	client.Do("connect", p.PID(), made.At(1))
	bursting(t, p, made.At(0), client, 0, threads)
}

// TestBursts: a burst on many connections leaves room for the next one.
func TestBursts(t *testing.T) {
	const connections, threads = 17, 64
	p, client := testproc.Start(t, "peer"), testproc.Start(t, "peer")
	p.Do("limit", 1024)
	client.Do("limit", 1024)
	made := p.Do("channel", 0)
	for i := range connections {
		client.Do("connect", p.PID(), made.At(1))
		bursting(t, p, made.At(0), client, i, threads)
	}
}

// bursting has so many threads of a client wait for their answers at the same time.
func bursting(t *testing.T, p *testproc.Child, channel any, client *testproc.Child, connection, threads int) {
	t.Helper()
	sends := client.Begin("burst", connection, threads)
	answers := p.Begin("gather", channel, threads)
	_, err := sends.Wait()
	require.NoError(t, err, "connection %d", connection)
	_, err = answers.Wait()
	require.NoError(t, err)
}

// TestCloseKeepsNumber: what goes on on a connection that is being closed does not
// reach the server of the next one, which gets its number.
func TestCloseKeepsNumber(t *testing.T) {
	p, chid := server(t)
	own := newChannel(t, 0)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if c, err := qnxmsg.Connect(0, own.ID()); err == nil {
				c.Close()
			}
		}
	}()
	for range 300 {
		c, err := qnxmsg.Connect(p.PID(), chid)
		require.NoError(t, err)
		started, told := make(chan struct{}), make(chan error, 1)
		pid := 0
		go func() {
			close(started)
			var err error
			for err == nil && (pid == 0 || pid == p.PID()) {
				pid, err = c.ServerPID()
				if err == nil && pid == p.PID() {
					err = c.SendPulse(-1, 5, 0)
				}
				if errors.Is(err, syscall.EAGAIN) {
					err = nil
				}
			}
			told <- err
		}()
		<-started
		require.NoError(t, c.Close())
		require.ErrorIs(t, <-told, os.ErrClosed, "server %d, asked was %d", pid, p.PID())
	}
	close(stop)
	<-done
	for {
		m, err := own.ReceiveTimeout(nil, 0)
		if err != nil {
			break
		}
		require.NotEqual(t, 5, m.Pulse.Code, "a pulse for another server")
	}
}
