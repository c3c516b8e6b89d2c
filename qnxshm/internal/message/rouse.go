//go:build linux

package message

import (
	"maps"
	"slices"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"golang.org/x/sys/unix"
)

// rouse wakes the thread of this slot, to look what has changed, however it sleeps: the
// server may have changed the word that tells. The attachment's lock is held.
func (s *sender) rouse() {
	s.wake.Store(0)
	linux.FutexWake(&s.wake.Uint32, 1)
	s.signal()
}

// signal wakes a thread that sleeps on what only this process has.
func (s *sender) signal() {
	if s.eventfd >= 0 {
		s.signalled = true
		linux.Wake(s.eventfd)
	}
	select {
	case s.parked <- struct{}{}:
	default:
	}
}

// wakeAll wakes the threads in some slots, to look what has changed.
func (at *attachment) wakeAll(which func(*sender) bool) {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.closed {
		return
	}
	for _, s := range at.senders {
		if which(s) {
			s.rouse()
		}
	}
	at.room.Store(0)
	linux.FutexWake(&at.room.Uint32, 1<<30)
}

// wake wakes the thread of a slot, or with -1 all that wait for room: the server of
// this process does.
func (at *attachment) wake(index int) {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.closed {
		return
	}
	for i, s := range at.senders {
		if i == index || index < 0 {
			s.signal()
		}
	}
}

// end is called when the server's process, or its end of the connection, is gone.
func (at *attachment) end() {
	at.gone.Store(true)
	at.wakeAll(func(*sender) bool { return true })
	at.mu.Lock()
	var users []*connection
	if !at.ended {
		at.ended = true
		users = slices.Collect(maps.Keys(at.users))
	}
	at.mu.Unlock()
	for _, c := range users {
		c.die()
	}
}

// answerBell takes a Bell from the socket, and wakes all other threads that sleep in
// poll: it was for one of them, perhaps. Others that come are for who sleeps next.
func (at *attachment) answerBell(but *sender) {
	at.packets.Lock()
	r, err := at.out.Packet().Receive(at.out.Descriptor(), wire.NoRights, nil, nil, unix.MSG_DONTWAIT)
	at.out.Packet().Discard(&r)
	at.packets.Unlock()
	switch err {
	case syscall.EAGAIN, syscall.EINTR:
		return
	case nil:
	default: // the server is gone
		at.gone.Store(true)
	}
	at.mu.Lock()
	defer at.mu.Unlock()
	for _, s := range at.senders {
		if s != but && s.eventfd >= 0 {
			s.signal()
		}
	}
}
