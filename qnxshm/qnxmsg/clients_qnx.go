//go:build qnx && cgo

package qnxmsg

import "sync"

// clients are the clients of each channel, as far as Receive has told of them.
// ConnectDetach takes the process's own connections and files as well, and a
// number that is no client of the channel must not close one of those.
var clients clientSets

type clientSets struct {
	mu sync.Mutex
	of map[int]map[int]bool // by chid, then by scoid
}

func (s *clientSets) add(chid, scoid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[chid][scoid] {
		return
	}
	if s.of == nil {
		s.of = make(map[int]map[int]bool)
	}
	if s.of[chid] == nil {
		s.of[chid] = make(map[int]bool)
	}
	s.of[chid][scoid] = true
}

// take removes a client and reports whether it was one.
func (s *clientSets) take(chid, scoid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.of[chid][scoid]
	delete(s.of[chid], scoid)
	return was
}

// forget is called when a channel ends.
func (s *clientSets) forget(chid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, chid)
}
