//go:build linux

package message

import (
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"golang.org/x/sys/unix"
)

// MsgReceive is MsgReceive, with TimerTimeout if timeout is not negative.
func MsgReceive(chid int, buf []byte, timeout time.Duration) (Received, error) {
	rc, err := BeginReceive(chid, false)
	if err != nil {
		return Received{}, err
	}
	defer rc.End()
	parts := [1][]byte{buf}
	return rc.wait(parts[:], timeout)
}

// wait receives, and sleeps before as long as it has to.
func (rc *Receiving) wait(parts [][]byte, timeout time.Duration) (Received, error) {
	turns := turnsOfReceivers.Get().(*linux.Turn)
	turns.Pass()
	turnsOfReceivers.Put(turns)
	rc.goroutine = true
	rc.polls = timeout == 0
	deadline := deadlineOf(timeout)
	for {
		r, err := rc.Try(parts)
		if err != syscall.EAGAIN {
			return r, err
		}
		if rc.polls {
			return Received{}, syscall.ETIMEDOUT
		}
		if err := rc.sleep(deadline); err != nil {
			return Received{}, err
		}
	}
}

var turnsOfReceivers = sync.Pool{New: func() any { return new(linux.Turn) }}

// A Receiving is a thread in MsgReceive. The C face waits between its methods,
// on the caller's own thread.
type Receiving struct {
	ch         *channel
	pulsesOnly bool
	goroutine  bool // sleeps on a Go channel where that is better
	polls      bool // does not sleep
	woken      bool // by what is to be looked for around
	spin       linux.Spinner
	looking    bool // counted in channel.looking
	helping    bool // counted by the service
	asleep     bool // counted in sleepers.count
	parked     chan struct{}
}

// BeginReceive enters MsgReceive, or MsgReceivePulse. On success End must
// follow.
func BeginReceive(chid int, pulsesOnly bool) (Receiving, error) {
	ch := channels.get(chid)
	if ch == nil || !ch.gate.Enter() {
		return Receiving{}, syscall.ESRCH
	}
	rc := Receiving{ch: ch, pulsesOnly: pulsesOnly}
	if err := rc.openSleepers(); err != nil {
		ch.gate.Leave()
		return Receiving{}, noDescriptors(err)
	}
	return rc, nil
}

