//go:build linux

package procnto_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// A scene is a live server and a peer that it serves all the time, while the
// test does its worst to the server.
type scene struct {
	server, good *child
	name         string // of the channel
	chid         int
	socket       string // of the server
	before       int    // descriptors of the server
}

// newScene limits the descriptors of the server, unless limit is 0.
func newScene(t testing.TB, limit int) *scene {
	t.Helper()
	s := &scene{server: startChild(t), good: startChild(t)}
	s.name = fmt.Sprintf("procnto-test/%d", s.server.pid())
	if limit > 0 {
		s.server.do("limit", limit)
	}
	s.chid = s.server.number("serve", s.name)
	var err error
	s.socket, err = procnto.ProcessSocket(s.server.pid())
	require.NoError(t, err)
	s.good.do("good", s.name)
	s.good.do("progress", 3)
	s.good.do("pause", 1)
	s.before = s.rest(t)
	s.good.do("pause", 0)
	return s
}

// rest waits until the server has only what is needed for the good peer, who
// pauses, and counts its descriptors.
func (s *scene) rest(t testing.TB) int {
	t.Helper()
	s.server.t, s.good.t = t, t
	n := -1
	eventually(t, leakLimit, func() bool {
		was := n
		n = len(descriptors(t, s.server.pid()))
		unix.Nanosleep(&unix.Timespec{Nsec: 250e6}, nil) // longer than the host lingers
		return n == was
	}, "the server never rests")
	return n
}

// served checks that the good peer gets on.
func (s *scene) served(t testing.TB) {
	t.Helper()
	s.server.t, s.good.t = t, t
	if out, errno := s.good.try("progress", 3); errno != 0 {
		s.good.do("good", s.name) // for those who come next
		require.FailNow(t, "the good peer", "%s %v", qnxerr.Name(errno), out)
	}
}

// unharmed checks besides that the server keeps nothing of what was done to it.
func (s *scene) unharmed(t testing.TB) {
	t.Helper()
	s.served(t)
	s.good.do("pause", 1)
	defer s.good.do("pause", 0)
	eventually(t, leakLimit, func() bool { return len(descriptors(t, s.server.pid())) <= s.before },
		"the server had %d descriptors, now %v", s.before, kinds(t, s.server.pid()))
}

// sockets are the two ways to the server.
func (s *scene) sockets() []string { return []string{s.socket, procnto.NameSocket(s.name)} }

// attach attaches to the server's channel as a process with that token would.
func (s *scene) attach(t testing.TB, token uint64) (control wire, scoid int32) {
	t.Helper()
	control = reach(t, s.socket)
	require.NoError(t, control.send(procnto.Frame{Kind: procnto.HelloAttach, Number: int32(s.chid), ID: token}.Encode()))
	f := control.mustReceive(t)
	require.Equal(t, procnto.Welcome, f.Kind)
	require.Zero(t, f.Errno)
	return control, f.SCOID
}

// lane attaches and opens a lane.
func (s *scene) lane(t testing.TB) (control, lane wire) {
	t.Helper()
	control, scoid := s.attach(t, 1)
	lane = reach(t, s.socket)
	hello := procnto.Frame{Kind: procnto.HelloLane, Number: int32(s.chid), SCOID: scoid, ID: 1}
	require.NoError(t, lane.send(hello.Encode()))
	require.Equal(t, procnto.Welcome, lane.mustReceive(t).Kind)
	return control, lane
}

// onLane does something on a lane that works, some times, and checks that the
// server then drops it.
func (s *scene) onLane(t testing.TB, times int, do func(wire) error) {
	t.Helper()
	for range times {
		control, lane := s.lane(t)
		echo(t, lane, 1)
		require.NoError(t, do(lane))
		lane.ended(t)
		control.close()
		lane.close()
	}
}

func echo(t testing.TB, lane wire, id uint64) {
	t.Helper()
	require.NoError(t, lane.send(append(procnto.Frame{Kind: procnto.Message, ID: id, A: 5, B: 5}.Encode(), "hello"...)))
	f, payload, _, err := lane.receive(0)
	require.NoError(t, err)
	require.Equal(t, procnto.Reply, f.Kind)
	require.Equal(t, id, f.ID)
	require.Zero(t, f.Errno)
	require.Equal(t, "hello", string(payload))
}

