//go:build linux

package linux

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A close can take as long as somebody else likes: a TCP socket may linger until
// its peer has taken what is queued, a file may be of a file system that another
// process serves, and a socket may hold such descriptors in its queue. So what
// came from a stranger, or what a stranger could have sent something on, is not
// closed by the thread that has it, but by a goroutine for the stranger's user.

// disposals bounds the goroutines: users share them.
const disposals = 16

var disposers [disposals]disposer

// pending is how many wait to be closed, of all users.
var pending atomic.Int32

type disposer struct {
	mu      sync.Mutex
	queue   []disposal
	waiting map[uint32]int // by user
}

type disposal struct {
	uid uint32
	fd  int
}

// Overdrawn reports whether so many descriptors wait to be closed for which the
// user uid is to blame that no more should be taken from its processes: a close may
// take minutes.
func Overdrawn(uid uint32) bool {
	const most = 256
	if pending.Load() <= most || uid == uint32(unix.Geteuid()) { // whose are closed at once
		return false
	}
	d := &disposers[uid%disposals]
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting[uid] > most
}

// Dispose closes a descriptor for which the user uid is to blame. It does not
// wait for a stranger; who runs as the same user can stop this process anyway.
func Dispose(uid uint32, fd int) {
	if fd < 0 {
		return
	}
	if uid == uint32(unix.Geteuid()) || IsMemory(fd) {
		unix.Close(fd)
		return
	}
	d := &disposers[uid%disposals]
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, disposal{uid, fd})
	if d.waiting == nil { // nobody runs
		d.waiting = make(map[uint32]int)
		go d.run()
	}
	d.waiting[uid]++
	pending.Add(1)
}

func (d *disposer) run() {
	for {
		d.mu.Lock()
		if len(d.queue) == 0 {
			d.queue, d.waiting = nil, nil
			d.mu.Unlock()
			return
		}
		next := d.queue[0]
		d.queue = d.queue[1:]
		d.mu.Unlock()
		unix.Close(next.fd)
		pending.Add(-1)
		d.mu.Lock()
		if d.waiting[next.uid]--; d.waiting[next.uid] == 0 {
			delete(d.waiting, next.uid)
		}
		d.mu.Unlock()
	}
}