// openSleepers makes what those of MsgReceivePulse sleep in, when the first one
// comes.
func (rc *Receiving) openSleepers() error {
	ch := rc.ch
	if !rc.pulsesOnly {
		return nil
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.pulses.epfd >= 0 {
		return nil
	}
	err := ch.pulses.open(ch.epfd, ch.service.Descriptor())
	if err != nil {
		ch.pulses.close()
	}
	return err
}

func (rc *Receiving) sleepers() *sleepers {
	if rc.pulsesOnly {
		return &rc.ch.pulses
	}
	return &rc.ch.messages
}

// ChannelID returns the chid.
func (rc *Receiving) ChannelID() int { return rc.ch.chid }

// Descriptor becomes readable when Try may succeed.
func (rc *Receiving) Descriptor() int { return rc.sleepers().epfd }

// End leaves.
func (rc *Receiving) End() {
	ch := rc.ch
	ch.mu.Lock()
	rc.getUp()
	rc.stopLooking()
	rc.stopHelping()
	if ch.looking == 0 && (ch.messages.any() || ch.pulses.any()) {
		ch.hangBells()
	}
	ch.wakeOne()
	ch.mu.Unlock()
	ch.gate.Leave()
}

// Try takes a message or a pulse if there is one, or comes within a short while, else
// EAGAIN: then Descriptor tells when to try again.
func (rc *Receiving) Try(parts [][]byte) (Received, error) {
	ch := rc.ch
	rc.spin = linux.Spinner{}
	rc.startLooking()
	for tries := 0; ; tries++ {
		if ch.gate.Closed() {
			return Received{}, syscall.ESRCH
		}
		a, ok := rc.next(tries)
		if ok {
			if r, err := a.deliver(parts); err != syscall.EAGAIN {
				return r, err
			}
			rc.startLooking()
			continue
		}
		if rc.polls {
			return Received{}, syscall.EAGAIN
		}
		again := false
		if ch.locals.Load() > 0 {
			runtime.Gosched()
			again = tries < turnsOfProcess
		} else {
			again = rc.spin.Again()
		}
		if !again && rc.lieDown() {
			return Received{}, syscall.EAGAIN
		}
	}
}

// startLooking is before the first look: clients need not ring.
func (rc *Receiving) startLooking() {
	ch := rc.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	rc.getUp()
	if !rc.helping {
		rc.helping = true
		ch.service.Join()
	}
	if rc.looking {
		return
	}
	rc.looking = true
	if ch.looking++; ch.looking == 1 {
		for _, cl := range ch.recent {
			cl.unhangBell()
		}
	}
}

func (rc *Receiving) stopLooking() {
	if rc.looking {
		rc.looking = false
		rc.ch.looking--
	}
}

func (rc *Receiving) stopHelping() {
	if rc.helping {
		rc.helping = false
		rc.ch.service.Leave()
	}
}

// getUp ends what lieDown began. The lock is held.
func (rc *Receiving) getUp() {
	s := rc.sleepers()
	if rc.asleep {
		rc.asleep, rc.woken = false, true
		s.count--
	}
	if rc.parked != nil {
		s.unpark(rc.parked)
		parkingPlaces.Put(rc.parked)
		rc.parked = nil
	}
}

var parkingPlaces = sync.Pool{New: func() any { return make(chan struct{}, 1) }}

// lieDown counts this receiver among those that sleep, unless there is something to
// receive: it looks once more after everybody knows that it is to be woken.
func (rc *Receiving) lieDown() bool {
	ch, s := rc.ch, rc.sleepers()
	ch.mu.Lock()
	defer ch.mu.Unlock()
	rc.stopLooking()
	if rc.goroutine && ch.locals.Load() > 0 {
		rc.parked = parkingPlaces.Get().(chan struct{})
		s.parked = append(s.parked, rc.parked)
		if !s.watched && ch.gate.Enter() {
			s.watched = true
			go ch.watch(s)
		}
	} else {
		rc.asleep = true
		s.count++
	}
	if ch.looking == 0 {
		ch.hangBells()
	}
	if len(ch.queue.pulses) == 0 && (rc.pulsesOnly || len(ch.queue.messages) == 0) && !ch.gate.Closed() {
		ch.wakeOne() // for a message that is not for this one
		if !rc.goroutine {
			rc.stopHelping() // it may run the program's signal handlers while it sleeps
		}
		return true
	}
	rc.getUp()
	rc.looking = true
	ch.looking++
	return false
}

// next takes what is to be received next.
func (rc *Receiving) next(tries int) (a arrival, ok bool) {
	ch := rc.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.looks++
	around := ch.looks%looksBetween == 0 || rc.woken || rc.polls
	if !around {
		// Mostly what is waited for comes from a recent client.
		if a, ok = rc.take(); ok || tries == 0 {
			return a, ok
		}
	}
	rc.woken = false
	ch.mu.Unlock()
	if ch.lookAround(rc.sleepers()) {
		rc.spin = linux.Spinner{} // there may be more
	}
	ch.mu.Lock()
	return rc.take()
}

// take takes what the recent clients have sent last, or others before. The lock is
// held.
func (rc *Receiving) take() (arrival, bool) {
	ch := rc.ch
	for _, cl := range ch.recent {
		cl.takeIn()
	}
	a, ok := ch.queue.pop(rc.pulsesOnly)
	if ok && a.client != nil {
		a.client.takenOut()
	}
	if ok {
		rc.stopLooking() // it may take a while until it looks again
		if ch.looking == 0 && (ch.messages.any() || ch.pulses.any()) {
			ch.hangBells()
		}
	}
	ch.wakeOne()
	return a, ok
}

// sleep waits until something may be there, at most until the deadline unless that
// is zero.
func (rc *Receiving) sleep(deadline time.Time) error {
	if rc.parked != nil {
		return rc.park(deadline)
	}
	ep := rc.sleepers().epfd
	if !deadline.IsZero() {
		return linux.WaitFor(ep, unix.POLLIN, deadline)
	}
	var events [8]unix.EpollEvent
	n, err := unix.EpollWait(ep, events[:], -1)
	if err == nil {
		rc.ch.act(events[:n], rc.sleepers())
		rc.ch.mu.Lock()
		rc.getUp()
		rc.woken = false
		rc.ch.mu.Unlock()
	}
	return nil
}

func (rc *Receiving) park(deadline time.Time) error {
	var timeout <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-rc.parked:
		return nil
	case <-timeout:
		return syscall.ETIMEDOUT
	}
}