// TestHostilePeer does to one server everything that a peer could.
func TestHostilePeer(t *testing.T) {
	s := newScene(t, 1500)
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *scene)
	}{
		{"silence", peerSilence},
		{"garbage", peerGarbage},
		{"garbage on a lane", peerGarbageOnLane},
		{"half a frame", peerHalfFrame},
		{"other version", peerOtherVersion},
		{"no hello", peerNoHello},
		{"no place for the frame", peerWrongPlace},
		{"hello for a lane", peerWrongLane},
		{"handle of another", peerForeignHandle},
		{"wrong messages", peerWrongMessages},
		{"wrong files", peerWrongFiles},
		{"second message", peerSecondMessage},
		{"a descriptor too many", peerDescriptor},
		{"never reads", peerNeverReads},
		{"leaves in between", peerLeaves},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.run(t, s)
			s.unharmed(t)
		})
		if t.Failed() {
			s.before = s.rest(t) // the next one has its own chance
		}
	}
	t.Run("server still works", func(t *testing.T) {
		control, lane := s.lane(t)
		defer control.close()
		defer lane.close()
		echo(t, lane, 7)
	})
}

func peerSilence(t *testing.T, s *scene) {
	var open []wire
	defer func() {
		for _, w := range open {
			w.close()
		}
	}()
	// Far more than one peer may have: its oldest have to make room.
	for range 1000 {
		for _, name := range s.sockets() {
			open = append(open, reach(t, name))
		}
	}
	s.served(t)
	greet(t, s.socket).close() // and even this peer
	open[0].ended(t)
}

func peerGarbage(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		lengths := []int{1 << 10, 10 << 10, procnto.MaxInline, procnto.MaxInline + 1, procnto.MaxInline + procnto.FrameSize, 100 << 10}
		for n := range 201 {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			for what, packet := range garbage(n) {
				w := reach(t, name)
				if n%2 == 1 {
					w.close()
					w = greet(t, name) // later is no better
				}
				require.NoError(t, w.send(packet))
				w.ended(t, n, what)
				w.close()
			}
		}
	}
}

func peerGarbageOnLane(t *testing.T, s *scene) {
	for _, n := range []int{0, 1, 7, 8, 63, 64, 65, 200, procnto.MaxInline, procnto.MaxInline + 64, 100 << 10, 180 << 10} {
		for _, packet := range garbage(n) {
			s.onLane(t, 1, func(lane wire) error { return lane.send(packet) })
		}
	}
	// Right, but for another place.
	for kind := range procnto.LastKind + 2 {
		if kind != procnto.Message && kind != procnto.Pulse {
			s.onLane(t, 1, func(lane wire) error { return lane.send(aFrame(kind).Encode()) })
		}
	}
}

func peerHalfFrame(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for n := range procnto.FrameSize {
			w := reach(t, name)
			require.NoError(t, w.send(procnto.Frame{Kind: procnto.HelloHandles}.Encode()[:n]))
			w.close()
		}
	}
}

// peerOtherVersion: the peer has to learn which version is spoken here, from a
// frame whose beginning no version changes.
func peerOtherVersion(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for _, n := range []int{procnto.FrameSize, procnto.FrameSize - 16, procnto.FrameSize + 16, 4096} {
			w := reach(t, name)
			require.NoError(t, w.send(ofVersion(procnto.ProtocolVersion+1, n)))
			f, _, _, err := w.receive(0)
			require.NoError(t, err, "hello of %d bytes", n)
			require.Equal(t, procnto.Welcome, f.Kind)
			require.Equal(t, int32(syscall.EPROTO), f.Errno)
			w.ended(t)
			w.close()
		}
	}
	// Where both have said that they speak the same, nothing is explained.
	s.onLane(t, 1, func(lane wire) error { return lane.send(ofVersion(2, procnto.FrameSize)) })
}

