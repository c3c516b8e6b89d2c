//go:build linux

package message_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A node is a second process: a server, a peer that must be served well, a
// hostile one. It reads commands from its standard input until that ends.
type node struct {
	filled []int // what fills the descriptor table
	good   *rounds
	conns  map[int]raw

	mu       sync.Mutex
	held     []int64 // rcvids of messages without a reply
	act      string  // of a hostile server
	accepted int     // connections to it
}

func newNode() *node { return &node{conns: make(map[int]raw)} }

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
	n, err := strconv.Atoi(a[i])
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
	"ping": func(*node, arguments) ([]any, error) { return nil, nil },
	"user": func(_ *node, a arguments) ([]any, error) { // uid
		return nil, errors.Join(syscall.Setgroups(nil), syscall.Setgid(a.int(0)), syscall.Setuid(a.int(0)))
	},
	"limit": func(_ *node, a arguments) ([]any, error) { // descriptors
		n := uint64(a.int(0))
		return nil, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
	},
	"filelimit": func(_ *node, a arguments) ([]any, error) { // bytes
		signal.Ignore(syscall.SIGXFSZ)
		n := uint64(a.int(0))
		return nil, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY})
	},
	"destroy": func(_ *node, a arguments) ([]any, error) { return nil, message.ChannelDestroy(a.int(0)) },
	"detach":  func(_ *node, a arguments) ([]any, error) { return nil, message.DetachClient(a.int(0), a.int(1)) },
	"connect": func(_ *node, a arguments) ([]any, error) { // name
		coid, err := message.NameOpen(a[0])
		return []any{coid}, err
	},
	"attach": func(_ *node, a arguments) ([]any, error) { // pid chid
		coid, err := message.ConnectAttach(a.int(0), a.int(1))
		return []any{coid}, err
	},
	"send": func(_ *node, a arguments) ([]any, error) { // coid bytes
		_, err := message.MsgSend(a.int(0), bytes.Repeat([]byte("x"), a.int(1)), nil, patience)
		return nil, err
	},
	"sendheld": func(_ *node, a arguments) ([]any, error) { // coid bytes
		msg := append([]byte("hold"), bytes.Repeat([]byte("x"), a.int(1))...)
		_, err := message.MsgSend(a.int(0), msg, nil, patience)
		return nil, err
	},
	"fill":       (*node).fill,
	"unfill":     (*node).unfill,
	"serve":      (*node).serve,
	"peek":       (*node).peek,
	"release":    (*node).release,
	"good":       (*node).startRounds,
	"progress":   (*node).progress,
	"pause":      (*node).pause,
	"dial":       (*node).dial,
	"rawsend":    (*node).rawSend,
	"rawreceive": (*node).rawReceive,
	"rawclose":   (*node).rawClose,
	"flood":      (*node).flood,
	"crowd":      (*node).crowd,
	"lane":       (*node).lane,
	"blockers":   (*node).blockers,
	"strew":      (*node).strew,
	"ready":      (*node).ready,
	"fire":       (*node).fire,
	"visit":      (*node).visit,
	"impostor":   (*node).impostor,
	"behave":     (*node).behave,
	"accepted":   (*node).acceptedSoFar,
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
	chid, err := message.ChannelCreate(nto.ChannelDisconnect | uint32(flags))
	if err != nil {
		return nil, err
	}
	if _, err := message.NameAttach(a[0], chid); err != nil {
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
		r, err := message.MsgReceive(chid, buf, -1)
		if err != nil {
			return
		}
		msg := buf[:r.MsgLen]
		switch {
		case r.RcvID == 0:
			if r.Code == nto.PulseDisconnect {
				message.DetachClient(chid, r.SCOID)
			}
		case bytes.HasPrefix(msg, []byte("hold")):
			n.mu.Lock()
			n.held = append(n.held, r.RcvID)
			n.mu.Unlock()
		default:
			message.MsgReply(r.RcvID, 0, msg)
		}
	}
}

