package shmtest

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-qnx/shm/qnxshm"
)

// revocable makes an object of letters whose mappings can be taken back.
func (c *trial) revocable(pages int64) *qnxshm.Object {
	obj := c.lettered(pages)
	c.must("make it revocable", obj.MakeRevocable())
	return obj
}

// revocable makes a worker's object, as letteredBy does, that it can revoke.
func (w *worker) revocable(pages int64) ref {
	obj := w.c.letteredBy(w, pages)
	w.c.must("worker: make it revocable", w.control(obj, qnxshm.ControlRevocable, 0))
	return obj
}

func (w *worker) revoke(obj ref, pid int) error {
	_, err := w.do(request{Op: "revoke", Ref: obj, PID: pid})
	return err
}

func (c *trial) revoke(obj *qnxshm.Object, pid int) { c.must("shm_revoke", obj.Revoke(pid)) }

// revokeFromBusy revokes from a process that does not leave the processor, so that
// it may take a while to confirm.
func (c *trial) revokeFromBusy(obj *qnxshm.Object, pid int) {
	var err error
	c.soon("shm_revoke", func() bool { err = obj.Revoke(pid); return !errors.Is(err, qnxshm.ErrRevokePending) })
	c.must("shm_revoke", err)
}

// A reader reads the first byte of a mapping.
type reader func() (string, error)

func own(m *qnxshm.Mapping) reader {
	return func() (string, error) {
		b := make([]byte, 1)
		_, err := m.ReadAt(b, 0)
		return string(b), err
	}
}

func (w *worker) reads(m ref) reader { return func() (string, error) { return w.read(m, 0, 1) } }

// isTaken checks that a mapping cannot be used any more.
func (c *trial) isTaken(what string, read reader) {
	if _, err := read(); nameOf(err) != "ErrRevoked" {
		c.errorf("%s: got %v, want ErrRevoked", what, err)
	}
}

// isKept checks that a mapping can be used and begins with a letter.
func (c *trial) isKept(what, want string, read reader) {
	got, err := read()
	if err != nil || got != want {
		c.errorf("%s: got %q, %v, want %q", what, got, err, want)
	}
}