func peerNoHello(t *testing.T, s *scene) {
	for _, name := range s.sockets() {
		for kind := range procnto.LastKind + 2 {
			switch kind {
			case procnto.HelloHandles, procnto.HelloAttach, procnto.HelloName, procnto.HelloLane, procnto.HelloLink:
				continue
			}
			w := reach(t, name)
			require.NoError(t, w.send(aFrame(kind).Encode()))
			_, _, _, err := w.receive(0)
			require.Error(t, err, "kind %d", kind)
			w.close()
		}
	}
}

func peerWrongPlace(t *testing.T, s *scene) {
	for kind := range procnto.LastKind + 2 {
		w := greet(t, s.socket)
		require.NoError(t, w.send(aFrame(kind).Encode()))
		switch kind {
		case procnto.OpenRequest, procnto.MapRequest, procnto.DeleteRequest, procnto.ClaimRequest: // of nothing
			require.Equal(t, int32(syscall.ESRCH), w.mustReceive(t).Errno, "kind %d", kind)
		case procnto.RegisterRequest: // without a link
			require.Equal(t, int32(syscall.ENOTCONN), w.mustReceive(t).Errno)
		default:
			w.ended(t, "handles", kind)
		}
		w.close()
		w = reach(t, s.socket)
		require.NoError(t, w.send(procnto.Frame{Kind: procnto.HelloLink, ID: uint64(kind) + 1}.Encode()))
		require.Equal(t, procnto.Welcome, w.mustReceive(t).Kind)
		require.NoError(t, w.send(aFrame(kind).Encode()))
		if kind != procnto.RevokedFrame && kind != procnto.Withdrawal { // of nothing, and without an answer
			w.ended(t, "link", kind)
		}
		w.close()
		w, _ = s.attach(t, 1)
		require.NoError(t, w.send(aFrame(kind).Encode()))
		if kind == procnto.Cancel { // of nothing
			require.Equal(t, procnto.Answer, w.mustReceive(t).Kind)
		} else {
			w.ended(t, "attached", kind)
		}
		w.close()
	}
	for _, chid := range []int32{0, -1, math.MinInt32, math.MaxInt32, int32(s.chid) + 1} {
		w := reach(t, s.socket)
		require.NoError(t, w.send(procnto.Frame{Kind: procnto.HelloAttach, Number: chid, ID: 1}.Encode()))
		require.Equal(t, int32(syscall.ESRCH), w.mustReceive(t).Errno)
		w.ended(t)
		w.close()
	}
}

// peerWrongLane tries to be somebody who is attached.
func peerWrongLane(t *testing.T, s *scene) {
	control, scoid := s.attach(t, 1)
	right := procnto.Frame{Kind: procnto.HelloLane, Number: int32(s.chid), SCOID: scoid, ID: 1}
	refused := func(f procnto.Frame) {
		t.Helper()
		w := reach(t, s.socket)
		defer w.close()
		require.NoError(t, w.send(f.Encode()))
		answer := w.mustReceive(t)
		require.Equal(t, procnto.Reply, answer.Kind)
		require.Equal(t, int32(syscall.EBADF), answer.Errno)
		w.ended(t)
	}
	for _, change := range []func(*procnto.Frame){
		func(f *procnto.Frame) { f.ID = 2 },
		func(f *procnto.Frame) { f.ID = 0 },
		func(f *procnto.Frame) { f.SCOID++ },
		func(f *procnto.Frame) { f.SCOID = 0 },
		func(f *procnto.Frame) { f.SCOID = math.MinInt32 },
		func(f *procnto.Frame) { f.Number++ },
		func(f *procnto.Frame) { f.Number = -1 },
	} {
		f := right
		change(&f)
		refused(f)
	}
	// All is right, but it comes from another process.
	thief := startChild(t)
	conn := thief.number("dial", s.socket)
	thief.do("rawsend", conn, quote(right.Encode()))
	require.Equal(t, strconv.Itoa(int(syscall.EBADF)), thief.do("rawreceive", conn, 0)[1])
	thief.kill()
	// And once this process is not attached any more.
	control.close()
	eventually(t, patience, func() bool {
		w := reach(t, s.socket)
		defer w.close()
		require.NoError(t, w.send(right.Encode()))
		// Refused by then, perhaps.
		w.send(append(procnto.Frame{Kind: procnto.Message, ID: 1, A: 1, B: 1}.Encode(), 'x'))
		f, _, _, err := w.receive(0)
		return err == nil && f.Errno == int32(syscall.EBADF)
	}, "a lane without an attachment")
}

