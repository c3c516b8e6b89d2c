//go:build linux

package message_test

import (
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// An attacker is a hostile client, again and again.
type attacker struct {
	socket   string
	chid     int
	rnd      *rand.Rand
	blockers bool // descriptors that block in close
}

// attack attacks a channel for a time, and tells as how many clients that was, and how
// many packets they have sent.
func attack(socket string, chid int, seed uint64, d time.Duration, blockers bool) (clients, packets int) {
	a := attacker{socket, chid, rand.New(rand.NewPCG(seed, 2)), blockers}
	for until := time.Now().Add(d); time.Now().Before(until); {
		c, err := join(socket, chid)
		if err != nil { // it has had its share for now
			time.Sleep(5 * time.Millisecond)
			continue
		}
		clients++
		packets += a.asClient(c)
	}
	return clients, packets
}

// asClient is a client for a while, or until the server drops it.
func (a *attacker) asClient(c *rawClient) (packets int) {
	defer c.close()
	c.SetLimit(50 * time.Millisecond)
	for k := 1; k < 3 && a.rnd.IntN(3) == 0; k++ {
		c.share(k)
	}
	var stop atomic.Bool
	var wg group
	defer wg.Wait()
	defer stop.Store(true)
	for range a.rnd.IntN(3) {
		s := newScribbler(c.memory, a.rnd.Uint64())
		wg.Go(func() { s.run(&stop) })
	}
	if a.rnd.IntN(2) == 0 {
		rnd := rand.New(rand.NewPCG(a.rnd.Uint64(), 3))
		wg.Go(func() {
			for !stop.Load() {
				punch(c.fd, rnd)
				time.Sleep(time.Duration(rnd.IntN(1000)) * time.Microsecond)
			}
		})
	}
	for until := time.Now().Add(time.Duration(a.rnd.IntN(200)) * time.Millisecond); time.Now().Before(until); packets++ {
		if a.step(c) != nil {
			break
		}
	}
	return packets
}

// step sends something: mostly what is right, as more happens with that.
func (a *attacker) step(c *rawClient) error {
	slot := a.rnd.IntN(8)
	switch n := a.rnd.IntN(100); {
	case n < 50:
		w := c.memory.Slot(slot)
		w.Length.Store(uint64(a.rnd.IntN(message.MaxRequest)))
		w.Room.Store(uint64(a.rnd.IntN(message.MaxReply)))
		w.Buffer.Store(0)
		return a.full(c.enter(slot))
	case n < 60:
		number := a.rnd.Uint32()
		w := c.memory.Slot(slot)
		w.Length.Store(uint64(a.rnd.IntN(300 << 10)))
		w.Room.Store(uint64(a.rnd.IntN(300 << 10)))
		w.Buffer.Store(number)
		if err := c.buffer(uint32(slot), number, 4096<<a.rnd.IntN(9)); err != nil {
			return err
		}
		return a.full(c.enter(slot))
	case n < 70:
		return a.full(c.ring(c.memory.EnterPulse(1, a.rnd.IntN(128), 1)))
	case n < 80:
		c.memory.AskUnblock(slot, c.generation-uint32(a.rnd.IntN(3)))
		return c.Say(new(wire.Bell))
	case n < 90:
		for range a.rnd.IntN(100) {
			if err := c.Say(new(wire.Bell)); err != nil {
				return err
			}
		}
		return nil
	case n < 99:
		return nil
	}
	return a.breakRules(c)
}

// full is nothing to end for.
func (a *attacker) full(err error) error {
	if err == syscall.EAGAIN {
		return nil
	}
	return err
}

// breakRules does what ends the connection.
func (a *attacker) breakRules(c *rawClient) error {
	fd := memoryFile(4096<<a.rnd.IntN(4), message.SharedSeals)
	if a.rnd.IntN(2) == 0 {
		unix.Close(fd)
		fd = aPipe()
	}
	defer unix.Close(fd)
	part := wire.Part{Size: 4096 << a.rnd.IntN(30), Offset: int64(a.rnd.IntN(2) * 4096), Length: 4096 << a.rnd.IntN(4)}
	var f wire.Frame
	switch a.rnd.IntN(5) {
	case 0:
		f = &wire.Segment{Number: a.rnd.Uint32N(10), Part: part}
	case 1:
		f = &wire.Buffer{Slot: a.rnd.Uint32N(100), Number: a.rnd.Uint32N(3), Part: part}
	case 2:
		f = new(wire.Bell)
	case 3:
		return c.Send(make([]byte, a.rnd.IntN(200)), fd, fd, fd)
	default:
		if a.blockers {
			return sayBlocker(c.Raw, new(wire.Bell), "", 1)
		}
		c.memory.Head().Add(a.rnd.Uint32())
		return c.Say(new(wire.Bell))
	}
	return c.Say(f, fd)
}

// scribble scribbles on the memory of a client, while it serves that in its way.
func (s *rawServer) scribble(seed uint64) {
	var stop atomic.Bool
	var wg group
	defer wg.Wait()
	defer stop.Store(true)
	for i := range uint64(2) {
		scribbler := newScribbler(s.memory, seed+i)
		wg.Go(func() { scribbler.run(&stop) })
	}
	wg.Go(func() { // whatever the client says it waits for
		rnd := rand.New(rand.NewPCG(seed, 5))
		for !stop.Load() {
			w := s.memory.Slot(rnd.IntN(8))
			if st := w.State.Load(); uint32(st) == uint32(message.StateSent) {
				w.State.Store(st - uint64(message.StateSent) + uint64(rnd.IntN(message.States)))
			}
			wakeOne(w)
			s.memory.Tail().Store(s.memory.Head().Load())
			time.Sleep(time.Duration(rnd.IntN(200)) * time.Microsecond)
		}
	})
	rnd := rand.New(rand.NewPCG(seed, 8))
	for { // until the client leaves, or it is enough
		p, err := s.Receive(0)
		p.CloseFDs()
		if err != nil || rnd.IntN(2000) == 0 {
			return
		}
		if rnd.IntN(10) == 0 {
			s.Send(testproc.Encode(new(wire.Bell))[:rnd.IntN(wire.FrameSize+1)])
		}
	}
}
