//go:build linux

package qnxmsg_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

func TestMain(m *testing.M) {
	testproc.Programs{sumEnv: askForSum}.Play()
	testproc.Main(m, testproc.Roles{"peer": peer, "signalled": signalled})
}

// A received is what Receive has got, to be told to another process.
type received struct {
	ID    int64
	Text  string
	Pulse qnxmsg.Pulse
}

// peer is a second process with channels and connections.
func peer() testproc.Procedures {
	var mu sync.Mutex
	var channels []*qnxmsg.Channel
	var connections []*qnxmsg.Connection
	var messages []qnxmsg.Message
	thread := make(chan func())
	go func() {
		runtime.LockOSThread() // to a target, and its file here, ids are of threads
		for do := range thread {
			do()
		}
	}()
	conn := func(i int) *qnxmsg.Connection {
		mu.Lock()
		defer mu.Unlock()
		return connections[i]
	}
	return testproc.Procedures{
		"limit": testproc.LimitDescriptors,
		"channel": func(flags uint32) (i, chid int, err error) {
			ch, err := qnxmsg.NewChannel(qnxmsg.ChannelFlags(flags))
			if err != nil {
				return 0, 0, err
			}
			mu.Lock()
			defer mu.Unlock()
			channels = append(channels, ch)
			return len(channels) - 1, ch.ID(), nil
		},
		"serve": func(i int) { go serve(channels[i]) },
		// gather answers so many messages when it has them all.
		"gather": func(i, n int) error {
			all := make([]qnxmsg.Message, n)
			for k := range all {
				var err error
				if all[k], err = channels[i].ReceiveTimeout(make([]byte, 100), testproc.Patience); err != nil {
					return fmt.Errorf("message %d: %w", k, err)
				}
			}
			for _, m := range all {
				m.Reply(len(m.Data), m.Data)
			}
			return nil
		},
		"receive": func(i int) (received, error) {
			m, err := channels[i].Receive(make([]byte, 100))
			mu.Lock()
			defer mu.Unlock()
			messages = append(messages, m)
			return received{m.ID(), string(m.Data), m.Pulse}, err
		},
		"reply": func(i int, text string) error {
			mu.Lock()
			defer mu.Unlock()
			return messages[i].Reply(0, []byte(text))
		},
		"connect": func(pid, chid int) (int, error) {
			c, err := qnxmsg.Connect(pid, chid)
			mu.Lock()
			defer mu.Unlock()
			connections = append(connections, c)
			return len(connections) - 1, err
		},
		"close": func(i int) error { return conn(i).Close() },
		"send": func(i int, text string, timeout time.Duration) (string, error) {
			reply := make([]byte, 100)
			n, err := conn(i).SendTimeout([]byte(text), reply, timeout)
			return string(reply[:max(n, 0)]), err
		},
		"sendByOne": func(i int, text string, timeout time.Duration) (reply string, err error) {
			done := make(chan struct{})
			thread <- func() {
				defer close(done)
				buf := make([]byte, 100)
				var n int
				n, err = conn(i).SendTimeout([]byte(text), buf, timeout)
				reply = string(buf[:max(n, 0)])
			}
			<-done
			return reply, err
		},
		// impatient waits for a large reply, and tells when it gave up.
		"impatient": func(i, room int, timeout time.Duration) (time.Time, error) {
			_, err := conn(i).SendTimeout(nil, make([]byte, room), timeout)
			if !errors.Is(err, syscall.ETIMEDOUT) {
				return time.Time{}, fmt.Errorf("want a timeout: %w", err)
			}
			return time.Now(), nil
		},
		// deliver delivers what looks like an event for the message i.
		"deliver": func(i int, sigevent []byte) error {
			var e qnxmsg.Event
			if err := e.UnmarshalBinary(sigevent); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			return messages[i].DeliverEvent(e)
		},
		// pester answers every message, and delivers the event in it, for as long as it can.
		"pester": func(i int) { go pester(channels[i]) },
		"pulse":  func(i, code int) error { return conn(i).SendPulse(-1, code, 0) },
		"burst":  func(i, n int) error { return burst(conn(i), n) },
	}
}

// serve answers every message with its own bytes, and their number.
func serve(ch *qnxmsg.Channel) {
	buf := make([]byte, 1<<10)
	for {
		m, err := ch.Receive(buf)
		switch {
		case err != nil:
			return
		case m.IsPulse() && m.Pulse.Code == qnxmsg.PulseDisconnect:
			ch.DetachClient(m.Pulse.SCOID)
		case !m.IsPulse():
			m.Reply(len(m.Data), m.Data)
		}
	}
}

// burst sends from n goroutines at once.
func burst(c *qnxmsg.Connection, n int) error {
	errs := make(chan error, n)
	for i := range n {
		go func() {
			msg, reply := fmt.Sprint("message ", i), make([]byte, 100)
			k, err := c.SendTimeout([]byte(msg), reply, testproc.Patience)
			if err == nil && string(reply[:k]) != msg {
				err = fmt.Errorf("%q was answered by %q", msg, reply[:k])
			}
			errs <- err
		}()
	}
	var first error
	for range n {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}

func newChannel(t testing.TB, flags qnxmsg.ChannelFlags) *qnxmsg.Channel {
	t.Helper()
	ch, err := qnxmsg.NewChannel(flags)
	require.NoError(t, err)
	t.Cleanup(func() { ch.Close() })
	return ch
}

// receive receives what has to come soon.
func receive(t testing.TB, ch *qnxmsg.Channel) qnxmsg.Message {
	t.Helper()
	m, err := ch.ReceiveTimeout(make([]byte, 100), testproc.Patience)
	require.NoError(t, err)
	return m
}

// server is a second process that answers, and the number of its channel.
func server(t testing.TB) (p *testproc.Child, chid int) {
	t.Helper()
	p = testproc.Start(t, "peer")
	made := p.Do("channel", 0)
	p.Do("serve", made.At(0))
	return p, made.At(1).Int()
}

func connect(t testing.TB, pid, chid int) *qnxmsg.Connection {
	t.Helper()
	c, err := qnxmsg.Connect(pid, chid)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}