func peerForeignHandle(t *testing.T, s *scene) {
	other := startChild(t)
	defer other.kill()
	fd := s.server.number("object", 1)
	h := s.server.handle("handle", fd, other.pid(), os.O_RDONLY)
	w := greet(t, s.socket)
	defer w.close()
	ask := func(f procnto.Frame) int32 {
		t.Helper()
		require.NoError(t, w.send(f.Encode()))
		answer, _, fds, err := w.receive(0)
		require.NoError(t, err)
		require.Equal(t, procnto.Answer, answer.Kind)
		require.Equal(t, f.ID, answer.ID)
		require.Zero(t, fds)
		return answer.Errno
	}
	esrch := int32(syscall.ESRCH)
	for _, id := range []uint64{h, 0, 1, h + 1, math.MaxUint64, h &^ (1<<42 - 1)} {
		require.Equal(t, esrch, ask(procnto.Frame{Kind: procnto.OpenRequest, ID: id}))
		require.Equal(t, esrch, ask(procnto.Frame{Kind: procnto.DeleteRequest, ID: id}))
	}
	mine := s.server.handle("handle", fd, os.Getpid(), os.O_RDONLY)
	for _, access := range []int32{-1, 3, 4, math.MaxInt32, math.MinInt32, int32(os.O_TRUNC)} {
		require.Equal(t, int32(syscall.EINVAL), ask(procnto.Frame{Kind: procnto.OpenRequest, ID: mine, Number: access}))
	}
	for _, access := range []int32{int32(os.O_WRONLY), int32(os.O_RDWR)} {
		require.Equal(t, int32(syscall.EACCES), ask(procnto.Frame{Kind: procnto.OpenRequest, ID: mine, Number: access}))
	}
	require.Zero(t, ask(procnto.Frame{Kind: procnto.DeleteRequest, ID: mine}))
	require.Equal(t, esrch, ask(procnto.Frame{Kind: procnto.DeleteRequest, ID: mine}))
	// The right one can still use it.
	got := other.number("open", h, os.O_RDONLY)
	other.do("close", got)
	s.server.do("close", fd)
}

func peerWrongMessages(t *testing.T, s *scene) {
	for _, f := range []procnto.Frame{
		{A: -1}, {A: math.MinInt64}, {A: math.MaxInt64}, {A: 1}, {A: 6}, // it is 5
		{A: 5, B: -1}, {A: 5, B: math.MinInt64},
	} {
		f.Kind, f.ID = procnto.Message, 2
		s.onLane(t, 1, func(lane wire) error { return lane.send(append(f.Encode(), "hello"...)) })
	}
	for _, id := range []uint64{0, 1 << 31, 1 << 32, math.MaxUint64} {
		f := procnto.Frame{Kind: procnto.Message, ID: id, A: 5, B: 5}
		s.onLane(t, 1, func(lane wire) error { return lane.send(append(f.Encode(), "hello"...)) })
	}
	for _, code := range []int32{-129, 128, math.MaxInt32, math.MinInt32} {
		s.onLane(t, 1, func(lane wire) error {
			return lane.send(procnto.Frame{Kind: procnto.Pulse, Number: code}.Encode())
		})
	}
	s.onLane(t, 1, func(lane wire) error {
		return lane.send(append(procnto.Frame{Kind: procnto.Pulse}.Encode(), 'x'))
	})
	// Room for a reply that no process has: the server replies what there is.
	control, lane := s.lane(t)
	defer control.close()
	defer lane.close()
	require.NoError(t, lane.send(append(procnto.Frame{Kind: procnto.Message, ID: 1, A: 1, B: math.MaxInt64}.Encode(), 'x')))
	require.Equal(t, int64(1), lane.mustReceive(t).B)
}

