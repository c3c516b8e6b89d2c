//go:build linux

package procnto

import (
	"container/list"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// admission bounds the connections from other processes. A user other than this
// process's own, and root, can have an eighth of the places, and all such
// strangers together half of them. When there is no place for another one, an idle
// one goes first: of the same user, where that has all it may have.
var admission admissionCounter

type admissionCounter struct {
	mu        sync.Mutex
	limit     int
	total     int
	strangers int
	users     map[uint32]*admittedUser
}

type admittedUser struct {
	uid      uint32
	places   int
	idle     list.List // of its places that can be given up, longest idle first
	stranger bool
}

// A place is what a connection has in the admission.
type place struct {
	user *admittedUser
	of   evictable
	idle *list.Element
}

// An evictable can give its place up.
type evictable interface{ evict() }

// enter counts a connection of a user in, if there is a place for it or can be
// made.
func (a *admissionCounter) enter(uid uint32, of evictable) (*place, bool) {
	for {
		p, crowd := a.tryEnter(uid, of)
		if p != nil || crowd == nil {
			return p, p != nil
		}
		crowd.of.evict()
	}
}

// tryEnter is enter, or returns a place to give up first, if there is one.
func (a *admissionCounter) tryEnter(uid uint32, of evictable) (_, evict *place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limit == 0 {
		a.limit = connectionLimit()
	}
	u := a.users[uid]
	if u == nil {
		u = &admittedUser{uid: uid, stranger: uid != 0 && uid != uint32(unix.Geteuid())}
	}
	if crowd := a.crowd(u); crowd != nil {
		return nil, crowd()
	}
	if a.users == nil {
		a.users = make(map[uint32]*admittedUser)
	}
	a.users[uid] = u
	u.places++
	a.total++
	if u.stranger {
		a.strangers++
	}
	return &place{user: u, of: of}, nil
}

// crowd returns nil if there is a place for the user, else what finds the
// place to give up first. The lock is held.
func (a *admissionCounter) crowd(u *admittedUser) func() *place {
	switch {
	case u.stranger && u.places >= a.limit/8:
		return u.longestIdle
	case u.stranger && a.strangers >= a.limit/2:
		return func() *place { return a.longestIdle(true) }
	case a.total >= a.limit:
		return func() *place { return a.longestIdle(false) }
	}
	return nil
}

func (u *admittedUser) longestIdle() *place {
	if e := u.idle.Front(); e != nil {
		return e.Value.(*place)
	}
	return nil
}

// longestIdle returns an idle place of the user that has most of them: of
// strangers only, or if possible.
func (a *admissionCounter) longestIdle(strangersOnly bool) *place {
	var most *admittedUser
	for _, u := range a.users {
		if u.idle.Len() == 0 || strangersOnly && !u.stranger {
			continue
		}
		if most == nil || u.stranger && !most.stranger || u.stranger == most.stranger && u.idle.Len() > most.idle.Len() {
			most = u
		}
	}
	if most == nil {
		return nil
	}
	return most.longestIdle()
}

// shed closes an idle connection of anybody, because this process has no
// descriptor left, and reports whether there was one.
func (a *admissionCounter) shed() bool {
	a.mu.Lock()
	c := a.longestIdle(false)
	a.mu.Unlock()
	if c == nil {
		return false
	}
	c.of.evict()
	return true
}

// setIdle puts a place behind those that are idle longer, or, when it is in use,
// takes it out of them.
func (a *admissionCounter) setIdle(p *place, idle bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case idle && p.idle == nil:
		p.idle = p.user.idle.PushBack(p)
	case idle:
		p.user.idle.MoveToBack(p.idle)
	case p.idle != nil:
		p.user.idle.Remove(p.idle)
		p.idle = nil
	}
}

// leave counts a connection off.
func (a *admissionCounter) leave(p *place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := p.user
	if p.idle != nil {
		u.idle.Remove(p.idle)
		p.idle = nil
	}
	a.total--
	if u.stranger {
		a.strangers--
	}
	if u.places--; u.places == 0 {
		delete(a.users, u.uid)
	}
}

// connectionLimit leaves a quarter of the host's own range to other uses.
func connectionLimit() int {
	const least, most = 64, 4096
	return int(min(most, max(least, linux.HighLimit()/4*3)))
}
