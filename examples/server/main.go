// Command server hands a page of shared memory to every client that asks: it
// writes a text into it and replies with a handle that only the asking process
// can open, once, and only for reading.
//
//	go run ./examples/server
//	go run ./examples/client      (in another terminal)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// typeHello is the type of the only request, which the type is all of. The reply is a
// handle. Types up to 0x1FF are the system's.
const typeHello = 0x200

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

// A grant is what one request left behind in the server.
type grant struct {
	pid    int
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	served, finish := context.WithCancel(ctx)
	defer finish()

	say("serving as %q", name)
	gone := 0
	err = ch.Serve(served, &qnxmsg.Server{
		Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{typeHello: hello},
		Gone: func(cl *qnxmsg.Client) {
			release(cl)
			if gone++; gone == clients {
				finish()
			}
		},
	})
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		say("stopped")
	default:
		say("all clients served")
	}
	return nil // memory, handles and name go with the process
}

// hello makes the memory and, for the process that sent the message, a handle.
// That process waits for the reply, so its pid is still its own.
func hello(cl *qnxmsg.Client, m *qnxmsg.Message) error {
	reply, err := grantTo(cl, m.Info.PID)
	if err != nil {
		say("client %d refused: %v", m.Info.PID, err)
		return err
	}
	// An answer that fails with ESRCH has nobody to go to: the client was killed, and
	// is gone soon.
	return m.Reply(0, reply)
}

func grantTo(cl *qnxmsg.Client, pid int) ([]byte, error) {
	grants, _ := cl.State.([]grant)
	if len(grants) == maxGrants {
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
	h, err := obj.CreateHandle(pid, qnxshm.ReadOnly, nil)
	if err != nil {
		mem.Unmap()
		return nil, err
	}
	cl.State = append(grants, grant{pid, h, mem}) // freed by release
	say("client %d gets a read-only handle", pid)
	return h.AppendBinary(nil)
}

// release frees what the server has for a client that has closed its last
// connection or died. What the client has mapped stays the client's.
func release(cl *qnxmsg.Client) {
	grants, _ := cl.State.([]grant)
	for _, g := range grants {
		// A handle that was opened exists no more (ESRCH), and that is the rule.
		if err := qnxshm.DeleteHandle(g.handle); err != nil && !errors.Is(err, syscall.ESRCH) {
			say("client %d: %v", g.pid, err)
		}
		g.mem.Unmap()
	}
	if len(grants) > 0 {
		say("client %d is gone, its memory is freed", grants[0].pid)
	}
}

func say(format string, args ...any) {
	fmt.Printf("server %d: %s\n", os.Getpid(), fmt.Sprintf(format, args...))
}
