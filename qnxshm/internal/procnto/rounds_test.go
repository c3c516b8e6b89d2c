//go:build linux

package procnto_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// What a server does for its good peers: who attaches, to the process or by a
// name, gets a handle for each question.

// serve serves, also under a name.
func serve(name string) error {
	procnto.GiveRoles(func(c *procnto.Conn, hello wire.Frame) (procnto.Role, *wire.Welcome) {
		switch hello.(type) {
		case *wire.HelloAttach, *wire.HelloName:
			return giver{}, new(wire.Welcome)
		}
		return nil, nil
	})
	_, err := procnto.Listen(name, "given")
	return err
}

type giver struct{}

func (giver) Frame(c *procnto.Conn, f wire.Frame) bool {
	if _, ok := f.(*wire.Bell); !ok {
		return false
	}
	h, err := handleFor(c.Peer.PID)
	return c.Answer(&wire.Answer{ID: h, Errno: int32(testproc.ErrnoOf(err))})
}

func (giver) Idle() bool { return false }

func (giver) Ended(*procnto.Conn, bool) {}

// handleFor makes an object and returns a handle of it for pid.
func handleFor(pid int) (uint64, error) {
	fd, err := anObject(1, fmt.Sprint("for ", pid))
	if err != nil {
		return 0, err
	}
	defer memory.CloseDescriptor(fd)
	return procnto.CreateHandle(fd, pid, os.O_RDONLY, 0)
}

// rounds are those of a good peer.
type rounds struct {
	server int
	name   string
}

func (n *node) startRounds(server int, name string) { n.good.Start(rounds{server, name}.round) }

// round uses everything once.
func (r rounds) round(i int) error {
	h, err := r.handle(i%2 == 0)
	if err != nil {
		return err
	}
	var mem []byte
	switch i % 3 {
	case 0:
		fd, err := procnto.OpenHandle(h, os.O_RDONLY)
		if err != nil {
			return fmt.Errorf("shm_open_handle: %w", err)
		}
		mem, err = procnto.Map(fd, os.O_RDONLY, 0, page)
		memory.CloseDescriptor(fd)
		if err != nil {
			return fmt.Errorf("mmap: %w", err)
		}
	case 1:
		if mem, err = procnto.MapHandle(h, os.O_RDONLY, page, r.server); err != nil {
			return fmt.Errorf("mmap_handle: %w", err)
		}
	default:
		if err := procnto.DeleteHandle(h); err != nil {
			return fmt.Errorf("shm_delete_handle: %w", err)
		}
		if err := procnto.DeleteHandle(h); err != syscall.ESRCH {
			return fmt.Errorf("shm_delete_handle once more: %w", err)
		}
		return nil
	}
	defer memory.Unmap(mem)
	if text, _, _ := bytes.Cut(mem, []byte{0}); string(text) != fmt.Sprint("for ", os.Getpid()) {
		return fmt.Errorf("got %q", text)
	}
	return nil
}

// handle asks for a handle on a new connection.
func (r rounds) handle(byName bool) (uint64, error) {
	c, _, err := r.connect(byName)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer c.Close()
	f, err := c.Exchange(new(wire.Bell))
	if err != nil {
		return 0, fmt.Errorf("ask: %w", err)
	}
	a, ok := f.(*wire.Answer)
	if !ok {
		return 0, errors.New("no answer")
	}
	if a.Errno != 0 {
		return 0, fmt.Errorf("shm_create_handle: %w", syscall.Errno(a.Errno))
	}
	return a.ID, nil
}

func (r rounds) connect(byName bool) (*procnto.Outbound, *wire.Welcome, error) {
	if byName {
		return procnto.DialName(r.name, new(wire.HelloName))
	}
	return procnto.Dial(r.server, new(wire.HelloAttach))
}
