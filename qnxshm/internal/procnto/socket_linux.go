package procnto

import (
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// peerTimeout is how long a process may take to answer another one's library.
// One that takes longer is stopped, or at a breakpoint.
const peerTimeout = 5 * time.Second

// The host's own descriptors live from here up, so that the program's are the
// lowest free ones, as without the host.
const firstOwnFD = 512

// moveHigh gives fd a number in the host's own range and closes the low one.
// On failure fd is closed.
func moveHigh(fd int) (int, error) {
	if fd >= firstOwnFD {
		return fd, nil
	}
	high, err := dupHigh(fd)
	if err == syscall.EINVAL {
		return fd, nil // the limit of descriptors is below the range
	}
	unix.Close(fd)
	return high, err
}

func dupHigh(fd int) (int, error) {
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, firstOwnFD)
}

// A packet holds what a send or receive needs, so that neither allocates.
type packet struct {
	hdr     unix.Msghdr
	iov     [3]unix.Iovec
	control [24]byte // CmsgSpace of one descriptor
	head    [frameSize]byte
}

const noFD = -1

// send sends a frame with its payload, and a descriptor unless it is noFD. It
// does not wait: EAGAIN when the peer has not read what it was sent before.
func (p *packet) send(fd int, f *frame, payload []byte, pass int) error {
	f.encode(&p.head)
	p.iov[0].Base = &p.head[0]
	p.iov[0].SetLen(frameSize)
	p.hdr = unix.Msghdr{Iov: &p.iov[0]}
	p.hdr.SetIovlen(1)
	if len(payload) > 0 {
		p.iov[1].Base = &payload[0]
		p.iov[1].SetLen(len(payload))
		p.hdr.SetIovlen(2)
	}
	if pass != noFD {
		e := binary.NativeEndian
		clear(p.control[:])
		if unix.SizeofPtr == 8 {
			e.PutUint64(p.control[0:], uint64(unix.CmsgLen(4)))
		} else {
			e.PutUint32(p.control[0:], uint32(unix.CmsgLen(4)))
		}
		e.PutUint32(p.control[unix.SizeofPtr:], unix.SOL_SOCKET)
		e.PutUint32(p.control[unix.SizeofPtr+4:], unix.SCM_RIGHTS)
		e.PutUint32(p.control[unix.CmsgLen(0):], uint32(pass))
		p.hdr.Control = &p.control[0]
		p.hdr.SetControllen(unix.CmsgSpace(4))
	}
	err := ignoringEINTR(func() error {
		_, err := sendmsg(fd, &p.hdr, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		return err
	})
	p.iov[1].Base = nil
	return err
}

// A receipt is what came with a received frame.
type receipt struct {
	n    int  // bytes of payload, as far as the buffers had room
	fd   int  // passed descriptor, owned by the receiver; noFD if there is none
	lost bool // a descriptor was passed, but this process had no room for it
	// With io.EOF: the peer closed without having read all it was sent.
	unread bool
}

// receive takes the next packet: its payload goes to buf and, from where that
// is full, to rest. The error is io.EOF when the peer is gone, errMalformed or
// a versionError for a packet that is not ours, an errno otherwise. With EFAULT
// the packet is gone and its frame is known, but not its payload.
func (p *packet) receive(fd int, f *frame, buf, rest []byte, flags int) (receipt, error) {
	r := receipt{fd: noFD}
	p.iov[0].Base = &p.head[0]
	p.iov[0].SetLen(frameSize)
	n := 1
	for _, b := range [2][]byte{buf, rest} {
		if len(b) > 0 {
			p.iov[n].Base = &b[0]
			p.iov[n].SetLen(len(b))
			n++
		}
	}
	p.expect(n)
	flags |= unix.MSG_CMSG_CLOEXEC
	got, err := recvmsg(fd, &p.hdr, flags)
	if err == syscall.ECONNRESET || err == nil && got == 0 {
		// The peer is gone, but what it sent before may be next: reset tells
		// first that it has not read all. The end is told too early when the
		// peer sends and closes between the kernel's look at the queue and its
		// look at the state.
		r.unread = err == syscall.ECONNRESET
		p.expect(n)
		if got, err = recvmsg(fd, &p.hdr, flags|unix.MSG_DONTWAIT); err != nil {
			err = io.EOF
		}
	}
	p.iov[1].Base, p.iov[2].Base = nil, nil
	if err != nil {
		if err == syscall.EFAULT && f.decode(p.head[:]) != nil {
			err = errMalformed
		}
		return r, err
	}
	if p.hdr.Controllen > 0 {
		r.fd = passedFD(p.control[:p.hdr.Controllen])
	}
	r.lost = p.hdr.Flags&unix.MSG_CTRUNC != 0 && r.fd == noFD
	switch {
	case got == 0:
		err = io.EOF
	default:
		err = f.decode(p.head[:min(got, frameSize)])
		if err == nil && p.hdr.Flags&unix.MSG_TRUNC != 0 {
			err = errMalformed
		}
	}
	if err != nil && r.fd != noFD {
		unix.Close(r.fd)
		r.fd = noFD
	}
	r.n = got - frameSize
	return r, err
}

// expect makes the header ready for a packet in n parts.
func (p *packet) expect(n int) {
	p.hdr = unix.Msghdr{Iov: &p.iov[0], Control: &p.control[0]}
	p.hdr.SetIovlen(n)
	p.hdr.SetControllen(unix.CmsgLen(4)) // with the padding there would be room for two
}

// drop removes the next packet from the queue.
func (p *packet) drop(fd int) error {
	p.iov[0].Base = &p.head[0]
	p.iov[0].SetLen(frameSize)
	p.hdr = unix.Msghdr{Iov: &p.iov[0]}
	p.hdr.SetIovlen(1)
	return ignoringEINTR(func() error {
		_, err := recvmsg(fd, &p.hdr, unix.MSG_DONTWAIT)
		return err
	})
}

func passedFD(control []byte) int {
	e := binary.NativeEndian
	if len(control) < unix.CmsgLen(4) ||
		e.Uint32(control[unix.SizeofPtr:]) != unix.SOL_SOCKET ||
		e.Uint32(control[unix.SizeofPtr+4:]) != unix.SCM_RIGHTS {
		return noFD
	}
	return int(int32(e.Uint32(control[unix.CmsgLen(0):])))
}

// Before a thread goes to sleep it tries some more for this long: most answers
// come sooner than the kernel can put a thread to sleep and wake it. With one
// processor nobody could answer meanwhile.
const spinTime = 20 * time.Microsecond

var onlyProcessor = runtime.NumCPU() == 1

type spinner struct {
	start time.Time
	time  time.Duration // spinTime if zero
}

// again yields the processor and reports whether to try once more before going
// to sleep.
func (s *spinner) again() bool {
	if onlyProcessor {
		return false
	}
	if s.start.IsZero() {
		s.start = time.Now()
	} else if time.Since(s.start) > max(s.time, spinTime) {
		return false
	}
	schedYield()
	return true
}

// triesFirst reports whether one who waits until the deadline tries before: with
// one processor there is nothing to try, but the sleep until a deadline takes
// another call.
func triesFirst(deadline time.Time) bool { return !onlyProcessor || !deadline.IsZero() }

// try is receive that tries for a short while, then EAGAIN.
func (p *packet) try(fd int, f *frame, buf []byte, flags int) (receipt, error) {
	var spin spinner
	for {
		r, err := p.receive(fd, f, buf, nil, flags|unix.MSG_DONTWAIT)
		if err != syscall.EINTR && (err != syscall.EAGAIN || !spin.again()) {
			return r, err
		}
	}
}

// await is receive that waits for the packet, at most until the deadline unless
// that is zero, and no longer than the socket's own timeout, which a limited
// socket has: then the error is ETIMEDOUT.
//
// With the flag MSG_PEEK the packet stays in the queue.
func (p *packet) await(fd int, f *frame, buf []byte, deadline time.Time, limited bool, flags int) (receipt, error) {
	if triesFirst(deadline) {
		if r, err := p.try(fd, f, buf, flags); err != syscall.EAGAIN {
			return r, err
		}
	}
	return p.sleep(fd, f, buf, deadline, limited, flags)
}

// sleep is the second half of await.
func (p *packet) sleep(fd int, f *frame, buf []byte, deadline time.Time, limited bool, flags int) (receipt, error) {
	if !deadline.IsZero() {
		if err := waitFor(fd, unix.POLLIN, deadline); err != nil {
			return receipt{fd: noFD}, err
		}
	}
	var began time.Time
	if limited {
		began = time.Now()
	}
	for {
		r, err := p.receive(fd, f, buf, nil, flags)
		if err == syscall.EAGAIN {
			err = syscall.ETIMEDOUT
		}
		if err != syscall.EINTR {
			return r, err
		}
		if limited { // the socket's own timeout would start again
			if err := waitFor(fd, unix.POLLIN, began.Add(peerTimeout)); err != nil {
				return r, err
			}
		}
	}
}

// waitFor sleeps until fd has one of the events, or after the deadline, unless
// that is zero, ETIMEDOUT.
func waitFor(fd int, events int16, deadline time.Time) error {
	return waitForAny([]unix.PollFd{{Fd: int32(fd), Events: events}}, deadline)
}

// waitForAny is waitFor for the first of several descriptors.
func waitForAny(wanted []unix.PollFd, deadline time.Time) error {
	for {
		var timeout *unix.Timespec
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return syscall.ETIMEDOUT
			}
			ts := unix.NsecToTimespec(int64(left))
			timeout = &ts
		}
		n, err := unix.Ppoll(wanted, timeout, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case n > 0:
			return nil
		}
	}
}

