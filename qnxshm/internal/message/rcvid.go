//go:build linux

package message

import "sync"

// rcvids are this process's.
var rcvids rcvidTable

type rcvidTable struct {
	mu   sync.RWMutex
	byID map[int]*served
	last int
}

// firstRcvid is above what small numbers of another kind may be mistaken for.
const firstRcvid, lastRcvid = 0x10000, 1<<31 - 1

// add gives s a number. One that was given up does not come again soon: late answers
// would be taken for another client's.
func (t *rcvidTable) add(s *served) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[int]*served)
	}
	for t.last++; t.last < firstRcvid || t.last > lastRcvid || t.byID[t.last] != nil; t.last++ {
		if t.last < firstRcvid || t.last > lastRcvid {
			t.last = firstRcvid - 1
		}
	}
	s.rcvid = t.last
	t.byID[t.last] = s
}

func (t *rcvidTable) get(rcvid int64) *served {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if int64(int(rcvid)) != rcvid {
		return nil
	}
	return t.byID[int(rcvid)]
}

func (t *rcvidTable) remove(slots []*served) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range slots {
		if s != nil {
			delete(t.byID, s.rcvid)
		}
	}
}
