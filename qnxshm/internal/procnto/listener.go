//go:build linux

package procnto

import (
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// A Listener takes connections for the process, or for a name of its own.
type Listener struct {
	// For is what the name stands for; nil for the process.
	For     any
	roles   Roles
	service *Service
	name    string
	id      uint64

	mu     sync.Mutex
	fd     int
	paused bool
}

// listen takes connections under a name, and gives them their roles.
func (s *Service) listen(name string, standsFor any, roles Roles) (*Listener, error) {
	// A child that this process is just starting has the last listener too, until
	// it has called exec, and with it the name.
	const starting = 200 * time.Millisecond
	fd, err := wire.Listen(name)
	for began := time.Now(); err == syscall.EADDRINUSE && standsFor != nil && !s.listens(name) && listenedHere(name) && time.Since(began) < starting; {
		time.Sleep(starting / 1000)
		fd, err = wire.Listen(name)
	}
	if err != nil {
		return nil, err
	}
	l := &Listener{For: standsFor, roles: roles, service: s, name: name, fd: fd}
	l.mu.Lock() // until the id is known
	defer l.mu.Unlock()
	if l.id, err = s.watch(fd, l); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return l, nil
}

// listens reports whether this process has a listener of that name.
func (s *Service) listens(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, w := range s.watched {
		if l, ok := w.(*Listener); ok && l.name == name {
			return true
		}
	}
	return false
}

// listenedHere reports whether the socket that listens under the name is, or was,
// one of this process, or has just been closed.
func listenedHere(name string) bool {
	fd, err := wire.Connect(name, 0)
	if err != nil {
		return err == syscall.ECONNREFUSED
	}
	peer, err := wire.PeerOf(fd)
	linux.Dispose(peer.UID, fd)
	return err == nil && peer.PID == self().pid
}

// Close gives the name up.
func (l *Listener) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd >= 0 {
		l.service.unwatch(l.id, l.fd)
		unix.Close(l.fd)
		l.fd = linux.NoFD
	}
}

// ready takes connections that wait; more than some at a time have to wait on.
func (l *Listener) ready(uint32) {
	for range 64 {
		fd, err := l.accept()
		switch err {
		case nil: // without the lock: another connection may have to make room
			l.service.admit(fd, l.For, l.roles)
		case syscall.EINTR, syscall.ECONNABORTED:
		case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
			if !admission.shed() {
				l.pause()
				return
			}
		default:
			return
		}
	}
}

// accept takes a connection that waits. EAGAIN: there is none for this thread.
func (l *Listener) accept() (int, error) {
	if !l.mu.TryLock() {
		return linux.NoFD, syscall.EAGAIN // somebody is at it
	}
	defer l.mu.Unlock()
	if l.fd < 0 || l.paused {
		return linux.NoFD, syscall.EAGAIN
	}
	fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	return fd, err
}

const pause = 20 * time.Millisecond

// pause lets the others wait in the listener's queue, without being woken for
// them over and over, while this process has no descriptor left.
func (l *Listener) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 || l.paused {
		return
	}
	l.paused = true
	linux.EpollRemove(l.service.epfd, l.fd)
	time.AfterFunc(pause, l.resume)
}

func (l *Listener) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd >= 0 && linux.EpollAdd(l.service.epfd, l.fd, unix.EPOLLIN, l.id) != nil {
		time.AfterFunc(pause, l.resume) // no place in the epoll either
		return
	}
	l.paused = false
}
