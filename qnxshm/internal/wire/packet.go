//go:build linux

package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// maxRights is how many descriptors the kernel lets a packet have. There is room
// for all: what the kernel has to drop it closes in the thread that receives.
const maxRights = 253

// A Packet holds what a send or receive needs. One thread uses it at a time.
type Packet struct {
	// Blame is the user id of whoever sends on this connection: descriptors that
	// have no place here are disposed of at its expense.
	Blame   uint32
	hdr     unix.Msghdr
	iov     [3]unix.Iovec
	head    [FrameSize]byte
	coder   coder
	control [4*maxRights + 64]byte // the descriptors, and who has sent them
}

// Send sends a frame with its payload, and a descriptor unless it is linux.NoFD.
// It does not wait: EAGAIN when the peer has not read what it was sent before.
func (p *Packet) Send(fd int, f Frame, payload []byte, pass int) error {
	p.coder.encode(f, &p.head)
	n := p.parts(payload, nil)
	p.hdr = unix.Msghdr{Iov: &p.iov[0]}
	p.hdr.SetIovlen(n)
	if pass != linux.NoFD {
		rights := p.control[:unix.CmsgSpace(4)]
		clear(rights)
		h := cmsg(rights)
		h.setLen(unix.CmsgLen(4))
		binary.NativeEndian.PutUint32(rights[unix.SizeofPtr:], unix.SOL_SOCKET)
		binary.NativeEndian.PutUint32(rights[unix.SizeofPtr+4:], unix.SCM_RIGHTS)
		binary.NativeEndian.PutUint32(rights[unix.CmsgLen(0):], uint32(pass))
		p.hdr.Control = &p.control[0]
		p.hdr.SetControllen(len(rights))
	}
	err := linux.IgnoringEINTR(func() error {
		_, err := linux.Sendmsg(fd, &p.hdr, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		return err
	})
	p.iov[1].Base = nil
	return err
}

// parts sets the vector to the frame and the buffers, and returns their number.
func (p *Packet) parts(bufs ...[]byte) (n int) {
	p.iov[0].Base = &p.head[0]
	p.iov[0].SetLen(FrameSize)
	n = 1
	for _, b := range bufs {
		if len(b) > 0 {
			p.iov[n].Base = &b[0]
			p.iov[n].SetLen(len(b))
			n++
		}
	}
	return n
}

// Rights says whether a packet may have a descriptor.
type Rights bool

const (
	NoRights Rights = false
	OneRight Rights = true
)

// A Receipt is a packet that was received.
type Receipt struct {
	Frame Frame // some kinds only until the next packet comes
	N     int   // bytes of payload, as far as the buffers had room
	FD    int   // passed descriptor, owned by the receiver; linux.NoFD if there is none
	Lost  bool  // a descriptor was passed, but this process had no room for it
	From  int   // pid of the sender, where packets tell
	// With io.EOF: the peer closed without having read all it was sent.
	Unread bool
}

// ErrRights is a packet with a descriptor where none belongs. It is still in the
// queue: the connection is to be disposed of as a whole.
var ErrRights = errors.New("a descriptor where none belongs")

// Receive takes the next packet: its payload goes to buf. The error is io.EOF when the peer is gone, ErrMalformed,
// ErrRights or a VersionError for a packet that is not ours, an errno otherwise.
// With EFAULT the packet is gone and its frame is known, but not its payload.
func (p *Packet) Receive(fd int, rights Rights, buf, rest []byte, flags int) (Receipt, error) {
	r := Receipt{FD: linux.NoFD}
	if rights == NoRights && rightsPass.Load() {
		has, err := p.hasRights(fd, flags)
		if has {
			return r, ErrRights
		}
		r.Unread = err == syscall.ECONNRESET // which the kernel tells only once
	}
	n := p.parts(buf, rest)
	p.expect(n, rights)
	got, err := linux.Recvmsg(fd, &p.hdr, flags|unix.MSG_CMSG_CLOEXEC)
	// The peer is gone, but what it sent before may be next: reset tells first that
	// it has not read all. The end is told too early when the peer sends and closes
	// between the kernel's look at the queue and its look at the state. Both can
	// come before the packet.
	for range 2 {
		if err != syscall.ECONNRESET && (err != nil || got != 0) {
			break
		}
		r.Unread = r.Unread || err != nil
		p.expect(n, rights)
		got, err = linux.Recvmsg(fd, &p.hdr, flags|unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		if err == syscall.EAGAIN {
			err = io.EOF
		}
	}
	if err == syscall.ECONNRESET || err == nil && got == 0 {
		err = io.EOF
	}
	p.iov[1].Base, p.iov[2].Base = nil, nil
	if err == syscall.EFAULT { // the kernel has filled in no more than the frame
		p.hdr.Controllen, p.hdr.Flags, got = 0, 0, FrameSize
	} else if err != nil {
		return r, err
	}
	strays := p.attached(&r)
	f, bad := p.coder.decode(p.head[:min(got, FrameSize)])
	r.Frame, r.N = f, max(got-FrameSize, 0)
	switch {
	case bad != nil:
		err = bad
	case err == nil && (strays || p.hdr.Flags&unix.MSG_TRUNC != 0):
		err = ErrMalformed
	}
	if err != nil {
		p.Discard(&r)
	}
	return r, err
}

// hasRights looks whether descriptors are attached to the next packet, which
// stays in the queue.
func (p *Packet) hasRights(fd, flags int) (bool, error) {
	p.hdr = unix.Msghdr{Iov: &p.iov[0]}
	p.hdr.SetIovlen(p.parts())
	_, err := linux.Recvmsg(fd, &p.hdr, flags|unix.MSG_PEEK)
	return err == nil && p.hdr.Flags&unix.MSG_CTRUNC != 0, err
}

// expect makes the header ready for a packet in n parts.
func (p *Packet) expect(n int, rights Rights) {
	p.hdr = unix.Msghdr{Iov: &p.iov[0]}
	p.hdr.SetIovlen(n)
	if rights == OneRight {
		p.hdr.Control = &p.control[0]
		p.hdr.SetControllen(len(p.control))
	}
}

// attached finds what came with a packet, and reports whether something did that
// has no place there, which it disposes of.
func (p *Packet) attached(r *Receipt) (strays bool) {
	b := p.control[:min(uint64(p.hdr.Controllen), uint64(len(p.control)))]
	if p.hdr.Control == nil {
		b = nil
	}
	e := binary.NativeEndian
	for len(b) >= unix.CmsgLen(0) {
		n := cmsg(b).len()
		if n < unix.CmsgLen(0) || n > len(b) || e.Uint32(b[unix.SizeofPtr:]) != unix.SOL_SOCKET {
			break
		}
		data := b[unix.CmsgLen(0):n]
		switch e.Uint32(b[unix.SizeofPtr+4:]) {
		case unix.SCM_RIGHTS:
			for ; len(data) >= 4; data = data[4:] {
				fd := int(int32(e.Uint32(data)))
				if r.FD != linux.NoFD {
					strays = true
					linux.Dispose(p.Blame, fd)
					continue
				}
				r.FD = fd
				linux.Opened(fd)
			}
		case unix.SCM_CREDENTIALS:
			if len(data) >= 4 {
				r.From = int(int32(e.Uint32(data)))
			}
		}
		b = b[min(unix.CmsgSpace(n-unix.CmsgLen(0)), len(b)):]
	}
	r.Lost = p.hdr.Flags&unix.MSG_CTRUNC != 0 && r.FD == linux.NoFD
	return strays
}

// Discard disposes of the descriptor that came with a packet.
func (p *Packet) Discard(r *Receipt) {
	linux.Dispose(p.Blame, r.FD)
	r.FD = linux.NoFD
}

// Drop removes the next packet from the queue, which was looked at with MSG_PEEK.
func (p *Packet) Drop(fd int) error {
	p.hdr = unix.Msghdr{Iov: &p.iov[0]}
	p.hdr.SetIovlen(p.parts())
	return linux.IgnoringEINTR(func() error {
		_, err := linux.Recvmsg(fd, &p.hdr, unix.MSG_DONTWAIT)
		return err
	})
}

// Try is Receive that tries for a short while, then EAGAIN.
func (p *Packet) Try(fd int, rights Rights, buf []byte, flags int) (Receipt, error) {
	var spin linux.Spinner
	for {
		r, err := p.Receive(fd, rights, buf, nil, flags|unix.MSG_DONTWAIT)
		if err != syscall.EINTR && (err != syscall.EAGAIN || !spin.Again()) {
			return r, err
		}
	}
}

// Await is Receive that waits for the packet, at most until the deadline unless
// that is zero. On a limited connection, which was made with a time for the
// answer, it waits no longer than that; then the error is ETIMEDOUT.
//
// With the flag MSG_PEEK the packet stays in the queue.
func (p *Packet) Await(fd int, rights Rights, buf []byte, deadline time.Time, limited time.Duration, flags int) (Receipt, error) {
	if r, err := p.Try(fd, rights, buf, flags); err != syscall.EAGAIN {
		return r, err
	}
	return p.Sleep(fd, rights, buf, deadline, limited, flags)
}

// Sleep is the second half of Await.
func (p *Packet) Sleep(fd int, rights Rights, buf []byte, deadline time.Time, limited time.Duration, flags int) (Receipt, error) {
	if !deadline.IsZero() {
		if err := linux.WaitFor(fd, unix.POLLIN, deadline); err != nil {
			return Receipt{FD: linux.NoFD}, err
		}
	}
	var began time.Time
	if limited > 0 {
		began = time.Now()
	}
	for {
		r, err := p.Receive(fd, rights, buf, nil, flags)
		if err == syscall.EAGAIN && limited > 0 {
			return r, syscall.ETIMEDOUT
		}
		if err != syscall.EINTR {
			return r, err
		}
		if limited > 0 { // the socket's own timeout would start again
			if err := linux.WaitFor(fd, unix.POLLIN, began.Add(limited)); err != nil {
				return r, err
			}
		}
	}
}

// cmsg is the head of a control message: its length is a size_t.
type cmsg []byte

func (c cmsg) len() int {
	if unix.SizeofPtr == 8 {
		return int(binary.NativeEndian.Uint64(c))
	}
	return int(binary.NativeEndian.Uint32(c))
}

func (c cmsg) setLen(n int) {
	if unix.SizeofPtr == 8 {
		binary.NativeEndian.PutUint64(c, uint64(n))
	} else {
		binary.NativeEndian.PutUint32(c, uint32(n))
	}
}
