package shmtest

import (
	"os"

	"github.com/go-qnx/shm/qnxshm"
)

// A consumption is a way to use handles up. Their races have the same rules.
type consumption struct {
	handle func(c *trial, obj *qnxshm.Object, pid int) qnxshm.Handle
	once   func(h qnxshm.Handle) error
	race   func(h qnxshm.Handle, n int) map[string]int // n times at once, here
	start  func(w *worker, h qnxshm.Handle, n int) *call
}

var opening = consumption{
	handle: func(c *trial, obj *qnxshm.Object, pid int) qnxshm.Handle { return c.handle(obj, pid, qnxshm.ReadOnly) },
	once:   func(h qnxshm.Handle) error { return openErr(h, qnxshm.ReadOnly) },
	race:   openRace,
	start:  (*worker).race,
}

var mapping = consumption{
	handle: func(c *trial, obj *qnxshm.Object, pid int) qnxshm.Handle {
		return c.handleNoFD(obj, pid, qnxshm.ReadOnly)
	},
	once: func(h qnxshm.Handle) error { return directErr(h, qnxshm.ReadOnly, page) },
	race: directRace,
	start: func(w *worker, h qnxshm.Handle, n int) *call {
		return w.start(request{Op: "maprace", Handle: h, N: n})
	},
}

// raceProcesses lets this process and twice as many others as recipients use
// each recipient's handle, n times each.
func (c *trial) raceProcesses(use consumption, recipients, n int) {
	obj := c.object(page)
	var workers []*worker
	for range 2 * recipients {
		workers = append(workers, c.worker())
	}
	for i, recipient := range workers[:recipients] {
		h := use.handle(c, obj, recipient.pid())
		var calls []*call
		for _, w := range workers {
			calls = append(calls, use.start(w, h, n))
		}
		c.same("maker", use.race(h, n), map[string]int{"ESRCH": n})
		for j, call := range calls {
			r, err := call.wait()
			c.must("race", err)
			if i == j {
				c.same("recipient", r.Counts, map[string]int{"EOK": 1, "ESRCH": n - 1})
			} else {
				c.same("stranger", r.Counts, map[string]int{"ESRCH": n})
			}
		}
	}
}

// raceDelete lets a recipient use handles while the maker deletes them.
func (c *trial) raceDelete(use consumption) {
	w := c.worker()
	obj := c.object(page)
	for range 100 {
		h := use.handle(c, obj, w.pid())
		using := use.start(w, h, 1)
		deleted := nameOf(qnxshm.DeleteHandle(h))
		r, err := using.wait()
		c.must("race", err)
		counts := r.Counts
		counts["delete "+deleted]++
		if counts["EOK"] == 1 {
			c.same("recipient was first", counts, map[string]int{"EOK": 1, "delete ESRCH": 1})
		} else {
			c.same("maker was first", counts, map[string]int{"ESRCH": 1, "delete EOK": 1})
		}
	}
}

// concurrent uses many handles at once, own ones and those of another maker.
func (c *trial) concurrent(use consumption) {
	const n = 200
	w := c.worker()
	obj, theirs := c.object(page), w.create(page)
	handles := make([]qnxshm.Handle, n)
	for i := range handles {
		if i%2 == 0 {
			handles[i] = c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		} else {
			handles[i] = w.mustHandle(theirs, os.Getpid(), qnxshm.ReadOnly)
		}
	}
	c.same("calls", race(n, func(i int) error { return use.once(handles[i]) }), map[string]int{"EOK": n})
}
