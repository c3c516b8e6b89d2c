//go:build linux

package message_test

import (
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// processSocket is the name of the socket of the process pid.
func processSocket(pid int) string { return procnto.Space() + strconv.Itoa(pid) }

const otherVersion = wire.Version + 1

// ofKind is the frame of a kind, as it could be right in its place, or of no kind.
func ofKind(kind wire.Kind) []byte {
	if kind > wire.KindHelloHandles {
		return testproc.OfKind(kind, 1) // what most begin with is not 0
	}
	return testproc.OfKind(kind, 0)
}

// A rawClient is a client without the library, which shares memory with a channel.
type rawClient struct {
	testproc.Raw
	scoid      int32
	memory     *message.Memory // nil before join
	fd         int             // of segment 0
	maps       [][]byte
	generation uint32 // of the last message
}

// attach attaches to a channel of the process behind a socket.
func attach(socket string, hello wire.Frame) (*rawClient, error) {
	r, err := testproc.Dial(socket)
	if err != nil {
		return nil, err
	}
	f, err := r.Ask(hello)
	w, ok := f.(*wire.Welcome)
	if err == nil && !ok {
		err = syscall.EPROTO
	}
	if err == nil && w.Errno != 0 {
		err = syscall.Errno(w.Errno)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return &rawClient{Raw: r, scoid: w.SCOID, fd: -1}, nil
}

// join is attach, and the memory.
func join(socket string, chid int) (*rawClient, error) {
	c, err := attach(socket, &wire.HelloAttach{ChannelID: int32(chid)})
	if err == nil {
		if err = c.share(0); err != nil {
			c.close()
		}
	}
	return c, err
}

// share sends segment k.
func (c *rawClient) share(k int) error {
	size := message.SegmentSize(k)
	fd := memoryFile(size, message.SharedSeals)
	mem, err := unix.Mmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		unix.Close(fd)
		return err
	}
	c.maps = append(c.maps, mem)
	if k == 0 {
		c.memory, c.fd = message.NewMemory(mem), fd
		c.memory.Bell().Store(1)
	} else {
		c.memory.Add(k, mem)
		defer unix.Close(fd)
	}
	return c.Say(&wire.Segment{Number: uint32(k), Part: whole(size)}, fd)
}

// whole is the only part of something.
func whole(size int64) wire.Part { return wire.Part{Size: size, Length: size} }

// buffer sends a buffer.
func (c *rawClient) buffer(slot, number uint32, size int64) error {
	fd := memoryFile(size, message.SharedSeals)
	defer unix.Close(fd)
	return c.Say(&wire.Buffer{Slot: slot, Number: number, Part: whole(size)}, fd)
}

func (c *rawClient) close() {
	c.Close()
	for _, mem := range c.maps {
		unix.Munmap(mem)
	}
	if c.fd >= 0 {
		unix.Close(c.fd)
	}
	c.maps, c.fd = nil, -1
}

// send sends a message as the library does.
func (c *rawClient) send(slot int, msg string, room int) error {
	s := c.memory.Slot(slot)
	copy(s.Request, msg)
	s.Length.Store(uint64(len(msg)))
	s.Room.Store(uint64(room))
	s.Buffer.Store(0)
	return c.enter(slot)
}

// enter sends what is in a slot.
func (c *rawClient) enter(slot int) error {
	c.generation++
	c.memory.Slot(slot).State.Store(message.Word(c.generation, message.StateSent))
	return c.ring(c.memory.Enter(slot, c.generation))
}

func (c *rawClient) ring(ok, ring bool) error {
	if !ok {
		return syscall.EAGAIN
	}
	if ring {
		return c.Say(new(wire.Bell))
	}
	return nil
}

// replied waits for the reply to the last message.
func (c *rawClient) replied(t testing.TB, slot int) (errno syscall.Errno, reply string) {
	t.Helper()
	s := c.memory.Slot(slot)
	testproc.Eventually(t, testproc.Patience, func() bool {
		return s.State.Load() == message.Word(c.generation, message.StateReplied)
	}, "no reply: %x", testproc.Lazy(func() any { return s.State.Load() }))
	defer s.State.Store(message.Word(c.generation, message.StateIdle))
	return syscall.Errno(s.Errno.Load()), string(s.Reply[:min(s.Replied.Load(), uint64(len(s.Reply)))])
}

// echo has the server echo something.
func (c *rawClient) echo(t testing.TB) {
	t.Helper()
	const msg = "hello"
	require.NoError(t, c.send(3, msg, len(msg)))
	errno, reply := c.replied(t, 3)
	require.Zero(t, errno)
	require.Equal(t, msg, reply)
}

// dropped checks that the server lets go of the client.
func (c *rawClient) dropped(t testing.TB, args ...any) {
	t.Helper()
	c.Ended(t, args...)
	testproc.Eventually(t, testproc.Patience, func() bool { return c.memory.Closed().Load() == 1 }, "not closed: %v", args)
}

// memoryFile is a file in memory; of none, -1. The caller closes it.
func memoryFile(size int64, seals int) int {
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1
	}
	unix.Ftruncate(fd, size)
	unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	return fd
}

func aPipe() int {
	var p [2]int
	unix.Pipe2(p[:], unix.O_CLOEXEC)
	unix.Close(p[1])
	return p[0]
}

// durations are how long calls took.
type durations []time.Duration

func (d durations) median() time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// await polls a word of shared memory.
func await(limit time.Duration, word interface{ Load() uint64 }, want uint64) bool {
	for deadline := time.Now().Add(limit); word.Load() != want; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
