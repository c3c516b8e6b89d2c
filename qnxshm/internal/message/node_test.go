//go:build linux

package message_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A node is a second process: a server, a peer that must be served well, a
// hostile one.
type node struct {
	fill    testproc.Filler
	good    testproc.Rounds
	bad     testproc.Impostor
	conns   map[int]testproc.Raw
	clients []*rawClient

	mu   sync.Mutex
	held []int64 // rcvids of messages without a reply
}

// newNode gives what a node can be told to do; most are a call each.
func newNode() testproc.Procedures {
	n := &node{conns: make(map[int]testproc.Raw)}
	procedures := testproc.Procedures{
		"ping": func() {}, "maxint": func() int { return math.MaxInt },
		"limit": testproc.LimitDescriptors, "filelimit": limitFiles,
		"fill": n.fill.Fill, "unfill": n.fill.Unfill,
		"serve": n.serve, "destroy": message.ChannelDestroy, "detach": message.DetachClient,
		"connect": message.NameOpen, "attach": message.ConnectAttach,
		"send":     func(coid, length int) error { return send(coid, "", length) },
		"sendheld": func(coid, length int) error { return send(coid, "hold", length) },
		"peek":     n.peek, "release": n.release, "holds": n.holds,
		"good": n.startRounds, "progress": n.good.Progress, "pause": n.good.Pause, "resume": n.good.Resume,
		"dial": n.dial, "rawsend": n.rawSend, "rawreceive": n.rawReceive, "flood": n.flood, "crowd": n.crowd,
		"join": n.join, "blockers": n.blockers, "strew": n.strew,
		"serveall": serveAll, "attack": attack, "suffer": suffer, "mapmuch": mapMuch, "bury": bury, "pulses": pulses, "mix": mix, "hurry": hurry, "used": used,
		"measuresend": measureSend, "measurehandles": measureHandles,
		"ready": ready, "fire": fire, "visit": visit,
		"impostor": n.impostor, "behave": n.bad.Behave, "accepted": n.bad.Accepted, "asked": asked.Load,
	}
	maps.Copy(procedures, soakProcedures())
	maps.Copy(procedures, tallyProcedures())
	return procedures
}

// send sends a message that begins with a text, and has so many bytes more.
func send(coid int, text string, length int) error {
	_, err := message.MsgSend(coid, append([]byte(text), bytes.Repeat([]byte("x"), length)...), nil, testproc.Patience)
	return err
}

// limitFiles limits the size of files, -1 for none.
func limitFiles(size int64) error {
	signal.Ignore(syscall.SIGXFSZ)
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(size), Max: unix.RLIM_INFINITY})
}

// serve serves a channel with a name and some threads.
func (n *node) serve(name string, flags ...uint32) (chid int, err error) {
	chid, err = message.ChannelCreate(append(flags, 0)[0] | nto.ChannelDisconnect)
	if err != nil {
		return 0, err
	}
	if _, err := message.NameAttach(name, chid); err != nil {
		return 0, err
	}
	for range 3 {
		go n.receive(chid)
	}
	return chid, nil
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
func (n *node) peek(offset int64) (read int, err error) {
	for deadline := time.Now().Add(time.Second / 2); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		n.mu.Lock()
		held := n.held
		n.mu.Unlock()
		if len(held) > 0 {
			return message.MsgRead(held[0], [][]byte{make([]byte, 10)}, offset)
		}
	}
	return 0, syscall.ETIMEDOUT
}

// holds is how many messages are held.
func (n *node) holds() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.held)
}

// release replies to what is held, once there are so many, and says how that
// ended.
func (n *node) release(count int) (errnos []string, err error) {
	var held []int64
	for deadline := time.Now().Add(testproc.Patience / 2); len(held) < count; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return nil, syscall.ETIMEDOUT
		}
		n.mu.Lock()
		if len(n.held) >= count {
			held, n.held = n.held, nil
		}
		n.mu.Unlock()
	}
	for _, id := range held {
		errnos = append(errnos, qnxerr.Name(testproc.ErrnoOf(message.MsgReply(id, 0, nil))))
	}
	return errnos, nil
}

// rounds are those of a good peer of a channel.
type rounds struct{ name string }

func (n *node) startRounds(name string) { n.good.Start(rounds{name}.round) }

// round uses everything once.
func (r rounds) round(i int) error {
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
	if _, err := message.MsgSend(coid, msg, reply, testproc.Patience); err != nil {
		return fmt.Errorf("MsgSend: %w", err)
	}
	if !bytes.Equal(msg, reply) {
		return errors.New("wrong reply")
	}
	return nil
}

// Raw sockets.

func (n *node) dial(socket string) (int, error) {
	r, err := testproc.Dial(socket)
	n.conns[r.FD] = r
	return r.FD, err
}

func (n *node) rawSend(conn int, packet []byte) error { return n.conns[conn].Send(packet) }

// rawReceive tells what of a Welcome comes.
func (n *node) rawReceive(conn int) (*wire.Welcome, error) {
	f, err := n.conns[conn].ReceiveFrame()
	if w, ok := f.(*wire.Welcome); ok || err != nil {
		return w, err
	}
	return nil, syscall.EPROTO
}

// join attaches to a channel without the library, and tells the number of the client
// and its scoid.
func (n *node) join(socket string, chid int) (number int, scoid int32, err error) {
	c, err := join(socket, chid)
	if err != nil {
		return -1, 0, err
	}
	n.clients = append(n.clients, c)
	return len(n.clients) - 1, c.scoid, nil
}

// flood sends pulses, and rings, as fast as it can and from more than one thread,
// until the other side does not listen any more.
func (n *node) flood(number int) {
	c := n.clients[number]
	for range 2 {
		go func() {
			for c.memory.Closed().Load() == 0 {
				if c.Say(new(wire.Bell)) != nil {
					return
				}
			}
		}()
	}
	go func() {
		for c.memory.Closed().Load() == 0 {
			c.memory.EnterPulse(1, 1, 1)
		}
	}()
}

// crowd attaches to a channel as often as it can, and tells how often that was.
func (n *node) crowd(socket string, chid int32) (count int, err error) {
	for ; ; count++ {
		c, err := attach(socket, &wire.HelloAttach{ChannelID: chid})
		if err == syscall.EAGAIN || err == syscall.EPIPE {
			return count, nil
		}
		if err != nil {
			return count, err
		}
		n.clients = append(n.clients, c)
	}
}
