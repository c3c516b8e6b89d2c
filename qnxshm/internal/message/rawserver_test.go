//go:build linux

package message_test

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A rawServer is the server of one client, without the library.
type rawServer struct {
	testproc.Raw
	memory *message.Memory
	tail   uint32
}

// impostor makes the node listen where the process pid would, or with 0 itself.
// What it does to clients behave says.
func (n *node) impostor(pid int) error {
	if pid == 0 {
		pid = os.Getpid()
	}
	return n.bad.Listen(processSocket(pid), pretend)
}

// asked is how many threads of an impostor's last client do not want to wait any more.
var asked atomic.Int64

// behave tells an impostor what to do to the next client.
func behave(c *testproc.Child, act string) { c.Do("behave", act) }

// pretend does to one client what a hostile server could.
func pretend(r testproc.Raw, act string) {
	defer r.Close()
	if act == "end at once" {
		return
	}
	if _, err := r.ReceiveFrame(); err != nil {
		return
	}
	w := &wire.Welcome{ChannelID: 1, SCOID: 1}
	if strings.HasSuffix(act, "unblock") {
		w.Flags = nto.ChannelUnblock
	}
	if misbehave(r, "welcome: ", act, w) || r.Say(w) != nil {
		return
	}
	s, err := welcomed(r)
	if err != nil {
		return
	}
	defer unix.Munmap(s.memory.Segment0)
	switch {
	case strings.HasPrefix(act, "scribble"):
		s.SetLimit(0)
		s.scribble(rand.Uint64())
		return
	case !strings.HasPrefix(act, "silence") && !s.serve(act):
		return
	}
	for { // until the client detaches
		if _, err := r.ReceiveFrame(); err != nil && err != syscall.EAGAIN {
			return
		}
	}
}

