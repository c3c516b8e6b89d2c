//go:build linux

package procnto

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// handles are this process's; of tables.
var handles handleTable

// A process is another process, or this one: not a number but that very process,
// known by a pidfd. Handles are made for one, connections belong to one. A number
// that is given to a new process gets a new record.
type process struct {
	recipient
	watch  uint64 // of the service
	socket string // the name that it was reached under

	// Of tables.
	refs    int  // connections with it, links, requests on their way
	stale   bool // nothing referred to it at the last tidy
	gone    bool
	watches map[*exitWatch]struct{}
}

// processes are those that something refers to, or did lately; of tables.
var processes = make(map[int]*process)

// processOf returns the record of the process pid, in use until release; ESRCH if
// there is none.
func processOf(pid int) (*process, error) {
	if pid != self().pid {
		if _, err := startService(); err != nil {
			return nil, err
		}
	}
	tables.lock()
	defer tables.unlock()
	return useProcess(pid)
}

// useProcess is processOf for who has the lock, and knows that the service runs.
func useProcess(pid int) (*process, error) {
	if pid != self().pid {
		noticeExits()
	}
	p := processes[pid]
	if p == nil {
		p = &process{recipient: recipient{pid: pid, pidfd: linux.NoFD}}
		if pid != self().pid {
			if err := p.observe(); err != nil {
				return nil, err
			}
		}
		processes[pid] = p
	}
	p.use()
	return p, nil
}

// observe lets the service know when the process exits.
func (p *process) observe() (err error) {
	if p.pidfd, err = linux.OpenProcess(p.pid); err != nil {
		return err
	}
	s := service.Load()
	if err = linux.EpollAdd(s.exits, p.pidfd, unix.EPOLLIN, uint64(p.pid)); err == nil {
		if p.watch, err = s.watch(p.pidfd, p); err != nil {
			linux.EpollRemove(s.exits, p.pidfd)
		}
	}
	if err != nil {
		tables.closeLater(p.pidfd)
	}
	return err
}

// noticeExits ends the processes that have exited by now, of which the service may
// not have told yet: the kernel enters the event before anybody can know of the
// exit. The lock is held.
func noticeExits() {
	s := service.Load()
	if s == nil {
		return
	}
	var events [8]unix.EpollEvent
	for {
		n, err := linux.PollEvents(s.exits, events[:])
		if err != nil && err != syscall.EINTR || err == nil && n == 0 {
			return
		}
		for i := range events[:max(n, 0)] {
			if p := processes[int(linux.EpollID(&events[i]))]; p != nil {
				p.end()
			}
		}
	}
}

// use keeps the record until release. The lock is held.
func (p *process) use() {
	p.refs++
	p.stale = false
}

func (p *process) release() {
	tables.lock()
	defer tables.unlock()
	p.drop()
}

// drop is release for who has the lock.
func (p *process) drop() {
	if p.refs--; p.refs == 0 && p.count == 0 && !p.gone {
		tidyLater()
	}
}

// exited reports whether the process is gone.
func (p *process) exited() bool {
	tables.lock()
	defer tables.unlock()
	noticeExits()
	return p.gone
}

// ready is called by the service when the process has exited.
func (p *process) ready(uint32) {
	tables.lock()
	defer tables.unlock()
	p.end()
}

// end is called when the process is gone: it destroys the handles aimed at it,
// before another one can get its number. The lock is held.
func (p *process) end() {
	if p.gone {
		return
	}
	p.forget()
	for w := range p.watches {
		w.gone()
	}
	p.watches = nil
	for p.first != nil {
		destroy(p.first)
	}
}

// An exitWatch is somebody to be told that a process is gone, with the lock held.
type exitWatch struct{ gone func() }

// addWatch lets gone be called when the process is gone, or now if it is. The lock is
// held.
func (p *process) addWatch(gone func()) *exitWatch {
	w := &exitWatch{gone}
	if p.gone {
		gone()
		return w
	}
	if p.watches == nil {
		p.watches = make(map[*exitWatch]struct{})
	}
	p.watches[w] = struct{}{}
	return w
}

func (p *process) watchExit(gone func()) *exitWatch {
	tables.lock()
	defer tables.unlock()
	return p.addWatch(gone)
}

func (p *process) unwatchExit(w *exitWatch) {
	tables.lock()
	defer tables.unlock()
	delete(p.watches, w)
}

// forget drops the record of a process that is gone, or that nothing refers to.
// The lock is held.
func (p *process) forget() {
	p.gone = true
	if processes[p.pid] == p {
		delete(processes, p.pid)
	}
	if p.pidfd >= 0 {
		linux.EpollRemove(service.Load().exits, p.pidfd)
		service.Load().unwatch(p.watch, p.pidfd)
		tables.closeLater(p.pidfd)
		p.pidfd = linux.NoFD
	}
}

// destroy ends a handle. The lock is held.
func destroy(h *handle) {
	a, r := h.anchor, h.recipient
	handles.remove(h)
	releaseAnchor(a)
	if r.count == 0 {
		tidyLater()
	}
}

// releaseAnchor ends one use of an anchor. The lock is held.
func releaseAnchor(a *anchor) {
	if handles.dropAnchor(a) {
		tables.closeLater(a.fd)
	}
}

// linger is how long what nobody needs is kept, since it is likely to be needed
// again: at least this long, at most twice.
const linger = 100 * time.Millisecond

// Of tables.
var (
	tidying bool          // a call of tidy is due
	tidiers []func() bool // called by tidy with the lock held; true: come again
)

// tidyLater sees to it that what nobody needs any more goes. When all has gone, no
// timer runs. The lock is held.
func tidyLater() {
	if !tidying && service.Load() != nil {
		tidying = true
		time.AfterFunc(linger, tidy)
	}
}

func tidy() {
	tables.lock()
	defer tables.unlock()
	tidying = false
	again := false
	for _, p := range processes {
		switch {
		case p.refs > 0 || p.count > 0 || p.pidfd < 0:
		case p.stale:
			p.forget()
		default:
			p.stale, again = true, true
		}
	}
	for _, f := range tidiers {
		again = f() || again
	}
	if again {
		tidyLater()
	}
}
