package shmtest

import (
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm"
)

const allOnes = ^qnxshm.Handle(0)

// stoppedMaker makes a worker that has made a handle for this process, and stops
// it.
func (c *trial) stoppedMaker() (w *worker, h qnxshm.Handle) {
	c.hostOnly()
	w = c.worker()
	obj := w.create(page)
	w.write(obj, 0, text)
	h = w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly)
	c.must("stop the maker", stop(w.cmd.Process))
	c.cleanup(func() { resume(w.cmd.Process) })
	return w, h
}

// lasted checks how long something took.
func (c *trial) lasted(what string, since time.Time, least, most time.Duration) {
	if d := time.Since(since); d < least || d > most {
		c.errorf("%s took %v, want %v to %v", what, d, least, most)
	}
}

// hostsRandomBits are those of the host's handles that do not tell whom to ask: with one
// of the others changed it is a stranger who happens to have that number, and both keep
// the connection.
const hostsRandomBits = 42

var openCases = map[string]caseFunc{
	"open/never-existed": func(c *trial) {
		for _, h := range []qnxshm.Handle{1, 42, 0xfedcba9876543210, 1 << 63, allOnes - 1, math.MaxUint32} {
			c.errno("handle", openErr(h, qnxshm.ReadOnly))
		}
	},
	"open/guessed": func(c *trial) {
		own := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		w := c.worker()
		other := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		for _, h := range []qnxshm.Handle{own, other} {
			for bit := range hostsRandomBits {
				c.errno("handle with a bit changed", openErr(h^1<<bit, qnxshm.ReadOnly))
			}
			c.opensHere(h)
		}
	},
	"open/used": func(c *trial) {
		obj := c.object(page)
		h := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.opensHere(h)
		c.errno("own handle", openErr(h, qnxshm.ReadOnly))
		w := c.worker()
		h = c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.mustOpen(h, qnxshm.ReadOnly)
		_, err := w.open(h, qnxshm.ReadOnly)
		c.errno("handle of another process", err)
	},
	"open/deleted": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		c.must("delete", qnxshm.DeleteHandle(h))
		_, err := w.open(h, qnxshm.ReadOnly)
		c.errno("deleted handle", err)
	},
	"open/other-process": func(c *trial) {
		recipient, stranger := c.worker(), c.worker()
		h := c.handle(c.object(page), recipient.pid(), qnxshm.ReadOnly)
		_, err := stranger.open(h, qnxshm.ReadOnly)
		c.errno("stranger", err)
	},
	"open/other-process-kept": func(c *trial) {
		recipient, stranger := c.worker(), c.worker()
		obj := c.object(page)
		c.write(obj, 0, text)
		h := c.handle(obj, recipient.pid(), qnxshm.ReadOnly)
		for range 3 {
			_, err := stranger.open(h, qnxshm.ReadOnly)
			c.fails("stranger", err, "ESRCH")
		}
		equal(c, "contents", recipient.mustRead(recipient.mustOpen(h, qnxshm.ReadOnly), 0, len(text)), text)
	},
	"open/by-maker": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		c.errno("maker", openErr(h, qnxshm.ReadOnly))
		w.mustOpen(h, qnxshm.ReadOnly)
	},
	"open/zero": func(c *trial) {
		c.errno("no handle made", openErr(0, qnxshm.ReadOnly))
		c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		c.errno("a handle made", openErr(0, qnxshm.ReadOnly))
	},
	"open/all-ones": func(c *trial) {
		c.errno("O_RDONLY", openErr(allOnes, qnxshm.ReadOnly))
		c.errno("O_RDWR", openErr(allOnes, qnxshm.ReadWrite))
	},
	"open/more-access": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		_, err := w.open(h, qnxshm.ReadWrite)
		c.errno("O_RDWR of O_RDONLY", err)
		_, err = w.open(h, qnxshm.WriteOnly)
		c.errno("O_WRONLY of O_RDONLY", err)
		own := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.errno("own, O_RDWR of O_RDONLY", openErr(own, qnxshm.ReadWrite))
	},
	"open/more-access-kept": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		for range 2 {
			h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
			_, err := w.open(h, qnxshm.ReadWrite)
			c.fails("O_RDWR", err, "EACCES")
			w.mustOpen(h, qnxshm.ReadOnly)
		}
	},
	"open/write-only-handle-reads": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.WriteOnly)
		c.errno("O_RDONLY", openErr(h, qnxshm.ReadOnly))
		c.errno("O_RDWR", openErr(h, qnxshm.ReadWrite))
	},
	"open/access-illegal": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own, other := c.handle(obj, os.Getpid(), qnxshm.ReadWrite), c.handle(obj, w.pid(), qnxshm.ReadWrite)
		for _, access := range illegalAccess {
			c.errno("own "+access.String(), openErr(own, access))
			_, err := w.open(other, access)
			c.errno("other "+access.String(), err)
		}
	},
	"open/access-illegal-kept": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadWrite)
		_, err := w.open(h, 3)
		c.fails("access 3", err, "EINVAL")
		w.mustOpen(h, qnxshm.ReadWrite)
	},
	"open/order-access-handle": func(c *trial) {
		for _, h := range []qnxshm.Handle{0, 42, allOnes} {
			c.errno("access 3", openErr(h, 3))
		}
	},
	"open/order-recipient-mode": func(c *trial) {
		recipient, stranger := c.worker(), c.worker()
		h := c.handle(c.object(page), recipient.pid(), qnxshm.ReadOnly)
		_, err := stranger.open(h, qnxshm.ReadWrite)
		c.errno("stranger, O_RDWR", err)
		c.errno("maker, O_RDWR", openErr(h, qnxshm.ReadWrite))
	},
	"open/cloexec-flag": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.open(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly|qnxshm.Access(syscall.O_CLOEXEC))
		w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite|qnxshm.Access(syscall.O_CLOEXEC))
	},
	"open/read-write-handle-any-mode": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.WriteOnly, qnxshm.ReadWrite} {
			got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), access)
			// The descriptor has the mode it was opened with, not the handle's.
			for _, more := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.WriteOnly, qnxshm.ReadWrite} {
				h, err := w.handle(got, w.pid(), more)
				if access == qnxshm.ReadWrite || more == access {
					c.must(access.String()+" gives "+more.String(), err)
					w.delete(h)
				} else {
					c.fails(access.String()+" gives "+more.String(), err, "EACCES")
				}
			}
		}
	},
	"open/write-only-handle": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.withAccess(obj, qnxshm.WriteOnly)
		w.mustOpen(c.handle(obj, w.pid(), qnxshm.WriteOnly), qnxshm.WriteOnly)
	},
	"open/table-full": func(c *trial) {
		obj := c.object(page)
		for _, warm := range []bool{false, true} {
			w := c.worker()
			if warm {
				w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
			}
			h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
			w.must(request{Op: "fill"})
			_, err := w.open(h, qnxshm.ReadOnly)
			c.errno("open", err)
		}
	},
	"open/table-full-kept": func(c *trial) {
		obj := c.object(page)
		c.write(obj, 0, text)
		for _, warm := range []bool{false, true} {
			w := c.worker()
			if warm {
				w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
			}
			h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
			w.must(request{Op: "fill"})
			for range 3 {
				_, err := w.open(h, qnxshm.ReadOnly)
				c.fails("open", err, "EMFILE")
			}
			w.must(request{Op: "unfill"})
			equal(c, "contents", w.mustRead(w.mustOpen(h, qnxshm.ReadOnly), 0, len(text)), text)
		}
	},
	"open/table-full-own": func(c *trial) {
		w := c.worker()
		h := w.mustHandle(w.create(page), w.pid(), qnxshm.ReadOnly)
		w.must(request{Op: "fill"})
		_, err := w.open(h, qnxshm.ReadOnly)
		c.errno("open", err)
		w.must(request{Op: "unfill"})
		w.mustOpen(h, qnxshm.ReadOnly)
	},
	"open/maker-stopped": func(c *trial) {
		_, h := c.stoppedMaker()
		began := time.Now()
		err := openErr(h, qnxshm.ReadOnly)
		c.errno("open", err)
		c.lasted("open", began, 4*time.Second, 15*time.Second)
		if err != nil && !strings.Contains(err.Error(), "stopped") {
			c.errorf("the text does not say that the maker may be stopped: %v", err)
		}
	},
	"open/maker-stopped-kept": func(c *trial) {
		w, h := c.stoppedMaker()
		c.fails("open", openErr(h, qnxshm.ReadOnly), "EAGAIN")
		c.must("let the maker go on", resume(w.cmd.Process))
		equal(c, "contents", c.read(c.open(h, qnxshm.ReadOnly), 0, len(text)), text)
		c.fails("second open", openErr(h, qnxshm.ReadOnly), "ESRCH")
	},
	"open/lowest-descriptor": func(c *trial) {
		obj := c.object(page)
		c.takesLowest(func() (int, error) {
			return qnxshm.OpenHandle(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		})
		w := c.worker()
		theirs := w.create(page)
		c.takesLowest(func() (int, error) {
			return qnxshm.OpenHandle(w.mustHandle(theirs, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		})
	},
	"open/close-on-exec": func(c *trial) {
		c.closesOnExec(c.withAccess(c.object(page), qnxshm.ReadOnly))
		w := c.worker()
		h := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		c.closesOnExec(c.open(h, qnxshm.ReadOnly))
	},
	"open/same-memory": func(c *trial) {
		w := c.worker()
		obj := c.object(2 * page)
		c.write(obj, page-3, text)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		equal(c, "recipient reads", w.mustRead(got, page-3, len(text)), text)
		mem := w.mapWhole(got, qnxshm.ReadWrite)
		w.write(mem, 7, "back")
		equal(c, "maker reads", c.read(obj, 7, 4), "back")
		c.write(obj, 7, "more")
		equal(c, "recipient reads again", w.mustRead(mem, 7, 4), "more")
	},
	"open/same-size": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		for _, size := range []int64{3 * page, 5, 0} {
			c.must("truncate", obj.Truncate(size))
			equal(c, "size", w.must(request{Op: "size", Ref: got}).Size, size)
		}
	},
	"open/race-goroutines": func(c *trial) {
		const n = 1000
		obj := c.object(page)
		for range 5 {
			h := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
			c.same("own handle", openRace(h, n), map[string]int{"EOK": 1, "ESRCH": n - 1})
		}
		w := c.worker()
		theirs := w.create(page)
		h := w.mustHandle(theirs, os.Getpid(), qnxshm.ReadOnly)
		c.same("handle of another maker", openRace(h, n), map[string]int{"EOK": 1, "ESRCH": n - 1})
	},
	"open/race-processes": func(c *trial) { c.raceProcesses(opening, 3, 100) },

	"open/race-delete": func(c *trial) { c.raceDelete(opening) },

	"open/concurrent": func(c *trial) { c.concurrent(opening) },

	"maker/matches": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		w.must(request{Op: "openpid", Handle: h, Access: qnxshm.ReadOnly, PID: os.Getpid()})
		_, err := w.open(h, qnxshm.ReadOnly)
		c.fails("second open", err, "ESRCH")
	},
	"maker/own": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		c.must("open", openPIDErr(h, qnxshm.ReadOnly, os.Getpid()))
	},
	"maker/differs": func(c *trial) {
		w := c.worker()
		own := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		c.errno("own handle, other pid", openPIDErr(own, qnxshm.ReadOnly, w.pid()))
		theirs := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		c.errno("other's handle, own pid", openPIDErr(theirs, qnxshm.ReadOnly, os.Getpid()))
		c.errno("other's handle, a third pid", openPIDErr(theirs, qnxshm.ReadOnly, c.worker().pid()))
		c.errno("other's handle, no pid", openPIDErr(theirs, qnxshm.ReadOnly, noProcess))
	},
	"maker/differs-kept": func(c *trial) {
		w := c.worker()
		own := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		c.fails("own handle, other pid", openPIDErr(own, qnxshm.ReadOnly, w.pid()), "ESRCH")
		c.opensHere(own)
		theirs := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		c.fails("other's handle, own pid", openPIDErr(theirs, qnxshm.ReadOnly, os.Getpid()), "ESRCH")
		c.must("right pid", openPIDErr(theirs, qnxshm.ReadOnly, w.pid()))
	},
	"maker/nobody": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		for _, pid := range append(wide(os.Getpid()), 0, -1, -os.Getpid(), math.MinInt32) {
			c.errno("pid", openPIDErr(h, qnxshm.ReadOnly, pid))
		}
	},
	"maker/is-not-creator": func(c *trial) {
		second, third := c.worker(), c.worker()
		passed := second.mustOpen(c.handle(c.object(page), second.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		h := second.mustHandle(passed, third.pid(), qnxshm.ReadOnly)
		_, err := third.do(request{Op: "openpid", Handle: h, Access: qnxshm.ReadOnly, PID: os.Getpid()})
		c.fails("pid of the creator", err, "ESRCH")
		third.must(request{Op: "openpid", Handle: h, Access: qnxshm.ReadOnly, PID: second.pid()})
	},
	"maker/access-illegal": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.ReadWrite)
		for _, access := range illegalAccess {
			c.errno(access.String(), openPIDErr(h, access, os.Getpid()))
		}
		c.opensHere(h)
	},
	"maker/more-access": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		_, err := w.do(request{Op: "openpid", Handle: h, Access: qnxshm.ReadWrite, PID: os.Getpid()})
		c.errno("O_RDWR of O_RDONLY", err)
		c.errno("own", openPIDErr(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.WriteOnly, os.Getpid()))
		h = c.handle(obj, w.pid(), qnxshm.ReadWrite)
		got := w.must(request{Op: "openpid", Handle: h, Access: qnxshm.ReadWrite, PID: os.Getpid()}).Ref
		w.write(got, 0, text)
		equal(c, "contents", c.read(obj, 0, len(text)), text)
	},

	"delete/unknown": func(c *trial) {
		for _, h := range []qnxshm.Handle{1, 42, 0xfedcba9876543210, allOnes - 1} {
			c.errno("handle", qnxshm.DeleteHandle(h))
		}
		own := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		for bit := range hostsRandomBits {
			c.errno("handle with a bit changed", qnxshm.DeleteHandle(own^1<<bit))
		}
		c.opensHere(own)
	},
	"delete/zero": func(c *trial) {
		c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		c.errno("0", qnxshm.DeleteHandle(0))
		c.errno("all ones", qnxshm.DeleteHandle(allOnes))
	},
	"delete/opened": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.mustOpen(h, qnxshm.ReadOnly)
		c.errno("maker", qnxshm.DeleteHandle(h))
		c.errno("recipient", w.delete(h))
		h = c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.opensHere(h)
		c.errno("own", qnxshm.DeleteHandle(h))
	},
	"delete/twice": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		c.must("delete", qnxshm.DeleteHandle(h))
		c.errno("maker", qnxshm.DeleteHandle(h))
		c.errno("recipient", w.delete(h))
	},
	"delete/stranger": func(c *trial) {
		recipient, stranger := c.worker(), c.worker()
		h := c.handle(c.object(page), recipient.pid(), qnxshm.ReadOnly)
		c.errno("stranger", stranger.delete(h))
	},
	"delete/stranger-kept": func(c *trial) {
		recipient, stranger := c.worker(), c.worker()
		h := c.handle(c.object(page), recipient.pid(), qnxshm.ReadOnly)
		c.fails("stranger", stranger.delete(h), "ESRCH")
		recipient.mustOpen(h, qnxshm.ReadOnly)
	},
	"delete/by-maker": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		c.must("delete", qnxshm.DeleteHandle(h))
		_, err := w.open(h, qnxshm.ReadOnly)
		c.fails("open", err, "ESRCH")
	},
	"delete/by-recipient": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		c.must("delete", w.delete(h))
		_, err := w.open(h, qnxshm.ReadOnly)
		c.fails("open", err, "ESRCH")
		c.fails("delete by the maker", qnxshm.DeleteHandle(h), "ESRCH")
	},
	"delete/spares-others": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		var handles []qnxshm.Handle
		for range 10 {
			handles = append(handles, c.handle(obj, w.pid(), qnxshm.ReadOnly))
		}
		for i, h := range handles {
			if i%2 == 0 {
				c.must("delete", qnxshm.DeleteHandle(h))
			}
		}
		for i, h := range handles {
			if i%2 != 0 {
				w.mustOpen(h, qnxshm.ReadOnly)
			}
		}
	},
	"delete/maker-stopped": func(c *trial) {
		w, h := c.stoppedMaker()
		began := time.Now()
		c.errno("delete", qnxshm.DeleteHandle(h))
		c.lasted("delete", began, 4*time.Second, 15*time.Second)
		c.must("let the maker go on", resume(w.cmd.Process))
	},
}