// peerWrongFiles sends messages whose payload is in a file that is not one of
// this module.
func peerWrongFiles(t *testing.T, s *scene) {
	const size = 4096
	memfd := func(seals int) int {
		fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
		require.NoError(t, err)
		require.NoError(t, unix.Ftruncate(fd, size))
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
		require.NoError(t, err)
		return fd
	}
	path := t.TempDir() + "/fifo"
	require.NoError(t, unix.Mkfifo(path, 0o600))
	open := func(path string, flags int) int {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
		require.NoError(t, err, path)
		return fd
	}
	var pipe [2]int
	require.NoError(t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	socket, err := rawSocket()
	require.NoError(t, err)
	sealed := memfd(procnto.PayloadSeals)
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
		"socket":       socket,
		"regular file": regular,
		"not sealed":   memfd(0),
		"can change":   memfd(procnto.PayloadSeals &^ unix.F_SEAL_WRITE),
		"can shrink":   memfd(procnto.PayloadSeals &^ unix.F_SEAL_SHRINK),
		"write only":   open(pathOf(sealed), unix.O_PATH),
	}
	defer func() {
		for _, fd := range files {
			unix.Close(fd)
		}
		unix.Close(sealed)
	}()
	for what, fd := range files {
		t.Log(what)
		s.onLane(t, 5, func(lane wire) error {
			f := procnto.Frame{Kind: procnto.Message, ID: 2, A: size, B: 0, InFile: true}
			if fd < 0 {
				return lane.send(f.Encode())
			}
			return lane.send(f.Encode(), fd)
		})
	}
	for _, length := range []int64{0, size - 1, size + 1, math.MaxInt64, -size} {
		s.onLane(t, 5, func(lane wire) error {
			return lane.send(procnto.Frame{Kind: procnto.Message, ID: 2, A: length, InFile: true}.Encode(), sealed)
		})
	}
	s.onLane(t, 5, func(lane wire) error { // in both places
		f := procnto.Frame{Kind: procnto.Message, ID: 2, A: size, InFile: true}
		return lane.send(append(f.Encode(), "more"...), sealed)
	})
	// A file of a size that no memory has holds nothing but zeros.
	huge, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	require.NoError(t, err)
	defer unix.Close(huge)
	require.NoError(t, unix.Ftruncate(huge, 1<<50))
	_, err = unix.FcntlInt(uintptr(huge), unix.F_ADD_SEALS, procnto.PayloadSeals)
	require.NoError(t, err)
	control, lane := s.lane(t)
	defer control.close()
	defer lane.close()
	require.NoError(t, lane.send(procnto.Frame{Kind: procnto.Message, ID: 2, A: 1 << 50, B: 8, InFile: true}.Encode(), huge))
	require.Equal(t, int64(8), lane.mustReceive(t).B)
}

// peerSecondMessage sends a message while the one before has no reply.
func peerSecondMessage(t *testing.T, s *scene) {
	const n = 5
	s.onLane(t, n, func(lane wire) error {
		err := lane.send(append(procnto.Frame{Kind: procnto.Message, ID: 2, A: 4, B: 4}.Encode(), "hold"...))
		if err != nil {
			return err
		}
		return lane.send(append(procnto.Frame{Kind: procnto.Message, ID: 3, A: 4, B: 4}.Encode(), "hold"...))
	})
	require.Equal(t, slices.Repeat([]string{qnxerr.Name(syscall.ESRCH)}, n), s.server.do("release", n))
}

