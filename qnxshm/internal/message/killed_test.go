//go:build linux

package message_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// A numbered is what the threads of a tally's clients send: each sends its messages one
// after the other, and a pulse now and then.
type numbered struct{ Process, Thread, Number uint32 }

const (
	numberedSize  = 12
	receivers     = 4
	pulseInterval = 8
)

// sender is one thread of one process.
type sender struct{ process, thread uint32 }

// A tally is what a server has received.
type tally struct {
	faults
	mu       sync.Mutex
	messages map[sender]uint32 // the number of the last one
	pulses   map[numbered]bool
	clients  map[int]uint32 // the process of a scoid
	gone     map[int]bool   // scoids
	ends     int            // disconnect pulses
	all      int            // messages
}

func (ta *tally) serve(name string) error {
	ta.messages, ta.pulses = make(map[sender]uint32), make(map[numbered]bool)
	ta.clients, ta.gone = make(map[int]uint32), make(map[int]bool)
	chid, err := message.ChannelCreate(nto.ChannelDisconnect)
	if err != nil {
		return err
	}
	if _, err := message.NameAttach(name, chid); err != nil {
		return err
	}
	for range receivers {
		go ta.receive(chid)
	}
	return nil
}

func (ta *tally) receive(chid int) {
	buf := make([]byte, 64)
	for {
		r, err := message.MsgReceive(chid, buf, -1)
		switch {
		case err != nil:
			ta.add("MsgReceive: %v", err)
			return
		case r.RcvID != 0:
			var m numbered
			binary.Decode(buf[:r.MsgLen], binary.LittleEndian, &m)
			ta.count(m, r.SCOID)
			if err := message.MsgReply(r.RcvID, int(m.Number), buf[:r.MsgLen]); err != nil && testproc.ErrnoOf(err) != syscall.ESRCH {
				ta.add("MsgReply: %v", err)
			}
		case r.Code == nto.PulseDisconnect:
			ta.end(r.SCOID)
			if err := message.DetachClient(chid, r.SCOID); err != nil {
				ta.add("DetachClient: %v", err)
			}
		default:
			ta.countPulse(numbered{uint32(r.Value >> 40), uint32(r.Code), uint32(r.Value & (1<<40 - 1))})
		}
	}
}

// count notes a message: it is the next one of its thread.
func (ta *tally) count(m numbered, scoid int) {
	ta.mu.Lock()
	defer ta.mu.Unlock()
	of := sender{m.Process, m.Thread}
	if last := ta.messages[of]; m.Number != last+1 {
		ta.add("message %d of %v comes after %d", m.Number, of, last)
	}
	ta.messages[of] = m.Number
	if p, known := ta.clients[scoid]; known && p != m.Process {
		ta.add("scoid %#x is of processes %d and %d", scoid, p, m.Process)
	}
	ta.clients[scoid] = m.Process
	ta.all++
}

func (ta *tally) countPulse(p numbered) {
	ta.mu.Lock()
	defer ta.mu.Unlock()
	if ta.pulses[p] {
		ta.add("pulse %v comes twice", p)
	}
	ta.pulses[p] = true
}

func (ta *tally) end(scoid int) {
	ta.mu.Lock()
	defer ta.mu.Unlock()
	if ta.gone[scoid] {
		ta.add("scoid %#x has gone twice", scoid)
	}
	ta.gone[scoid] = true
	ta.ends++
}

// tallyProcedures are those of a tally and its clients.
func tallyProcedures() testproc.Procedures {
	var ta tally
	return testproc.Procedures{
		"tally": ta.serve, "tallied": ta.received, "tallycheck": ta.check, "tallyfaults": ta.found, "sendnumbered": sendNumbered,
	}
}

// received is how many messages have come, and how many clients have gone.
func (ta *tally) received() (messages, ends int) {
	ta.mu.Lock()
	defer ta.mu.Unlock()
	return ta.all, ta.ends
}

