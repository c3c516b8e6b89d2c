//go:build linux

package message_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// Messages of the soak begin with a soakHead, and so do their replies. What follows is
// random, of the message's number.
type soakHead struct {
	Process, Number uint64 // of the message
	Length          uint64 // of this
	Reply           uint64 // its length
	Flags           uint64
}

const (
	soakHeadSize = 40

	soakPatient = 1 // this process never gives up
	soakFail    = 2 // is to be answered with EACCES
	soakLose    = 4 // is not to be answered, but to an unblock pulse
)

// soakMessage makes a message, or with of 1 a reply.
func soakMessage(h soakHead, of uint64) []byte {
	b, _ := binary.Append(make([]byte, 0, h.Length), binary.LittleEndian, &h)
	r := rand.NewPCG(h.Process+of, h.Number)
	for len(b) < int(h.Length) {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:h.Length]
}

func soakHeadOf(b []byte) (h soakHead) {
	binary.Decode(b[:soakHeadSize], binary.LittleEndian, &h)
	return h
}

// A group is a WaitGroup with a method that go.mod's version of Go lacks.
type group struct{ sync.WaitGroup }

func (g *group) Go(f func()) {
	g.Add(1)
	go func() {
		defer g.Done()
		f()
	}()
}

// faults are what must not happen.
type faults struct {
	mu   sync.Mutex
	list []string
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.list) < 20 {
		f.list = append(f.list, fmt.Sprintf(format, args...))
	}
}

// found returns them.
func (f *faults) found() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list
}

// A soakServer serves channels of both kinds, and counts what comes.
type soakServer struct {
	faults
	mu   sync.Mutex
	seen map[[2]uint64]bool
}

func (s *soakServer) serve(name string, flags uint32) (chid int, err error) {
	if s.seen == nil {
		s.seen = make(map[[2]uint64]bool)
	}
	chid, err = message.ChannelCreate(flags)
	if err != nil {
		return 0, err
	}
	if _, err := message.NameAttach(name, chid); err != nil {
		return 0, err
	}
	for i := range uint64(6) {
		go s.receive(chid, rand.New(rand.NewPCG(i, uint64(chid))))
	}
	return chid, nil
}

func (s *soakServer) receive(chid int, rnd *rand.Rand) {
	buf := make([]byte, 32<<10)
	for {
		r, err := message.MsgReceive(chid, buf, -1)
		switch {
		case testproc.ErrnoOf(err) == syscall.ESRCH:
			return
		case err != nil:
			s.add("MsgReceive: %v", err)
			return
		case r.RcvID == 0 && r.Code == nto.PulseDisconnect:
			if err := message.DetachClient(chid, r.SCOID); err != nil {
				s.add("detach a client that is gone: %v", err)
			}
		case r.RcvID == 0 && r.Code == nto.PulseUnblock:
			s.reply(message.MsgError(r.Value, syscall.EINTR))
		case r.RcvID == 0:
			s.count("pulse", [2]uint64{1, uint64(r.Value)})
		default:
			s.answer(r, buf[:r.MsgLen], rnd)
		}
	}
}

// count notes what comes once.
func (s *soakServer) count(what string, id [2]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[id] {
		s.add("%s %x came twice", what, id)
	}
	s.seen[id] = true
}

// counted is how much has come.
func (s *soakServer) counted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// forget gives the memory of that back.
func (s *soakServer) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

// reply notes how a reply has ended: its sender may have gone.
func (s *soakServer) reply(err error) {
	if err != nil && testproc.ErrnoOf(err) != syscall.ESRCH {
		s.add("MsgReply: %v", err)
	}
}

func (s *soakServer) answer(r message.Received, msg []byte, rnd *rand.Rand) {
	if len(msg) < soakHeadSize {
		s.add("a message of %d bytes", len(msg))
		return
	}
	h := soakHeadOf(msg)
	s.count("message", [2]uint64{h.Process, h.Number})
	whole := msg
	if r.SrcMsgLen > int64(len(msg)) {
		whole = append(bytes.Clone(msg), make([]byte, r.SrcMsgLen-int64(len(msg)))...)
		if !readRest(r.RcvID, whole, len(msg)) {
			return // its thread has sent another one meanwhile
		}
	}
	if !bytes.Equal(whole, soakMessage(h, 0)) {
		s.add("message %x is not what was sent", h)
		return
	}
	if rnd.IntN(20) == 0 {
		time.Sleep(time.Duration(rnd.IntN(3000)) * time.Microsecond)
	}
	switch {
	case h.Flags&soakLose != 0:
		return
	case h.Flags&soakFail != 0:
		s.reply(message.MsgError(r.RcvID, syscall.EACCES))
		return
	}
	reply := soakMessage(soakHead{h.Process, h.Number, h.Reply, 0, h.Flags}, 1)
	if h.Flags&soakPatient != 0 && rnd.IntN(4) == 0 { // nobody else is behind the rcvid
		at := rnd.IntN(len(reply))
		n, err := message.MsgWrite(r.RcvID, [][]byte{reply[at:]}, int64(at))
		s.reply(err)
		if err == nil && n != len(reply)-at {
			s.add("MsgWrite wrote %d of %d bytes", n, len(reply)-at)
		}
		reply = reply[:at]
	}
	s.reply(message.MsgReply(r.RcvID, int(h.Number), reply))
}

