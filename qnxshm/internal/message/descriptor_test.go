//go:build linux

package message_test

import (
	"fmt"
	"math"
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

// sealedFile is a payload as this module makes them, with any content; of size
// bytes if that is more. The caller closes it.
func sealedFile(content []byte, size int64, seals int) int {
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1
	}
	unix.Pwrite(fd, content, 0)
	unix.Ftruncate(fd, max(size, int64(len(content))))
	unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	return fd
}

// peerWrongFiles sends messages whose payload is in a file that is not one of
// this module.
func peerWrongFiles(t *testing.T, s *scene) {
	const size = 4096
	path := t.TempDir() + "/fifo"
	require.NoError(t, unix.Mkfifo(path, 0o600))
	open := func(path string, flags int) int {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
		require.NoError(t, err, path)
		return fd
	}
	var pipe [2]int
	require.NoError(t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	socket, err := testproc.NewRaw()
	require.NoError(t, err)
	sealed := sealedFile(nil, size, message.PayloadSeals)
	regular := open(path+"-regular", unix.O_RDWR|unix.O_CREAT)
	require.NoError(t, unix.Ftruncate(regular, size))
	files := map[string]int{
		"nothing":      -1,
		"pipe":         pipe[0],
		"pipe's end":   pipe[1],
		"FIFO":         open(path, unix.O_RDONLY|unix.O_NONBLOCK),
		"directory":    open("/", unix.O_RDONLY),
		"device":       open("/dev/zero", unix.O_RDONLY),
		"terminal":     open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY),
		"socket":       socket.FD,
		"regular file": regular,
		"not sealed":   sealedFile(nil, size, 0),
		"can change":   sealedFile(nil, size, message.PayloadSeals&^unix.F_SEAL_WRITE),
		"can shrink":   sealedFile(nil, size, message.PayloadSeals&^unix.F_SEAL_SHRINK),
		"path":         open(pathOf(sealed), unix.O_PATH),
	}
	defer func() {
		for _, fd := range files {
			unix.Close(fd)
		}
		unix.Close(sealed)
	}()
	for what, fd := range files {
		t.Log(what)
		s.onLane(t, 5, func(lane testproc.Raw) error {
			f := &wire.Message{Seq: 2, Len: size, InFile: true}
			if fd < 0 {
				return lane.Say(f)
			}
			return lane.Say(f, fd)
		})
	}
	for _, length := range []int64{0, size - 1, size + 1, math.MaxInt64, -size} {
		s.onLane(t, 5, func(lane testproc.Raw) error {
			return lane.Say(&wire.Message{Seq: 2, Len: length, InFile: true}, sealed)
		})
	}
	s.onLane(t, 5, func(lane testproc.Raw) error { // in both places
		return lane.SayWith(&wire.Message{Seq: 2, Len: size, InFile: true}, "more", sealed)
	})
	// A file of a size that no memory has holds nothing but zeros.
	huge := sealedFile(nil, 1<<50, message.PayloadSeals)
	defer unix.Close(huge)
	control, lane := s.lane(t)
	defer control.Close()
	defer lane.Close()
	require.NoError(t, lane.Say(&wire.Message{Seq: 2, Len: 1 << 50, Room: 8, InFile: true}, huge))
	require.Equal(t, int64(8), testproc.MustReceive[*wire.Reply](t, lane).Len)
}

// peerDescriptor attaches descriptors to frames that take none, or too many.
func peerDescriptor(t *testing.T, s *scene) {
	pipe := make([]int, 2)
	require.NoError(t, unix.Pipe2(pipe, unix.O_CLOEXEC))
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	sealed := sealedFile(nil, 4096, message.PayloadSeals)
	defer unix.Close(sealed)
	for _, n := range []int{1, 2, 3, 10, 253} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			fds := slices.Repeat(pipe[:1], n)
			for range 10 {
				for _, name := range s.sockets() {
					r := testproc.Reach(t, name)
					refused(t, r, r.Say(s.hello(name), fds...))
					r = testproc.Reach(t, name)
					require.NoError(t, r.Say(s.hello(name)))
					require.Zero(t, testproc.MustReceive[*wire.Welcome](t, r).Errno)
					refused(t, r, r.Say(&wire.Cancel{ID: 1}, fds...))
				}
			}
			s.onLane(t, 10, func(lane testproc.Raw) error { return lane.SayWith(&wire.Message{Seq: 2, Len: 1}, "x", fds...) })
			s.onLane(t, 10, func(lane testproc.Raw) error { return lane.Say(&wire.Pulse{}, fds...) })
			s.onLane(t, 10, func(lane testproc.Raw) error { return lane.Send([]byte{1}, fds...) })
			if n > 1 {
				s.onLane(t, 10, func(lane testproc.Raw) error {
					return lane.Say(&wire.Message{Seq: 2, Len: 4096, InFile: true}, slices.Repeat([]int{sealed}, n)...)
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