// check compares what came of a process with what it has sent to its end.
func (ta *tally) check(process, threads, n uint32) error {
	ta.mu.Lock()
	defer ta.mu.Unlock()
	for thread := range threads {
		if last := ta.messages[sender{process, thread}]; last != n {
			return fmt.Errorf("%d of %d messages of thread %d have come", last, n, thread)
		}
		for number := uint32(pulseInterval); number <= n; number += pulseInterval {
			if p := (numbered{process, thread, number}); !ta.pulses[p] {
				return fmt.Errorf("pulse %v has not come", p)
			}
		}
	}
	return nil
}

// sendNumbered is a client of a tally: it sends from some threads.
func sendNumbered(name string, process, threads, n uint32) error {
	coid, err := message.NameOpen(name)
	if err != nil {
		return err
	}
	defer message.ConnectDetach(coid)
	errs := make(chan error, threads)
	for thread := range threads {
		go func() { errs <- sendAllNumbered(coid, process, thread, n) }()
	}
	for range threads {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return err
}

func sendAllNumbered(coid int, process, thread, n uint32) error {
	reply := make([]byte, numberedSize)
	for number := uint32(1); number <= n; number++ {
		msg, _ := binary.Append(nil, binary.LittleEndian, numbered{process, thread, number})
		clear(reply)
		status, err := message.MsgSend(coid, msg, reply, -1)
		if err != nil || status != int(number) || !bytes.Equal(msg, reply) {
			return fmt.Errorf("message %d: status %d, reply %x, %w", number, status, reply, err)
		}
		if number%pulseInterval != 0 {
			continue
		}
		for err = syscall.EAGAIN; testproc.ErrnoOf(err) == syscall.EAGAIN; {
			err = message.MsgSendPulse(coid, -1, int(thread), int64(process)<<40|int64(number))
		}
		if err != nil {
			return fmt.Errorf("pulse %d: %w", number, err)
		}
	}
	return nil
}

// TestKilledAmongMany has many processes send from several threads, while some of them
// are killed: nothing is lost, comes twice or in another order, each message has its own
// answer, and each process is gone once.
func TestKilledAmongMany(t *testing.T) {
	processes, threads, n := 8, uint32(4), uint32(200)
	if *long {
		processes, n = 64, 2000
	}
	server := testproc.Start(t, "node")
	name := nameOf(server) + "/tally"
	server.Do("tally", name)
	clients, calls := make([]*testproc.Child, processes), make([]*testproc.Call, processes)
	for i := range clients {
		clients[i] = testproc.Start(t, "node")
	}
	for i, c := range clients {
		calls[i] = c.Begin("sendnumbered", name, i, threads, n)
	}
	killed := make(map[int]bool)
	total := processes * int(threads) * int(n)
	for round := 1; round <= processes/4; round++ {
		for server.Do("tallied").At(0).Int() < total*round/processes*2 {
			time.Sleep(time.Millisecond)
		}
		victim := rand.IntN(processes)
		for killed[victim] {
			victim = rand.IntN(processes)
		}
		killed[victim] = true
		clients[victim].Kill()
	}
	for i, c := range clients {
		if !killed[i] {
			_, err := calls[i].Within(10 * testproc.Patience)
			require.NoError(t, err, "client %d", i)
			c.End()
		}
	}
	testproc.Eventually(t, testproc.Patience, func() bool { return server.Do("tallied").At(1).Int() == processes }, "the disconnect pulses: %v",
		testproc.Lazy(func() any { return server.Do("tallied") }))
	for i := range clients {
		if !killed[i] {
			// The disconnect pulse has overtaken others.
			testproc.Eventually(t, testproc.Patience, func() bool { return server.Err("tallycheck", i, threads, n) == nil }, "client %d: %v", i,
				testproc.Lazy(func() any { return server.Err("tallycheck", i, threads, n) }))
		}
	}
	require.Equal(t, "null", server.Do("tallyfaults").String())
	requireNothingLeft(t, server)
	t.Logf("%d of %d processes were killed; messages and ends: %v", len(killed), processes, server.Do("tallied"))
}
