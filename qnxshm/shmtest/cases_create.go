package shmtest

import (
	"math"
	"os"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
)

func wideAccess() (all []qnxshm.Access) {
	for _, access := range wide(int(qnxshm.ReadOnly)) {
		all = append(all, qnxshm.Access(access))
	}
	return all
}

// illegalAccess are values that are not exactly one mode.
var illegalAccess = append(wideAccess(), 3, 4, 1<<20, -1, math.MinInt32, qnxshm.Access(os.O_CREATE), qnxshm.ReadWrite|qnxshm.Access(os.O_TRUNC), qnxshm.ReadOnly|qnxshm.Access(os.O_APPEND))

var createCases = map[string]caseFunc{
	"create/access-two-modes": func(c *trial) {
		obj := c.object(page)
		c.errno("access 3", handleErr(fdOf(obj), os.Getpid(), qnxshm.WriteOnly|qnxshm.ReadWrite, 0))
	},
	"create/access-other-bits": func(c *trial) {
		obj := c.object(page)
		for _, access := range append([]qnxshm.Access{qnxshm.Access(syscall.O_CLOEXEC)}, illegalAccess...) {
			c.errno(access.String(), handleErr(fdOf(obj), os.Getpid(), access, 0))
		}
	},
	"create/options-unknown": func(c *trial) {
		obj := c.object(page)
		for _, opts := range []qnxshm.HandleOptions{2, 4, 0x100, 1 << 31} {
			c.errno("options", handleErr(fdOf(obj), os.Getpid(), qnxshm.ReadOnly, opts))
		}
	},
	"create/fd-negative": func(c *trial) {
		for _, fd := range []int{-1, -2, math.MinInt32} {
			c.errno("fd", handleErr(fd, os.Getpid(), qnxshm.ReadOnly, 0))
		}
	},
	"create/fd-not-open": func(c *trial) {
		obj := c.object(page)
		fd := fdOf(obj)
		obj.Close()
		c.errno("closed fd", handleErr(fd, os.Getpid(), qnxshm.ReadOnly, 0))
		c.errno("high fd", handleErr(math.MaxInt32, os.Getpid(), qnxshm.ReadOnly, 0))
	},
	"create/fd-out-of-range": func(c *trial) {
		obj := c.object(page)
		fds := wide(fdOf(obj))
		if len(fds) == 0 {
			c.errno("fd", handleErr(math.MinInt32, os.Getpid(), qnxshm.ReadOnly, 0))
		}
		for _, fd := range fds {
			c.errno("fd", handleErr(fd, os.Getpid(), qnxshm.ReadOnly, 0))
		}
	},
	"create/fd-not-memory": func(c *trial) {
		for _, f := range c.notMemory() {
			c.errno(f.Name(), handleErr(int(f.Fd()), os.Getpid(), qnxshm.ReadOnly, 0))
		}
	},
	"create/read-only-fd-gives-write": func(c *trial) {
		obj := c.withAccess(c.object(page), qnxshm.ReadOnly)
		c.errno("O_RDWR", handleErr(fdOf(obj), os.Getpid(), qnxshm.ReadWrite, 0))
		c.errno("O_WRONLY", handleErr(fdOf(obj), os.Getpid(), qnxshm.WriteOnly, 0))
		c.opensHere(c.handle(obj, os.Getpid(), qnxshm.ReadOnly))
	},
	"create/write-only-fd-gives-read": func(c *trial) {
		obj := c.withAccess(c.object(page), qnxshm.WriteOnly)
		c.errno("O_RDONLY", handleErr(fdOf(obj), os.Getpid(), qnxshm.ReadOnly, 0))
		c.errno("O_RDWR", handleErr(fdOf(obj), os.Getpid(), qnxshm.ReadWrite, 0))
		c.withAccess(obj, qnxshm.WriteOnly)
	},
	"create/no-such-process": func(c *trial) {
		obj := c.object(page)
		w := c.worker()
		w.exit()
		c.errno("ended process", handleErr(fdOf(obj), w.pid(), qnxshm.ReadOnly, 0))
		c.errno("pid never given", handleErr(fdOf(obj), noProcess, qnxshm.ReadOnly, 0))
		c.errno("largest pid_t", handleErr(fdOf(obj), math.MaxInt32, qnxshm.ReadOnly, 0))
	},
	"create/zombie": func(c *trial) {
		obj := c.object(page)
		w := c.workerNotReaped()
		c.must("make a handle for the living", handleErr(fdOf(obj), w.pid(), qnxshm.ReadOnly, 0))
		w.stdin.Close()
		<-w.ended
		// Its pipe ends a little before it is a zombie, and no event tells.
		c.soon("the end of a process", func() bool {
			return handleErr(fdOf(obj), w.pid(), qnxshm.ReadOnly, 0) != nil
		})
		c.errno("zombie", handleErr(fdOf(obj), w.pid(), qnxshm.ReadOnly, 0))
	},
	"create/pid-zero": func(c *trial) {
		c.errno("pid 0", handleErr(fdOf(c.object(page)), 0, qnxshm.ReadOnly, 0))
	},
	"create/pid-negative": func(c *trial) {
		obj := c.object(page)
		for _, pid := range []int{-1, -os.Getpid(), math.MinInt32} {
			c.errno("pid", handleErr(fdOf(obj), pid, qnxshm.ReadOnly, 0))
		}
	},
	"create/pid-out-of-range": func(c *trial) {
		obj := c.object(page)
		pids := wide(os.Getpid())
		if len(pids) == 0 {
			c.errno("pid", handleErr(fdOf(obj), math.MinInt32, qnxshm.ReadOnly, 0))
		}
		for _, pid := range pids {
			c.errno("pid", handleErr(fdOf(obj), pid, qnxshm.ReadOnly, 0))
		}
	},
	"create/own-pid": func(c *trial) {
		obj := c.object(page)
		c.write(obj, 0, text)
		got := c.open(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		equal(c, "contents", c.read(got, 0, len(text)), text)
	},
	"create/size-zero": func(c *trial) {
		w := c.worker()
		obj := c.object(0)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.must("grow", obj.Truncate(page))
		c.write(obj, 0, text)
		equal(c, "contents", w.mustRead(got, 0, len(text)), text)
	},
	"create/fd-from-handle": func(c *trial) {
		second, third := c.worker(), c.worker()
		obj := c.object(page)
		c.write(obj, 0, text)
		passed := second.mustOpen(c.handle(obj, second.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		got := third.mustOpen(second.mustHandle(passed, third.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		equal(c, "contents", third.mustRead(got, 0, len(text)), text)
	},
	"create/fd-from-handle-access": func(c *trial) {
		w := c.worker()
		got := w.mustOpen(c.handle(c.object(page), w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		_, err := w.handle(got, w.pid(), qnxshm.ReadWrite)
		c.errno("O_RDWR", err)
	},
	"create/fd-duplicate": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.write(obj, 0, text)
		dup := c.duplicate(c.duplicate(obj))
		obj.Close()
		got := w.mustOpen(c.handle(dup, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		equal(c, "contents", w.mustRead(got, 0, len(text)), text)
		again := c.duplicate(c.withAccess(dup, qnxshm.ReadOnly))
		c.fails("more access than the duplicate has", handleErr(fdOf(again), os.Getpid(), qnxshm.ReadWrite, 0), "EACCES")
	},
	"create/fd-stays": func(c *trial) {
		obj := c.object(page)
		for range 3 {
			c.opensHere(c.handle(obj, os.Getpid(), qnxshm.ReadWrite))
		}
		c.write(obj, 0, text)
	},
	"create/distinct": func(c *trial) {
		obj := c.object(page)
		seen := make(map[qnxshm.Handle]bool)
		for range 1000 {
			h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
			c.must("make a handle", err)
			if h == 0 || h == ^qnxshm.Handle(0) || seen[h] {
				c.errorf("handle %#x is not new", uint64(h))
			}
			seen[h] = true
		}
		for h := range seen {
			c.must("delete", qnxshm.DeleteHandle(h))
		}
	},
	"create/several-recipients": func(c *trial) {
		obj := c.object(page)
		workers := []*worker{c.worker(), c.worker(), c.worker()}
		var handles []qnxshm.Handle
		for _, w := range workers {
			handles = append(handles, c.handle(obj, w.pid(), qnxshm.ReadWrite))
		}
		var got []ref
		for i, w := range workers {
			got = append(got, w.mustOpen(handles[i], qnxshm.ReadWrite))
		}
		workers[0].write(got[0], 0, text)
		for i, w := range workers {
			equal(c, "contents", w.mustRead(got[i], 0, len(text)), text)
		}
		equal(c, "contents", c.read(obj, 0, len(text)), text)
	},
	"create/order-access-fd": func(c *trial) {
		c.errno("access 3, fd -1", handleErr(-1, os.Getpid(), 3, 0))
	},
	"create/order-options-fd": func(c *trial) {
		c.errno("options 4, fd -1", handleErr(-1, os.Getpid(), qnxshm.ReadOnly, 4))
	},
	"create/order-access-pid": func(c *trial) {
		c.errno("access 3, no pid", handleErr(fdOf(c.object(page)), noProcess, 3, 0))
	},
	"create/order-fd-pid": func(c *trial) {
		c.errno("fd -1, no pid", handleErr(-1, noProcess, qnxshm.ReadOnly, 0))
	},
	"create/order-mode-pid": func(c *trial) {
		obj := c.withAccess(c.object(page), qnxshm.ReadOnly)
		c.errno("O_RDWR, no pid", handleErr(fdOf(obj), noProcess, qnxshm.ReadWrite, 0))
	},
}