// unreadBy reports whether the peer has not taken yet what it was sent.
func unreadBy(fd int) bool {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	return err == nil && n > 0
}

// listen makes a socket that listens under an abstract name.
func listen(name string) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if fd, err = moveHigh(fd); err != nil {
		return -1, err
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: "@" + name})
	if err == nil {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// listenedHere reports whether the socket that listens under the name is, or was,
// one of this process, or has just been closed.
func listenedHere(name string) bool {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + name}); err != nil {
		return err == syscall.ECONNREFUSED
	}
	peer, err := peerOf(fd)
	return err == nil && int(peer.Pid) == self().pid
}

// dial connects to the socket of that name if a process pid listens there, or
// any process if pid is 0. The peer's pid is the kernel's word. Receiving on the
// socket has the timeout answerIn, 0 for none.
func dial(name string, pid int, answerIn time.Duration) (fd, peer int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, 0, err
	}
	if fd, err = moveHigh(fd); err != nil {
		return -1, 0, err
	}
	connectIn, receiveIn := unix.NsecToTimeval(int64(peerTimeout)), unix.NsecToTimeval(int64(answerIn))
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &connectIn)
	if err == nil {
		err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &receiveIn)
	}
	if err == nil {
		// EAGAIN: the queue of the listener was full all the time.
		err = ignoringEINTR(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: "@" + name}) })
	}
	if err == nil {
		var cred *unix.Ucred
		if cred, err = peerOf(fd); err == nil {
			peer = int(cred.Pid)
		}
	}
	if err == nil && pid != 0 && peer != pid {
		err = syscall.ECONNREFUSED // somebody else has taken the name
	}
	if err != nil {
		unix.Close(fd)
		return -1, 0, err
	}
	return fd, peer, nil
}

// peerOf returns who is at the other end of a connection, or who listened there
// when it was made.
func peerOf(fd int) (*unix.Ucred, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err == nil && cred.Pid <= 0 {
		err = errForeignNamespace
	}
	return cred, err
}

var errForeignNamespace = errors.New("the other process is in another pid namespace")
