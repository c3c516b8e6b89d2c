//go:build linux

package message

import (
	"runtime"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// await waits until the wait is done: nil, or ETIMEDOUT after the deadline, unless
// that is zero.
func (s *Sending) await(deadline time.Time) error {
	if s.s.at.local != nil {
		return s.park(deadline)
	}
	var spin linux.Spinner
	for spin.Again() {
		if s.done() {
			return nil
		}
	}
	w := &s.s.wake
	for {
		w.Store(waitFutex)
		if s.done() {
			w.Store(0)
			return nil
		}
		if !s.slept {
			if s.s.at.dead() && s.s.in(s.s.generation) == sent {
				w.Store(0)
				return syscall.EBADF
			}
			s.slept = true
		}
		err := linux.FutexWait(&w.Uint32, waitFutex, deadline)
		w.Store(0)
		if s.done() {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// park is await where the server is of the same process.
func (s *Sending) park(deadline time.Time) error {
	for range turnsOfProcess {
		if s.done() {
			return nil
		}
		runtime.Gosched()
	}
	var timeout <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		timeout = timer.C
	}
	w := &s.s.wake
	for {
		w.Store(waitParked)
		s.slept = true
		if s.done() {
			w.Store(0)
			return nil
		}
		select {
		case <-s.s.parked:
		case <-timeout:
			w.Store(0)
			return syscall.ETIMEDOUT
		}
	}
}

// awaitRoom waits until there may be room for the message.
func (s *Sending) awaitRoom(deadline time.Time) error {
	at := s.s.at
	if !at.full() {
		// It is the socket's queue: of room there the server tells nobody.
		if !deadline.IsZero() && time.Now().After(deadline) {
			return syscall.ETIMEDOUT
		}
		time.Sleep(time.Millisecond)
		return nil
	}
	how := at.room.Or(waitFutex) | waitFutex
	if !at.full() || s.interrupted() || at.shared.closed.Load() != 0 {
		return nil // which Enter finds out
	}
	return linux.FutexWait(&at.room.Uint32, how, deadline)
}

// Try looks for a short while whether the wait is done, and comes back with the
// result. Else the thread may sleep until one of Descriptors is readable, or until it
// is time to look again, and try again.
func (s *Sending) Try(msg, reply [][]byte) (status int, done bool, err error) {
	var spin linux.Spinner
	s.getUp()
	for {
		if !s.entered {
			err = s.Enter(msg)
		}
		switch {
		case err == errNoRoom && s.interrupted():
			return 0, true, syscall.EBADF
		case err != nil && err != errNoRoom:
			return 0, true, err
		case s.entered && s.closing() && s.Stays(syscall.EBADF):
		case s.entered && s.done():
			if status, err = s.finish(reply, nil); err != errRestart {
				return status, true, err
			}
			err = nil
			continue
		}
		if (s.naps > 0 || !spin.Again()) && s.lieDown() {
			return 0, false, nil
		}
		err = nil
	}
}

// lieDown makes it known that the thread sleeps in poll, unless what it waits for has
// come.
func (s *Sending) lieDown() bool {
	at := s.s.at
	at.mu.Lock()
	if s.s.eventfd < 0 {
		s.s.eventfd = takeEventfd()
	}
	at.mu.Unlock()
	s.laidDown = true
	s.s.wake.Store(waitBell)
	told := s.s.eventfd >= 0
	if !s.entered {
		at.room.Or(waitBell)
		told = told && at.full() // else it is the socket's queue: of room there nobody tells
		if !s.interrupted() && at.shared.closed.Load() == 0 {
			s.countNaps(told)
			return true
		}
	} else if !s.done() {
		if s.slept || !at.dead() || s.s.in(s.s.generation) != sent {
			s.slept = true
			s.countNaps(told)
			return true
		}
		at.gone.Store(true)
	}
	s.s.wake.Store(0)
	return false
}

// countNaps makes each sleep of which nobody tells the end longer than the last.
func (s *Sending) countNaps(told bool) {
	if told {
		s.naps = 0
	} else {
		s.naps++
	}
}

// Descriptors become readable when Try may succeed; linux.NoFD is none. After so many
// milliseconds, unless that is 0, it is time to look again.
func (s *Sending) Descriptors() (socket, own, milliseconds int) {
	const longest = 5
	socket = linux.NoFD
	if s.s.at.out != nil {
		socket = s.s.at.out.Descriptor()
	}
	if s.naps > 0 {
		milliseconds = 1 << min(s.naps-1, longest)
	}
	return socket, s.s.eventfd, milliseconds
}
