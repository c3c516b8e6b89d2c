//go:build linux

package message

import (
	"math"
	"slices"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// acquire takes a slot for a thread: that which the thread had last, if possible, as
// its number names the thread to the server.
func (at *attachment) acquire(c *connection, owner int) (*sender, error) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.reclaim()
	s := at.pick(owner)
	if s == nil {
		var err error
		if s, err = at.grow(); err != nil {
			return nil, err
		}
	}
	s.owner = owner
	s.tells, s.priority = 0, defaultPriority
	s.connection.Store(c)
	return s, nil
}

func (at *attachment) pick(owner int) (s *sender) {
	i := at.choose(owner)
	if i < 0 {
		return nil
	}
	s = at.free[i]
	at.free = slices.Delete(at.free, i, i+1)
	return s
}

// choose returns the index of the free slot for a thread, -1 if it gets a new one: a
// late answer to another thread that lives must not be for this one. A goroutine takes
// the slot that was used last.
func (at *attachment) choose(owner int) int {
	last := len(at.free) - 1
	if owner == 0 {
		return last
	}
	if i := slices.IndexFunc(at.free, func(s *sender) bool { return s.owner == owner }); i >= 0 {
		return i
	}
	if len(at.senders) < firstSegment {
		return -1
	}
	for i := last; i >= 0; i-- {
		if owner := at.free[i].owner; owner == 0 || !linux.ThreadLives(owner) {
			return i
		}
	}
	if len(at.senders) >= maxSlots {
		return last
	}
	return -1
}

// reclaim takes back what the server does not write to any more.
func (at *attachment) reclaim() {
	at.retired = slices.DeleteFunc(at.retired, func(s *sender) bool {
		if s.in(s.generation) != idle {
			return false
		}
		at.free = append(at.free, s)
		return true
	})
}

// grow makes another slot. The lock is held: making memory waits for nobody.
func (at *attachment) grow() (*sender, error) {
	index := len(at.senders)
	if index >= maxSlots {
		return nil, syscall.EAGAIN
	}
	if k, _ := segmentOf(index); k == at.segments {
		mem, err := at.makeSegment(k)
		if err != nil {
			return nil, err
		}
		seg := newSegment(k, mem)
		at.segment[k].Store(seg)
		at.segments++
		if at.local != nil {
			at.local.shareSegment(k, seg)
		}
	}
	s := &sender{slot: at.slot(index), at: at, index: index, eventfd: linux.NoFD, parked: make(chan struct{}, 1)}
	at.senders = append(at.senders, s)
	return s, nil
}

// release gives the slot back. retired: the server may still write to it.
func (s *sender) release(retired bool) {
	const worthKeeping = 4 << 20
	if s.large != nil && len(s.large.mem) > worthKeeping && !retired {
		s.dropBuffer()
	}
	at := s.at
	at.mu.Lock()
	defer at.mu.Unlock()
	s.connection.Store(nil)
	if retired {
		at.retired = append(at.retired, s)
	} else {
		at.free = append(at.free, s)
	}
}

// fill makes the slot ready for a message whose reply has room bytes.
func (s *sender) fill(msg [][]byte, room int64) error {
	length := lengthOf(msg)
	to := s.request[:]
	number := uint32(0)
	if length > int64(maxRequest) || room > int64(maxReply) {
		if err := s.needBuffer(length, room); err != nil {
			return err
		}
		to, number = s.large.mem, s.number
	}
	s.used = number != 0
	s.length.Store(uint64(length))
	s.room.Store(uint64(room))
	s.coid.Store(uint32(s.connection.Load().coid))
	s.tell.Store(s.tells)
	s.buffer.Store(number)
	s.thread.Store(uint32(s.tid()))
	s.slot.unblock.Store(0)
	s.pieces.Store(0)
	s.replied.Store(0)
	_, err := gather(to, msg)
	return err
}

// tid names the thread to the server. A goroutine has the number of its slot: it is
// that of a thread for as long as it is blocked.
func (s *sender) tid() int {
	if s.owner != 0 {
		return s.owner
	}
	return s.index + 1
}

