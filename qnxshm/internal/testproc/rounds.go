//go:build linux

package testproc

import (
	"sync"
	"time"
)

// Rounds are what a good peer does all the time, while others misbehave. Its methods
// but the first are procedures.
type Rounds struct {
	mu   sync.Mutex
	cond *sync.Cond
	done int
	err  error
	wait bool
	idle bool
	long time.Duration // the longest since the last Progress began
}

// Start begins with the rounds, which end with the first that fails. Those that
// Start has begun before have to have ended.
func (r *Rounds) Start(round func(i int) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cond = sync.NewCond(&r.mu)
	r.err, r.wait, r.idle = nil, false, false
	go r.run(round)
}

func (r *Rounds) run(round func(i int) error) {
	for i := 0; ; i++ {
		began := time.Now()
		err := round(i)
		r.mu.Lock()
		r.done++
		r.long = max(r.long, time.Since(began))
		r.err = err
		r.idle = r.wait
		r.cond.Broadcast()
		for r.wait {
			r.cond.Wait()
		}
		r.idle = false
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Progress waits for so many rounds that begin now, and tells how long the longest
// took.
func (r *Rounds) Progress(n int) (longest time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.long = 0
	for until := r.done + 1 + n; r.done < until && r.err == nil; {
		r.cond.Wait()
	}
	return r.long, r.err
}

// Pause lets the rounds rest, and returns when they do.
func (r *Rounds) Pause() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.wait = true; !r.idle && r.err == nil; {
		r.cond.Wait()
	}
	return r.err
}

// Resume ends Pause.
func (r *Rounds) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wait = false
	r.cond.Broadcast()
}
