//go:build linux

package message

import (
	"sync"
	"time"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"golang.org/x/sys/unix"
)

// How a client's thread sleeps, in slot.wake; for room in the ring, as bits in
// sharedHead.room. Who has changed what the thread waits for swaps that for 0, and
// wakes it. The thread sets it, then looks once more, then sleeps.
const (
	waitFutex  = 1 // on the word itself
	waitBell   = 2 // a C thread, in poll: it wants its signals. The server rings the socket
	waitParked = 4 // a goroutine, whose server is in the same process, on a Go channel
)

// deadlineOf is the zero time for a timeout that never ends.
func deadlineOf(timeout time.Duration) time.Time {
	if timeout < 0 {
		return time.Time{}
	}
	return time.Now().Add(timeout)
}

// eventfds are for the next C threads that sleep; those that nobody needs are closed
// after a while.
var eventfds struct {
	mu      sync.Mutex
	idle    []int
	all     int
	closing bool // closeEventfds is due
}

func takeEventfd() int {
	eventfds.mu.Lock()
	defer eventfds.mu.Unlock()
	if n := len(eventfds.idle); n > 0 {
		fd := eventfds.idle[n-1]
		eventfds.idle = eventfds.idle[:n-1]
		return fd
	}
	// Others need descriptors, too: who gets none looks again every now and then.
	if uint64(eventfds.all) >= linux.DescriptorLimit()/4 {
		return linux.NoFD
	}
	fd, err := linux.NewEventfd(0)
	if err != nil {
		return linux.NoFD
	}
	eventfds.all++
	return fd
}

// giveEventfd gives one back, perhaps written to.
func giveEventfd(fd int, written bool) {
	const linger = 100 * time.Millisecond
	if fd < 0 {
		return
	}
	eventfds.mu.Lock()
	defer eventfds.mu.Unlock()
	if written {
		unix.Close(fd)
		eventfds.all--
		return
	}
	eventfds.idle = append(eventfds.idle, fd)
	if !eventfds.closing {
		eventfds.closing = true
		time.AfterFunc(linger, closeEventfds)
	}
}

func closeEventfds() {
	eventfds.mu.Lock()
	defer eventfds.mu.Unlock()
	for _, fd := range eventfds.idle {
		unix.Close(fd)
	}
	eventfds.all -= len(eventfds.idle)
	eventfds.idle, eventfds.closing = nil, false
}

// How a receiver looks before it sleeps.
const (
	// Goroutines of one process take turns so often.
	turnsOfProcess = 32
	// Every so many looks at the recent clients there is one at the others.
	looksBetween = 8
)
