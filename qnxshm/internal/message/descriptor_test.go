//go:build linux

package message_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

func pathOf(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// mappings counts those of a process, of files whose path has a text in it.
func mappings(t testing.TB, pid int, of string) (n int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	require.NoError(t, err)
	for _, line := range bytes.Split(b, []byte("\n")) {
		if len(line) > 0 && bytes.Contains(line, []byte(of)) {
			n++
		}
	}
	return n
}

// onAttached does something as a client that has no memory yet, and checks that the
// server then drops it.
func (s *scene) onAttached(t testing.TB, times int, do func(*rawClient) error) {
	t.Helper()
	for range times {
		c, err := attach(s.socket, s.hello(s.socket))
		require.NoError(t, err)
		require.NoError(t, do(c))
		c.Ended(t)
		c.close()
	}
}

// wrongFiles are descriptors of what is no memory as it has to be.
func wrongFiles(t *testing.T, size int64) (files map[string]int, end func()) {
	path := t.TempDir() + "/fifo"
	require.NoError(t, unix.Mkfifo(path, 0o600))
	open := func(path string, flags int) int {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
		require.NoError(t, err, path)
		return fd
	}
	socket, err := testproc.NewRaw()
	require.NoError(t, err)
	sealed := memoryFile(size, message.SharedSeals)
	regular := open(path+"-regular", unix.O_RDWR|unix.O_CREAT)
	require.NoError(t, unix.Ftruncate(regular, size))
	files = map[string]int{
		"nothing":       -1,
		"pipe":          aPipe(),
		"FIFO":          open(path, unix.O_RDONLY|unix.O_NONBLOCK),
		"directory":     open("/", unix.O_RDONLY),
		"device":        open("/dev/zero", unix.O_RDWR),
		"terminal":      open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY),
		"proc":          open("/proc/self/mem", unix.O_RDWR),
		"socket":        socket.FD,
		"regular file":  regular,
		"not sealed":    memoryFile(size, 0),
		"can grow":      memoryFile(size, message.SharedSeals&^unix.F_SEAL_GROW),
		"can shrink":    memoryFile(size, message.SharedSeals&^unix.F_SEAL_SHRINK),
		"can be sealed": memoryFile(size, message.SharedSeals&^unix.F_SEAL_SEAL),
		"shorter":       memoryFile(size-4096, message.SharedSeals),
		"longer":        memoryFile(size+4096, message.SharedSeals),
		"path":          open(pathOf(sealed), unix.O_PATH),
		"read only":     open(pathOf(sealed), unix.O_RDONLY),
	}
	if shm, err := os.CreateTemp("/dev/shm", "message-test"); err == nil {
		os.Remove(shm.Name())
		require.NoError(t, shm.Truncate(size))
		fd, err := unix.FcntlInt(shm.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		require.NoError(t, err)
		shm.Close()
		files["tmpfs"] = fd
	}
	const huge = 2 << 20
	if fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_HUGETLB); err == nil {
		if unix.Ftruncate(fd, huge) == nil {
			unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, message.SharedSeals)
			files["large pages"] = fd
		} else {
			unix.Close(fd)
		}
	}
	return files, func() {
		unix.Close(sealed)
		for _, fd := range files {
			if fd >= 0 {
				unix.Close(fd)
			}
		}
	}
}

// peerWrongFiles sends memory that is not as it has to be.
func peerWrongFiles(t *testing.T, s *scene) {
	size := message.SegmentSize(0)
	files, end := wrongFiles(t, size)
	defer end()
	say := func(c *rawClient, f wire.Frame, fd int) error {
		if fd < 0 {
			return c.Say(f)
		}
		return c.Say(f, fd)
	}
	for what, fd := range files {
		length := size
		if what == "large pages" {
			length = 2 << 20
		}
		if what == "read only" {
			// It cannot be mapped: to the server that is want of memory, which is
			// no client's fault, but such a client has no use for the channel.
			s.onAttached(t, 2, func(c *rawClient) error { return say(c, &wire.Segment{Part: whole(length)}, fd) })
			c := s.join(t)
			defer c.close()
			require.NoError(t, say(c, &wire.Buffer{Slot: 0, Number: 1, Part: whole(length)}, fd))
			c.echo(t)
			continue
		}
		t.Log(what)
		s.onAttached(t, 3, func(c *rawClient) error { return say(c, &wire.Segment{Part: whole(length)}, fd) })
		s.onClient(t, 3, func(c *rawClient) error {
			return say(c, &wire.Buffer{Slot: 0, Number: 1, Part: whole(length)}, fd)
		})
	}
}

