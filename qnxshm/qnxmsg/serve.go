package qnxmsg

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A Server says what Serve does with what a channel receives. The zero Server refuses
// every message.
type Server struct {
	// Handlers answer the messages, by the type that their first 16 bits are, in
	// native byte order. A handler replies and returns nil, or returns an error,
	// which is the answer then (Message.ReplyError): only its errno reaches the client,
	// so log here what else there is to tell. A handler that returns nil without a
	// reply answers later, from any goroutine, and its client waits until then. Data
	// of the message is good until the handler returns: copy what is needed later.
	Handlers map[uint16]func(*Client, *Message) error

	// Pulse is told of all pulses except PulseDisconnect. The client is nil for a
	// PulseConnectionDeath. On a channel with ChannelUnblock whose handlers answer
	// later, Pulse must see to it that the message of a PulseUnblock is answered.
	Pulse func(*Client, Pulse)

	// Gone is told once of each client that handlers or Pulse were called with, when
	// it has closed its connections or was killed, or Serve ends. Pulses that such a
	// client has sent before may come after that: each is given with a new Client, for
	// which Gone is called as soon as Pulse returns.
	Gone func(*Client)

	// BufferSize is how much of a message is in Data, 4096 if zero. Of a longer one
	// Message.ReadAt reads the rest.
	BufferSize int
}

// A Client is a process that has a connection to a channel, as Serve knows it.
type Client struct {
	SCOID int
	State any // the server's own, nil at first
}

// ioConnect is the type of a message that the system sends (sys/iomsg.h).
const ioConnect = 0x100

// Serve receives on the channel, one message or pulse after the other, and lets the
// handlers answer, until ctx ends or the channel is closed. It calls them, Pulse and Gone
// on its own goroutine, one at a time, so they share what they need without locks, and a
// slow one delays all clients. When ctx ends, what has come before is answered still, and
// Serve returns nil; the channel stays open. When the channel was closed, the error matches
// os.ErrClosed; others are those of Receive, and EBUSY while another Serve runs on
// the channel: only one can keep track of the clients.
//
// It does what all servers have to: it knows each client by its SCOID, calls
// DetachClient when a client is gone, answers _IO_CONNECT, which some targets send for a
// client that opens a name, and refuses what no handler is for (ENOSYS) or what is too
// short to have a type (EBADMSG). The channel needs ChannelDisconnect for that, which
// that of AttachName has; without it clients stay known until Serve returns. A nil Server
// is the zero one.
func (c *Channel) Serve(ctx context.Context, s *Server) error {
	if !c.serving.CompareAndSwap(false, true) {
		return wrap(qnxerr.Cause{Errno: syscall.EBUSY, Text: "the channel is being served already"}, "Serve", "chid %d", c.chid)
	}
	defer c.serving.Store(false)
	if s == nil {
		s = new(Server)
	}
	size := s.BufferSize
	if size == 0 {
		size = 4096
	}
	end := c.endWith(ctx)
	defer end.forget()
	sv := serving{channel: c, server: s, clients: make(map[int]*Client)}
	defer sv.end()
	buf := make([]byte, max(size, 2))
	for {
		m, err := c.Receive(buf)
		switch {
		case errors.Is(err, os.ErrClosed) && ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case m.IsPulse() && ctx.Err() != nil && end.is(m.Pulse):
			return nil
		case m.IsPulse():
			sv.pulse(m.Pulse)
		default:
			sv.message(&m)
		}
	}
}

// serving is a call of Serve.
type serving struct {
	channel *Channel
	server  *Server
	clients map[int]*Client
}

func (sv *serving) client(scoid int) *Client {
	cl := sv.clients[scoid]
	if cl == nil {
		cl = &Client{SCOID: scoid}
		sv.clients[scoid] = cl
	}
	return cl
}

func (sv *serving) message(m *Message) {
	if len(m.Data) < 2 {
		m.ReplyError(qnxerr.EBADMSG)
		return
	}
	what := binary.NativeEndian.Uint16(m.Data)
	handle := sv.server.Handlers[what]
	switch {
	case handle != nil:
		if err := handle(sv.client(m.Info.SCOID), m); err != nil {
			m.ReplyError(err) // ESRCH: it was answered, or nobody waits
		}
	case what == ioConnect:
		m.Reply(0, nil)
	default:
		m.ReplyError(syscall.ENOSYS)
	}
}

func (sv *serving) pulse(p Pulse) {
	if p.Code == PulseDisconnect {
		if cl := sv.clients[p.SCOID]; cl != nil {
			delete(sv.clients, p.SCOID)
			sv.gone(cl)
		}
		sv.channel.DetachClient(p.SCOID)
		return
	}
	switch {
	case sv.server.Pulse == nil:
	case p.Code == PulseConnectionDeath:
		sv.server.Pulse(nil, p)
	case sv.clients[p.SCOID] == nil && !sv.there(p.SCOID):
		cl := &Client{SCOID: p.SCOID}
		sv.server.Pulse(cl, p)
		sv.gone(cl)
	default:
		sv.server.Pulse(sv.client(p.SCOID), p)
	}
}

// there reports whether a client has not gone, of which nothing tells a second time: that
// it is gone comes before the pulses that it has sent.
func (sv *serving) there(scoid int) bool {
	_, err := sv.channel.ClientInfo(scoid)
	return !errors.Is(err, syscall.EINVAL)
}

func (sv *serving) gone(cl *Client) {
	if sv.server.Gone != nil {
		sv.server.Gone(cl)
	}
}

func (sv *serving) end() {
	for _, cl := range sv.clients {
		sv.gone(cl)
	}
}

// An ending is the end of a Serve by its context: a pulse of this process's own, behind
// what has come before.
type ending struct {
	stop  func() bool
	over  chan struct{} // closed when Serve returns
	done  chan struct{}
	conn  *Connection
	value int64
}

func (c *Channel) endWith(ctx context.Context) *ending {
	e := &ending{over: make(chan struct{}), done: make(chan struct{}), value: int64(rand.Int32())}
	e.stop = context.AfterFunc(ctx, func() {
		defer close(e.done)
		for {
			err := e.tell(c)
			if err == nil {
				return
			}
			if !errors.Is(err, syscall.EAGAIN) {
				c.Close() // which ends Receive, too
				return
			}
			select { // until there is room
			case <-e.over:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	return e
}

func (e *ending) tell(c *Channel) (err error) {
	if e.conn == nil {
		if e.conn, err = Connect(os.Getpid(), c.ID()); err != nil {
			return err
		}
	}
	return e.conn.SendPulse(-1, nto.PulseMaxAvail, e.value)
}

// is reports whether this is the pulse.
func (e *ending) is(p Pulse) bool { return p.Code == nto.PulseMaxAvail && p.Value == e.value }

// forget waits for what the end of the context has begun.
func (e *ending) forget() {
	close(e.over)
	if !e.stop() {
		<-e.done
	}
	if e.conn != nil {
		e.conn.Close()
	}
}
