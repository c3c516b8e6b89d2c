//go:build linux

package procnto_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// A wire is a socket to or from the host, without the host's library on this
// side.
type wire struct{ fd int }

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

func rawDial(name string) (wire, error) {
	fd, err := rawSocket()
	if err != nil {
		return wire{-1}, err
	}
	if err := retry(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + name}) }); err != nil {
		unix.Close(fd)
		return wire{-1}, err
	}
	return wire{fd}, nil
}

func rawListen(name string) (wire, error) {
	fd, err := rawSocket()
	if err != nil {
		return wire{-1}, err
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: "@" + name})
	if err == nil {
		err = unix.Listen(fd, 128)
	}
	if err != nil {
		unix.Close(fd)
	}
	return wire{fd}, err
}

func retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

func (w wire) close() { unix.Close(w.fd) }

// accept waits for a connection, with no limit.
func (w wire) accept() (wire, error) {
	for {
		fd, _, err := unix.Accept4(w.fd, unix.SOCK_CLOEXEC)
		if err != syscall.EINTR && err != syscall.EAGAIN {
			return wire{fd}, err
		}
	}
}

func (w wire) send(packet []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return retry(func() error { return unix.Sendmsg(w.fd, packet, rights, nil, unix.MSG_NOSIGNAL) })
}

// receive returns the next packet, of which payload is what follows the frame,
// and the number of descriptors that came with it.
func (w wire) receive(flags int) (f procnto.Frame, payload []byte, fds int, err error) {
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
		return f, nil, 0, err
	}
	for _, fd := range parseRights(control[:nc]) {
		fds++
		unix.Close(fd)
	}
	f, err = procnto.DecodeFrame(buf[:n])
	return f, buf[min(n, procnto.FrameSize):n], fds, err
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
func (w wire) mustReceive(t testing.TB) procnto.Frame {
	t.Helper()
	f, _, _, err := w.receive(0)
	require.NoError(t, err)
	return f
}

// ended waits until the other side has closed, whatever it says before.
func (w wire) ended(t testing.TB, args ...any) {
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
func reach(t testing.TB, name string) wire {
	t.Helper()
	w, err := rawDial(name)
	require.NoError(t, err, name)
	return w
}

// greet connects and says hello as an opener of handles.
func greet(t testing.TB, name string) wire {
	t.Helper()
	w := reach(t, name)
	require.NoError(t, w.send(procnto.Frame{Kind: procnto.HelloHandles}.Encode()))
	f := w.mustReceive(t)
	require.Equal(t, procnto.Welcome, f.Kind)
	require.Zero(t, f.Errno)
	return w
}

// ofVersion is a packet of n bytes that begins as one of another version.
func ofVersion(version uint16, n int) []byte {
	b := append(procnto.Frame{Kind: procnto.HelloHandles}.Encode(), make([]byte, max(0, n-procnto.FrameSize))...)[:n]
	binary.NativeEndian.PutUint16(b[4:], version)
	return b
}

// aFrame is the frame of a kind, as it could be right in its place.
func aFrame(kind uint16) procnto.Frame { return procnto.Frame{Kind: kind, ID: 1} }

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
	if n != procnto.FrameSize {
		b := procnto.Frame{Kind: procnto.HelloHandles}.Encode()
		packets["frame and "+fmt.Sprint(n-len(b))] = append(b, make([]byte, max(0, n-len(b)))...)[:n]
	}
	return packets
}
