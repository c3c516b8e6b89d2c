//go:build linux

package procnto_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
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

// plainSocket is the name of the socket on which a process listens, unless
// somebody has it.
func plainSocket(pid int) string { return procnto.Space() + strconv.Itoa(pid) }

// ownSocket is where this process listens.
func ownSocket(t testing.TB) string {
	t.Helper()
	_, err := procnto.Serve()
	require.NoError(t, err)
	return plainSocket(os.Getpid())
}

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

// rawBind has a name, but does not listen.
func rawBind(name string) (raw, error) {
	fd, err := rawSocket()
	if err != nil {
		return raw{-1}, err
	}
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: "@" + name}); err != nil {
		unix.Close(fd)
		return raw{-1}, err
	}
	return raw{fd}, nil
}

func rawListen(name string, backlog int) (raw, error) {
	w, err := rawBind(name)
	if err == nil {
		err = unix.Listen(w.fd, backlog)
	}
	return w, err
}

func retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

func (w raw) close() { unix.Close(w.fd) }

func closeRaw(open []raw) {
	for _, w := range open {
		w.close()
	}
}

// accept waits for a connection, with no limit.
func (w raw) accept() (raw, error) {
	for {
		fd, _, err := unix.Accept4(w.fd, unix.SOCK_CLOEXEC)
		if err != syscall.EINTR && err != syscall.EAGAIN {
			return raw{fd}, err
		}
	}
}

// encode is a frame as it travels.
func encode(f wire.Frame) []byte {
	var b [wire.FrameSize]byte
	wire.Encode(f, &b)
	return b[:]
}

func (w raw) say(f wire.Frame, fds ...int) error { return w.send(encode(f), fds...) }

func (w raw) send(packet []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return retry(func() error { return unix.Sendmsg(w.fd, packet, rights, nil, unix.MSG_NOSIGNAL) })
}

// receive returns the next packet, of which payload is what follows the frame,
// and the number of descriptors that came with it.
func (w raw) receive(flags int) (f wire.Frame, payload []byte, fds int, err error) {
	buf, control := make([]byte, 256<<10), make([]byte, unix.CmsgSpace(4*253))
	var n, nc int
	receive := func() (err error) {
		n, nc, _, _, err = unix.Recvmsg(w.fd, buf, control, flags|unix.MSG_CMSG_CLOEXEC)
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

// mustReceive is for answers that have to come.
func (w raw) mustReceive(t testing.TB) wire.Frame {
	t.Helper()
	f, _, _, err := w.receive(0)
	require.NoError(t, err)
	return f
}

// requireWelcome is for the answer to a hello.
func (w raw) requireWelcome(t testing.TB, errno syscall.Errno) {
	t.Helper()
	f := w.mustReceive(t)
	require.IsType(t, (*wire.Welcome)(nil), f)
	require.Equal(t, errno, syscall.Errno(f.(*wire.Welcome).Errno))
}

// errno is for the answer to a request, of which only that comes back.
func (w raw) errno(t testing.TB) syscall.Errno {
	t.Helper()
	f := w.mustReceive(t)
	require.IsType(t, (*wire.Answer)(nil), f)
	return syscall.Errno(f.(*wire.Answer).Errno)
}

// requireGranted is for the answer to an Open or a Map that is granted.
func (w raw) requireGranted(t testing.TB) {
	t.Helper()
	f, _, fds, err := w.receive(0)
	require.NoError(t, err)
	require.IsType(t, (*wire.Granted)(nil), f)
	require.Equal(t, 1, fds)
}

// ended waits until the other side has closed, whatever it says before.
func (w raw) ended(t testing.TB, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		_, _, _, err := w.receive(0)
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
	w, err := rawDial(name)
	require.NoError(t, err, name)
	return w
}

// greet connects and says hello as an opener of handles.
func greet(t testing.TB, name string) raw {
	t.Helper()
	w := reach(t, name)
	require.NoError(t, w.say(new(wire.HelloHandles)))
	w.requireWelcome(t, 0)
	return w
}

// greetLink connects and says hello as one who is to be told of revocations.
func greetLink(t testing.TB, name string) raw {
	t.Helper()
	w := reach(t, name)
	require.NoError(t, w.say(new(wire.HelloLink)))
	w.requireWelcome(t, 0)
	return w
}

// ofVersion is a packet of n bytes that begins as one of another version.
func ofVersion(version uint16, n int) []byte {
	b := append(encode(new(wire.HelloHandles)), make([]byte, max(0, n-wire.FrameSize))...)[:n]
	binary.NativeEndian.PutUint16(b[4:], version)
	return b
}

// aFrame is a frame of any kind, all of whose fields are zero.
func aFrame(kind wire.Kind) []byte {
	b := encode(new(wire.HelloHandles))
	binary.NativeEndian.PutUint16(b[6:], uint16(kind))
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
		b := encode(new(wire.HelloHandles))
		packets["frame and "+fmt.Sprint(n-len(b))] = append(b, make([]byte, max(0, n-len(b)))...)[:n]
	}
	return packets
}

func pathOf(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