// readRest reads what a receive had no room for, and reports whether it is of that
// message.
func readRest(rcvid int64, whole []byte, from int) bool {
	for at := from; at < len(whole); {
		n, err := message.MsgRead(rcvid, [][]byte{whole[at:]}, int64(at))
		if err != nil || n == 0 {
			return false
		}
		at += n
	}
	again := make([]byte, soakHeadSize)
	n, err := message.MsgRead(rcvid, [][]byte{again}, 0)
	return err == nil && n == soakHeadSize && bytes.Equal(again, whole[:soakHeadSize])
}

// A soakClient sends, and checks what it is replied.
type soakClient struct {
	faults
	process uint64
	patient bool
	number  atomic.Uint64
	ended   atomic.Uint64 // sends

	mu    sync.Mutex
	had   map[uint64]bool // messages whose reply has come
	late  int             // replies that came to another message of the process
	tired int             // messages that were given up
}

// soak sends on connections to channels, on each with some threads, for a time.
func (c *soakClient) soak(names []string, patient bool, d time.Duration) error {
	const threads = 6
	c.process, c.patient, c.had = rand.Uint64()|2, patient, make(map[uint64]bool)
	var wg group
	defer wg.Wait()
	until := time.Now().Add(d)
	for _, name := range names {
		coid, err := message.NameOpen(name)
		if err != nil {
			return err
		}
		var users group
		for range threads {
			users.Go(func() {
				rnd := rand.New(rand.NewPCG(rand.Uint64(), 7))
				c.send(coid, rnd) // one at least, however busy the machine is
				for time.Now().Before(until) {
					c.send(coid, rnd)
				}
			})
		}
		wg.Go(func() {
			users.Wait()
			message.ConnectDetach(coid)
		})
	}
	return nil
}

// send sends one message, perhaps after a pulse.
func (c *soakClient) send(coid int, rnd *rand.Rand) {
	most := 4000
	if rnd.IntN(5) == 0 {
		most = 300 << 10
	}
	h := soakHead{
		Process: c.process, Number: c.number.Add(1), Length: uint64(soakHeadSize + rnd.IntN(most)), Reply: uint64(soakHeadSize + rnd.IntN(most)),
	}
	timeout := time.Duration(-1)
	switch n := rnd.IntN(20); {
	case n == 0:
		h.Flags = soakFail
	case c.patient:
	case n < 3:
		h.Flags = soakLose
		timeout = time.Duration(rnd.IntN(3000)) * time.Microsecond
	case n < 15:
		timeout = time.Duration(rnd.IntN(3000)) * time.Microsecond
	}
	if c.patient {
		h.Flags |= soakPatient
	}
	if rnd.IntN(4) == 0 {
		if err := message.MsgSendPulse(coid, -1, 1, int64(c.process^h.Number)); err != nil && testproc.ErrnoOf(err) != syscall.EAGAIN {
			c.add("MsgSendPulse: %v", err)
		}
	}
	reply := make([]byte, h.Reply)
	began := time.Now()
	status, err := message.MsgSend(coid, soakMessage(h, 0), reply, timeout)
	if took := time.Since(began); took > max(timeout, 0)+testproc.Patience/2 {
		c.add("message %x with timeout %v took %v: %v", h, timeout, took, err)
	}
	c.ended.Add(1)
	c.check(h, timeout, status, reply, err)
}

// check checks how a message has ended. A thread that gives up can be followed by
// another one on its slot, to which the late reply comes: as on a target. So the reply
// to each message comes once at most, to some message of the process.
func (c *soakClient) check(h soakHead, timeout time.Duration, status int, reply []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch errno := testproc.ErrnoOf(err); {
	case err == nil:
	case errno == syscall.EACCES && (h.Flags&soakFail != 0 || !c.patient):
		return
	case (errno == syscall.ETIMEDOUT || errno == syscall.EINTR) && !c.patient:
		c.tired++
		return
	default:
		c.add("message %x with timeout %v: %v", h, timeout, err)
		return
	}
	got := soakHeadOf(reply)
	want := soakMessage(soakHead{got.Process, got.Number, min(got.Length, 1<<20), 0, got.Flags}, 1)
	if n := min(len(want), len(reply)); got.Process != c.process || uint64(status) != got.Number || !bytes.Equal(reply[:n], want[:n]) {
		c.add("message %x has the reply %x with status %d", h, got, status)
	}
	if got.Number != h.Number {
		c.late++
		if c.patient || got.Number > c.number.Load() {
			c.add("message %x has the reply to %x", h, got)
		}
	}
	if c.had[got.Number] {
		c.add("the reply to %x came twice", got)
	}
	c.had[got.Number] = true
}

// progress is how many sends have ended, replies came late, messages were given up.
func (c *soakClient) progress() (sends uint64, late, tired int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended.Load(), c.late, c.tired
}

// soakProcedures are those of either.
func soakProcedures() testproc.Procedures {
	var s soakServer
	var c soakClient
	return testproc.Procedures{
		"soakserve": s.serve, "soakcounted": s.counted, "soakforget": s.forget,
		"soak": c.soak, "soakprogress": c.progress,
		"soakfaults": func() []string { return append(s.found(), c.found()...) },
		"clients":    func() (clients, rcvids int) { n := message.Left(); return n.Clients, n.Rcvids },
		"connected":  func() int { n := message.Left(); return n.Attachments + n.Connections },
	}
}
