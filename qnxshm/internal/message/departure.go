//go:build linux

package message

import (
	"os"
	"slices"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"golang.org/x/sys/unix"
)

// depart is called when the client is gone: the pulses that it has sent are received
// still.
func (cl *client) depart() {
	ch := cl.channel
	ch.mu.Lock()
	if !cl.use() {
		ch.mu.Unlock()
		return
	}
	cl.queued = 0 // all of it: no more comes
	cl.takeIn()
	cl.end()
	if cl.joined && ch.flags&nto.ChannelDisconnect != 0 && !ch.closed {
		ch.departed++
		ch.queue.push(overtaking, cl.peer.UID, true, arrival{pulse: &Received{Code: nto.PulseDisconnect, SCOID: cl.scoid}})
	} else {
		delete(ch.clients, cl.scoid)
		cl.detached = true
	}
	ch.wakeOne()
	ch.mu.Unlock()
	cl.leave()
}

// end ends the use of the client's memory and socket. The channel's lock is held.
func (cl *client) end() {
	ch := cl.channel
	if cl.joined {
		cl.closed.Store(1)
		cl.sweep()
	}
	cl.ended = true
	ch.recent = slices.DeleteFunc(ch.recent, func(r *client) bool { return r == cl })
	if cl.local != nil {
		ch.locals.Add(-1)
		return
	}
	// Closing would not do while a forked child has the socket too.
	linux.EpollRemove(ch.epfd, cl.fd)
	unix.Shutdown(cl.fd, unix.SHUT_RDWR)
}

// sweep answers the client's threads that wait: ESRCH when the server has the message,
// EBADF when it was not received. The channel's lock is held.
func (cl *client) sweep() {
	for i := range maxSlots {
		s := cl.slot(i)
		if s == nil {
			break
		}
		generation, st := split(s.state.Load())
		errno := syscall.ESRCH
		if st == sent && s.receive(generation) {
			st, errno = received, syscall.EBADF
		}
		if st == received {
			sv := served{client: cl, index: i, slot: s}
			sv.answer(generation, errno)
		}
	}
	cl.wakeForRoom()
}

// tellDeath sends a pulse to the channels that want to know that a connection of this
// process leads nowhere any more.
func (t *channelTable) tellDeath(coid int) {
	t.tell(nto.ChannelCOIDDisconnect, defaultPriority, Received{Code: nto.PulseCOIDDeath, Value: int64(coid), SCOID: -1})
}

// TellThreadDeath sends a pulse to the channels that want to know that a thread of this
// process has ended.
func TellThreadDeath(tid, priority int) {
	channels.tell(nto.ChannelThreadDeath, priority, Received{Code: nto.PulseThreadDeath, Value: int64(tid), SCOID: -1})
}

// tell sends a pulse of the system's to the channels with a flag.
func (t *channelTable) tell(flag uint32, priority int, pulse Received) {
	for _, ch := range t.all() {
		if ch.flags&flag == 0 {
			continue
		}
		ch.mu.Lock()
		if !ch.closed {
			ch.queue.push(priority, uint32(os.Geteuid()), true, arrival{pulse: &pulse})
			ch.wakeOne()
		}
		ch.mu.Unlock()
	}
}

// expel lets go of a client that breaks the rules.
func (cl *client) expel() { cl.depart() }
