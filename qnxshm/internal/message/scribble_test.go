//go:build linux

package message_test

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
)

// A scribbler changes words of segment 0, while the other side uses it.
type scribbler struct {
	words  []atomic.Uint32
	rnd    *rand.Rand
	gentle bool // leaves what ends a connection at once
}

func newScribbler(m *message.Memory, seed uint64) *scribbler {
	rnd := rand.New(rand.NewPCG(seed, 1))
	return &scribbler{words: message.Words32(m.Segment0), rnd: rnd, gentle: rnd.IntN(4) > 0}
}

// run scribbles until stop.
func (s *scribbler) run(stop *atomic.Bool) {
	for i := 0; !stop.Load(); i++ {
		s.step()
		if i%64 == 0 {
			time.Sleep(time.Duration(s.rnd.IntN(100)) * time.Microsecond)
		}
	}
}

// step changes one word somewhere, or a whole region.
func (s *scribbler) step() {
	slot := s.rnd.IntN(8) // the others are used little
	if s.rnd.IntN(20) == 0 {
		slot = s.rnd.IntN(message.FirstSegment)
	}
	var at, size int
	switch s.rnd.IntN(10) {
	case 0, 1:
		at, size = message.HeadRegion()
		if s.gentle {
			const bell, behindClosed, page = 4, 196, 4096
			if size = bell; s.rnd.IntN(2) == 0 {
				at, size = behindClosed, page-behindClosed
			}
		}
	case 2:
		head := s.words[64/4].Load()
		at, size = message.EntryRegion(int((head + s.rnd.Uint32N(8) - 4) % message.RingEntries))
	case 3, 4, 5, 6:
		at, size = message.SlotRegion(slot)
	case 7, 8:
		at, size = message.PiecesRegion(slot)
	default:
		at, size = 0, len(s.words)*4
	}
	if s.gentle && s.rnd.IntN(1000) > 0 && at == 0 && size > 4096 {
		return
	}
	w := &s.words[at/4+s.rnd.IntN(size/4)]
	switch s.rnd.IntN(8) {
	case 0:
		w.Add(1)
	case 1:
		w.Add(math.MaxUint32)
	case 2:
		w.Store(w.Load() ^ 1<<s.rnd.IntN(32))
	default:
		w.Store(s.value())
	}
}

// value is one at an edge of what is right, mostly.
func (s *scribbler) value() uint32 {
	edges := [...]uint32{
		0, 1, 2, 3, 4, 5, 6, 7, 8, 4095, 4096, 4097, uint32(message.MaxRequest) - 1, uint32(message.MaxRequest), uint32(message.MaxRequest) + 1,
		message.RingEntries - 1, message.RingEntries, message.RingEntries + 1, message.FirstSegment, message.MaxSlots - 1, message.MaxSlots,
		uint32(message.MaxPieces), uint32(message.MaxPieces) + 1, 64 << 10, 1<<31 - 1, 1 << 31, 1<<31 + 1, math.MaxUint32 - 1, math.MaxUint32,
	}
	if s.rnd.IntN(4) == 0 {
		return s.rnd.Uint32()
	}
	return edges[s.rnd.IntN(len(edges))]
}

// punch makes holes into a file, and tries to shorten it, and to make it longer.
func punch(fd int, rnd *rand.Rand) {
	size := message.SegmentSize(0)
	at := rnd.Int64N(size) / 4096 * 4096
	unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, min(4096<<rnd.IntN(4), size-at))
	unix.Ftruncate(fd, at)
	unix.Ftruncate(fd, 2*size)
}