// peerDescriptor attaches descriptors to frames that take none, or too many.
func peerDescriptor(t *testing.T, s *scene) {
	pipe := make([]int, 2)
	require.NoError(t, unix.Pipe2(pipe, unix.O_CLOEXEC))
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	sealed, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	require.NoError(t, err)
	defer unix.Close(sealed)
	require.NoError(t, unix.Ftruncate(sealed, 4096))
	_, err = unix.FcntlInt(uintptr(sealed), unix.F_ADD_SEALS, procnto.PayloadSeals)
	require.NoError(t, err)
	hello := procnto.Frame{Kind: procnto.HelloHandles}
	open := procnto.Frame{Kind: procnto.OpenRequest, ID: 1}
	for _, n := range []int{1, 2, 3, 10, 253} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			fds := slices.Repeat(pipe[:1], n)
			for range 10 {
				for _, name := range s.sockets() {
					for _, packet := range [][]byte{hello.Encode(), {}, {1}, ofVersion(2, procnto.FrameSize), make([]byte, 1000)} {
						w := reach(t, name)
						require.NoError(t, w.send(packet, fds...))
						w.ended(t)
						w.close()
					}
					w := greet(t, name)
					require.NoError(t, w.send(open.Encode(), fds...))
					w.ended(t)
					w.close()
				}
			}
			s.onLane(t, 10, func(lane wire) error {
				return lane.send(append(procnto.Frame{Kind: procnto.Message, ID: 2, A: 1}.Encode(), 'x'), fds...)
			})
			s.onLane(t, 10, func(lane wire) error { return lane.send(procnto.Frame{Kind: procnto.Pulse}.Encode(), fds...) })
			s.onLane(t, 10, func(lane wire) error { return lane.send(nil, fds...) })
			if n > 1 {
				for range 10 { // whether it is taken or not
					control, lane := s.lane(t)
					f := procnto.Frame{Kind: procnto.Message, ID: 2, A: 4096, InFile: true}
					require.NoError(t, lane.send(f.Encode(), slices.Repeat([]int{sealed}, n)...))
					lane.receive(0)
					control.close()
					lane.close()
				}
			}
			s.unharmed(t)
		})
	}
}

// peerNeverReads asks and asks, and never reads an answer. The server must not
// wait for it, nor keep all answers.
func peerNeverReads(t *testing.T, s *scene) {
	flood := func(w wire, packet []byte) {
		t.Helper()
		for range 100_000 {
			if err := w.send(packet); err != nil {
				require.Contains(t, []error{syscall.EPIPE, syscall.ECONNRESET}, err)
				return
			}
		}
		require.FailNow(t, "the server takes everything")
	}
	w := greet(t, s.socket)
	defer w.close()
	flood(w, procnto.Frame{Kind: procnto.OpenRequest, ID: 1}.Encode())
	// On a lane each message would wait for the server's reply to the one
	// before: who does not is dropped.
	control, lane := s.lane(t)
	defer control.close()
	defer lane.close()
	flood(lane, append(procnto.Frame{Kind: procnto.Message, ID: 1, A: 1, B: 1}.Encode(), 'x'))
	s.served(t)
}

// peerLeaves closes its connections after each step of what is usual.
func peerLeaves(t *testing.T, s *scene) {
	fd := s.server.number("object", 1)
	for read := range 2 {
		for steps := range 4 {
			h := s.server.handle("handle", fd, os.Getpid(), os.O_RDONLY)
			w := reach(t, s.socket)
			for i, f := range []procnto.Frame{{Kind: procnto.HelloHandles}, {Kind: procnto.OpenRequest, ID: h}, {Kind: procnto.DeleteRequest, ID: h}} {
				if i == steps {
					break
				}
				require.NoError(t, w.send(f.Encode()))
				if read == 1 {
					w.mustReceive(t)
				}
			}
			w.close()
			s.server.try("delete", h)
		}
		for steps := range 6 {
			control, scoid := s.attach(t, 1)
			lane := reach(t, s.socket)
			for i, f := range []procnto.Frame{
				{Kind: procnto.HelloLane, Number: int32(s.chid), SCOID: scoid, ID: 1},
				{Kind: procnto.Pulse},
				{Kind: procnto.Message, ID: 1, A: 0, B: 10},
				{Kind: procnto.Pulse},
				{Kind: procnto.Message, ID: 2, A: 0, B: 10},
			} {
				if i == steps {
					break
				}
				require.NoError(t, lane.send(f.Encode()))
				if read == 1 && f.Kind != procnto.Pulse {
					lane.mustReceive(t)
				}
			}
			if steps%2 == 0 {
				lane.close()
				control.close()
			} else {
				control.close()
				lane.close()
			}
		}
	}
	s.server.do("close", fd)
}

