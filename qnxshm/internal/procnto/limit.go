//go:build linux

package procnto

import (
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// A limit of unused handles (RLIMIT_SHM_HANDLES_NP). Unlimited is all ones.
type limit struct {
	set      atomic.Bool
	mu       sync.Mutex
	cur, max uint64
}

var handleLimit limit

const unlimited = ^uint64(0)

// HandleLimit returns the limit of unused handles of this process. There is
// none at first. The error is for systems that are no host.
func HandleLimit() (cur, max uint64, err error) {
	handleLimit.mu.Lock()
	defer handleLimit.mu.Unlock()
	cur, max = handleLimit.get()
	return cur, max, nil
}

func (l *limit) get() (cur, max uint64) {
	if !l.set.Load() {
		return unlimited, unlimited
	}
	return l.cur, l.max
}

// SetHandleLimit is setrlimit: without privilege max can only be lowered.
func SetHandleLimit(cur, max uint64) error {
	handleLimit.mu.Lock()
	defer handleLimit.mu.Unlock()
	_, was := handleLimit.get()
	switch {
	case cur > max:
		return syscall.EINVAL
	case max > was && unix.Geteuid() != 0:
		return syscall.EPERM
	}
	handleLimit.cur, handleLimit.max = cur, max
	handleLimit.set.Store(true)
	return nil
}

// reached reports whether n unused handles are all there may be.
func (l *limit) reached(n int) bool {
	if !l.set.Load() {
		return false
	}
	cur, _, _ := HandleLimit()
	return uint64(n) >= cur
}
