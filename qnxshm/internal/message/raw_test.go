//go:build linux

package message_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A raw is a socket to or from the host, without the host's library on this
// side.
type raw struct{ fd int }

// processSocket is the name of the socket of the process pid.
func processSocket(pid int) string { return procnto.Space() + strconv.Itoa(pid) }

func rawSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	limit := unix.NsecToTimeval(int64(patience))
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
	return fd, nil
}

func rawDial(name string) (raw, error) {
	fd, err := rawSocket()
	if err != nil {
		return raw{-1}, err
	}
	if err := retry(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + name}) }); err != nil {
		unix.Close(fd)
		return raw{-1}, err
	}
	return raw{fd}, nil
}

func rawListen(name string) (raw, error) {
	fd, err := rawSocket()
	if err != nil {
		return raw{-1}, err
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: "@" + name})
	if err == nil {
		err = unix.Listen(fd, 128)
	}
	if err != nil {
		unix.Close(fd)
	}
	return raw{fd}, err
}

func (r raw) close() { unix.Close(r.fd) }

// accept waits for a connection, with no limit.
func (r raw) accept() (raw, error) {
	for {
		fd, _, err := unix.Accept4(r.fd, unix.SOCK_CLOEXEC)
		if err != syscall.EINTR && err != syscall.EAGAIN {
			return raw{fd}, err
		}
	}
}

// encoded is a packet without a payload.
func encoded(f wire.Frame) []byte {
	var b [wire.FrameSize]byte
	wire.Encode(f, &b)
	return b[:]
}

// say sends a frame, and what follows it.
func (r raw) say(f wire.Frame, payload string, fds ...int) error {
	return r.send(append(encoded(f), payload...), fds...)
}

func (r raw) send(packet []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return retry(func() error { return unix.Sendmsg(r.fd, packet, rights, nil, unix.MSG_NOSIGNAL) })
}

// receive returns the next packet, of which payload is what follows the frame,
// and the number of descriptors that came with it.
func (r raw) receive(flags int) (f wire.Frame, payload []byte, fds int, err error) {
	buf, control := make([]byte, 256<<10), make([]byte, unix.CmsgSpace(4*253))
	var n, nc int
	receive := func() (err error) {
		n, nc, _, _, err = unix.Recvmsg(r.fd, buf, control, flags|unix.MSG_CMSG_CLOEXEC)
		return err
	}
	if err = retry(receive); err == syscall.ECONNRESET {
		err = retry(receive) // what was sent before the end is still there
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return nil, nil, 0, err
	}
	for _, fd := range parseRights(control[:nc]) {
		fds++
		unix.Close(fd)
	}
	f, err = wire.Decode(buf[:n])
	return f, buf[min(n, wire.FrameSize):n], fds, err
}

func parseRights(control []byte) (fds []int) {
	messages, _ := unix.ParseSocketControlMessage(control)
	for i := range messages {
		got, _ := unix.ParseUnixRights(&messages[i])
		fds = append(fds, got...)
	}
	return fds
}

// mustReceive is for answers that have to come, of that type.
func mustReceive[F wire.Frame](t testing.TB, r raw) F {
	t.Helper()
	f, _, _, err := r.receive(0)
	require.NoError(t, err)
	got, ok := f.(F)
	require.True(t, ok, "%T", f)
	return got
}

// ended waits until the other side has closed, whatever it says before.
func (r raw) ended(t testing.TB, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		_, _, _, err := r.receive(0)
		switch err {
		case io.EOF, syscall.ECONNRESET:
			return
		case syscall.EAGAIN:
			require.FailNow(t, "the connection is still open", "%v", args)
		}
		require.True(t, time.Now().Before(deadline), "the connection is still open: %v", args)
	}
}

// reach connects to a socket that must be there.
func reach(t testing.TB, name string) raw {
	t.Helper()
	r, err := rawDial(name)
	require.NoError(t, err, name)
	return r
}

// attach attaches to a channel of the process behind a socket, as a process with
// that token would.
func attach(t testing.TB, socket string, chid int, token uint64) (control raw, scoid int32) {
	t.Helper()
	control = reach(t, socket)
	require.NoError(t, control.say(&wire.HelloAttach{Token: token, ChannelID: int32(chid)}, ""))
	w := mustReceive[*wire.Welcome](t, control)
	require.Zero(t, w.Errno)
	return control, w.SCOID
}

// attachLane is attach, and a lane of that number.
func attachLane(t testing.TB, socket string, chid int, number uint64) (control, lane raw) {
	t.Helper()
	control, scoid := attach(t, socket, chid, 1)
	lane = reach(t, socket)
	require.NoError(t, lane.say(&wire.HelloLane{Token: 1, Lane: number, ChannelID: int32(chid), SCOID: scoid}, ""))
	require.Zero(t, mustReceive[*wire.Welcome](t, lane).Errno)
	return control, lane
}

// ofVersion is a packet of n bytes that begins as one of another version.
func ofVersion(version uint16, n int) []byte {
	b := append(encoded(&wire.HelloHandles{}), make([]byte, max(0, n-wire.FrameSize))...)[:n]
	binary.NativeEndian.PutUint16(b[4:], version)
	return b
}

const otherVersion = wire.Version + 1

// ofKind is the frame of a kind, as it could be right in its place, or of no kind.
func ofKind(kind wire.Kind) []byte {
	b := encoded(&wire.HelloHandles{})
	binary.NativeEndian.PutUint16(b[6:], uint16(kind))
	if kind > wire.KindHelloHandles {
		binary.NativeEndian.PutUint64(b[8:], 1) // what most begin with is not 0
	}
	return b
}

// garbage gives packets of n bytes that mean nothing, one of which may begin
// well.
func garbage(n int) map[string][]byte {
	random := make([]byte, n)
	source := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range random {
		random[i] = byte(source.Uint32())
	}
	ones := make([]byte, n)
	for i := range ones {
		ones[i] = 0xff
	}
	packets := map[string][]byte{"zeros": make([]byte, n), "ones": ones, "random": random}
	if n != wire.FrameSize {
		b := encoded(&wire.HelloHandles{})
		packets["frame and "+fmt.Sprint(n-len(b))] = append(b, make([]byte, max(0, n-len(b)))...)[:n]
	}
	return packets
}
