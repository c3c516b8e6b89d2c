//go:build linux

package testproc

import (
	"io"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A Raw is a socket to or from the host, without the host's library on this side.
// Its calls wait for Patience at most.
type Raw struct{ FD int }

// NewRaw makes a socket.
func NewRaw() (Raw, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return Raw{-1}, err
	}
	r := Raw{fd}
	r.SetLimit(Patience)
	return r, nil
}

// SetLimit sets how long calls wait, 0 for ever.
func (r Raw) SetLimit(d time.Duration) {
	limit := unix.NsecToTimeval(int64(d))
	unix.SetsockoptTimeval(r.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	unix.SetsockoptTimeval(r.FD, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
}

// made makes a socket and does something with it.
func made(do func(fd int) error) (Raw, error) {
	r, err := NewRaw()
	if err != nil {
		return r, err
	}
	if err := Retry(func() error { return do(r.FD) }); err != nil {
		r.Close()
		return Raw{-1}, err
	}
	return r, nil
}

// Dial connects to an abstract name.
func Dial(name string) (Raw, error) { return DialWithin(Patience, name) }

// DialWithin is Dial, and less patience, with this and all that follows.
func DialWithin(limit time.Duration, name string) (Raw, error) {
	return made(func(fd int) error {
		Raw{fd}.SetLimit(limit)
		return unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + name})
	})
}

// Bind has a name, but does not listen.
func Bind(name string) (Raw, error) {
	return made(func(fd int) error { return unix.Bind(fd, &unix.SockaddrUnix{Name: "@" + name}) })
}

// Listen listens under a name.
func Listen(name string, backlog int) (Raw, error) {
	r, err := Bind(name)
	if err != nil {
		return r, err
	}
	if err := unix.Listen(r.FD, backlog); err != nil {
		r.Close()
		return Raw{-1}, err
	}
	return r, nil
}

// Accept waits for a connection, with no limit.
func (r Raw) Accept() (Raw, error) {
	for {
		fd, _, err := unix.Accept4(r.FD, unix.SOCK_CLOEXEC)
		if err != syscall.EINTR && err != syscall.EAGAIN {
			return Raw{fd}, err
		}
	}
}

// Reach connects to a socket that must be there.
func Reach(t testing.TB, name string) Raw {
	t.Helper()
	r, err := Dial(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

func (r Raw) Close() { unix.Close(r.FD) }

// Say sends a frame.
func (r Raw) Say(f wire.Frame, fds ...int) error { return r.Send(Encode(f), fds...) }

// SayWith sends a frame, and what follows it.
func (r Raw) SayWith(f wire.Frame, payload string, fds ...int) error {
	return r.Send(append(Encode(f), payload...), fds...)
}

// Send sends a packet, whatever it is.
func (r Raw) Send(packet []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return Retry(func() error { return unix.Sendmsg(r.FD, packet, rights, nil, unix.MSG_NOSIGNAL) })
}

// A Packet is what a Raw receives.
type Packet struct {
	wire.Frame
	Payload []byte // what follows the frame
	FDs     []int
}

// CloseFDs closes the descriptors, and returns how many they were.
func (p Packet) CloseFDs() int {
	for _, fd := range p.FDs {
		unix.Close(fd)
	}
	return len(p.FDs)
}

// Receive returns the next packet, and io.EOF when there will be none.
func (r Raw) Receive(flags int) (p Packet, err error) {
	buf, control := make([]byte, 256<<10), make([]byte, unix.CmsgSpace(4*253))
	var n, nc int
	receive := func() (err error) {
		n, nc, _, _, err = unix.Recvmsg(r.FD, buf, control, flags|unix.MSG_CMSG_CLOEXEC)
		return err
	}
	if err = Retry(receive); err == syscall.ECONNRESET {
		err = Retry(receive) // what was sent before the end is still there
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return p, err
	}
	messages, _ := unix.ParseSocketControlMessage(control[:nc])
	for i := range messages {
		got, _ := unix.ParseUnixRights(&messages[i])
		p.FDs = append(p.FDs, got...)
	}
	p.Frame, err = wire.Decode(buf[:n])
	p.Payload = buf[min(n, wire.FrameSize):n]
	return p, err
}

// ReceiveFrame is Receive where descriptors do not matter.
func (r Raw) ReceiveFrame() (wire.Frame, error) {
	p, err := r.Receive(0)
	p.CloseFDs()
	return p.Frame, err
}

// Ask says a frame and receives what comes back.
func (r Raw) Ask(f wire.Frame) (wire.Frame, error) {
	if err := r.Say(f); err != nil {
		return nil, err
	}
	return r.ReceiveFrame()
}

// MustReceive is for an answer that has to come, of that type.
func MustReceive[F wire.Frame](t testing.TB, r Raw) F {
	t.Helper()
	f, err := r.ReceiveFrame()
	if err != nil {
		t.Fatal(err)
	}
	got, ok := f.(F)
	if !ok {
		t.Fatalf("received %#v, not a %T", f, got)
	}
	return got
}

// WantWelcome is for the answer to a hello.
func (r Raw) WantWelcome(t testing.TB, want syscall.Errno) *wire.Welcome {
	t.Helper()
	w := MustReceive[*wire.Welcome](t, r)
	if got := syscall.Errno(w.Errno); got != want {
		t.Fatalf("a welcome with errno %v (%d), not %v", got, int(got), want)
	}
	return w
}

// Ended waits until the other side has closed, whatever it says before.
func (r Raw) Ended(t testing.TB, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(Patience); ; {
		_, err := r.ReceiveFrame()
		if err == io.EOF || err == syscall.ECONNRESET {
			return
		}
		if err == syscall.EAGAIN || time.Now().After(deadline) {
			t.Fatalf("the connection is still open: %v", args)
		}
	}
}