// peek reads a message that is held, from some offset on.
func (n *node) peek(a arguments) ([]any, error) { // offset
	for deadline := time.Now().Add(time.Second / 2); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		n.mu.Lock()
		held := n.held
		n.mu.Unlock()
		if len(held) > 0 {
			got, err := message.MsgRead(held[0], make([]byte, 10), int64(a.int(0)))
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
		out = append(out, qnxerr.Name(errnoOf(message.MsgReply(id, 0, nil))))
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
	long time.Duration // the longest since the last progress began
}

func (n *node) startRounds(a arguments) ([]any, error) { // name
	n.good = &rounds{name: a[0]}
	n.good.cond = sync.NewCond(&n.good.mu)
	go n.good.run()
	return nil, nil
}

func (r *rounds) run() {
	for i := 0; ; i++ {
		began := time.Now()
		err := r.round(i)
		r.mu.Lock()
		r.done++
		r.long = max(r.long, time.Since(began))
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
	coid, err := message.NameOpen(r.name)
	if err != nil {
		return fmt.Errorf("name_open: %w", err)
	}
	defer message.ConnectDetach(coid)
	if err := message.MsgSendPulse(coid, -1, 1, int64(i)); err != nil {
		return fmt.Errorf("MsgSendPulse: %w", err)
	}
	msg := bytes.Repeat([]byte{byte(i)}, 100)
	if i%8 == 0 {
		msg = bytes.Repeat(msg, 1000)
	}
	reply := make([]byte, len(msg))
	if _, err := message.MsgSend(coid, msg, reply, patience); err != nil {
		return fmt.Errorf("MsgSend: %w", err)
	}
	if !bytes.Equal(msg, reply) {
		return errors.New("wrong reply")
	}
	return nil
}

// progress waits for so many rounds that begin now, and tells how many
// milliseconds the longest took.
func (n *node) progress(a arguments) ([]any, error) {
	r := n.good
	r.mu.Lock()
	defer r.mu.Unlock()
	r.long = 0
	for until := r.done + 1 + a.int(0); r.done < until && r.err == nil; {
		r.cond.Wait()
	}
	return []any{r.long.Milliseconds()}, r.err
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
	r, err := rawDial(a[0])
	n.conns[r.fd] = r
	return []any{r.fd}, err
}

func (n *node) rawSend(a arguments) ([]any, error) { // conn bytes
	return nil, n.conns[a.int(0)].send(a.bytes(1))
}

// rawReceive tells the kind of what comes, and of a Welcome the errno and the
// scoid.
func (n *node) rawReceive(a arguments) ([]any, error) { // conn
	f, _, _, err := n.conns[a.int(0)].receive(0)
	if err != nil {
		return nil, err
	}
	if w, ok := f.(*wire.Welcome); ok {
		return []any{w.Kind(), w.Errno, w.SCOID}, nil
	}
	return []any{f.Kind()}, nil
}

func (n *node) rawClose(a arguments) ([]any, error) {
	n.conns[a.int(0)].close()
	return nil, nil
}

// flood sends pulses on a lane, as fast as it can and from more than one
// thread, until the other side does not take them any more.
func (n *node) flood(a arguments) ([]any, error) { // conn
	r := n.conns[a.int(0)]
	packet := encoded(&wire.Pulse{Code: 1})
	for range 2 {
		go func() {
			for r.send(packet) == nil {
			}
		}()
	}
	return nil, nil
}

// crowd attaches to a channel as often as it can, and tells how often that was.
func (n *node) crowd(a arguments) ([]any, error) { // socket chid
	for count := 0; ; count++ {
		r, err := rawDial(a[0])
		if err != nil {
			return nil, err
		}
		if err := r.say(&wire.HelloAttach{Token: 1, ChannelID: int32(a.int(1))}, ""); err != nil && err != syscall.EPIPE {
			return nil, err
		}
		f, _, _, err := r.receive(0)
		if err != nil {
			return nil, err
		}
		if w, ok := f.(*wire.Welcome); !ok || w.Errno != 0 {
			return []any{count}, nil
		}
		n.conns[r.fd] = r
	}
}
