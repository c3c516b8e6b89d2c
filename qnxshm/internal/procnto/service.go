//go:build linux

package procnto

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// A Service does what other processes ask of this one, and learns what becomes of
// them. It starts when there is something to wait for and stays until the process
// ends. The work is done by its own goroutine (run), or by the threads that wait in
// MsgReceive, MsgSend or Revoke anyway: they are there already, and a second thread
// woken for each request would fight them for the processor. While there is nothing
// to do nobody runs.
type Service struct {
	epfd    int
	exits   int // an epoll of the processes: one look tells whether any has exited
	links   int // and one of the links: which have something to be taken
	fdDir   int // of linux.OpenFDDir
	endedFD int // counts the revocations that have come to an end

	receiving sync.RWMutex // held, as by readers, while a packet of a link is taken

	mu      sync.RWMutex
	watched map[uint64]watched
	lastID  uint64

	helpers  atomic.Int32  // threads that do the work while they wait
	joins    atomic.Uint32 // counts how often one began to
	resting  atomic.Bool   // run leaves the work to them
	checking atomic.Bool   // a call of wakeIfAlone is due
	resume   chan struct{} // ends the rest of run
}

// Whatever the service waits for.
type watched interface {
	// ready is called with the epoll events that came, by any thread, perhaps by
	// several at a time.
	ready(events uint32)
}

// service is this process's; nil before there is something to wait for.
var service atomic.Pointer[Service]

var startingService sync.Mutex

// startService starts the service unless it runs.
func startService() (*Service, error) {
	if s := service.Load(); s != nil {
		return s, nil
	}
	if err := linux.TimersWork(); err != nil {
		return nil, err
	}
	startingService.Lock()
	defer startingService.Unlock()
	if s := service.Load(); s != nil {
		return s, nil
	}
	s := &Service{epfd: linux.NoFD, exits: linux.NoFD, links: linux.NoFD, fdDir: linux.NoFD, endedFD: linux.NoFD, watched: make(map[uint64]watched), resume: make(chan struct{}, 1)}
	if err := s.open(); err != nil {
		for _, fd := range []int{s.epfd, s.exits, s.links, s.fdDir, s.endedFD} {
			if fd >= 0 {
				unix.Close(fd)
			}
		}
		return nil, err
	}
	service.Store(s)
	go s.run()
	return s, nil
}

func (s *Service) open() (err error) {
	if s.epfd, err = linux.NewEpoll(); err != nil {
		return err
	}
	if s.exits, err = linux.NewEpoll(); err != nil {
		return err
	}
	if s.links, err = linux.NewEpoll(); err != nil {
		return err
	}
	if s.fdDir, err = linux.OpenFDDir(); err != nil {
		return err
	}
	s.endedFD, err = linux.NewEventfd(unix.EFD_SEMAPHORE)
	return err
}

func (s *Service) watch(fd int, w watched) (id uint64, err error) {
	return s.watchFor(unix.EPOLLIN|unix.EPOLLRDHUP, fd, w)
}

// watchEnd watches for the end of a connection only, once.
func (s *Service) watchEnd(fd int, w watched) (id uint64, err error) {
	return s.watchFor(unix.EPOLLRDHUP|unix.EPOLLET, fd, w)
}

func (s *Service) watchFor(events uint32, fd int, w watched) (id uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	s.watched[s.lastID] = w // before the first event
	if err := linux.EpollAdd(s.epfd, fd, events, s.lastID); err != nil {
		delete(s.watched, s.lastID)
		return 0, err
	}
	return s.lastID, nil
}

// unwatch forgets what is watched on fd.
func (s *Service) unwatch(id uint64, fd int) {
	linux.EpollRemove(s.epfd, fd)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watched, id)
}

// run serves until the process ends, or has closed the descriptors.
func (s *Service) run() {
	var spin linux.Spinner
	for {
		switch {
		case s.Step():
			spin = linux.Spinner{}
		case s.helpers.Load() > 0:
			s.rest()
			spin = linux.Spinner{}
		case !spin.Again():
			var ev [1]unix.EpollEvent
			n, err := unix.EpollWait(s.epfd, ev[:], -1)
			if err == syscall.EBADF {
				return
			}
			s.act(ev[:max(n, 0)]) // some events are told only once
			spin = linux.Spinner{}
			if s.helpers.Load() > 0 {
				s.rest()
			}
		}
	}
}

// Step lets act what is ready, and reports whether there was anything.
func (s *Service) Step() (worked bool) {
	var events [8]unix.EpollEvent
	n, err := linux.PollEvents(s.epfd, events[:])
	if err != nil { // EINTR
		return err == syscall.EINTR
	}
	s.act(events[:n])
	return n > 0
}

func (s *Service) act(events []unix.EpollEvent) {
	for i := range events {
		s.mu.RLock()
		w := s.watched[linux.EpollID(&events[i])]
		s.mu.RUnlock()
		if w != nil {
			w.ready(events[i].Events)
		}
	}
}

// stepAll takes what has come: if this process was stopped meanwhile, that may be
// much.
func (s *Service) stepAll() {
	const most = 1000 // others may have much to ask
	for i := 0; i < most && s.Step(); i++ {
	}
}

// Descriptor is readable when Step has something to do.
func (s *Service) Descriptor() int { return s.epfd }

// rest leaves the work to the helpers until they have been away for a while.
func (s *Service) rest() {
	s.resting.Store(true)
	s.wakeIfAloneLater() // the helpers may have gone before they could see it
	<-s.resume
	s.resting.Store(false)
}

// Join is called by a thread that begins to help, Leave when it does something
// else.
func (s *Service) Join() {
	s.joins.Add(1)
	s.helpers.Add(1)
}

// Leave is the end of Join.
func (s *Service) Leave() {
	if s.helpers.Add(-1) == 0 && s.resting.Load() {
		s.wakeIfAloneLater()
	}
}

// absence is how long the helpers may be away, such as to act on a message,
// before the service's own goroutine takes over.
const absence = time.Millisecond

func (s *Service) wakeIfAloneLater() {
	if !s.checking.Swap(true) {
		joins := s.joins.Load()
		time.AfterFunc(absence, func() { s.wakeIfAlone(joins) })
	}
}

// wakeIfAlone is called when the helpers were away when there had been so many.
func (s *Service) wakeIfAlone(joins uint32) {
	s.checking.Store(false)
	switch {
	case s.helpers.Load() > 0 || !s.resting.Load():
	case s.joins.Load() != joins: // they were there meanwhile
		s.wakeIfAloneLater()
	default:
		select {
		case s.resume <- struct{}{}:
		default:
		}
	}
}
