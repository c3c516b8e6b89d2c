//go:build linux

package testproc

import (
	"sync"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// RefuseAtOnce is what every Impostor can do: it has no room, and does not listen to
// whoever connects.
const RefuseAtOnce = "refuse at once"

// An Impostor listens where a process would, without the host's library. What it does
// to who connects is a word that can change. Its methods but the first are
// procedures.
type Impostor struct {
	mu       sync.Mutex
	act      string
	accepted int
}

// Listen listens under a name for as long as the process lives. Each connection is
// given to pretend, with the word of its time, in a goroutine.
func (i *Impostor) Listen(name string, pretend func(r Raw, act string)) error {
	listener, err := Listen(name, 128)
	if err != nil {
		return err
	}
	go func() {
		for {
			r, err := listener.Accept()
			if err != nil {
				return
			}
			if act := i.accept(); act != RefuseAtOnce {
				go pretend(r, act)
				continue
			}
			r.Say(&wire.Welcome{Errno: int32(syscall.EAGAIN)})
			r.Close()
		}
	}()
	return nil
}

func (i *Impostor) accept() (act string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.accepted++
	return i.act
}

// Behave tells what to do from now on.
func (i *Impostor) Behave(act string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.act = act
}

// Act is what Behave has told last.
func (i *Impostor) Act() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.act
}

// Accepted is how many connections there were.
func (i *Impostor) Accepted() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.accepted
}