// granted makes a worker map the object through a handle that gives no
// descriptor.
func (c *trial) granted(obj *qnxshm.Object, w *worker) ref {
	return w.mustMapHandle(c.handleNoFD(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite, page)
}

// grantedBy makes this process map a worker's object in the same way.
func (c *trial) grantedBy(w *worker, obj ref) *qnxshm.Mapping {
	r := w.must(request{Op: "handle", Ref: obj, PID: os.Getpid(), Access: qnxshm.ReadWrite, NoFD: true})
	return c.direct(r.Handle, qnxshm.ReadWrite, page)
}

// stopped stops a worker until the case ends, or resume is called.
func (c *trial) stopped(w *worker) {
	c.hostOnly()
	c.must("stop a worker", stop(w.cmd.Process))
	c.cleanup(func() { resume(w.cmd.Process) })
}

// pending checks the error of a Revoke that a process has not confirmed.
func (c *trial) pending(what string, err error, pid int) {
	c.errno(what, err)
	if !errors.Is(err, qnxshm.ErrRevokePending) {
		c.errorf("%s: %v does not match ErrRevokePending", what, err)
	}
	var e *qnxshm.Error
	if !errors.As(err, &e) {
		c.errorf("%s: %v is no *Error", what, err)
	} else if !strings.Contains(builtWith("-tags"), "qnx") && !strings.Contains(e.Detail, fmt.Sprint(pid)) {
		c.errorf("%s: %q does not name process %d", what, e.Detail, pid)
	}
}

// confirmTime is how long a process may take to confirm, and some more for a busy
// machine.
const confirmTime = 3 * time.Second

var revokeErrorCases = map[string]caseFunc{
	"revoke/fd-not-open": func(c *trial) {
		for _, pid := range []int{os.Getpid(), -1} {
			c.errno("fd", qnxshm.Revoke(math.MaxInt32, pid))
		}
	},
	"revoke/fd-outside": func(c *trial) {
		obj := c.revocable(1)
		m := c.mapped(obj, qnxshm.ReadOnly)
		for _, fd := range append(wide(fdOf(obj)), -1, -2, math.MinInt32) {
			c.errno("fd", qnxshm.Revoke(fd, os.Getpid()))
		}
		c.isKept("mapping", "A", own(m))
	},
	"revoke/fd-other": func(c *trial) {
		for _, f := range c.notMemory() {
			c.errno(f.Name(), qnxshm.Revoke(int(f.Fd()), os.Getpid()))
			c.errno(f.Name(), qnxshm.Revoke(int(f.Fd()), -1))
		}
	},
	"revoke/recipient": func(c *trial) {
		w, other := c.worker(), c.worker()
		obj := c.revocable(1)
		m, theirs := c.mapped(obj, qnxshm.ReadOnly), c.granted(obj, other)
		for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.WriteOnly, qnxshm.ReadWrite} {
			got := w.mustOpen(c.handle(obj, w.pid(), access), access)
			for _, pid := range []int{os.Getpid(), w.pid(), other.pid(), -1} {
				c.errno(access.String(), w.revoke(got, pid))
			}
		}
		creator := c.worker()
		opened := c.open(creator.mustHandle(creator.revocable(1), os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		for _, pid := range []int{os.Getpid(), creator.pid(), -1} {
			c.errno("own", opened.Revoke(pid))
		}
		c.isKept("creator's mapping", "A", own(m))
		c.isKept("another recipient's mapping", "A", other.reads(theirs))
	},
	"revoke/passed-on": func(c *trial) {
		first, second := c.worker(), c.worker()
		obj := c.revocable(1)
		got := first.mustOpen(c.handle(obj, first.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		opened := second.mustOpen(first.mustHandle(got, second.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		m := second.mapWhole(opened, qnxshm.ReadOnly)
		for _, pid := range []int{second.pid(), first.pid(), -1} {
			c.errno("who passed it on", first.revoke(got, pid))
			c.errno("to whom it was passed on", second.revoke(opened, pid))
		}
		c.isKept("mapping", "A", second.reads(m))
	},
	"revoke/inherited-fd": func(c *trial) {
		w := c.worker()
		obj := w.revocable(1)
		m := c.grantedBy(w, obj)
		for _, pid := range []int{os.Getpid(), w.pid(), -1} {
			_, err := w.do(request{Op: "child", Ref: obj, Inner: &request{Op: "revokefd", N: 3, PID: pid}})
			if err == nil {
				c.errorf("the child has revoked the object of its parent from %d", pid)
			}
			if _, worker := errnoByName(nameOf(err)); err != nil && !worker {
				c.errorf("the child: got %v, want an errno", err)
			}
		}
		c.isKept("mapping", "A", own(m))
		c.must("the creator itself", w.revoke(obj, -1))
	},
	"revoke/not-revocable": func(c *trial) {
		w := c.worker()
		obj := c.lettered(1)
		m := c.mapped(obj, qnxshm.ReadOnly)
		theirs := c.granted(obj, w)
		for _, pid := range []int{w.pid(), os.Getpid(), -1} {
			c.errno("new", obj.Revoke(pid))
			c.errno("sealed", c.sealed(1).Revoke(pid))
		}
		c.isKept("creator's mapping", "A", own(m))
		c.isKept("recipient's mapping", "A", w.reads(theirs))
	},
	"revoke/no-process": func(c *trial) {
		obj := c.revocable(1)
		c.errno("pid", obj.Revoke(noProcess))
		for _, end := range []func(*worker){(*worker).kill, (*worker).exit} {
			w := c.worker()
			end(w)
			c.errno("ended before", obj.Revoke(w.pid()))
		}
	},
	"revoke/pid-zero": func(c *trial) {
		obj := c.revocable(1)
		m := c.mapped(obj, qnxshm.ReadOnly)
		c.errno("0", obj.Revoke(0))
		if !target { // where it may be the caller
			c.isKept("own mapping", "A", own(m))
		}
	},
	"revoke/pid-negative": func(c *trial) {
		obj := c.revocable(1)
		m := c.mapped(obj, qnxshm.ReadOnly)
		for _, pid := range []int{-2, -max(os.Getpid(), 2), math.MinInt32} { // -1 means all
			c.errno(fmt.Sprint(pid), obj.Revoke(pid))
		}
		c.isKept("own mapping", "A", own(m))
	},
	"revoke/pid-outside": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		m, theirs := c.mapped(obj, qnxshm.ReadOnly), c.granted(obj, w)
		for _, low := range []int{-1, os.Getpid(), w.pid()} {
			for _, pid := range wide(low) {
				c.errno(fmt.Sprint(pid), obj.Revoke(pid))
			}
		}
		if len(wide(1)) == 0 {
			c.skipf("an int has 32 bits")
		}
		c.isKept("own mapping", "A", own(m))
		c.isKept("recipient's mapping", "A", w.reads(theirs))
	},
	"revoke/table-full": func(c *trial) {
		w := c.worker()
		obj := w.revocable(1)
		m := w.mapWhole(obj, qnxshm.ReadOnly)
		w.must(request{Op: "fill"})
		c.must("all", w.revoke(obj, -1))
		w.must(request{Op: "unfill"})
		c.isTaken("mapping", w.reads(m))
	},
	"revoke/order-fd-pid": func(c *trial) {
		c.errno("not open", qnxshm.Revoke(math.MaxInt32, noProcess))
		c.errno("negative", qnxshm.Revoke(-1, 0))
	},
	"revoke/order-creator-flag": func(c *trial) {
		w := c.worker()
		got := c.open(w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.errno("own pid", got.Revoke(os.Getpid()))
		c.errno("all", got.Revoke(-1))
	},
	"revoke/order-creator-pid": func(c *trial) {
		w := c.worker()
		got := c.open(w.mustHandle(w.revocable(1), os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.errno("no process", got.Revoke(noProcess))
		c.errno("0", got.Revoke(0))
	},
	"revoke/order-flag-pid": func(c *trial) {
		obj := c.object(page)
		c.errno("no process", obj.Revoke(noProcess))
		c.errno("0", obj.Revoke(0))
	},
}

var revokeCases = map[string]caseFunc{
	"revoke/never-mapped": func(c *trial) {
		obj := c.revocable(1)
		stranger, opener, holder := c.worker(), c.worker(), c.worker()
		opener.mustOpen(c.handle(obj, opener.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.handle(obj, holder.pid(), qnxshm.ReadOnly)
		for _, w := range []*worker{stranger, opener, holder} {
			c.revoke(obj, w.pid())
		}
		c.revoke(obj, os.Getpid())
		c.revoke(obj, -1)
		if parent := os.Getppid(); parent > 0 { // not the first process of a pid namespace
			c.revoke(obj, parent) // which knows nothing of all this
		}
	},
	"revoke/twice": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		for _, pid := range []int{w.pid(), -1, os.Getpid()} {
			m, theirs := c.mapped(obj, qnxshm.ReadOnly), c.granted(obj, w)
			for range 3 {
				c.revoke(obj, pid)
			}
			for what, read := range map[string]reader{"own": own(m), "recipient's": w.reads(theirs)} {
				if pid == -1 || (what == "own") == (pid == os.Getpid()) {
					c.isTaken(what, read)
				} else {
					c.isKept(what, "A", read)
				}
			}
		}
	},
	"revoke/ended": func(c *trial) {
		obj := c.revocable(1)
		for _, end := range []func(*worker){(*worker).kill, (*worker).exit} {
			w := c.worker()
			c.granted(obj, w)
			end(w)
			c.revoke(obj, w.pid())
			c.revoke(obj, w.pid())
		}
		unused := c.worker()
		c.handle(obj, unused.pid(), qnxshm.ReadOnly)
		unused.kill()
		c.revoke(obj, unused.pid())
		c.revoke(obj, -1)
	},
	"revoke/zombie": func(c *trial) {
		w := c.workerNotReaped()
		obj := c.revocable(1)
		c.granted(obj, w)
		w.mu.Lock()
		w.killed = true
		w.mu.Unlock()
		c.must("kill the worker", w.cmd.Process.Kill())
		<-w.ended
		c.revoke(obj, w.pid())
		c.revoke(obj, -1)
	},
	"revoke/exec": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		c.granted(obj, w)
		w.exec()
		c.revoke(obj, w.pid())
		again := c.granted(obj, w)
		c.isKept("mapped by the new program", "A", w.reads(again))
		c.revoke(obj, w.pid())
		c.isTaken("mapped by the new program", w.reads(again))
	},
	"revoke/duplicate-fd": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		dup := c.duplicate(obj)
		m := c.granted(obj, w)
		c.revoke(dup, w.pid())
		c.isTaken("recipient", w.reads(m))
		m = c.granted(obj, w)
		c.must("close the first", obj.Close())
		c.revoke(dup, -1)
		c.isTaken("recipient, first descriptor closed", w.reads(m))
		equal(c, "contents", c.read(dup, 0, 1), "A") // the descriptor was only lent
	},
	"revoke/own-handle-fd": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.WriteOnly, qnxshm.ReadWrite} {
			m := c.granted(obj, w)
			c.revoke(c.withAccess(obj, access), w.pid())
			c.isTaken(access.String(), w.reads(m))
		}
	},
	"revoke/window-fd": func(c *trial) {
		w := c.worker()
		obj := c.revocable(4)
		win := c.windowHere(obj, qnxshm.ReadOnly, page, 2*page)
		outside := w.mapWhole(w.mustOpen(c.part(obj, w.pid(), qnxshm.ReadOnly, page, 0), qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.isKept("before", "A", w.reads(outside))
		c.revoke(win, w.pid())
		c.isTaken("mapping outside of the window", w.reads(outside))
	},
	"revoke/returned-fd": func(c *trial) {
		w := c.worker()
		for _, early := range []bool{true, false} { // or the creator has nothing when it is mapped first
			obj := c.revocable(1)
			got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
			maps := make(map[string]ref)
			if early {
				maps["mapped before"] = w.mapWhole(got, qnxshm.ReadOnly)
			}
			c.must("close the creator's only descriptor", obj.Close())
			maps["mapped meanwhile"] = w.mapWhole(got, qnxshm.ReadOnly)
			back := c.open(w.mustHandle(got, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
			c.revoke(back, w.pid())
			for what, m := range maps {
				c.isTaken(what, w.reads(m))
			}
			after := w.mapWhole(got, qnxshm.ReadOnly)
			c.revoke(back, -1)
			c.isTaken("mapped since", w.reads(after))
		}
	},

	"revoke/takes": func(c *trial) {
		w := c.worker()
		obj := c.revocable(2)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		maps := map[string]ref{
			"by a descriptor":    w.mapWhole(got, qnxshm.ReadWrite),
			"once more":          w.mapWhole(got, qnxshm.ReadOnly),
			"straight":           c.granted(obj, w),
			"straight, whole":    w.mustMapHandle(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly, 2*page),
			"longer than it is":  w.mustMapHandle(c.handleNoFD(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite, 9*page),
			"private descriptor": w.mapWhole(w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly), qnxshm.ReadOnly),
		}
		for what, m := range maps {
			c.isKept(what, "A", w.reads(m))
		}
		c.revoke(obj, w.pid())
		for what, m := range maps {
			c.isTaken(what, w.reads(m))
		}
		creator := c.worker()
		theirs := creator.revocable(1)
		m := c.grantedBy(creator, theirs)
		opened := c.mapped(c.open(creator.mustHandle(theirs, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.must("worker: shm_revoke", creator.revoke(theirs, os.Getpid()))
		c.isTaken("own, straight", own(m))
		c.isTaken("own, by a descriptor", own(opened))
	},
	"revoke/every-byte": func(c *trial) {
		creator := c.worker()
		obj := creator.revocable(3)
		m := c.direct(creator.mustHandle(obj, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite, 3*page)
		c.must("worker: shm_revoke", creator.revoke(obj, os.Getpid()))
		for off := int64(0); off < 3*page; off += 8 {
			if _, err := m.LoadUint64(off); nameOf(err) != "ErrRevoked" {
				c.fatalf("offset %d: got %v, want ErrRevoked", off, err)
			}
		}
	},
	"revoke/mapped-before": func(c *trial) {
		w := c.worker()
		obj := c.lettered(1)
		m, direct := c.mapped(obj, qnxshm.ReadOnly), c.direct(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		theirs, theirDirect := w.mapWhole(got, qnxshm.ReadWrite), c.granted(obj, w)
		c.must("make it revocable", obj.MakeRevocable())
		after := w.mapWhole(got, qnxshm.ReadOnly)
		c.revoke(obj, w.pid())
		c.revoke(obj, -1)
		c.isKept("creator's", "A", own(m))
		c.isKept("creator's, straight", "A", own(direct))
		c.isKept("recipient's", "A", w.reads(theirs))
		c.isKept("recipient's, straight", "A", w.reads(theirDirect))
		c.isTaken("recipient's, mapped after", w.reads(after))
		w.write(theirs, 0, "x")
		equal(c, "contents", c.readFrom(m, 0, 1), "x")
	},
	"revoke/handle-before": func(c *trial) {
		w := c.worker()
		obj := c.lettered(1)
		open, direct := c.handle(obj, w.pid(), qnxshm.ReadOnly), c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		passer := c.worker()
		passed := passer.mustOpen(c.handle(obj, passer.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		indirect, self := passer.mustHandle(passed, w.pid(), qnxshm.ReadOnly), passer.mustHandle(passed, passer.pid(), qnxshm.ReadOnly)
		mine := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.must("make it revocable", obj.MakeRevocable())
		taken := map[string]reader{
			"opened before":                 w.reads(w.mapWhole(got, qnxshm.ReadOnly)),
			"opened after":                  w.reads(w.mapWhole(w.mustOpen(open, qnxshm.ReadOnly), qnxshm.ReadOnly)),
			"straight":                      w.reads(w.mustMapHandle(direct, qnxshm.ReadOnly, page)),
			"from a recipient":              w.reads(w.mustMapHandle(indirect, qnxshm.ReadOnly, page)),
			"the creator's own":             own(c.direct(mine, qnxshm.ReadOnly, page)),
			"a recipient's, made by itself": passer.reads(passer.mustMapHandle(self, qnxshm.ReadOnly, page)),
		}
		for what, read := range taken {
			c.isKept(what, "A", read)
		}
		c.revoke(obj, -1)
		for what, read := range taken {
			c.isTaken(what, read)
		}
	},
	"revoke/part": func(c *trial) {
		first, second := c.worker(), c.worker()
		obj := c.revocable(4)
		noFD := func(w *worker, offset int64) qnxshm.Handle {
			return c.made(obj.CreateHandle(w.pid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Offset: offset, Size: page, NoFD: true}))
		}
		one := first.mustMapHandle(noFD(first, page), qnxshm.ReadOnly, page)
		two := first.mapWhole(first.mustOpen(c.part(obj, first.pid(), qnxshm.ReadOnly, page, 3*page), qnxshm.ReadOnly), qnxshm.ReadOnly)
		unused := noFD(first, 0)
		other := second.mustMapHandle(noFD(second, page), qnxshm.ReadOnly, page)
		c.isKept("straight", "B", first.reads(one))
		c.isKept("by a descriptor", "D", first.reads(two))
		c.revoke(obj, first.pid())
		c.isTaken("straight", first.reads(one))
		c.isTaken("by a descriptor", first.reads(two))
		_, err := first.mapHandle(unused, qnxshm.ReadOnly, page)
		c.fails("unused handle of a part", err, "ESRCH")
		c.isKept("another process's", "B", second.reads(other))
	},
	"revoke/range": func(c *trial) {
		obj := c.revocable(4)
		m := c.mappedRange(obj, qnxshm.ReadOnly, 2*page, page)
		c.isKept("range", "C", own(m))
		c.revoke(obj, os.Getpid())
		c.isTaken("range", own(m))
	},
	"revoke/others-stay": func(c *trial) {
		first, second := c.worker(), c.worker()
		obj := c.revocable(1)
		m := c.mapped(obj, qnxshm.ReadOnly)
		one, two := c.granted(obj, first), c.granted(obj, second)
		unused := c.handleNoFD(obj, second.pid(), qnxshm.ReadOnly)
		first.write(one, 0, "x")
		c.revoke(obj, first.pid())
		c.isTaken("its own", first.reads(one))
		c.isKept("creator's", "x", own(m))
		c.isKept("another recipient's", "x", second.reads(two))
		second.write(two, 0, "y")
		c.isKept("creator's, afterwards", "y", own(m))
		c.isKept("handle of another recipient", "y", second.reads(second.mustMapHandle(unused, qnxshm.ReadOnly, page)))
		c.revoke(obj, os.Getpid())
		c.isTaken("creator's, after its own pid", own(m))
		c.isKept("another recipient's", "y", second.reads(two))
	},
	"revoke/everybody": func(c *trial) {
		obj := c.revocable(1)
		taken := map[string]reader{
			"creator's":           own(c.mapped(obj, qnxshm.ReadWrite)),
			"creator's, straight": own(c.direct(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)),
		}
		for i := range 3 {
			w := c.worker()
			taken[fmt.Sprintf("recipient %d's", i)] = w.reads(c.granted(obj, w))
		}
		c.revoke(obj, -1)
		for what, read := range taken {
			c.isTaken(what, read)
		}
		equal(c, "contents", c.read(obj, 0, 1), "A")
	},
	"revoke/other-objects": func(c *trial) {
		w := c.worker()
		obj, other := c.revocable(1), c.revocable(1)
		c.write(other, 0, "x")
		m, theirs := c.mapped(other, qnxshm.ReadOnly), c.granted(other, w)
		unused := c.handleNoFD(other, w.pid(), qnxshm.ReadOnly)
		c.granted(obj, w)
		c.revoke(obj, w.pid())
		c.revoke(obj, -1)
		c.isKept("creator's", "x", own(m))
		c.isKept("recipient's", "x", w.reads(theirs))
		c.isKept("handle", "x", w.reads(w.mustMapHandle(unused, qnxshm.ReadOnly, page)))
	},
	"revoke/passed-on-mapping": func(c *trial) {
		first, second := c.worker(), c.worker()
		obj := c.revocable(1)
		got := first.mustOpen(c.handle(obj, first.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		one := first.mapWhole(got, qnxshm.ReadOnly)
		two := second.mustMapHandle(first.mustHandle(got, second.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)
		c.revoke(obj, second.pid())
		c.isTaken("to whom it was passed on", second.reads(two))
		c.isKept("who passed it on", "A", first.reads(one))
		two = second.mustMapHandle(first.mustHandle(got, second.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)
		first.kill()
		c.isKept("who passed it on has ended", "A", second.reads(two))
		c.revoke(obj, second.pid())
		c.isTaken("who passed it on has ended", second.reads(two))
	},
	"revoke/sealed": func(c *trial) {
		w := c.worker()
		obj := c.object(0)
		c.control(obj, qnxshm.ControlAnonymous|qnxshm.ControlRevocable|qnxshm.ControlSeal, page)
		c.write(obj, 0, "A")
		m := c.granted(obj, w)
		c.isKept("before", "A", w.reads(m))
		c.revoke(obj, w.pid())
		c.isTaken("after", w.reads(m))
		c.hasFlags("afterwards", obj, flagged)
		equal(c, "size", c.size(obj), page)
	},
	"revoke/contents": func(c *trial) {
		w := c.worker()
		obj := c.revocable(2)
		m := c.mapped(obj, qnxshm.ReadOnly)
		theirs := w.mustMapHandle(c.handleNoFD(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite, 2*page)
		w.write(theirs, page-3, text)
		c.revoke(obj, w.pid())
		equal(c, "creator's mapping", c.readFrom(m, page-3, len(text)), text)
		c.revoke(obj, -1)
		equal(c, "new mapping", c.read(obj, page-3, len(text)), text)
		equal(c, "size", c.size(obj), 2*page)
	},
	"revoke/again": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		for range 20 {
			m := c.granted(obj, w)
			c.isKept("mapped", "A", w.reads(m))
			c.revoke(obj, w.pid())
			c.isTaken("mapped", w.reads(m))
			w.close(m)
		}
	},
	"revoke/descriptor-stays": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		for range 3 {
			m := w.mapWhole(got, qnxshm.ReadWrite)
			c.isKept("mapped again", "A", w.reads(m))
			c.revoke(obj, w.pid())
			c.isTaken("mapped again", w.reads(m))
		}
		c.revoke(obj, -1)
		c.opensHere(w.mustHandle(got, os.Getpid(), qnxshm.ReadOnly))
		equal(c, "size", w.must(request{Op: "size", Ref: got}).Size, page)
		equal(c, "creator's descriptor", c.read(obj, 0, 1), "A")
	},
}

var revokeHandleCases = map[string]caseFunc{
	"revoke/unused-open": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		for _, pid := range []int{w.pid(), -1} {
			h := c.handle(obj, w.pid(), qnxshm.ReadWrite)
			c.revoke(obj, pid)
			_, err := w.open(h, qnxshm.ReadOnly)
			c.errno("recipient", err)
		}
		mine := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.revoke(obj, os.Getpid())
		c.errno("own", openErr(mine, qnxshm.ReadOnly))
	},
	"revoke/unused-map": func(c *trial) {
		w := c.worker()
		obj := c.revocable(2)
		for _, pid := range []int{w.pid(), -1} {
			handles := []qnxshm.Handle{
				c.handle(obj, w.pid(), qnxshm.ReadOnly),
				c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly),
			}
			if !before80 {
				handles = append(handles, c.part(obj, w.pid(), qnxshm.ReadOnly, page, page))
			}
			c.revoke(obj, pid)
			for _, h := range handles {
				_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
				c.errno("recipient", err)
			}
		}
		mine := c.handleNoFD(obj, os.Getpid(), qnxshm.ReadOnly)
		c.revoke(obj, -1)
		c.errno("own", directErr(mine, qnxshm.ReadOnly, page))
	},
	"revoke/unused-delete": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		c.revoke(obj, w.pid())
		c.errno("maker", qnxshm.DeleteHandle(h))
		c.errno("recipient", w.delete(h))
	},
	"revoke/unused-before": func(c *trial) {
		w := c.worker()
		obj := c.lettered(1)
		h, noFD := c.handle(obj, w.pid(), qnxshm.ReadOnly), c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		c.must("make it revocable", obj.MakeRevocable())
		c.revoke(obj, w.pid())
		_, err := w.open(h, qnxshm.ReadOnly)
		c.errno("open", err)
		_, err = w.mapHandle(noFD, qnxshm.ReadOnly, page)
		c.errno("map", err)
	},
	"revoke/unused-others": func(c *trial) {
		passer, w := c.worker(), c.worker()
		obj := c.revocable(1)
		got := passer.mustOpen(c.handle(obj, passer.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		for _, pid := range []int{w.pid(), -1} {
			open, direct := passer.mustHandle(got, w.pid(), qnxshm.ReadOnly), passer.mustHandle(got, w.pid(), qnxshm.ReadOnly)
			c.revoke(obj, pid)
			_, err := w.open(open, qnxshm.ReadOnly)
			c.errno("open", err)
			_, err = w.mapHandle(direct, qnxshm.ReadOnly, page)
			c.errno("map", err)
			c.errno("its maker deletes", passer.delete(open))
		}
		back := passer.mustHandle(got, os.Getpid(), qnxshm.ReadOnly)
		c.revoke(obj, os.Getpid())
		c.errno("made for the creator", openErr(back, qnxshm.ReadOnly))
	},
	"revoke/unused-quota": func(c *trial) {
		creator, passer := c.worker(), c.worker()
		obj := creator.revocable(1)
		got := passer.mustOpen(creator.mustHandle(obj, passer.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		for _, maker := range []struct {
			what string
			w    *worker
			obj  ref
		}{{"creator", creator, obj}, {"who passed it on", passer, got}} {
			maker.w.setLimit(2)
			for _, pid := range []int{os.Getpid(), -1} {
				for range 2 {
					maker.w.mustHandle(maker.obj, os.Getpid(), qnxshm.ReadOnly)
				}
				_, err := maker.w.handle(maker.obj, os.Getpid(), qnxshm.ReadOnly)
				c.fails(maker.what+": at the limit", err, "EAGAIN")
				c.must(maker.what+": shm_revoke", creator.revoke(obj, pid))
			}
		}
	},
	"revoke/unused-elsewhere": func(c *trial) {
		w, other := c.worker(), c.worker()
		obj := c.revocable(1)
		passer := c.worker()
		got := passer.mustOpen(c.handle(obj, passer.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		theirs, passed, mine := c.handle(obj, other.pid(), qnxshm.ReadOnly), passer.mustHandle(got, other.pid(), qnxshm.ReadOnly), c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.handle(obj, w.pid(), qnxshm.ReadOnly)
		c.revoke(obj, w.pid())
		other.mustOpen(theirs, qnxshm.ReadOnly)
		other.mustMapHandle(passed, qnxshm.ReadOnly, page)
		c.opensHere(mine)
	},
	"revoke/new-handle": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		for _, pid := range []int{w.pid(), -1} {
			c.revoke(obj, pid)
			c.isKept("mapped", "A", w.reads(c.granted(obj, w)))
			w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		}
	},
}

var revokedCases = map[string]caseFunc{
	"revoke/guarded": func(c *trial) {
		w := c.worker()
		obj := c.revocable(2)
		m := w.mustMapHandle(c.handleNoFD(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite, 2*page)
		outcomes := func(want string) {
			got := w.must(request{Op: "guarded", Ref: m, Offset: page}).Names
			equal(c, "accesses", len(got), 12)
			for access, name := range got {
				equal(c, access, name, want)
			}
		}
		outcomes("EOK")
		c.revoke(obj, w.pid())
		outcomes("ErrRevoked")
		outcomes("ErrRevoked")
	},
	"revoke/read-only": func(c *trial) {
		creator := c.worker()
		obj := creator.revocable(1)
		m := c.direct(creator.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)
		c.must("worker: shm_revoke", creator.revoke(obj, -1))
		c.isTaken("ReadAt", own(m))
		err := m.View(func(b []byte) error { b[0] = 1; return nil })
		equal(c, "store in View", nameOf(err), "ErrRevoked")
		_, err = m.WriteAt([]byte("x"), 0)
		c.fails("WriteAt", err, "EACCES") // as before
	},
	"revoke/during-view": func(c *trial) {
		creator := c.worker()
		obj := creator.revocable(1)
		m := c.grantedBy(creator, obj)
		after := false
		err := m.View(func(b []byte) error {
			sink(b[0])
			c.must("worker: shm_revoke", creator.revoke(obj, os.Getpid()))
			sink(b[0])
			after = true
			return nil
		})
		equal(c, "View", nameOf(err), "ErrRevoked")
		equal(c, "went on after the load", after, false)
	},
	"revoke/unmapped": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		m := c.mapped(obj, qnxshm.ReadOnly)
		theirs := c.granted(obj, w)
		c.revoke(obj, -1)
		for range 2 {
			c.must("munmap", m.Unmap())
		}
		w.close(theirs)
		_, err := own(m)()
		equal(c, "unmapped", nameOf(err), "ErrClosed")
		again := c.mapped(obj, qnxshm.ReadOnly)
		c.isKept("mapped again", "A", own(again))
	},
	"revoke/fault": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		m := c.granted(obj, w)
		equal(c, "before", w.must(request{Op: "touch", Ref: m}).N, 'A')
		c.revoke(obj, w.pid())
		w.mu.Lock()
		w.killed = true
		w.mu.Unlock()
		_, err := w.do(request{Op: "touch", Ref: m})
		equal(c, "load", nameOf(err), "worker gone")
		<-w.gone
		if said := w.stderr.String(); !strings.Contains(said, "SIGSEGV") && !(target && strings.Contains(said, "SIGBUS")) {
			c.errorf("the process did not end of a SIGSEGV, but: %s", said)
		}
		c.revoke(obj, w.pid())
	},
	"revoke/fault-caught": func(c *trial) {
		creator := c.worker()
		obj := creator.revocable(1)
		b := c.grantedBy(creator, obj).Bytes()
		equal(c, "before", faults(b, 0), false)
		c.must("worker: shm_revoke", creator.revoke(obj, os.Getpid()))
		equal(c, "first byte", faults(b, 0), true)
		equal(c, "last byte", faults(b, page-1), true)
	},
	"revoke/system-call": func(c *trial) {
		creator := c.worker()
		obj := creator.revocable(1)
		b := c.grantedBy(creator, obj).Bytes()
		r, w, err := os.Pipe()
		c.must("make a pipe", err)
		defer r.Close()
		defer w.Close()
		c.must("worker: shm_revoke", creator.revoke(obj, os.Getpid()))
		_, err = w.Write(b[:1])
		c.fails("write", err, "EFAULT")
		_, err = w.Write([]byte("x"))
		c.must("write to the pipe", err)
		_, err = r.Read(b[:1])
		c.fails("read", err, "EFAULT")
	},
	"revoke/message-buffer": func(c *trial) {
		creator := c.worker()
		ch := c.channel(0)
		conn := c.connect(0, ch.ID())
		for _, n := range inlineAndNot {
			obj := creator.create(int64(n))
			c.must("worker: make it revocable", creator.control(obj, qnxshm.ControlRevocable, 0))
			b := c.mapped(c.open(creator.mustHandle(obj, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite), qnxshm.ReadWrite).Bytes()
			c.must("worker: shm_revoke", creator.revoke(obj, os.Getpid()))
			_, err := conn.SendTimeout(b, nil, short)
			c.errno(fmt.Sprintf("send %d bytes", n), err)
		}
	},
	"revoke/fork": func(c *trial) {
		w := c.worker()
		obj := c.lettered(1)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		inChild := func(m ref) string {
			_, err := w.do(request{Op: "fork", Ref: m})
			if nameOf(err) == errors.ErrUnsupported.Error() {
				c.skipf("a Go program cannot fork here")
			}
			return nameOf(err)
		}
		before := w.mapWhole(got, qnxshm.ReadOnly)
		equal(c, "object that is not revocable", inChild(before), "EOK")
		c.must("make it revocable", obj.MakeRevocable())
		for what, f := range map[string]func() ref{
			"by a descriptor": func() ref { return w.mapWhole(got, qnxshm.ReadOnly) },
			"straight":        func() ref { return c.granted(obj, w) },
		} {
			m := f()
			equal(c, what, inChild(m), "EFAULT")
			c.isKept(what+", in the parent", "A", w.reads(m))
			c.revoke(obj, w.pid())
			equal(c, what+", revoked", inChild(m), "EFAULT")
		}
		equal(c, "mapped before it was revocable", inChild(before), "EOK")
	},
}

var revokeRaceCases = map[string]caseFunc{
	"revoke/at-return": func(c *trial) {
		w := c.worker()
		obj := c.revocable(1)
		seen := c.mapped(obj, qnxshm.ReadWrite)
		kinds := []string{"view", "copy", "word"}
		if raceDetector() {
			kinds = kinds[:2] // see LoadUint32
		}
		for range 5 {
			m := c.granted(obj, w)
			var busy []*call
			for i, kind := range kinds {
				c.must("reset", seen.StoreUint64(int64(i)*64, 0))
				busy = append(busy, w.start(request{Op: "busy", Name: kind, Ref: m, Offset: int64(i) * 64}))
			}
			count := func(i int) uint64 {
				n, err := seen.LoadUint64(int64(i) * 64)
				c.must("load", err)
				return n
			}
			for i, kind := range kinds {
				c.soon(kind, func() bool { return count(i) > 100 })
			}
			c.revokeFromBusy(obj, w.pid())
			var last []uint64
			for i := range kinds {
				last = append(last, count(i))
			}
			for i, kind := range kinds {
				_, err := busy[i].wait()
				equal(c, kind, nameOf(err), "ErrRevoked")
				equal(c, kind+" after shm_revoke has returned", count(i), last[i])
			}
		}
	},
	"revoke/concurrent": func(c *trial) {
		obj := c.revocable(1)
		for range 5 {
			m := c.mapped(obj, qnxshm.ReadOnly)
			pids := []int{-1, os.Getpid()}
			taken := map[string]reader{"own": own(m)}
			for i := range 3 {
				w := c.worker()
				pids = append(pids, w.pid())
				taken[fmt.Sprint("recipient ", i)] = w.reads(c.granted(obj, w))
			}
			c.same("shm_revoke", race(30, func(i int) error { return obj.Revoke(pids[i%len(pids)]) }), map[string]int{"EOK": 30})
			for what, read := range taken {
				c.isTaken(what, read)
			}
		}
	},
	"revoke/concurrent-objects": func(c *trial) {
		first, second := c.worker(), c.worker()
		var objects []*qnxshm.Object
		var taken []reader
		for range 8 {
			obj := c.revocable(1)
			objects = append(objects, obj)
			taken = append(taken, first.reads(c.granted(obj, first)), second.reads(c.granted(obj, second)))
		}
		c.same("shm_revoke", race(32, func(i int) error { return objects[i%8].Revoke([]int{first.pid(), second.pid(), -1, -1}[i/8]) }), map[string]int{"EOK": 32})
		for i, read := range taken {
			c.isTaken(fmt.Sprint(i), read)
		}
	},
	"revoke/race-map": func(c *trial) {
		creator, w := c.worker(), c.worker()
		theirs := creator.revocable(1)
		obj := c.revocable(1)
		passed := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		other := c.worker()
		for i := range 100 {
			// Another process maps while this one revokes.
			h := c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
			mapping := w.start(request{Op: "maphandle", Handle: h, Access: qnxshm.ReadOnly, Size: page})
			c.revoke(obj, w.pid())
			if r, err := mapping.wait(); err == nil {
				c.isTaken("recipient", w.reads(r.Ref))
				w.close(r.Ref)
			} else {
				c.fails("recipient", err, "ESRCH")
			}
			// This one maps while another revokes.
			r := creator.must(request{Op: "handle", Ref: theirs, PID: os.Getpid(), NoFD: true})
			revoking := creator.start(request{Op: "revoke", Ref: theirs, PID: os.Getpid()})
			m, err := qnxshm.Map(r.Handle, qnxshm.ReadOnly, page)
			if _, err := revoking.wait(); err != nil {
				c.errorf("worker: shm_revoke: %v", err)
			}
			if err == nil {
				c.isTaken("own", own(m))
				c.must("munmap", m.Unmap())
			} else {
				c.fails("own", err, "ESRCH")
			}
			// The handle is another process's.
			if i%2 == 0 {
				h = w.mustHandle(passed, other.pid(), qnxshm.ReadOnly)
				mapping = other.start(request{Op: "maphandle", Handle: h, Access: qnxshm.ReadOnly, Size: page})
				c.revoke(obj, other.pid())
				if r, err := mapping.wait(); err == nil {
					c.isTaken("third process", other.reads(r.Ref))
					other.close(r.Ref)
				} else {
					c.fails("third process", err, "ESRCH")
				}
			}
		}
	},
	"revoke/race-unmap": func(c *trial) {
		creator := c.worker()
		obj := creator.revocable(1)
		for range 50 {
			m := c.grantedBy(creator, obj)
			revoking := creator.start(request{Op: "revoke", Ref: obj, PID: os.Getpid()})
			var done sync.WaitGroup
			done.Add(1)
			go func() { defer done.Done(); own(m)() }()
			c.must("munmap", m.Unmap())
			_, err := revoking.wait()
			c.must("worker: shm_revoke", err)
			done.Wait()
		}
	},
	"revoke/race-end": func(c *trial) {
		obj := c.revocable(1)
		for range 10 {
			w, other := c.worker(), c.worker()
			c.granted(obj, w)
			m := c.granted(obj, other)
			go w.cmd.Process.Kill()
			w.mu.Lock()
			w.killed = true
			w.mu.Unlock()
			c.revoke(obj, -1)
			c.isTaken("who lives", other.reads(m))
			<-w.gone
		}
	},

	"revoke/recipient-stopped": func(c *trial) {
		c.hostOnly()
		w, other := c.worker(), c.worker()
		obj := c.revocable(1)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		m, theirs := w.mapWhole(got, qnxshm.ReadOnly), c.granted(obj, other)
		unused := c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		c.stopped(w)
		began := time.Now()
		c.pending("its pid", obj.Revoke(w.pid()), w.pid())
		c.lasted("its pid", began, time.Second/2, confirmTime)
		// Who has not answered is not waited for a second time.
		c.pending("all", obj.Revoke(-1), w.pid())
		c.lasted("both", began, time.Second/2, confirmTime)
		c.isTaken("who was not stopped", other.reads(theirs))
		c.must("let it go on", resume(w.cmd.Process))
		c.soon("the mapping goes", func() bool { _, err := w.read(m, 0, 1); return nameOf(err) == "ErrRevoked" })
		_, err := w.mapHandle(unused, qnxshm.ReadOnly, page)
		c.fails("unused handle", err, "ESRCH")
		c.revoke(obj, w.pid())
		c.isKept("mapped again", "A", w.reads(w.mapWhole(got, qnxshm.ReadOnly)))
	},
	"revoke/stopped-writer": func(c *trial) {
		c.hostOnly()
		w := c.worker()
		obj := c.revocable(1)
		seen := c.mapped(obj, qnxshm.ReadWrite)
		c.must("reset", seen.StoreUint64(0, 0))
		busy := w.start(request{Op: "busy", Name: "copy", Ref: c.granted(obj, w)})
		c.soon("work", func() bool { n, _ := seen.LoadUint64(0); return n > 100 })
		c.stopped(w)
		c.pending("shm_revoke", obj.Revoke(w.pid()), w.pid())
		c.must("let it go on", resume(w.cmd.Process))
		_, err := busy.wait() // without anybody asking again
		equal(c, "its work", nameOf(err), "ErrRevoked")
	},
	"revoke/elsewhere-stopped": func(c *trial) {
		c.hostOnly()
		w, other := c.worker(), c.worker()
		obj := c.revocable(1)
		m, theirs := c.granted(obj, w), c.granted(obj, other)
		c.stopped(other)
		c.revoke(obj, w.pid())
		c.isTaken("whose pid it was", w.reads(m))
		c.must("let it go on", resume(other.cmd.Process))
		c.isKept("who was stopped", "A", other.reads(theirs))
	},
	"revoke/stopped-maker": func(c *trial) {
		c.hostOnly()
		passer, w := c.worker(), c.worker()
		obj := c.revocable(1)
		got := passer.mustOpen(c.handle(obj, passer.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		m := w.mustMapHandle(passer.mustHandle(got, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)
		h := passer.mustHandle(got, w.pid(), qnxshm.ReadOnly)
		c.stopped(passer)
		c.pending("shm_revoke", obj.Revoke(w.pid()), passer.pid())
		c.isTaken("recipient's mapping", w.reads(m))
		c.must("let it go on", resume(passer.cmd.Process))
		_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
		c.fails("its handle", err, "ESRCH")
		c.revoke(obj, w.pid())
	},
	"revoke/stopped-killed": func(c *trial) {
		c.hostOnly()
		w := c.worker()
		obj := c.revocable(1)
		c.granted(obj, w)
		c.stopped(w)
		result := make(chan error)
		go func() { result <- obj.Revoke(w.pid()) }()
		w.kill() // before, or while, or after it is waited for
		if err := <-result; err != nil && !errors.Is(err, qnxshm.ErrRevokePending) {
			c.errorf("shm_revoke while it is killed: %v", err)
		}
		c.revoke(obj, w.pid())
		c.revoke(obj, -1)
	},
}
