//go:build linux

package message

import (
	"runtime"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"golang.org/x/sys/unix"
)

// watch sleeps in the kernel for those that sleep on a Go channel, until the channel
// is closed.
func (ch *channel) watch(s *sleepers) {
	defer ch.gate.Leave()
	var events [8]unix.EpollEvent
	for !ch.gate.Closed() {
		n, err := unix.EpollWait(s.epfd, events[:], -1)
		if err == syscall.EBADF { // the process has closed it
			return
		}
		if err != nil {
			continue
		}
		ch.act(events[:n], s)
		ch.mu.Lock()
		ch.wakeOne()
		ch.mu.Unlock()
		runtime.Gosched()
	}
}

// act does what the events of sleepers ask for.
func (ch *channel) act(events []unix.EpollEvent, s *sleepers) {
	for i := range events {
		switch linux.EpollID(&events[i]) {
		case wakeEvent:
			if !ch.gate.Closed() {
				linux.Drain(s.wakefd)
				if ch.gate.Closed() {
					linux.Wake(s.wakefd)
				}
			}
		case clientsEvent:
			ch.lookAtSockets(s)
		case serviceEvent:
			ch.service.Step()
		}
	}
}

// lookAround does what others than the recent clients ask for, and reports whether they
// did.
func (ch *channel) lookAround(s *sleepers) bool {
	var events [8]unix.EpollEvent
	n, err := linux.PollEvents(s.epfd, events[:])
	if err != nil {
		return false
	}
	ch.act(events[:n], s)
	return n > 0
}

// lookAtSockets takes what has come on the clients' sockets.
func (ch *channel) lookAtSockets(s *sleepers) {
	var events [16]unix.EpollEvent
	for range 64 {
		n, err := linux.PollEvents(ch.epfd, events[:])
		if err != nil && err != syscall.EINTR {
			return
		}
		for i := range events[:max(n, 0)] {
			if cl := ch.client(int(linux.EpollID(&events[i]))); cl != nil {
				cl.hear()
			}
		}
		if err == nil && n < len(events) {
			return
		}
	}
	// Rather than for ever: to be told again.
	linux.EpollChange(s.epfd, ch.epfd, unix.EPOLLIN|unix.EPOLLET, clientsEvent)
}
