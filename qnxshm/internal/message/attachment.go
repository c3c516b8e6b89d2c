//go:build linux

package message

import (
	"os"
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// An address is what a process attaches to.
type address struct{ pid, chid int }

// attachments are this process's.
var attachments = attachmentTable{byAddress: make(map[address]*attachment)}

type attachmentTable struct {
	mu        sync.Mutex
	byAddress map[address]*attachment
}

// join gives a new connection the attachment that there is, nil if there is none.
func (t *attachmentTable) join(a address) *attachment { return t.joinOr(a, nil, false) }

// joinOr gives a new connection the attachment that there is, or if there is none
// another one, whose caller is to make it ready. alone: it shares no other's.
func (t *attachmentTable) joinOr(a address, other *attachment, alone bool) *attachment {
	if alone {
		other.connections = 1
		return other
	}
	for {
		t.mu.Lock()
		at := t.byAddress[a]
		if at == nil || at.isReady() && at.dead() {
			if at = other; at != nil {
				t.byAddress[a] = at
				at.connections = 1
			}
			t.mu.Unlock()
			return at
		}
		at.connections++
		t.mu.Unlock()
		<-at.ready
		if !at.failed {
			return at
		}
	}
}

func (at *attachment) isReady() bool {
	select {
	case <-at.ready:
		return true
	default:
		return false
	}
}

// become lets the threads go on that wait for an attachment to be made.
func (t *attachmentTable) become(at *attachment, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		at.failed = true
		t.forget(at)
	}
	close(at.ready)
}

// leave ends a connection, and with the last one the attachment.
func (t *attachmentTable) leave(at *attachment) {
	t.mu.Lock()
	at.connections--
	last := at.connections == 0
	if last {
		t.forget(at)
	}
	t.mu.Unlock()
	if last {
		at.close()
	}
}

// forget lets no other connection join. The lock is held.
func (t *attachmentTable) forget(at *attachment) {
	if a := (address{at.server, at.chid}); t.byAddress[a] == at {
		delete(t.byAddress, a)
	}
}

// attachTo makes an attachment of what a server has welcomed.
func attachTo(out *procnto.Outbound, w *wire.Welcome, alone bool) (*attachment, error) {
	a := address{out.PID(), int(w.ChannelID)}
	if a.pid == os.Getpid() {
		out.Close()
		return attachHere(a.chid, alone)
	}
	at := &attachment{server: a.pid, chid: a.chid, scoid: int(w.SCOID), flags: w.Flags, out: out, ready: make(chan struct{})}
	if used := attachments.joinOr(a, at, alone); used != at {
		out.Close()
		return used, nil
	}
	wire.RefuseRights(out.Descriptor())
	mem, err := at.makeSegment(0)
	if err == nil {
		at.start(mem)
		at.watch, err = out.Watch(at.end)
	}
	if err == errNoRoom {
		err = syscall.EAGAIN
	}
	if err != nil {
		unmap(mem)
		out.Close()
	}
	attachments.become(at, err)
	return at, err
}

// start begins the use of the memory.
func (at *attachment) start(mem []byte) {
	at.begin(mem)
	at.segments = 1
	at.bell.Store(1)
}

// attachHere attaches to a channel of this process.
func attachHere(chid int, alone bool) (*attachment, error) {
	ch := channels.get(chid)
	if ch == nil {
		return nil, syscall.ESRCH
	}
	at := &attachment{server: os.Getpid(), chid: chid, ready: make(chan struct{})}
	if used := attachments.joinOr(address{at.server, chid}, at, alone); used != at {
		return used, nil
	}
	mem, err := privateMemory(roundUp(int64(segmentSize(0))))
	if err == nil {
		at.start(mem)
		err = ch.attachLocal(at)
	}
	if err != nil {
		unmap(mem)
	}
	attachments.become(at, err)
	return at, err
}

// close ends an attachment that nobody uses any more.
func (at *attachment) close() {
	if at.out != nil {
		at.watch.Stop()
		// The goodbye: closing would not do while a forked child has it too.
		unix.Shutdown(at.out.Descriptor(), unix.SHUT_RDWR)
		at.out.Close()
	} else if at.local != nil {
		at.local.depart()
	}
	at.mu.Lock()
	at.closed = true
	for _, s := range at.senders {
		s.dropBuffer()
	}
	at.mu.Unlock()
	if at.local == nil || at.local.releases() {
		at.unmap()
	}
}

func (at *attachment) unmap() {
	for k := range at.segment {
		if seg := at.segment[k].Load(); seg != nil {
			unmap(seg.mem)
		}
	}
}

// makeSegment makes memory for more slots, and sends it to the server. It returns
// errNoRoom while the server has not read what it was sent.
func (at *attachment) makeSegment(k int) ([]byte, error) {
	size := roundUp(int64(segmentSize(k)))
	if at.out == nil {
		return privateMemory(size)
	}
	at.sharing.Lock()
	defer at.sharing.Unlock()
	return makeShared(size, func(part wire.Part, fd int) error {
		return at.send(&wire.Segment{Number: uint32(k), Part: part}, fd)
	})
}

// send sends a packet with a descriptor.
func (at *attachment) send(f wire.Frame, fd int) error {
	at.packets.Lock()
	defer at.packets.Unlock()
	err := at.out.Packet().Send(at.out.Descriptor(), f, nil, fd)
	switch {
	case err == syscall.EAGAIN:
		return errNoRoom
	case procnto.Ended(err):
		return syscall.EBADF
	case err == syscall.ETOOMANYREFS:
		return errNoRoom // this user has too many descriptors on their way
	}
	return err
}

// ring tells the server that there is something new. An error means that it is gone.
func (at *attachment) ring() error {
	if at.out == nil {
		at.local.rung()
		return nil
	}
	if err := wire.Ring(at.out.Descriptor()); err != nil && err != syscall.EAGAIN {
		return syscall.EBADF
	}
	return nil // with EAGAIN it has rung already
}
