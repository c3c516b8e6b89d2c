//go:build linux

package procnto_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A node is a second process: a server, a peer that must be served well, a
// hostile one. It reads commands from its standard input until that ends.
type node struct {
	filled []int // what fills the descriptor table
	good   *rounds
	conns  map[int]raw
	opened chan opening
	mapped map[uint64][]byte // by handle

	mu    sync.Mutex
	act   string // of a fake maker
	links []raw  // of a false creator
}

type opening struct {
	fd  int
	err error
}

func newNode() *node {
	return &node{conns: make(map[int]raw), opened: make(chan opening, 16), mapped: make(map[uint64][]byte)}
}

func (n *node) run() {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		f := strings.Fields(in.Text())
		command := commands[f[0]]
		if command == nil {
			fmt.Println("ENOSYS", f[0])
			continue
		}
		out, err := command(n, arguments(f[1:]))
		name := qnxerr.Name(errnoOf(err))
		if err != nil {
			out = []any{err}
		}
		fmt.Println(append([]any{name}, out...)...)
	}
}

type arguments []string

func (a arguments) int(i int) int {
	n, err := strconv.ParseInt(a[i], 10, 64)
	if err != nil {
		panic(err)
	}
	return int(n)
}

func (a arguments) id(i int) uint64 {
	n, err := strconv.ParseUint(a[i], 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (a arguments) bytes(i int) []byte {
	b, err := strconv.Unquote(`"` + a[i] + `"`)
	if err != nil {
		panic(err)
	}
	return []byte(b)
}

// quote is the inverse of arguments.bytes.
func quote(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\x%02x`, c)
	}
	return s.String()
}

// quoted is a frame for rawsend.
func quoted(f wire.Frame) string { return quote(encode(f)) }

// commands are what a node can be told to do; most are a call each.
var commands = map[string]func(*node, arguments) ([]any, error){
	"object": func(_ *node, a arguments) ([]any, error) { // pages
		fd, err := anObject(a.int(0), fmt.Sprint("from ", os.Getpid()))
		return []any{fd}, err
	},
	"handle": func(_ *node, a arguments) ([]any, error) { // fd pid access
		h, err := procnto.CreateHandle(a.int(0), a.int(1), a.int(2), 0)
		return []any{h}, err
	},
	"delete": func(_ *node, a arguments) ([]any, error) { return nil, procnto.DeleteHandle(a.id(0)) },
	"open": func(_ *node, a arguments) ([]any, error) { // handle access
		fd, err := procnto.OpenHandle(a.id(0), a.int(1))
		return []any{fd}, err
	},
	"openlater": func(n *node, a arguments) ([]any, error) { // handle access
		go func() {
			fd, err := procnto.OpenHandle(a.id(0), a.int(1))
			n.opened <- opening{fd, err}
		}()
		return nil, nil
	},
	"opened": func(n *node, _ arguments) ([]any, error) {
		o := <-n.opened
		return []any{o.fd}, o.err
	},
	"map": func(n *node, a arguments) (_ []any, err error) { // handle access pages
		h := a.id(0)
		n.mapped[h], err = procnto.MapHandle(h, a.int(1), int64(a.int(2))*page, procnto.MakerOf(h))
		return nil, err
	},
	"unmap": func(n *node, a arguments) ([]any, error) { // handle
		return nil, memory.Unmap(n.mapped[a.id(0)])
	},
	"revoked": func(n *node, a arguments) ([]any, error) { // handle
		return []any{memory.Revoked(unsafe.Pointer(&n.mapped[a.id(0)][0]))}, nil
	},
	"control": func(_ *node, a arguments) ([]any, error) { // fd flags
		flags, err := procnto.Control(a.int(0), uint32(a.int(1)), 0, 0)
		return []any{flags}, err
	},
	"seal": func(n *node, a arguments) ([]any, error) { // handle
		return nil, sealMapping(n.mapped[a.id(0)])
	},
	"touch": func(n *node, a arguments) ([]any, error) { // handle
		return nil, touch(n.mapped[a.id(0)])
	},
	"exit":  func(*node, arguments) ([]any, error) { os.Exit(0); return nil, nil },
	"close": func(_ *node, a arguments) ([]any, error) { return nil, memory.CloseDescriptor(a.int(0)) },
	"limit": func(_ *node, a arguments) ([]any, error) { // descriptors
		n := uint64(a.int(0))
		return nil, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
	},
	"nopidfds":     func(*node, arguments) ([]any, error) { return nil, noPidfds() },
	"oldkernel":    func(*node, arguments) ([]any, error) { return nil, oldKernel() },
	"fill":         (*node).fill,
	"unfill":       (*node).unfill,
	"serve":        (*node).serve,
	"good":         (*node).startRounds,
	"progress":     (*node).progress,
	"pause":        (*node).pause,
	"dial":         (*node).dial,
	"rawsend":      (*node).rawSend,
	"rawreceive":   (*node).rawReceive,
	"rawclose":     (*node).rawClose,
	"occupy":       (*node).occupy,
	"squat":        (*node).squat,
	"attach":       (*node).attach,
	"linger":       (*node).linger,
	"lingering":    (*node).lingering,
	"impostor":     (*node).impostor,
	"behave":       (*node).behave,
	"bequeath":     (*node).bequeath,
	"falsecreator": (*node).falseCreator,
	"askall":       (*node).askAll,
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

// fill uses the descriptor table up, but for some low numbers.
func (n *node) fill(a arguments) ([]any, error) {
	for {
		fd, err := unix.Dup(2)
		if err == syscall.EMFILE {
			break
		}
		if err != nil {
			return nil, err
		}
		n.filled = append(n.filled, fd)
	}
	for range a.int(0) {
		unix.Close(n.filled[0])
		n.filled = n.filled[1:]
	}
	return nil, nil
}

func (n *node) unfill(arguments) ([]any, error) {
	for _, fd := range n.filled {
		unix.Close(fd)
	}
	n.filled = nil
	return nil, nil
}

// Raw sockets.

func (n *node) dial(a arguments) ([]any, error) { // socket
	w, err := rawDial(a[0])
	n.conns[w.fd] = w
	return []any{w.fd}, err
}

func (n *node) rawSend(a arguments) (_ []any, err error) { // conn bytes [times]
	times := 1
	if len(a) > 2 {
		times = a.int(2)
	}
	for i := 0; i < times && err == nil; i++ {
		err = n.conns[a.int(0)].send(a.bytes(1))
	}
	return nil, err
}

// rawReceive says of what kind the packet is, its errno, and how many descriptors
// came with it.
func (n *node) rawReceive(a arguments) ([]any, error) { // conn flags
	f, _, fds, err := n.conns[a.int(0)].receive(a.int(1))
	if err != nil {
		return nil, err
	}
	errno := int32(0)
	switch f := f.(type) {
	case *wire.Welcome:
		errno = f.Errno
	case *wire.Answer:
		errno = f.Errno
	}
	return []any{f.Kind(), errno, fds}, nil
}

func (n *node) rawClose(a arguments) ([]any, error) {
	n.conns[a.int(0)].close()
	return nil, nil
}

// occupy makes connections with a hello each until one is refused, and says how
// many were not.
func (n *node) occupy(a arguments) ([]any, error) { // socket most
	var open []raw
	for len(open) < a.int(1) {
		w, err := rawDial(a[0])
		if err != nil {
			return nil, err
		}
		w.say(new(wire.HelloLink))
		f, _, _, err := w.receive(0)
		if err != nil {
			return nil, err
		}
		if welcome, ok := f.(*wire.Welcome); !ok || welcome.Errno != 0 {
			w.close()
			break
		}
		open = append(open, w)
	}
	return []any{len(open)}, nil
}

// A lingering TCP socket takes as long to close as its peer likes.
func lingering() (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	address := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(listener, address); err != nil {
		return -1, err
	}
	if err := unix.Listen(listener, 1); err != nil {
		return -1, err
	}
	name, err := unix.Getsockname(listener)
	if err == nil {
		err = unix.Connect(fd, name)
	}
	if err == nil {
		err = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 60})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	for err == nil { // until nothing fits any more
		_, err = unix.Write(fd, make([]byte, 1<<16))
	}
	if err != syscall.EAGAIN {
		return -1, err
	}
	return fd, unix.SetNonblock(fd, false)
}

// linger sends such sockets where no descriptor belongs, and leaves; each on a
// connection of its own, after a hello if so told.
func (n *node) linger(a arguments) ([]any, error) { // socket connections hello
	fd, err := lingering()
	if err != nil {
		return nil, err
	}
	sent := 0
	for range a.int(1) {
		w, err := rawDial(a[0])
		if err != nil {
			return nil, err
		}
		if a.int(2) == 1 {
			w.say(new(wire.HelloHandles))
			w.receive(0)
		}
		if w.say(new(wire.HelloHandles), fd) == nil {
			sent++
		}
		w.close()
	}
	go unix.Close(fd) // which takes its time here if nobody else has it
	return []any{sent}, nil
}

// lingering tells whether closing such a socket takes its time on this system.
func (n *node) lingering(arguments) ([]any, error) {
	fd, err := lingering()
	if err != nil {
		return nil, err
	}
	closed := make(chan struct{})
	go func() {
		unix.Close(fd)
		close(closed)
	}()
	select {
	case <-closed:
		return nil, syscall.ENOSYS
	case <-time.After(100 * time.Millisecond):
		return nil, nil
	}
}
