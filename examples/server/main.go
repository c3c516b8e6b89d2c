// Command server hands a page of shared memory to every client that asks: it
// writes a text into it and replies with a handle that only the asking process
// can open, once, and only for reading.
//
//	go run ./examples/server
//	go run ./examples/client      (in another terminal)
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// The first 16 bits of a message are its type, in native byte order. Types from
// 0x100 to 0x1FF are the system's (sys/iomsg.h); programs use those above.
const (
	ioConnect = 0x100 // some targets send it when a client opens the name
	typeHello = 0x200 // the request is the type alone, the reply a handle
)

// maxGrants bounds what one client can make the server keep.
const maxGrants = 16

func main() {
	name := flag.String("name", "qnxshm-example", "`name` to serve under")
	clients := flag.Int("clients", 0, "stop after `N` clients have come and gone; 0 serves until SIGINT or SIGTERM")
	flag.Parse()
	if *clients < 0 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "-clients takes 0 or more, and nothing but flags is taken: the name is given with -name")
		os.Exit(2)
	}
	if err := run(*name, *clients); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A server keeps what it gave, by client. A client is a process, known by its
// SCOID for as long as it has a connection.
type server struct {
	ch      *qnxmsg.Channel
	clients map[int]*client
}

type client struct {
	pid    int
	grants []grant
}

// A grant is what one request left behind in the server.
type grant struct {
	handle qnxshm.Handle   // the client may never open it
	mem    *qnxshm.Mapping // the server's own view of the memory, to go on writing
}

func run(name string, clients int) error {
	ch, err := qnxmsg.AttachName(name)
	if errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("the name %q is taken: another server is running; choose another name with -name", name)
	}
	if err != nil {
		return err
	}
	defer ch.Close()

	// A signal closes the channel, and that ends Receive.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { ch.Close() })

	say("serving as %q", name)
	s := &server{ch: ch, clients: make(map[int]*client)}
	buf := make([]byte, 64) // the longest request
	for gone := 0; clients == 0 || gone < clients; {
		m, err := ch.Receive(buf)
		switch {
		case errors.Is(err, os.ErrClosed):
			say("stopped")
			return nil // memory, handles and name go with the process
		case err != nil:
			return err
		case !m.IsPulse():
			s.answer(&m)
		case m.Pulse.Code == qnxmsg.PulseDisconnect:
			s.release(m.Pulse.SCOID)
			gone++
		}
	}
	say("all clients served")
	return nil
}

// answer replies to every message: its sender waits for that. What a client
// sends may be anything, so look before use.
func (s *server) answer(m *qnxmsg.Message) {
	if len(m.Data) < 2 {
		m.ReplyError(syscall.EINVAL)
		return
	}
	// An answer that fails with ESRCH has nobody to go to: the client was
	// killed, and its disconnect pulse is on the way.
	switch binary.NativeEndian.Uint16(m.Data) {
	case typeHello:
		reply, err := s.hello(m.Info)
		if err != nil {
			say("client %d refused: %v", m.Info.PID, err)
			m.ReplyError(errnoOf(err))
			return
		}
		m.Reply(0, reply)
	case ioConnect:
		m.Reply(0, nil)
	default:
		m.ReplyError(syscall.ENOSYS)
	}
}

// hello makes the memory and, for the process that sent the message, a handle.
// That process waits for the reply, so its pid is still its own.
func (s *server) hello(from qnxmsg.Info) ([]byte, error) {
	c := s.clients[from.SCOID]
	if c == nil {
		c = &client{pid: from.PID}
		s.clients[from.SCOID] = c
	}
	if len(c.grants) == maxGrants {
		return nil, syscall.EAGAIN
	}

	obj, err := qnxshm.Create(int64(os.Getpagesize()))
	if err != nil {
		return nil, err
	}
	defer obj.Close() // the mapping and the handle keep the memory alive
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		return nil, err
	}
	// New memory is zero, so a zero byte follows the text.
	_, err = mem.WriteAt(fmt.Appendf(nil, "Hello from %d", os.Getpid()), 0)
	if err != nil {
		mem.Unmap()
		return nil, err
	}
	h, err := obj.CreateHandle(from.PID, qnxshm.ReadOnly, nil)
	if err != nil {
		mem.Unmap()
		return nil, err
	}
	c.grants = append(c.grants, grant{h, mem}) // freed by release
	say("client %d gets a read-only handle", c.pid)
	return h.AppendBinary(nil)
}

// release frees what the server has for a client that has closed its last
// connection or died. What the client has mapped stays the client's.
func (s *server) release(scoid int) {
	if c := s.clients[scoid]; c != nil {
		for _, g := range c.grants {
			// A handle that was opened exists no more (ESRCH), and that is the rule.
			if err := qnxshm.DeleteHandle(g.handle); err != nil && !errors.Is(err, syscall.ESRCH) {
				say("client %d: %v", c.pid, err)
			}
			g.mem.Unmap()
		}
		delete(s.clients, scoid)
		say("client %d is gone, its memory is freed", c.pid)
	}
	s.ch.DetachClient(scoid) // without this the id is never used again
}

// errnoOf is what to tell the client: errno is all that ReplyError carries.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return syscall.EIO
	}
	return errno
}

func say(format string, args ...any) {
	fmt.Printf("server %d: %s\n", os.Getpid(), fmt.Sprintf(format, args...))
}
