//go:build linux

package message

import (
	"slices"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"golang.org/x/sys/unix"
)

// sleepers are the receivers of a channel that wait for the same: those of MsgReceive,
// or those of MsgReceivePulse, which must not take each other's wake-ups.
//
// In a channel that has clients of this process, goroutines sleep on a Go channel, as
// a goroutine in a system call keeps others from running, and one goroutine sleeps in
// the kernel for all of them.
type sleepers struct {
	epfd   int // of wakefd, the channel's epoll, and the service
	wakefd int

	// Of channel.mu.
	count   int             // in the kernel, but for the watcher
	parked  []chan struct{} // on a Go channel
	watched bool
}

// What epoll events are of.
const (
	wakeEvent = iota
	clientsEvent
	serviceEvent
)

func (s *sleepers) init() { s.epfd, s.wakefd = linux.NoFD, linux.NoFD }

func (s *sleepers) open(clients, service int) (err error) {
	if s.epfd, err = linux.NewEpoll(); err != nil {
		return err
	}
	if s.wakefd, err = linux.NewEventfd(0); err != nil {
		return err
	}
	err = linux.EpollAdd(s.epfd, s.wakefd, unix.EPOLLIN, wakeEvent)
	if err == nil {
		err = linux.EpollAdd(s.epfd, clients, unix.EPOLLIN|unix.EPOLLET, clientsEvent)
	}
	if err == nil {
		err = linux.EpollAdd(s.epfd, service, unix.EPOLLIN, serviceEvent)
		if err == syscall.EINVAL { // the kernel lets only so many wait for one
			err = tooManyChannels
		}
	}
	return err
}

func (s *sleepers) close() {
	for _, fd := range []int{s.epfd, s.wakefd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	s.init()
}

func (s *sleepers) any() bool { return s.count > 0 || len(s.parked) > 0 }

// wake wakes one of them, if there is any.
func (s *sleepers) wake() {
	if n := len(s.parked); n > 0 {
		s.parked[n-1] <- struct{}{} // has room for one
		s.parked = s.parked[:n-1]
	} else if s.count > 0 {
		linux.Wake(s.wakefd)
	}
}

// unpark takes a receiver out of those that sleep on a Go channel. The lock is held.
func (s *sleepers) unpark(c chan struct{}) {
	if i := slices.Index(s.parked, c); i >= 0 {
		s.parked = slices.Delete(s.parked, i, i+1)
		return
	}
	select { // it was woken, or is told too late
	case <-c:
	default:
	}
}