// TestFloodOfOnePeerStaysInItsShare: a peer that has its share of the server's
// connections and asks for more must not cost others theirs.
func TestFloodOfOnePeerStaysInItsShare(t *testing.T) {
	s := newScene(t, 600)
	other := startChild(t)
	hello := quote(procnto.Frame{Kind: procnto.HelloHandles}.Encode())
	// Attachments cannot be closed to make room.
	var mine []wire
	defer func() {
		for _, w := range mine {
			w.close()
		}
	}()
	full := false
	for !full {
		w := reach(t, s.socket)
		mine = append(mine, w)
		w.send(procnto.Frame{Kind: procnto.HelloAttach, Number: int32(s.chid), ID: 1}.Encode())
		full = w.mustReceive(t).Errno == int32(syscall.EAGAIN)
		require.Less(t, len(mine), 1000, "no limit")
	}
	conn := other.number("dial", s.socket)
	other.do("rawsend", conn, hello)
	other.do("rawreceive", conn, 0)
	for range 100 {
		w := reach(t, s.socket)
		require.Equal(t, int32(syscall.EAGAIN), w.mustReceive(t).Errno)
		w.close()
	}
	other.do("rawsend", conn, quote(procnto.Frame{Kind: procnto.DeleteRequest, ID: 1}.Encode()))
	answer, errno := other.try("rawreceive", conn, 0)
	require.Zero(t, errno, "the connection of another peer was closed")
	require.Equal(t, strconv.Itoa(int(syscall.ESRCH)), answer[1])
	s.served(t)
}

// TestTooManyConnections: whoever has no place is told so, and the errno is not
// that of something that does not exist.
func TestTooManyConnections(t *testing.T) {
	s := newScene(t, 600)
	fd := s.server.number("object", 1)
	h := s.server.handle("handle", fd, os.Getpid(), os.O_RDONLY)
	coid, err := procnto.NameOpen(s.name)
	require.NoError(t, err)
	defer procnto.ConnectDetach(coid)
	var open []wire
	closeAll := func() {
		for _, w := range open {
			w.close()
		}
	}
	defer closeAll()
	for full := false; !full; {
		w := reach(t, s.socket)
		w.send(procnto.Frame{Kind: procnto.HelloAttach, Number: int32(s.chid), ID: 1}.Encode())
		if full = w.mustReceive(t).Errno != 0; full {
			w.close()
		} else {
			open = append(open, w)
		}
	}
	for range 200 {
		_, err := procnto.OpenHandle(h, os.O_RDONLY)
		requireErrno(t, syscall.EAGAIN, err)
		requireErrno(t, syscall.EAGAIN, procnto.DeleteHandle(h))
		_, err = procnto.NameOpen(s.name)
		requireErrno(t, syscall.EAGAIN, err)
		_, err = procnto.ConnectAttach(s.server.pid(), s.chid)
		requireErrno(t, syscall.EAGAIN, err)
		_, err = procnto.MsgSend(coid, nil, nil, patience)
		requireErrno(t, syscall.EAGAIN, err)
	}
	s.served(t)
	closeAll()
	open = nil
	eventually(t, patience, func() bool {
		got, err := procnto.OpenHandle(h, os.O_RDONLY)
		if err == nil {
			procnto.CloseDescriptor(got)
		}
		return err == nil
	}, "no place again")
	_, err = procnto.MsgSend(coid, nil, nil, patience)
	require.NoError(t, err)
}

// TestRefusedPulse: a pulse that the server will never see was not sent, and
// what refused it does not stay behind.
func TestRefusedPulse(t *testing.T) {
	s := newScene(t, 600)
	coid, err := procnto.NameOpen(s.name)
	require.NoError(t, err)
	defer procnto.ConnectDetach(coid)
	var open []wire
	for full := false; !full; {
		w := reach(t, s.socket)
		w.send(procnto.Frame{Kind: procnto.HelloAttach, Number: int32(s.chid), ID: 1}.Encode())
		if full = w.mustReceive(t).Errno != 0; full {
			w.close()
		} else {
			open = append(open, w)
		}
	}
	requireErrno(t, syscall.EAGAIN, procnto.MsgSendPulse(coid, -1, 1, 2))
	for _, w := range open {
		w.close()
	}
	eventually(t, patience, func() bool { return len(descriptors(t, s.server.pid())) < s.before+len(open) }, "no place again")
	for range 20 {
		_, err = procnto.MsgSend(coid, nil, nil, patience)
		if errnoOf(err) != syscall.EAGAIN {
			require.NoError(t, err, "the attachment is as good as before")
		}
	}
}
