//go:build linux

package message

import (
	"io"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// hear takes what has come on the socket, and what the client then has in its ring.
func (cl *client) hear() {
	if cl.local != nil {
		return
	}
	ch := cl.channel
	ch.mu.Lock()
	there := cl.use()
	ch.mu.Unlock()
	if !there {
		return
	}
	defer cl.leave()
	cl.socket.Lock()
	err := cl.hearPackets()
	cl.socket.Unlock()
	ch.mu.Lock()
	if cl.joined && !cl.ended {
		cl.hung = cl.bell.Load() != 0
		ch.remember(cl)
		if ch.looking == 0 {
			cl.hangBell()
		} else {
			cl.takeIn()
		}
	}
	ch.mu.Unlock()
	if err != nil {
		cl.depart()
	}
}

// hearPackets returns io.EOF when the client is gone, or does not keep the rules.
func (cl *client) hearPackets() error {
	const most = 2048
	for range most {
		if linux.Overdrawn(cl.packet.Blame) {
			return io.EOF
		}
		r, err := cl.packet.Receive(cl.fd, wire.OneRight, nil, nil, unix.MSG_DONTWAIT)
		switch {
		case err == syscall.EAGAIN:
			return nil
		case err == syscall.EINTR:
			continue
		case err != nil:
			return io.EOF
		}
		ok := false
		switch f := r.Frame.(type) {
		case *wire.Bell:
			ok = r.FD == linux.NoFD && !r.Lost
		case *wire.Segment:
			ok = cl.comes(coming{segment: f.Number}, f.Part, &r)
		case *wire.Buffer:
			ok = f.Number != 0 && cl.comes(coming{slot: f.Slot, number: f.Number}, f.Part, &r)
		}
		cl.packet.Discard(&r)
		if !ok {
			return io.EOF
		}
	}
	// There is more: to be told again.
	linux.EpollChange(cl.channel.epfd, cl.fd, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLET, uint64(cl.scoid))
	return nil
}

// comes takes a part of memory, and reports whether it was right.
func (cl *client) comes(what coming, part wire.Part, r *wire.Receipt) bool {
	if part.Offset == 0 {
		cl.coming.memory.release() // whatever became of it
		cl.coming = what
		cl.coming.memory.uid = cl.peer.UID
	}
	c := &cl.coming
	if c.segment != what.segment || c.slot != what.slot || c.number != what.number {
		return false
	}
	complete := false
	err := error(syscall.ENOMEM)
	if !c.failed && !r.Lost {
		complete, err = c.memory.add(part, r.FD)
	}
	if err == wire.ErrMalformed {
		return false
	}
	if err != nil {
		c.failed = true
		complete = part.Offset+part.Length == part.Size
	}
	if !complete {
		return true
	}
	done := *c
	cl.coming = coming{}
	if done.failed {
		done.memory.release()
	}
	if done.number != 0 {
		return cl.addBuffer(&done)
	}
	return !done.failed && cl.addSegment(&done)
}

func (cl *client) addSegment(c *coming) bool {
	ch := cl.channel
	k := int(min(c.segment, segments))
	if k < segments && int64(len(c.memory.mem)) == roundUp(int64(segmentSize(k))) {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		switch {
		case cl.ended || cl.segment[k].Load() != nil || k > 0 && cl.segment[k-1].Load() == nil:
		case k == 0:
			cl.begin(c.memory.mem)
			cl.segments[0] = c.memory.mapped
			cl.joined, cl.hung = true, true
			return true
		default:
			cl.segment[k].Store(newSegment(k, c.memory.mem))
			cl.segments[k] = c.memory.mapped
			return true
		}
	}
	c.memory.release()
	return false
}

func (cl *client) addBuffer(c *coming) bool {
	ch := cl.channel
	ch.mu.Lock()
	sv := cl.at(int(c.slot))
	if sv == nil {
		ch.mu.Unlock()
		c.memory.release()
		return false
	}
	last := sv.coming
	sv.coming = nil
	if c.failed {
		sv.lost = c.number
	} else {
		sv.coming = newBuffer(c.number, c.memory.mapped)
	}
	ch.mu.Unlock()
	last.drop() // without the lock: much memory takes its time
	return true
}

// at returns the server's side of a slot, nil where there is none. The channel's lock
// is held.
func (cl *client) at(i int) *served {
	if cl.ended || i < 0 || i >= maxSlots || !cl.joined {
		return nil
	}
	if i < len(cl.slots) && cl.slots[i] != nil {
		return cl.slots[i]
	}
	s := cl.slot(i)
	if s == nil {
		return nil
	}
	if i >= len(cl.slots) {
		cl.slots = append(cl.slots, make([]*served, i+1-len(cl.slots))...)
	}
	sv := &served{client: cl, index: i, slot: s}
	rcvids.add(sv)
	cl.slots[i] = sv
	return sv
}

// served returns the server's side of a message's slot, in use until leave. EAGAIN:
// there is none.
func (cl *client) served(e entry) (*served, error) {
	ch := cl.channel
	for heard := false; ; heard = true {
		ch.mu.Lock()
		sv := cl.at(int(min(e.value, maxSlots)))
		known := sv != nil && sv.knows(sv.slot.buffer.Load())
		if sv != nil && (known || heard) {
			cl.users++
			ch.mu.Unlock()
			return sv, nil
		}
		gone := cl.ended
		ch.mu.Unlock()
		if gone {
			return nil, syscall.EAGAIN
		}
		if heard {
			cl.expel()
			return nil, syscall.EAGAIN
		}
		cl.hear() // its memory has been sent before
	}
}

// knows reports whether the buffer of that number has come, or was lost.
func (sv *served) knows(number uint32) bool {
	return number == 0 || sv.coming != nil && sv.coming.number == number || sv.lost == number
}
