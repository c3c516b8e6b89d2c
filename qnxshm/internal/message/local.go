//go:build linux

package message

import (
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// A client of the same process has the same memory, but no socket: what is told on that
// between processes is a call here.

// attachLocal enters this process.
func (ch *channel) attachLocal(at *attachment) error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case ch.closed || ch.gate.Closed():
		return syscall.ESRCH
	case ch.crowded():
		return syscall.EAGAIN
	}
	cl := &client{
		channel: ch, scoid: channels.nextSCOID(), local: at, fd: linux.NoFD, joined: true, hung: true,
		peer: wire.Peer{PID: unix.Getpid(), UID: uint32(unix.Geteuid()), GID: uint32(unix.Getegid())},
	}
	cl.begin(at.segment[0].Load().mem)
	ch.clients[cl.scoid] = cl
	ch.locals.Add(1)
	at.local, at.chid, at.scoid, at.flags = cl, ch.chid, cl.scoid, ch.flags
	return nil
}

// rung is a Bell.
func (cl *client) rung() {
	ch := cl.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if cl.ended {
		return
	}
	cl.hung = false
	ch.remember(cl)
	if ch.looking == 0 {
		cl.hangBell()
	} else {
		cl.takeIn()
	}
	ch.wakeOne()
}

// shareSegment is a Segment.
func (cl *client) shareSegment(k int, seg *segment) { cl.segment[k].Store(seg) }

// shareBuffer is a Buffer.
func (cl *client) shareBuffer(index int, b *buffer) {
	ch := cl.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if sv := cl.at(index); sv != nil {
		b.use()
		sv.coming.drop()
		sv.coming = b
	}
}

// releases is called when the attachment is closed, and reports whether its memory can
// be given back now; else that is done when the last thread of the server leaves it.
func (cl *client) releases() bool {
	ch := cl.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	cl.left = true
	return cl.unused
}
