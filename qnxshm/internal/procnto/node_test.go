//go:build linux

package procnto_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A node is a second process: a server, a peer that must be served well, a
// hostile one. It reads commands from its standard input until that ends.
type node struct {
	filled []int // what fills the descriptor table
	good   *rounds
	conns  map[int]wire
	opened chan opening
	mapped map[uint64][]byte // by handle

	mu   sync.Mutex
	held []int64 // rcvids of messages without a reply
	act  string  // of a fake maker

	links      []wire // of a false creator
	linksEnded int
}

type opening struct {
	fd  int
	err error
}

func newNode() *node {
	return &node{conns: make(map[int]wire), opened: make(chan opening, 16), mapped: make(map[uint64][]byte)}
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
	if a[i] == "-" {
		return nil
	}
	b, err := strconv.Unquote(`"` + a[i] + `"`)
	if err != nil {
		panic(err)
	}
	return []byte(b)
}

// quote is the inverse of arguments.bytes.
func quote(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\x%02x`, c)
	}
	return s.String()
}

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
		n.mapped[h], err = procnto.MapHandle(h, a.int(1), int64(a.int(2)*os.Getpagesize()), procnto.MakerOf(h))
		return nil, err
	},
	"unmap": func(n *node, a arguments) ([]any, error) { // handle
		return nil, procnto.Unmap(n.mapped[a.id(0)])
	},
	"revoked": func(n *node, a arguments) ([]any, error) { // handle
		return []any{procnto.Revoked(unsafe.Pointer(&n.mapped[a.id(0)][0]))}, nil
	},
	"control": func(_ *node, a arguments) ([]any, error) { // fd flags
		flags, err := procnto.Control(a.int(0), uint32(a.int(1)), 0, 0)
		return []any{flags}, err
	},
	"named": func(_ *node, a arguments) ([]any, error) { // name
		fd, err := procnto.OpenObject(a[0], os.O_RDWR, 0)
		return []any{fd}, err
	},
	"mapfd": func(n *node, a arguments) (_ []any, err error) { // fd; known as that handle from now on
		n.mapped[a.id(0)], err = procnto.Map(a.int(0), os.O_RDWR, 0, int64(os.Getpagesize()))
		return nil, err
	},
	"seal": func(n *node, a arguments) ([]any, error) { // handle
		return nil, sealMapping(n.mapped[a.id(0)])
	},
	"touch": func(n *node, a arguments) ([]any, error) { // handle
		return nil, touch(n.mapped[a.id(0)])
	},
	"bequeath":     (*node).bequeath,
	"falsecreator": (*node).falseCreator,
	"askall":       (*node).askAll,
	"lock":         (*node).lock,
	"windowhandle": (*node).windowHandle,
	"peek":         (*node).peek,
	"exit":         func(*node, arguments) ([]any, error) { os.Exit(0); return nil, nil },
	"size": func(_ *node, a arguments) ([]any, error) {
		size, err := procnto.ObjectSize(a.int(0))
		return []any{size}, err
	},
	"close": func(_ *node, a arguments) ([]any, error) { return nil, procnto.CloseDescriptor(a.int(0)) },
	"limit": func(_ *node, a arguments) ([]any, error) { // descriptors
		n := uint64(a.int(0))
		return nil, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
	},
	"filelimit": func(_ *node, a arguments) ([]any, error) { // bytes
		signal.Ignore(syscall.SIGXFSZ)
		n := uint64(a.int(0))
		return nil, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY})
	},
	"fill":    (*node).fill,
	"unfill":  (*node).unfill,
	"serve":   (*node).serve,
	"release": (*node).release,
	"destroy": func(_ *node, a arguments) ([]any, error) { return nil, procnto.ChannelDestroy(a.int(0)) },
	"detach":  func(_ *node, a arguments) ([]any, error) { return nil, procnto.DetachClient(a.int(0), a.int(1)) },
	"connect": func(_ *node, a arguments) ([]any, error) { // name
		coid, err := procnto.NameOpen(a[0])
		return []any{coid}, err
	},
	"attach": func(_ *node, a arguments) ([]any, error) { // pid chid
		coid, err := procnto.ConnectAttach(a.int(0), a.int(1))
		return []any{coid}, err
	},
	"send": func(_ *node, a arguments) ([]any, error) { // coid bytes
		_, err := procnto.MsgSend(a.int(0), bytes.Repeat([]byte("x"), a.int(1)), nil, patience)
		return nil, err
	},
	"sendheld": func(_ *node, a arguments) ([]any, error) { // coid bytes
		msg := append([]byte("hold"), bytes.Repeat([]byte("x"), a.int(1))...)
		_, err := procnto.MsgSend(a.int(0), msg, nil, patience)
		return nil, err
	},
	"disconnect": func(_ *node, a arguments) ([]any, error) { return nil, procnto.ConnectDetach(a.int(0)) },
	"good":       (*node).startRounds,
	"progress":   (*node).progress,
	"pause":      (*node).pause,
	"dial":       (*node).dial,
	"rawsend":    (*node).rawSend,
	"rawreceive": (*node).rawReceive,
	"rawclose":   (*node).rawClose,
	"impostor":   (*node).impostor,
	"behave":     (*node).behave,
	"flood":      (*node).flood,
}

func anObject(pages int, text string) (int, error) {
	fd, err := procnto.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		return -1, err
	}
	if err := procnto.Truncate(fd, int64(pages*os.Getpagesize())); err != nil {
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

// serve serves a channel with a name and some threads.
func (n *node) serve(a arguments) ([]any, error) { // name [flags]
	flags := 0
	if len(a) > 1 {
		flags = a.int(1)
	}
	chid, err := procnto.ChannelCreate(procnto.FlagDisconnect | uint32(flags))
	if err != nil {
		return nil, err
	}
	if _, err := procnto.NameAttach(a[0], chid); err != nil {
		return nil, err
	}
	for range 3 {
		go n.receive(chid)
	}
	return []any{chid}, nil
}

func (n *node) receive(chid int) {
	buf := make([]byte, 128<<10)
	for {
		r, err := procnto.MsgReceive(chid, buf, -1)
		if err != nil {
			return
		}
		msg := buf[:r.MsgLen]
		switch {
		case r.RcvID == 0:
			if r.Code == procnto.CodeDisconnect {
				procnto.DetachClient(chid, r.SCOID)
			}
		case string(msg) == "handle":
			if h, err := handleFor(r.PID); err != nil {
				procnto.MsgError(r.RcvID, errnoOf(err))
			} else {
				procnto.MsgReply(r.RcvID, 0, binary.NativeEndian.AppendUint64(nil, h))
			}
		case bytes.HasPrefix(msg, []byte("hold")):
			n.mu.Lock()
			n.held = append(n.held, r.RcvID)
			n.mu.Unlock()
		default:
			procnto.MsgReply(r.RcvID, 0, msg)
		}
	}
}

// handleFor makes an object and returns a handle of it for pid.
func handleFor(pid int) (uint64, error) {
	fd, err := anObject(1, fmt.Sprint("for ", pid))
	if err != nil {
		return 0, err
	}
	defer procnto.CloseDescriptor(fd)
	return procnto.CreateHandle(fd, pid, os.O_RDONLY, 0)
}

// lock takes a lock on all of an object, as any of its users can.
func (n *node) lock(a arguments) ([]any, error) { // fd
	fd, err := unix.Open(pathOf(a.int(0)), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	return nil, unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &whole)
}

// windowHandle makes a handle of the first page of an object.
func (n *node) windowHandle(a arguments) ([]any, error) { // fd pid access
	h, err := procnto.CreateSubrangeHandle(a.int(0), a.int(1), a.int(2), 0, int64(os.Getpagesize()), 0)
	return []any{h}, err
}

// peek reads a message that is held, from some offset on.
func (n *node) peek(a arguments) ([]any, error) { // offset
	for deadline := time.Now().Add(time.Second / 2); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		n.mu.Lock()
		held := n.held
		n.mu.Unlock()
		if len(held) > 0 {
			got, err := procnto.MsgRead(held[0], make([]byte, 10), int64(a.int(0)))
			return []any{got}, err
		}
	}
	return nil, syscall.ETIMEDOUT
}

// release replies to what is held, once there are so many, and says how that
// ended.
func (n *node) release(a arguments) (out []any, err error) {
	var held []int64
	for deadline := time.Now().Add(patience / 2); len(held) < a.int(0); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return nil, syscall.ETIMEDOUT
		}
		n.mu.Lock()
		if len(n.held) >= a.int(0) {
			held, n.held = n.held, nil
		}
		n.mu.Unlock()
	}
	for _, id := range held {
		out = append(out, qnxerr.Name(errnoOf(procnto.MsgReply(id, 0, nil))))
	}
	return out, nil
}

// rounds are what a good peer does all the time.
type rounds struct {
	name string
	mu   sync.Mutex
	cond *sync.Cond
	done int
	err  error
	wait bool
	idle bool
}

func (n *node) startRounds(a arguments) ([]any, error) { // name
	n.good = &rounds{name: a[0]}
	n.good.cond = sync.NewCond(&n.good.mu)
	go n.good.run()
	return nil, nil
}

func (r *rounds) run() {
	for i := 0; ; i++ {
		err := r.round(i)
		r.mu.Lock()
		r.done++
		r.err = err
		r.idle = r.wait
		r.cond.Broadcast()
		for r.wait {
			r.cond.Wait()
		}
		r.idle = false
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// round uses everything once.
func (r *rounds) round(i int) error {
	coid, err := procnto.NameOpen(r.name)
	if err != nil {
		return fmt.Errorf("name_open: %w", err)
	}
	defer procnto.ConnectDetach(coid)
	msg := bytes.Repeat([]byte{byte(i)}, 100)
	if i%8 == 0 {
		msg = bytes.Repeat(msg, 1000)
	}
	reply := make([]byte, len(msg))
	if _, err := procnto.MsgSend(coid, msg, reply, patience); err != nil {
		return fmt.Errorf("MsgSend: %w", err)
	}
	if !bytes.Equal(msg, reply) {
		return errors.New("wrong reply")
	}
	if _, err := procnto.MsgSend(coid, []byte("handle"), reply[:8], patience); err != nil {
		return fmt.Errorf("MsgSend: %w", err)
	}
	fd, err := procnto.OpenHandle(binary.NativeEndian.Uint64(reply), os.O_RDONLY)
	if err != nil {
		return fmt.Errorf("shm_open_handle: %w", err)
	}
	defer procnto.CloseDescriptor(fd)
	mem, err := procnto.Map(fd, os.O_RDONLY, 0, int64(os.Getpagesize()))
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	defer procnto.Unmap(mem)
	if text, _, _ := bytes.Cut(mem, []byte{0}); string(text) != fmt.Sprint("for ", os.Getpid()) {
		return fmt.Errorf("got %q", text)
	}
	return nil
}

// progress waits for so many rounds that begin now.
func (n *node) progress(a arguments) ([]any, error) {
	r := n.good
	r.mu.Lock()
	defer r.mu.Unlock()
	for until := r.done + 1 + a.int(0); r.done < until && r.err == nil; {
		r.cond.Wait()
	}
	return nil, r.err
}

// pause lets the rounds rest, or go on.
func (n *node) pause(a arguments) ([]any, error) {
	r := n.good
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wait = a.int(0) == 1
	r.cond.Broadcast()
	for r.wait && !r.idle && r.err == nil {
		r.cond.Wait()
	}
	return nil, r.err
}

// Raw sockets.

func (n *node) dial(a arguments) ([]any, error) { // socket
	w, err := rawDial(a[0])
	n.conns[w.fd] = w
	return []any{w.fd}, err
}

func (n *node) rawSend(a arguments) ([]any, error) { // conn bytes
	return nil, n.conns[a.int(0)].send(a.bytes(1))
}

func (n *node) rawReceive(a arguments) ([]any, error) { // conn flags
	f, _, fds, err := n.conns[a.int(0)].receive(a.int(1))
	return []any{f.Kind, f.Errno, f.SCOID, fds}, err
}

func (n *node) rawClose(a arguments) ([]any, error) {
	n.conns[a.int(0)].close()
	return nil, nil
}

// flood sends pulses on a lane, as fast as it can and from more than one
// thread, until the other side does not take them any more.
func (n *node) flood(a arguments) ([]any, error) { // conn
	w := n.conns[a.int(0)]
	packet := procnto.Frame{Kind: procnto.Pulse, Number: 1}.Encode()
	for range 2 {
		go func() {
			for w.send(packet) == nil {
			}
		}()
	}
	return nil, nil
}
