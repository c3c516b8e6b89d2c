//go:build linux

package procnto

import (
	"errors"
	"maps"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// How revocation works. One process cannot take a mapping away from another on
// Linux. So whoever maps a revocable object, or makes handles of it, registers
// with its creator, for which it keeps a link to that (link.go). A Revoke ends
// what this process has itself, asks all who are registered for the object, and
// waits until each has confirmed, or has gone: a second for all of them together.
//
// A registration has no answer, unless it is another user's: what a process has sent
// before it goes on is in the creator's socket, and a Revoke takes in what is there
// before it asks (catchUp). So whoever had the mapping when Revoke was called is asked.
//
// Nothing else slips through. Who maps with a handle registers first and uses the
// handle up last: a mapping is registered before the Revoke takes in what is there,
// or its handle is not used up yet when that begins. Then the maker of the handle
// refuses the claim (grant.go): the creator, because it has marked the handle before;
// another maker, because it does what the creator has asked of it first. A maker that
// had not been asked yet when its recipient was is why a Revoke that has asked makers
// does it all a second time.

// revokeTimeout is how long processes may take to give their mappings up.
const revokeTimeout = time.Second

// Revoke is shm_revoke.
func Revoke(fd, pid int) error {
	d, err := memory.Describe(fd)
	switch {
	case err != nil || !d.Object:
		return syscall.EBADF
	case !d.Origin.Own() && d.Origin.Known():
		return syscall.EPERM
	case !d.Revocable():
		return syscall.EINVAL
	}
	s, err := startService()
	if err == nil && pid != -1 && pid != self().pid && !knows(d.Origin, pid) {
		err = s.exists(d.Origin, pid)
	}
	if err != nil {
		return notBegun(err)
	}
	deadline := time.Now().Add(revokeTimeout)
	pending, makers := revokeOnce(s, d, pid, deadline)
	if len(pending) == 0 && makers {
		// A process may have mapped after it was asked, with a handle of a maker
		// that was not asked yet.
		pending, _ = revokeOnce(s, d, pid, deadline)
	}
	if len(pending) == 0 {
		return nil
	}
	slices.Sort(pending)
	return qnxerr.Pending{PIDs: slices.Compact(pending)}
}

// exists returns ESRCH if there is no process pid, and the one that was, if any, had
// not registered for the object either.
func (s *Service) exists(origin memory.Origin, pid int) error {
	pidfd, err := linux.OpenProcess(pid)
	if err == nil {
		unix.Close(pidfd)
		return nil
	}
	if err == syscall.ESRCH {
		if s.catchUp(); knows(origin, pid) {
			return nil
		}
	}
	return err
}

// notBegun is the error of a Revoke that has told nobody. EAGAIN is for those that
// have.
func notBegun(err error) error {
	if err = NoDescriptors(err); errors.Is(err, syscall.EAGAIN) {
		return qnxerr.Cause{Errno: syscall.ENOMEM, Text: err.Error()}
	}
	return err
}

// revokeOnce returns the processes that have not confirmed, and whether there are
// others that may have made handles.
func revokeOnce(s *Service, d memory.Descriptor, pid int, deadline time.Time) (pending []int, makers bool) {
	if !revokeHere(d.Key, d.Origin, pid) {
		pending = append(pending, self().pid)
	}
	s.catchUp() // after the handles: who has used one up has registered before
	r, asked, makers := beginRevocation(d, pid, deadline)
	if len(asked) == 0 {
		return pending, false
	}
	f := &wire.Revoke{ID: r.id, Dev: d.Key.Dev, Ino: d.Key.Ino, Secret: d.Origin.Secret, Serial: d.Origin.Serial, PID: int32(pid)}
	for _, l := range asked {
		l.demand(f)
	}
	r.await(s)
	tables.lock()
	defer tables.unlock()
	delete(waits, r.id)
	for l := range r.waiting {
		pending = append(pending, l.process.pid)
	}
	if r.told {
		linux.Drain(s.endedFD)
	}
	return pending, makers
}

// beginRevocation enters a revocation, which waits for all whom it concerns: the processes
// that lose their mappings, and those that may have made handles for them. One that
// owes an answer for longer than it may is asked, but not waited for.
func beginRevocation(d memory.Descriptor, pid int, deadline time.Time) (r *revocation, asked []*link, makers bool) {
	tables.lock()
	defer tables.unlock()
	lastWait++
	r = &revocation{id: lastWait, waiting: make(map[*link]time.Time)}
	o := sharings[d.Origin]
	if o == nil {
		return r, nil, false
	}
	now := time.Now()
	for l, reg := range o.mappers {
		if pid != -1 && pid != l.process.pid && !reg.makes {
			continue
		}
		makers = makers || reg.makes
		asked = append(asked, l)
		until := deadline
		if len(l.owed) > 0 {
			until = l.owed[0].since.Add(revokeTimeout)
		}
		if soon := now.Add(grace); until.Before(soon) {
			until = soon
		} else if until.After(deadline) {
			until = deadline
		}
		r.waiting[l] = until
		if len(l.owed) < maxOwed {
			l.owed = append(l.owed, owedRevocation{r.id, now})
		}
	}
	if len(asked) > 0 {
		waits[r.id] = r
	}
	return r, asked, makers
}

var lastWait uint64 // of tables

// grace is what each process gets, if nothing else: one that has not answered an
// earlier revocation may run again, but nobody waits a second for it each time; and
// this process may have been stopped until the second was over.
const grace = 10 * time.Millisecond

// maxOwed bounds what is remembered of a process that does not answer; the first
// one tells since when.
const maxOwed = 64

// lookForDead is how long a Revoke waits before it looks whether those it waits
// for are there at all: a child that a process has forked keeps its link open, but
// not the mappings.
var lookForDead = 50 * time.Millisecond

// await waits until all have confirmed, or may take no longer.
func (r *revocation) await(s *Service) {
	s.Join()
	defer s.Leave()
	first := time.Now().Add(lookForDead)
	for looked := false; ; {
		until, left := r.waitsUntil()
		if !left {
			if s.stepAll(); !looked {
				r.closeDead()
			}
			return
		}
		if !looked && first.Before(until) {
			until = first
		}
		if s.workUntilEnd(r, until) {
			return
		}
		if !looked && !time.Now().Before(first) {
			looked = true
			r.closeDead()
		}
		if !r.anybodyLeft() {
			return
		}
	}
}

// waitsUntil returns the next time at which somebody's time is over, and whether
// any has time left.
func (r *revocation) waitsUntil() (until time.Time, left bool) {
	tables.lock()
	defer tables.unlock()
	now := time.Now()
	for _, t := range r.waiting {
		if t.After(now) && (!left || t.Before(until)) {
			until, left = t, true
		}
	}
	return until, left
}

func (r *revocation) anybodyLeft() bool {
	tables.lock()
	defer tables.unlock()
	return len(r.waiting) > 0
}

// closeDead ends the links of processes that are gone.
func (r *revocation) closeDead() {
	tables.lock()
	waiting := slices.Collect(maps.Keys(r.waiting))
	tables.unlock()
	for _, l := range waiting {
		if l.process.exited() {
			l.conn.Close()
		}
	}
}

// fallAsleep is called before the thread of the revocation sleeps, and reports
// whether it needs to.
func (r *revocation) fallAsleep() bool {
	tables.lock()
	defer tables.unlock()
	r.asleep = len(r.waiting) > 0
	return r.asleep
}

// wakeUp is how often a thread rather tries than sleeps until a process wakes up.
const wakeUp = 200

// workUntilEnd does the work of the service until r has ended, which it reports, or
// the deadline.
func (s *Service) workUntilEnd(r *revocation, deadline time.Time) (over bool) {
	spin := linux.Spinner{Most: wakeUp}
	wanted := []unix.PollFd{{Fd: int32(s.epfd), Events: unix.POLLIN}, {Fd: int32(s.endedFD), Events: unix.POLLIN}}
	for {
		worked := s.Step()
		switch {
		case !r.anybodyLeft():
			return true
		case worked:
			spin = linux.Spinner{Most: wakeUp}
		case spin.Again():
		case !r.fallAsleep(), linux.WaitForAny(wanted, deadline) == syscall.ETIMEDOUT:
			s.stepAll()
			return !r.anybodyLeft()
		}
	}
}
