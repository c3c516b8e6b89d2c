//go:build linux

package message

import (
	"slices"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// hangBell lets the client ring, and takes in what it has not rung for. The channel's
// lock is held.
func (cl *client) hangBell() {
	if cl.ended || !cl.joined {
		return
	}
	if !cl.hung {
		cl.hung = true
		cl.bell.Store(1)
	}
	cl.takeIn()
}

// unhangBell saves the client the ringing while somebody looks.
func (cl *client) unhangBell() {
	if cl.hung && !cl.ended && cl.joined {
		cl.hung = false
		cl.bell.Store(0)
	}
}

// maxRecent is how many clients a receiver looks at directly.
const maxRecent = 8

// remember makes the client one of those that were active last. The lock is held.
func (ch *channel) remember(cl *client) {
	if i := slices.Index(ch.recent, cl); i >= 0 {
		return
	}
	if len(ch.recent) == maxRecent {
		last := ch.recent[0]
		ch.recent = slices.Delete(ch.recent, 0, 1)
		last.hangBell()
	}
	ch.recent = append(ch.recent, cl)
}

// hangBells lets the recent clients ring again, when nobody looks at their memory any
// more. The lock is held.
func (ch *channel) hangBells() {
	for _, cl := range ch.recent {
		cl.hangBell()
	}
}

// wakeOne wakes somebody for what is in the queue, unless a receiver that takes it is
// there anyway. The lock is held.
func (ch *channel) wakeOne() {
	switch {
	case len(ch.queue.pulses) > 0 && ch.pulses.any():
		ch.pulses.wake()
		if len(ch.queue.messages) > 0 {
			ch.messages.wake()
		}
	case len(ch.queue.pulses) > 0 || len(ch.queue.messages) > 0:
		ch.messages.wake()
	}
}

// wakeAll wakes all for good: the channel is closed.
func (ch *channel) wakeAll() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, s := range []*sleepers{&ch.messages, &ch.pulses} {
		for len(s.parked) > 0 {
			s.wake()
		}
		if s.wakefd >= 0 {
			linux.Wake(s.wakefd)
		}
	}
}

// takeIn puts what is in the ring into the channel's queue. The channel's lock is held.
func (cl *client) takeIn() {
	if cl.ended || !cl.joined {
		return
	}
	n, ok := cl.waiting(cl.tail)
	if !ok {
		cl.lateExpel()
		return
	}
	if n > 0 {
		for ; n > 0 && cl.queued < ringEntries; n-- {
			e := cl.shared.at(cl.tail)
			cl.tail++
			cl.queued++
			cl.channel.queue.push(e.priority(), cl.peer.UID, e.pulse(), arrival{client: cl, sent: e})
		}
		cl.behind = n > 0
		cl.shared.tail.Store(cl.tail)
	}
	if cl.room.Load() != 0 {
		cl.wakeForRoom()
	}
	if cl.asks.Load() != 0 {
		cl.asks.Store(0)
		cl.takeAsks()
	}
}

// wakeForRoom wakes the threads that wait for room in the ring.
func (cl *client) wakeForRoom() {
	how := cl.room.Swap(0)
	if how&waitFutex != 0 {
		linux.FutexWake(&cl.room.Uint32, 1<<30)
	}
	if how&waitBell != 0 {
		cl.ringBack(-1)
	}
}

// takenOut is called when something of the client was taken from the queue. The
// channel's lock is held.
func (cl *client) takenOut() {
	if cl.queued--; cl.behind {
		cl.takeIn()
	}
}

// takeAsks sends the unblock pulses that threads ask for.
func (cl *client) takeAsks() {
	if cl.channel.flags&nto.ChannelUnblock == 0 {
		return
	}
	for w := range (len(cl.slots) + 31) / 32 {
		bits := cl.shared.unblock[w].Swap(0)
		for i := w * 32; bits != 0; i, bits = i+1, bits>>1 {
			if bits&1 == 0 || i >= len(cl.slots) || cl.slots[i] == nil {
				continue
			}
			sv := cl.slots[i]
			generation := sv.slot.unblock.Load()
			if generation != sv.generation || sv.told == generation || !sv.slot.waits(generation) {
				continue
			}
			sv.told = generation
			sv.info.UnblockRequested = true
			cl.channel.queue.push(sv.info.Priority, cl.peer.UID, true, arrival{pulse: &Received{Code: nto.PulseUnblock, Value: int64(sv.rcvid), SCOID: cl.scoid}, unblock: sv, generation: generation})
		}
	}
}

// lateExpel is expel for who has the channel's lock.
func (cl *client) lateExpel() {
	cl.closed.Store(1)
	if cl.fd >= 0 {
		unix.Shutdown(cl.fd, unix.SHUT_RDWR) // which is heard
	}
}

// ringBack wakes the client's threads that sleep in poll, on its socket.
func (cl *client) ringBack(slot int) {
	if cl.local != nil {
		cl.local.wake(slot)
	} else if cl.fd >= 0 {
		wire.Ring(cl.fd)
	}
}

// wake wakes the thread of a slot. The client is in use.
func (sv *served) wake() {
	switch sv.slot.wake.Swap(0) {
	case waitFutex:
		linux.FutexWake(&sv.slot.wake.Uint32, 1)
	case waitBell, waitParked:
		sv.client.ringBack(sv.index)
	}
}
