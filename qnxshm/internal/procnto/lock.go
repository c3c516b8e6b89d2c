//go:build linux

package procnto

import (
	"sync"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
)

// tables is the lock of all tables of this package. Who holds it makes no system
// call that a peer can make slow, reads nothing of /proc, and closes nothing that
// anybody else has or could have sent something on.
var tables tableLock

type tableLock struct {
	mu      sync.Mutex
	closing []closing // without the lock
}

// A closing is a descriptor to be closed: this process's own, or one for which a
// user is to blame if that takes long.
type closing struct {
	fd    int
	own   bool
	blame uint32
}

func (t *tableLock) lock() { t.mu.Lock() }

// unlock also closes what was let go meanwhile: giving much memory back takes its
// time, and a stranger's socket as long as the stranger likes.
func (t *tableLock) unlock() {
	closing := t.closing
	t.closing = nil
	t.mu.Unlock()
	for _, c := range closing {
		if c.own {
			unix.Close(c.fd)
		} else {
			linux.Dispose(c.blame, c.fd)
		}
	}
}

// closeLater closes a descriptor of this process's own when the lock is released.
func (t *tableLock) closeLater(fd int) {
	t.closing = append(t.closing, closing{fd: fd, own: true})
}

func (t *tableLock) disposeLater(blame uint32, fd int) {
	t.closing = append(t.closing, closing{fd: fd, blame: blame})
}
