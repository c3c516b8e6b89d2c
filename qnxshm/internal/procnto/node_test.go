//go:build linux

package procnto_test

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A node is a second process: a server, a peer that must be served well, a
// hostile one.
type node struct {
	fill   testproc.Filler
	good   testproc.Rounds
	bad    testproc.Impostor
	conns  map[int]testproc.Raw
	mapped map[uint64][]byte // by handle

	mu    sync.Mutex
	links []testproc.Raw // of a false creator
}

// newNode gives what a node can be told to do; most are a call each.
func newNode() testproc.Procedures {
	n := &node{conns: make(map[int]testproc.Raw), mapped: make(map[uint64][]byte)}
	return testproc.Procedures{
		"object": func(pages int) (int, error) { return anObject(pages, fmt.Sprint("from ", os.Getpid())) },
		"handle": func(fd, pid, access int) (uint64, error) { return procnto.CreateHandle(fd, pid, access, 0) },
		"delete": procnto.DeleteHandle,
		"open":   procnto.OpenHandle,
		"map": func(h uint64, access, pages int) (err error) {
			n.mapped[h], err = procnto.MapHandle(h, access, int64(pages)*page, procnto.MakerOf(h))
			return err
		},
		"unmap":   func(h uint64) error { return memory.Unmap(n.mapped[h]) },
		"revoked": func(h uint64) bool { return memory.Revoked(unsafe.Pointer(&n.mapped[h][0])) },
		"revoke":  procnto.Revoke,
		"mapall":  n.mapAll, "keepmapping": keepMapping,
		"control": func(fd int, flags uint32) (uint32, error) { return procnto.Control(fd, flags, 0, 0) },
		"seal":    func(h uint64) error { return sealMapping(n.mapped[h]) },
		"touch":   func(h uint64) error { return touch(n.mapped[h]) },
		"close":   memory.CloseDescriptor,
		"limit":   testproc.LimitDescriptors,
		"fill":    n.fill.Fill, "unfill": n.fill.Unfill,
		"nopidfds": noPidfds, "oldkernel": oldKernel,
		"serve": serve, "good": n.startRounds,
		"progress": n.good.Progress, "pause": n.good.Pause, "resume": n.good.Resume,
		"dial": n.dial, "rawsend": n.rawSend, "rawrepeat": n.rawRepeat, "rawreceive": n.rawReceive, "rawclose": n.rawClose,
		"occupy": occupy, "squat": squat, "attach": attach, "sendblockers": sendBlockers, "blockers": testproc.NeedBlockers,
		"impostor": n.impostor, "behave": n.bad.Behave,
		"bequeath": testproc.Bequeath, "falsecreator": n.falseCreator, "askall": n.askAll,
	}
}

func anObject(pages int, text string) (int, error) {
	fd, err := memory.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return -1, err
	}
	if err := memory.Truncate(fd, int64(pages)*page); err != nil {
		return fd, err
	}
	_, err = unix.Pwrite(fd, []byte(text), 0)
	return fd, err
}

// Raw sockets.

func (n *node) dial(socket string) (int, error) {
	w, err := testproc.Dial(socket)
	n.conns[w.FD] = w
	return w.FD, err
}

func (n *node) rawSend(conn int, packet []byte) error { return n.conns[conn].Send(packet) }

func (n *node) rawRepeat(conn int, packet []byte, times int) (err error) {
	for i := 0; i < times && err == nil; i++ {
		err = n.rawSend(conn, packet)
	}
	return err
}

// rawReceive says of what kind the packet is, its errno, and how many descriptors
// came with it.
func (n *node) rawReceive(conn, flags int) (kind wire.Kind, errno int32, fds int, err error) {
	p, err := n.conns[conn].Receive(flags)
	if err != nil {
		return 0, 0, 0, err
	}
	switch f := p.Frame.(type) {
	case *wire.Welcome:
		errno = f.Errno
	case *wire.Answer:
		errno = f.Errno
	}
	return p.Kind(), errno, p.CloseFDs(), nil
}

func (n *node) rawClose(conn int) { n.conns[conn].Close() }

// occupy makes connections with a hello each until one is refused, and says how
// many were not.
func occupy(socket string, most int) (n int, err error) {
	for n < most {
		w, err := testproc.Dial(socket)
		if err != nil {
			return n, err
		}
		w.Say(new(wire.HelloLink))
		f, err := w.ReceiveFrame()
		if err != nil {
			return n, err
		}
		if welcome, ok := f.(*wire.Welcome); !ok || welcome.Errno != 0 {
			w.Close()
			break
		}
		n++ // it stays open
	}
	return n, nil
}

// sendBlockers sends a blocker where no descriptor belongs, and leaves; on so many
// connections, after a hello if so told.
func sendBlockers(socket string, connections int, hello bool) (sent int, err error) {
	fd, _, err := testproc.NewBlocker()
	if err != nil {
		return 0, err
	}
	for range connections {
		w, err := testproc.Dial(socket)
		if err != nil {
			return sent, err
		}
		if hello {
			w.Say(new(wire.HelloHandles))
			w.ReceiveFrame()
		}
		if w.Say(new(wire.HelloHandles), fd) == nil {
			sent++
		}
		w.Close()
	}
	go unix.Close(fd) // which takes its time here if nobody else has it
	return sent, nil
}
