package shmtest

import (
	"fmt"
	"math"
	"os"

	"github.com/go-qnx/shm/qnxshm"
)

// Limits are those of a worker, so that the other cases have none.

// limited makes a worker that may have n unused handles, and has made them for
// this process.
func (c *trial) limited(n int) (w *worker, obj ref, made []qnxshm.Handle) {
	w = c.worker()
	obj = w.create(page)
	w.setLimit(uint64(n))
	for range n {
		made = append(made, w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly))
	}
	return w, obj, made
}

// oneMore checks that a worker, at its limit, can make one handle after free
// was called, and no second one.
func (c *trial) oneMore(what string, w *worker, obj ref, free func()) {
	_, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
	c.fails(what+": at the limit", err, "EAGAIN")
	free()
	w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly)
	_, err = w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
	c.fails(what+": at the limit again", err, "EAGAIN")
}

var limitCases = map[string]caseFunc{
	"limit/reached": func(c *trial) {
		const n = 5
		w := c.worker()
		obj := w.create(page)
		w.setLimit(n)
		for made := 0; ; made++ {
			if _, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly); err != nil || made > n {
				c.errno("one too many", err)
				return
			}
		}
	},
	"limit/boundary": func(c *trial) {
		for _, n := range []int{1, 2, 7} {
			w, obj, _ := c.limited(n)
			for range 3 {
				_, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
				c.fails(fmt.Sprintf("beyond %d", n), err, "EAGAIN")
			}
			_, err := w.handle(obj, w.pid(), qnxshm.ReadOnly)
			c.fails("for itself", err, "EAGAIN")
		}
		w := c.worker()
		obj := w.create(page)
		w.setLimit(2)
		w.mustHandle(obj, w.pid(), qnxshm.ReadOnly)
		w.mustHandle(obj, w.pid(), qnxshm.ReadOnly)
		_, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.fails("those for itself count", err, "EAGAIN")
	},
	"limit/part": func(c *trial) {
		w, obj, made := c.limited(2)
		req := request{Op: "handle", Ref: obj, PID: os.Getpid(), Size: page}
		_, err := w.do(req)
		c.errno("part", err)
		req.NoFD = true
		_, err = w.do(req)
		c.errno("part, NoFD", err)
		c.opensHere(made[0])
		w.must(req)
	},
	"limit/zero": func(c *trial) {
		w, obj, _ := c.limited(0)
		_, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.errno("for another", err)
		_, err = w.handle(obj, w.pid(), qnxshm.ReadOnly)
		c.errno("for itself", err)
	},
	"limit/order": func(c *trial) {
		w, obj, made := c.limited(1)
		c.opensHere(made[0])
		reader := w.mustOpen(w.mustHandle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly)
		_, err := w.handle(obj, os.Getpid(), 3)
		c.fails("bad access", err, "EINVAL")
		_, err = w.handle(reader, os.Getpid(), qnxshm.ReadWrite)
		c.fails("too much access", err, "EACCES")
		_, err = w.handle(obj, noProcess, qnxshm.ReadOnly)
		c.fails("no process", err, "ESRCH")
		_, err = w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.fails("nothing bad", err, "EAGAIN")
	},
	"limit/opened": func(c *trial) {
		w, obj, made := c.limited(3)
		for i, h := range made {
			c.oneMore(fmt.Sprint(i), w, obj, func() { c.opensHere(h) })
		}
		w = c.worker()
		obj = w.create(page)
		w.setLimit(1)
		own := w.mustHandle(obj, w.pid(), qnxshm.ReadOnly)
		c.oneMore("by the maker", w, obj, func() { w.mustOpen(own, qnxshm.ReadOnly) })
	},
	"limit/mapped": func(c *trial) {
		w, obj, made := c.limited(3)
		for i, h := range made {
			c.oneMore(fmt.Sprint(i), w, obj, func() { c.mapsHere(h) })
		}
		w = c.worker()
		obj = w.create(page)
		w.setLimit(1)
		own := w.mustHandle(obj, w.pid(), qnxshm.ReadOnly)
		c.oneMore("by the maker", w, obj, func() { w.mustMapHandle(own, qnxshm.ReadOnly, page) })
	},
	"limit/deleted": func(c *trial) {
		w, obj, made := c.limited(2)
		c.oneMore("by the maker", w, obj, func() { c.must("worker: delete", w.delete(made[0])) })
		c.oneMore("by the recipient", w, obj, func() { c.must("delete", qnxshm.DeleteHandle(made[1])) })
	},
	"limit/recipient-gone": func(c *trial) {
		for what, end := range map[string]func(*worker){"killed": (*worker).kill, "exited": (*worker).exit} {
			w, recipient := c.worker(), c.worker()
			obj := w.create(page)
			w.setLimit(2)
			w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly)
			w.mustHandle(obj, recipient.pid(), qnxshm.ReadOnly)
			_, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
			c.fails(what+": at the limit", err, "EAGAIN")
			end(recipient)
			// That a process has ended is known a moment later, here too.
			c.soon("the return of a handle", func() bool {
				_, err = w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
				return nameOf(err) != "EAGAIN"
			})
			c.must(what+": one more", err)
			_, err = w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
			c.fails(what+": at the limit again", err, "EAGAIN")
		}
	},
	"limit/failed-use": func(c *trial) {
		w, obj, made := c.limited(1)
		for range 2 {
			c.fails("open with more access", openErr(made[0], qnxshm.ReadWrite), "EACCES")
			c.fails("map with more access", directErr(made[0], qnxshm.ReadWrite, page), "EACCES")
			_, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
			c.fails("one more", err, "EAGAIN")
		}
		c.opensHere(made[0])
	},
	"limit/each-maker": func(c *trial) {
		first, _, made := c.limited(1)
		second, recipient := c.worker(), c.worker()
		first.setLimit(2)
		theirs := c.open(made[0], qnxshm.ReadOnly)
		for range 2 {
			first.mustHandle(first.create(page), recipient.pid(), qnxshm.ReadOnly)
		}
		_, err := first.handle(first.create(page), recipient.pid(), qnxshm.ReadOnly)
		c.fails("at the limit", err, "EAGAIN")
		for range 5 {
			c.handle(theirs, recipient.pid(), qnxshm.ReadOnly)
			second.mustHandle(second.create(page), recipient.pid(), qnxshm.ReadOnly)
		}
	},
	"limit/lowered": func(c *trial) {
		w, obj, made := c.limited(4)
		w.setLimit(2)
		for _, h := range made[:2] {
			_, err := w.handle(obj, os.Getpid(), qnxshm.ReadOnly)
			c.fails("above the new limit", err, "EAGAIN")
			c.opensHere(h)
		}
		c.oneMore("below it", w, obj, func() { c.opensHere(made[2]) })
		w.setLimit(100)
		for range 10 {
			w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly)
		}
		c.opensHere(made[3])
	},
	"limit/race": func(c *trial) {
		const n, limit = 100, 30
		w := c.worker()
		obj := w.create(page)
		w.setLimit(limit)
		r := w.must(request{Op: "limitrace", Ref: obj, PID: os.Getpid(), N: n})
		c.same("calls", r.Counts, map[string]int{"EOK": limit, "EAGAIN": n - limit})
	},
	"limit/read": func(c *trial) {
		w := c.worker()
		cur, max := w.limit()
		if cur > max {
			c.errorf("the limit is %d, above its maximum %d", cur, max)
		}
		if !target {
			equal(c, "limit at first", cur, math.MaxUint64)
			equal(c, "maximum at first", max, math.MaxUint64)
		}
		w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
	},
	"limit/set": func(c *trial) {
		w := c.worker()
		_, max := w.limit()
		for _, cur := range []uint64{0, 1, 1000, 42, uint64(large) + 42} {
			w.setLimit(cur)
			gotCur, gotMax := w.limit()
			equal(c, "limit", gotCur, cur)
			equal(c, "maximum", gotMax, max)
		}
		w.setLimit(max)
		cur, _ := w.limit()
		equal(c, "as much as can be", cur, max)
		w.must(request{Op: "setlimit", Cur: 5, Max: uint64(large) + 5})
		_, max = w.limit()
		equal(c, "a large maximum", max, uint64(large)+5)
		w.must(request{Op: "setlimit", Cur: 5, Max: 10})
		cur, max = w.limit()
		equal(c, "limit", cur, 5)
		equal(c, "lowered maximum", max, 10)
		w.must(request{Op: "setlimit", Cur: 10, Max: 10})
	},
	"limit/above-max": func(c *trial) {
		w := c.worker()
		cur, max := w.limit()
		_, err := w.do(request{Op: "setlimit", Cur: 11, Max: 10})
		c.errno("11 of 10", err)
		_, err = w.do(request{Op: "setlimit", Cur: math.MaxUint64, Max: 10})
		c.errno("none of 10", err)
		gotCur, gotMax := w.limit()
		equal(c, "limit", gotCur, cur)
		equal(c, "maximum", gotMax, max)
	},
	"limit/raise-max": func(c *trial) {
		if os.Geteuid() == 0 {
			c.skipf("limits do not bind root")
		}
		w := c.worker()
		w.must(request{Op: "setlimit", Cur: 5, Max: 10})
		_, err := w.do(request{Op: "setlimit", Cur: 5, Max: 11})
		c.errno("11", err)
		_, err = w.do(request{Op: "setlimit", Cur: 5, Max: math.MaxUint64})
		c.errno("none", err)
	},
}