// peerWrongMemory sends memory of wrong sizes, in wrong parts, for wrong places.
func peerWrongMemory(t *testing.T, s *scene) {
	const page = 4096
	size := message.SegmentSize(0)
	file := func(n int64) int {
		fd := memoryFile(n, message.SharedSeals)
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	right := file(size)
	for _, part := range []wire.Part{
		{}, {Size: size}, {Size: size, Length: size - page}, {Size: size, Length: size + page}, {Size: size - page, Length: size},
		{Size: size, Offset: page, Length: size}, {Size: size + page, Offset: page, Length: size}, {Size: -size, Length: size},
		{Size: size, Offset: -page, Length: size}, {Size: size, Length: -size}, {Size: math.MaxInt64, Length: math.MaxInt64},
		{Size: math.MinInt64, Offset: math.MinInt64, Length: math.MinInt64}, {Size: size, Length: 1}, {Size: size, Length: size - 1},
	} {
		s.onAttached(t, 1, func(c *rawClient) error { return c.Say(&wire.Segment{Part: part}, right) })
		s.onClient(t, 1, func(c *rawClient) error { return c.Say(&wire.Buffer{Number: 1, Part: part}, right) })
	}
	for _, length := range []int64{page, size - page, size + page, message.SegmentSize(1)} {
		s.onAttached(t, 1, func(c *rawClient) error { return c.Say(&wire.Segment{Part: whole(length)}, file(length)) })
	}
	// In places that are not there, or taken.
	for _, k := range []uint32{1, 2, message.Segments, math.MaxUint32} {
		length := message.SegmentSize(int(min(k, message.Segments-1)))
		s.onAttached(t, 1, func(c *rawClient) error { return c.Say(&wire.Segment{Number: k, Part: whole(length)}, file(length)) })
	}
	s.onClient(t, 1, func(c *rawClient) error { return c.Say(&wire.Segment{Part: whole(size)}, right) })
	s.onClient(t, 1, func(c *rawClient) error {
		length := message.SegmentSize(2) // which 1 comes before
		return c.Say(&wire.Segment{Number: 2, Part: whole(length)}, file(length))
	})
	s.onAttached(t, 1, func(c *rawClient) error { return c.buffer(0, 1, page) })
	for _, slot := range []uint32{message.FirstSegment, message.MaxSlots - 1, message.MaxSlots, math.MaxUint32} {
		s.onClient(t, 1, func(c *rawClient) error { return c.buffer(slot, 1, page) })
	}
	s.onClient(t, 1, func(c *rawClient) error { return c.buffer(0, 0, page) })
	peerWrongParts(t, s, file(page))
}

// peerWrongParts begins memory and goes on with something else.
func peerWrongParts(t *testing.T, s *scene, aPage int) {
	const page = 4096
	first := &wire.Buffer{Slot: 1, Number: 1, Part: wire.Part{Size: 3 * page, Length: page}}
	for _, next := range []wire.Frame{
		&wire.Buffer{Slot: 1, Number: 1, Part: wire.Part{Size: 3 * page, Offset: 2 * page, Length: page}},
		&wire.Buffer{Slot: 1, Number: 1, Part: wire.Part{Size: 4 * page, Offset: page, Length: page}},
		&wire.Buffer{Slot: 1, Number: 2, Part: wire.Part{Size: 3 * page, Offset: page, Length: page}},
		&wire.Buffer{Slot: 2, Number: 1, Part: wire.Part{Size: 3 * page, Offset: page, Length: page}},
		&wire.Segment{Number: 1, Part: wire.Part{Size: 3 * page, Offset: page, Length: page}},
	} {
		s.onClient(t, 1, func(c *rawClient) error {
			if err := c.Say(first, aPage); err != nil {
				return err
			}
			return c.Say(next, aPage)
		})
	}
	// Parts that never become a whole are given back with those that do.
	c := s.join(t)
	defer c.close()
	for range 1000 {
		require.NoError(t, c.Say(first, aPage))
	}
	require.NoError(t, c.buffer(1, 1, page))
	c.echo(t)
	require.Less(t, mappings(t, s.server.PID(), "memfd:test"), 10)
	// Nor are there more parts than a limit.
	s.onClient(t, 1, func(c *rawClient) error {
		for i := range int64(message.MaxParts + 1) {
			err := c.Say(&wire.Buffer{Number: 1, Part: wire.Part{Size: 1 << 30, Offset: i * page, Length: page}}, aPage)
			if err == syscall.EPIPE || err == syscall.ECONNRESET {
				return nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// peerDescriptor attaches descriptors to frames that take none, or too many.
func peerDescriptor(t *testing.T, s *scene) {
	pipe := aPipe()
	defer unix.Close(pipe)
	sealed := memoryFile(4096, message.SharedSeals)
	defer unix.Close(sealed)
	for _, n := range []int{1, 2, 3, 10, 253} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			fds := slices.Repeat([]int{pipe}, n)
			for range 10 {
				for _, name := range s.sockets() {
					r := testproc.Reach(t, name)
					refused(t, r, r.Say(s.hello(name), fds...))
				}
			}
			s.onClient(t, 10, func(c *rawClient) error { return c.Say(new(wire.Bell), fds...) })
			s.onClient(t, 10, func(c *rawClient) error { return c.Say(new(wire.Welcome), fds...) })
			s.onClient(t, 10, func(c *rawClient) error { return c.Send([]byte{1}, fds...) })
			s.onAttached(t, 10, func(c *rawClient) error { return c.Say(new(wire.Bell), fds...) })
			if n > 1 {
				s.onClient(t, 10, func(c *rawClient) error {
					return c.Say(&wire.Buffer{Number: 1, Part: whole(4096)}, slices.Repeat([]int{sealed}, n)...)
				})
			}
			s.unharmed(t)
		})
	}
}

// refused checks that a packet with descriptors ends its connection, unless the
// kernel did not let it be sent at all.
func refused(t testing.TB, r testproc.Raw, err error) {
	t.Helper()
	if err != syscall.EPERM {
		require.NoError(t, err)
		r.Ended(t)
	}
	r.Close()
}