// needBuffer sees to it that there is a buffer for a message and its reply.
func (s *sender) needBuffer(length, room int64) error {
	const most = 1 << 46
	if length > most || room > most {
		return syscall.ENOMEM
	}
	s.replyAt = roundUp(length)
	need := s.replyAt + roundUp(room)
	if s.large != nil && need <= int64(len(s.large.mem)) {
		return nil
	}
	if need < 1<<20 { // the next one may be a little longer
		for size := int64(64 << 10); ; size *= 2 {
			if size >= need {
				need = size
				break
			}
		}
	}
	s.dropBuffer()
	number := max(1, s.number+1)
	mem, err := s.makeBuffer(number, need)
	if err != nil {
		return err
	}
	s.number, s.large = number, newBuffer(number, mapped{mem: mem})
	if s.at.local != nil {
		s.at.local.shareBuffer(s.index, s.large)
	}
	return nil
}

func (s *sender) makeBuffer(number uint32, size int64) ([]byte, error) {
	if s.at.local != nil {
		return privateMemory(size)
	}
	s.at.sharing.Lock()
	defer s.at.sharing.Unlock()
	return makeShared(size, func(part wire.Part, fd int) error {
		return s.at.send(&wire.Buffer{Slot: uint32(s.index), Number: number, Part: part}, fd)
	})
}

// enter sends what the slot holds, unless the ring is full: errNoRoom.
func (s *sender) enter() error {
	at := s.at
	s.generation++
	s.send(s.generation)
	ok, ring := at.put(messageEntry(s.index, s.generation, s.priority))
	if !ok {
		s.giveUp(s.generation)
		return errNoRoom
	}
	// Who closes looks at the slots after that.
	if at.shared.closed.Load() != 0 && s.step(s.generation, sent, idle) {
		return syscall.EBADF
	}
	if ring {
		if err := at.ring(); err != nil && s.step(s.generation, sent, idle) {
			return err
		}
	}
	return nil
}

// result copies the reply to the program's memory.
func (s *sender) result(reply [][]byte) (status int, err error) {
	errno := syscall.Errno(s.errno.Load())
	from := s.reply[:]
	if s.used {
		from = s.large.mem[s.replyAt:]
	}
	room := lengthOf(reply)
	from = from[:min(room, int64(len(from)))]
	if n := min(s.pieces.Load(), maxPieces); n > 0 {
		for _, p := range s.pieceList() {
			if p.offset < 0 || p.length < 0 || p.offset > int64(len(from)) || p.length > int64(len(from))-p.offset {
				return 0, syscall.ESRCH
			}
			if err := scatterAt(reply, p.offset, from[p.offset:][:p.length]); err != nil {
				return 0, err
			}
		}
	}
	if _, err := Scatter(reply, from[:min(s.replied.Load(), uint64(len(from)))]); err != nil {
		return 0, err
	}
	if errno == syscall.ENOMEM && s.used {
		s.dropBuffer() // for which the server had no room, perhaps: it is sent again
	}
	switch errno {
	case 0:
	case Restart:
		return 0, errRestart
	default:
		return 0, errno
	}
	return outcome(int64(s.status.Load()))
}

// outcome is what a server's status is for the client: a negative one is an errno, as
// what MsgSend_r returns on a target.
func outcome(status int64) (int, error) {
	switch {
	case status <= math.MinInt32:
		return 0, syscall.EINVAL
	case status < 0:
		return 0, syscall.Errno(-status)
	}
	return int(status), nil
}

// askUnblock tells the server that the thread does not want to wait any more.
func (s *sender) askUnblock() error {
	at := s.at
	s.slot.unblock.Store(s.generation)
	bits := &at.shared.unblock[s.index/32]
	bits.Or(1 << (s.index % 32))
	at.asks.Store(1)
	if at.bell.Load() != 0 && at.bell.Swap(0) != 0 {
		return at.ring()
	}
	return nil
}