// welcomed takes the memory of a client that was welcomed.
func welcomed(r testproc.Raw) (*rawServer, error) {
	p, err := r.Receive(0)
	defer p.CloseFDs()
	if err != nil {
		return nil, err
	}
	if seg, ok := p.Frame.(*wire.Segment); !ok || len(p.FDs) != 1 || seg.Size != message.SegmentSize(0) {
		return nil, syscall.EPROTO
	}
	mem, err := unix.Mmap(p.FDs[0], 0, int(message.SegmentSize(0)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &rawServer{Raw: r, memory: message.NewMemory(mem)}, nil
}

// serve takes messages and replies, until the client is gone, or is to be: false.
func (s *rawServer) serve(act string) bool {
	asked.Store(0)
	s.memory.Bell().Store(1)
	for {
		p, err := s.Receive(0)
		p.CloseFDs()
		if err == syscall.EAGAIN {
			continue
		}
		if err != nil {
			return true
		}
		s.memory.Bell().Store(1)
		asked.Store(int64(s.memory.Asked()))
		for {
			i, generation, ok := s.memory.Waiting(s.tail)
			if !ok {
				break
			}
			s.tail++
			s.memory.Tail().Store(s.tail)
			misbehave(s.Raw, "bell: ", act, new(wire.Bell))
			w := s.memory.Slot(i)
			w.State.Store(message.Word(generation, message.StateReceived))
			if act == "end" {
				return false
			}
			what, _ := strings.CutSuffix(act, ", unblock")
			if bad := badReplies[what]; bad != nil {
				bad(w, generation)
			} else {
				w.Replied.Store(w.Room.Load())
				w.State.Store(message.Word(generation, message.StateReplied))
			}
			if what != "takes the wake-up" {
				wakeOne(w)
			}
		}
	}
}

// wakeOne wakes the thread of a slot.
func wakeOne(w message.SlotWords) {
	w.Wake.Store(0)
	linux.FutexWake(&w.Wake.Uint32, 1)
}

// misbehave sends something in place of f, or something wrong about it, if act
// begins with step, and reports whether it does.
func misbehave(r testproc.Raw, step, act string, f wire.Frame) bool {
	what, ok := strings.CutPrefix(act, step)
	if !ok {
		return false
	}
	say := func(payload string, fds ...int) {
		r.SayWith(f, payload, fds...)
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	switch what {
	case "end":
	case "silence":
		r.ReceiveFrame()
	case "garbage":
		r.Send([]byte("What is your name?"))
	case "zeros":
		r.Send(make([]byte, wire.FrameSize))
	case "other version":
		r.Send(testproc.OfVersion(otherVersion, wire.FrameSize))
	case "other version, longer":
		r.Send(testproc.OfVersion(otherVersion, wire.FrameSize+16))
	case "other version, shorter":
		r.Send(testproc.OfVersion(otherVersion, wire.FrameSize-16))
	case "other kind":
		f = &wire.Answer{}
		say("", aPipe())
	case "refused":
		f = &wire.Welcome{Errno: int32(syscall.EAGAIN)}
		say("")
	case "payload":
		say("more")
	case "descriptor":
		say("", aPipe())
	case "two":
		say("", aPipe(), aPipe())
	case "many":
		fds := make([]int, 253) // the most that the kernel passes
		for i := range fds {
			fds[i] = aPipe()
		}
		say("", fds...)
	case "blocker":
		theAmbush.sayBlocker(r, f, 1)
	case "blockers":
		theAmbush.sayBlocker(r, f, 253)
	default:
		panic(what)
	}
	return true
}

// badReplies are what is wrong in shared memory as a reply to a message with room for
// 8 bytes.
var badReplies = map[string]func(w message.SlotWords, generation uint32){
	"longer than the room": replyWith(func(w message.SlotWords) { w.Replied.Store(1000) }),
	"longer than anything": replyWith(func(w message.SlotWords) { w.Replied.Store(math.MaxUint64) }),
	"length of a sign":     replyWith(func(w message.SlotWords) { w.Replied.Store(1 << 63) }),
	"any errno":            replyWith(func(w message.SlotWords) { w.Errno.Store(math.MaxUint32) }),
	"any status":           replyWith(func(w message.SlotWords) { w.Status.Store(math.MaxUint64) }),
	"too many pieces":      replyWith(func(w message.SlotWords) { w.Pieces.Store(math.MaxUint32) }),
	"other buffer": replyWith(func(w message.SlotWords) {
		w.Buffer.Store(7)
		w.Length.Store(math.MaxUint64)
		w.Room.Store(math.MaxUint64)
	}),
	"pieces of negative offset":   replyPieces(-1, 8),
	"pieces of negative length":   replyPieces(0, -8),
	"pieces that are too long":    replyPieces(0, math.MaxInt64),
	"pieces beyond the room":      replyPieces(8, 8),
	"pieces beyond any room":      replyPieces(math.MaxInt64, 8),
	"pieces with a sum":           replyPieces(math.MaxInt64, math.MaxInt64),
	"pieces, the second is wrong": replyPieces(0, 4, 4, 5),
	"state of another generation": func(w message.SlotWords, generation uint32) {
		w.State.Store(message.Word(generation+1, message.StateReplied))
	},
	"state that is none": func(w message.SlotWords, generation uint32) { w.State.Store(message.Word(generation, message.States)) },
	"takes the wake-up": func(w message.SlotWords, _ uint32) {
		for until := time.Now().Add(20 * time.Millisecond); time.Now().Before(until); {
			w.Wake.CompareAndSwap(1, 0)
		}
	},
	"state of all bits": func(w message.SlotWords, _ uint32) { w.State.Store(math.MaxUint64) },
	"state idle": func(w message.SlotWords, generation uint32) {
		w.State.Store(message.Word(generation, message.StateIdle))
	},
	"state abandoned": func(w message.SlotWords, generation uint32) {
		w.State.Store(message.Word(generation, message.StateAbandoned))
	},
	"never stops writing": func(w message.SlotWords, generation uint32) {
		w.State.Store(message.Word(generation, message.StateWriting))
	},
	"wakes without an end": func(w message.SlotWords, _ uint32) { wakeOften(w) },
}

func replyWith(change func(message.SlotWords)) func(message.SlotWords, uint32) {
	return func(w message.SlotWords, generation uint32) {
		w.Replied.Store(0)
		w.Errno.Store(0)
		change(w)
		w.State.Store(message.Word(generation, message.StateReplied))
	}
}

// replyPieces has pieces, as offset and length.
func replyPieces(of ...int64) func(message.SlotWords, uint32) {
	return replyWith(func(w message.SlotWords) {
		for i := 0; i < len(of); i += 2 {
			offset, length := w.Piece(i / 2)
			offset.Store(uint64(of[i]))
			length.Store(uint64(of[i+1]))
		}
		w.Pieces.Store(uint32(len(of) / 2))
	})
}

func wakeOften(w message.SlotWords) {
	for range 1000 {
		wakeOne(w)
	}
}
