package shmtest

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

func controlErr(obj *qnxshm.Object, flags qnxshm.ControlFlags, paddr, size uint64) error {
	_, err := obj.Control(flags, paddr, size)
	return err
}

// control changes an object, which has to succeed.
func (c *trial) control(obj *qnxshm.Object, flags qnxshm.ControlFlags, size int64) {
	c.must("shm_ctl", controlErr(obj, flags, 0, uint64(size)))
}

// sealed makes an object of letters that nobody can resize.
func (c *trial) sealed(pages int64) *qnxshm.Object {
	obj := c.lettered(pages)
	c.must("seal", obj.Seal())
	return obj
}

// flagged are the flags whose meaning is the same on every system.
const flagged = qnxshm.ControlSeal | qnxshm.ControlRevocable

// hasFlags checks which of the flagged an object has.
func (c *trial) hasFlags(what string, obj *qnxshm.Object, want qnxshm.ControlFlags) {
	flags, err := obj.Flags()
	c.must(what+": flags", err)
	equal(c, what+": flags", flags&flagged, want)
}

// reopen opens an object once more through /proc.
func reopen(obj *qnxshm.Object, flags int) (*os.File, error) {
	return os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fdOf(obj)), flags, 0)
}

// shrinkings are the ways to make an object smaller.
func shrinkings(obj *qnxshm.Object) map[string]func() error {
	ways := map[string]func() error{
		"ftruncate 0":       func() error { return obj.Truncate(0) },
		"ftruncate a page":  func() error { return obj.Truncate(page) },
		"SHMCTL_ANON":       func() error { return controlErr(obj, qnxshm.ControlAnonymous, 0, uint64(page)) },
		"SHMCTL_LAZY":       func() error { return controlErr(obj, qnxshm.ControlAnonymous|qnxshm.ControlLazy, 0, 0) },
		"SHMCTL_SEAL again": func() error { return controlErr(obj, qnxshm.ControlAnonymous|qnxshm.ControlSeal, 0, 0) },
	}
	if target {
		return ways
	}
	ways["O_TRUNC through /proc"] = func() error {
		f, err := reopen(obj, os.O_RDWR|os.O_TRUNC)
		if err == nil {
			f.Close()
		}
		return err
	}
	ways["ftruncate through /proc"] = func() error {
		f, err := reopen(obj, os.O_RDWR)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Truncate(0)
	}
	return ways
}

var controlCases = map[string]caseFunc{
	"control/anonymous": func(c *trial) {
		for _, size := range []int64{page, 3 * page, 64 * page} {
			obj := c.object(0)
			c.control(obj, qnxshm.ControlAnonymous, size)
			equal(c, "size", c.size(obj), size)
			c.zeroes(obj)
			c.write(obj, size-1, "x")
		}
		obj, _ := c.named(0)
		c.control(obj, qnxshm.ControlAnonymous, 2*page)
		equal(c, "size of a named one", c.size(obj), 2*page)
	},
	"control/lazy": func(c *trial) {
		obj := c.object(0)
		c.control(obj, qnxshm.ControlAnonymous|qnxshm.ControlLazy, 64*page)
		equal(c, "size", c.size(obj), 64*page)
		c.zeroes(obj)
	},
	"control/extends": func(c *trial) {
		obj := c.object(0)
		c.control(obj, qnxshm.ControlAnonymous, page)
		c.write(obj, 0, text)
		c.control(obj, qnxshm.ControlAnonymous, 4*page)
		equal(c, "size", c.size(obj), 4*page)
		equal(c, "contents", c.read(obj, 0, len(text)), text)
		c.write(obj, 4*page-1, "x")
	},
	"control/smaller": func(c *trial) {
		obj := c.object(0)
		c.control(obj, qnxshm.ControlAnonymous, 3*page)
		c.write(obj, 3*page-1, "x")
		for _, size := range []int64{2 * page, page, 3 * page} {
			c.control(obj, qnxshm.ControlAnonymous, size)
			equal(c, "size", c.size(obj), 3*page)
		}
		equal(c, "contents", c.read(obj, 3*page-1, 1), "x")
	},
	"control/extends-offset": func(c *trial) {
		for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlAnonymous, qnxshm.ControlAnonymous | qnxshm.ControlLazy} {
			obj := c.object(0)
			c.control(obj, qnxshm.ControlAnonymous, page)
			_, err := c.file(obj).Seek(page, io.SeekStart)
			c.must("lseek", err)
			c.control(c.duplicate(obj), flags, 2*page)
			equal(c, "size", c.size(obj), 3*page)
			c.control(obj, flags, page)
			equal(c, "size after a smaller one", c.size(obj), 3*page)
		}
	},
	"control/sized-before": func(c *trial) {
		obj := c.lettered(2)
		c.control(obj, qnxshm.ControlAnonymous, 3*page)
		equal(c, "size", c.size(obj), 3*page)
		equal(c, "contents", c.read(obj, 0, int(2*page)), letters('A')+letters('B'))
		c.control(obj, qnxshm.ControlAnonymous, page)
		equal(c, "size after a smaller one", c.size(obj), 3*page)
	},
	"control/by-recipient": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.must("worker: shm_ctl", w.control(got, qnxshm.ControlAnonymous, 2*page))
		equal(c, "size", c.size(obj), 2*page)
		c.must("worker: shm_ctl", w.control(got, qnxshm.ControlSeal, 0))
		c.hasFlags("creator's", obj, qnxshm.ControlSeal)
	},
	"control/read-only": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		reader := c.withAccess(obj, qnxshm.ReadOnly)
		for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlSeal, qnxshm.ControlRevocable, qnxshm.ControlAnonymous} {
			c.errno("own", controlErr(reader, flags, 0, 0))
			c.errno("write-only", controlErr(c.withAccess(obj, qnxshm.WriteOnly), flags, 0, 0))
		}
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.errno("recipient", w.control(got, qnxshm.ControlSeal, 0))
		c.errno("recipient extends", w.control(got, qnxshm.ControlAnonymous, 2*page))
		if !target { // which may have let somebody
			c.hasFlags("afterwards", obj, 0)
			equal(c, "size", c.size(obj), page)
		}
	},
	"control/window": func(c *trial) {
		obj := c.object(4 * page)
		win := c.windowHere(obj, qnxshm.ReadWrite, 2*page, page)
		c.errno("SHMCTL_SEAL", win.Seal())
		c.errno("SHMCTL_REVOCABLE", controlErr(win, qnxshm.ControlRevocable, 0, 0))
		c.errno("SHMCTL_ANON", controlErr(win, qnxshm.ControlAnonymous, 0, uint64(8*page)))
		c.errno("duplicate", c.duplicate(win).Seal())
		equal(c, "size of the window", c.size(win), 2*page)
		equal(c, "size of the object", c.size(obj), 4*page)
		c.hasFlags("object", obj, 0)
	},
	"control/fd-not-open": func(c *trial) {
		for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlSeal, qnxshm.ControlAnonymous, qnxshm.ControlGetFlags} {
			_, err := qnxshm.Control(math.MaxInt32, flags, 0, 0)
			c.errno("fd", err)
		}
	},
	"control/fd-outside": func(c *trial) {
		for _, fd := range append(wide(fdOf(c.object(page))), -1, -2, math.MinInt32) {
			_, err := qnxshm.Control(fd, qnxshm.ControlSeal, 0, 0)
			c.errno("fd", err)
		}
	},
	"control/fd-other": func(c *trial) {
		for _, f := range c.notMemory() {
			for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlSeal, qnxshm.ControlGetFlags} {
				_, err := qnxshm.Control(int(f.Fd()), flags, 0, 0)
				c.errno(f.Name(), err)
			}
		}
	},
	"control/flags-none": func(c *trial) {
		obj := c.object(page)
		c.errno("0", controlErr(obj, 0, 0, 0))
		c.errno("0 with a size", controlErr(obj, 0, 0, uint64(2*page)))
		c.errno("a hint", controlErr(obj, nto.ControlLowerProt, 0, 0))
	},
	"control/flags-unknown": func(c *trial) {
		obj := c.object(page)
		for _, flags := range []qnxshm.ControlFlags{0x100, 0x10000, 1 << 30, 1 << 31} {
			c.errno(fmt.Sprintf("%#x", uint32(flags)), controlErr(obj, flags, 0, 0))
			c.errno(fmt.Sprintf("%#x and SHMCTL_ANON", uint32(flags)), controlErr(obj, flags|qnxshm.ControlAnonymous, 0, uint64(2*page)))
		}
		equal(c, "size", c.size(obj), page)
	},
	"control/lazy-alone": func(c *trial) {
		obj := c.object(page)
		c.errno("alone", controlErr(obj, qnxshm.ControlLazy, 0, uint64(page)))
		c.errno("with SHMCTL_SEAL", controlErr(obj, qnxshm.ControlLazy|qnxshm.ControlSeal, 0, 0))
	},
	"control/get-flags-and-more": func(c *trial) {
		obj := c.object(page)
		for _, more := range []qnxshm.ControlFlags{qnxshm.ControlSeal, qnxshm.ControlRevocable, qnxshm.ControlAnonymous} {
			c.errno("flags", controlErr(obj, qnxshm.ControlGetFlags|more, 0, 0))
		}
	},
	"control/size-unused": func(c *trial) {
		obj := c.object(page)
		for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlRevocable, qnxshm.ControlGetFlags, qnxshm.ControlSeal} {
			c.errno("flags", controlErr(obj, flags, 0, uint64(page)))
		}
	},
	"control/address-unused": func(c *trial) {
		obj := c.object(page)
		for _, flags := range []qnxshm.ControlFlags{qnxshm.ControlRevocable, qnxshm.ControlGetFlags, qnxshm.ControlAnonymous, qnxshm.ControlSeal} {
			c.errno("flags", controlErr(obj, flags, uint64(page), 0))
		}
	},
	"control/size-too-large": func(c *trial) {
		obj := c.object(page)
		for _, size := range []uint64{1 << 63, math.MaxUint64} {
			c.errno("size", controlErr(obj, qnxshm.ControlAnonymous, 0, size))
			c.errno("size, lazy", controlErr(obj, qnxshm.ControlAnonymous|qnxshm.ControlLazy, 0, size))
		}
		equal(c, "size", c.size(obj), page)
	},
	"control/hardware": func(c *trial) {
		c.hostOnly()
		obj := c.object(0)
		for _, flags := range []qnxshm.ControlFlags{
			qnxshm.ControlPhysical,
			qnxshm.ControlPhysical | qnxshm.ControlAnonymous,
			qnxshm.ControlTypedMemory | qnxshm.ControlAnonymous | qnxshm.ControlPhysical,
			qnxshm.ControlAnonymous | nto.ControlRepeat,
			qnxshm.ControlAnonymous | nto.ControlHasSpecial,
		} {
			err := controlErr(obj, flags, 0, uint64(page))
			c.errno(fmt.Sprintf("%#x", uint32(flags)), err)
			if err != nil && !strings.Contains(err.Error(), "target") {
				c.errorf("the text does not say that a target has it: %v", err)
			}
		}
		equal(c, "size", c.size(obj), 0)
	},
	"control/hints": func(c *trial) {
		obj := c.object(0)
		for i, hint := range []qnxshm.ControlFlags{nto.ControlLowerProt, nto.ControlLazyWrite, nto.ControlHighUsage, nto.ControlNoDefrag} {
			size := int64(i+1) * page
			c.control(obj, qnxshm.ControlAnonymous|hint, size)
			equal(c, "size", c.size(obj), size)
		}
	},
	"control/order-flags-fd": func(c *trial) {
		_, err := qnxshm.Control(-1, 0, 0, 0)
		c.errno("no flags, fd -1", err)
		_, err = qnxshm.Control(-1, 0x10000, 0, 0)
		c.errno("unknown flags, fd -1", err)
	},
	"control/get-flags": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		check := func(what string, want qnxshm.ControlFlags) {
			c.hasFlags(what, obj, want)
			c.hasFlags(what+", duplicate", c.duplicate(obj), want)
			theirs := qnxshm.ControlFlags(w.must(request{Op: "flags", Ref: got}).N)
			equal(c, what+", recipient: flags", theirs&flagged, want)
		}
		check("new", 0)
		c.control(obj, qnxshm.ControlRevocable, 0)
		check("revocable", qnxshm.ControlRevocable)
		c.control(obj, qnxshm.ControlRevocable, 0)
		check("still", qnxshm.ControlRevocable)
		c.control(obj, qnxshm.ControlSeal, 0)
		check("sealed", qnxshm.ControlRevocable|qnxshm.ControlSeal)
		c.hasFlags("another object", c.object(page), 0)
	},
	"control/get-flags-reader": func(c *trial) {
		obj := c.sealed(1)
		c.hasFlags("own", c.withAccess(obj, qnxshm.ReadOnly), qnxshm.ControlSeal)
		w := c.worker()
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		flags := qnxshm.ControlFlags(w.must(request{Op: "flags", Ref: got}).N)
		equal(c, "recipient's flags", flags&flagged, qnxshm.ControlSeal)
	},
	"control/get-flags-part": func(c *trial) {
		obj := c.object(4 * page)
		win := c.windowHere(obj, qnxshm.ReadOnly, page, page)
		c.hasFlags("window", win, 0)
		c.must("seal", obj.Seal())
		c.hasFlags("window of a sealed object", win, qnxshm.ControlSeal)
	},
	"control/revocable": func(c *trial) {
		obj := c.lettered(2)
		m := c.mapped(obj, qnxshm.ReadWrite)
		c.control(obj, qnxshm.ControlRevocable, 0)
		c.hasFlags("marked", obj, qnxshm.ControlRevocable)
		c.holds("marked", obj, "AB")
		c.writeTo(m, 0, text)
		equal(c, "contents", c.read(obj, 0, len(text)), text)
		c.must("resize", obj.Truncate(3*page))
		c.opensHere(c.handle(obj, os.Getpid(), qnxshm.ReadOnly))
		c.hasFlags("resized", obj, qnxshm.ControlRevocable)
	},
	"control/revocable-recipient": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.errno("recipient", w.control(got, qnxshm.ControlRevocable, 0))
		c.errno("recipient, seal too", w.control(got, qnxshm.ControlRevocable|qnxshm.ControlSeal, 0))
		opened := c.open(w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.errno("own", opened.MakeRevocable())
		if !target {
			c.hasFlags("object", obj, 0)
		}
	},
	"control/revocable-named": func(c *trial) {
		obj, name := c.named(page)
		c.errno("creator", obj.MakeRevocable())
		c.errno("opened by name", c.openNamed(name, os.O_RDWR).MakeRevocable())
		w := c.worker()
		theirs := w.must(request{Op: "named", Name: name, N: os.O_RDWR}).Ref
		c.errno("opened by name elsewhere", w.control(theirs, qnxshm.ControlRevocable, 0))
		if !target {
			c.hasFlags("object", obj, 0)
			c.fails("shm_revoke", obj.Revoke(-1), "EINVAL")
		}
	},
	"control/all-at-once": func(c *trial) {
		obj := c.object(0)
		c.control(obj, qnxshm.ControlAnonymous|qnxshm.ControlRevocable|qnxshm.ControlSeal, 2*page)
		c.hasFlags("object", obj, flagged)
		equal(c, "size", c.size(obj), 2*page)
		c.fails("resize", obj.Truncate(page), "EPERM")
		c.write(obj, 2*page-1, "x")
	},
}

var sealCases = map[string]caseFunc{
	"seal/new-object": func(c *trial) {
		obj := c.object(0)
		c.control(obj, qnxshm.ControlAnonymous|qnxshm.ControlSeal, 2*page)
		c.hasFlags("object", obj, qnxshm.ControlSeal)
		equal(c, "size", c.size(obj), 2*page)
		c.fails("resize", obj.Truncate(page), "EPERM")
	},
	"seal/shrink-or-grow": func(c *trial) {
		obj := c.sealed(3)
		dup := c.duplicate(obj)
		again := c.withAccess(obj, qnxshm.ReadWrite)
		for _, size := range []int64{0, 1, page, 3*page - 1, 3*page + 1, 4 * page} {
			c.errno("creator", obj.Truncate(size))
			c.errno("duplicate", dup.Truncate(size))
			c.errno("own handle", again.Truncate(size))
		}
		equal(c, "size", c.size(obj), 3*page)
	},
	"seal/recipient-resizes": func(c *trial) {
		w := c.worker()
		obj := c.lettered(2)
		before := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		unused := c.handle(obj, w.pid(), qnxshm.ReadWrite)
		c.must("seal", obj.Seal())
		after := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		for _, size := range []int64{0, page, 3 * page} {
			c.errno("opened before", w.truncate(before, size))
			c.errno("opened after", w.truncate(after, size))
		}
		c.errno("made before, opened after", w.truncate(w.mustOpen(unused, qnxshm.ReadWrite), 0))
		equal(c, "size", c.size(obj), 2*page)
	},
	"seal/extend": func(c *trial) {
		obj := c.sealed(1)
		for _, size := range []int64{2 * page, page, 0} {
			c.errno("SHMCTL_ANON", controlErr(obj, qnxshm.ControlAnonymous, 0, uint64(size)))
			c.errno("SHMCTL_LAZY", controlErr(obj, qnxshm.ControlAnonymous|qnxshm.ControlLazy, 0, uint64(size)))
		}
		equal(c, "size", c.size(obj), page)
	},
	"seal/recipient-extends": func(c *trial) {
		w := c.worker()
		obj := c.sealed(1)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.errno("SHMCTL_ANON", w.control(got, qnxshm.ControlAnonymous, 2*page))
		equal(c, "size", c.size(obj), page)
	},
	"seal/revocable-after": func(c *trial) {
		obj := c.sealed(1)
		c.errno("creator", controlErr(obj, qnxshm.ControlRevocable, 0, 0))
		w := c.worker()
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.errno("recipient", w.control(got, qnxshm.ControlRevocable, 0))
		c.hasFlags("afterwards", obj, qnxshm.ControlSeal)
	},
	"seal/twice": func(c *trial) {
		obj := c.sealed(1)
		c.errno("creator", obj.Seal())
		w := c.worker()
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.errno("recipient", w.control(got, qnxshm.ControlSeal, 0))
	},
	"seal/by-recipient": func(c *trial) {
		w := c.worker()
		obj := c.lettered(2)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.must("worker: seal", w.control(got, qnxshm.ControlSeal, 0))
		c.fails("creator shrinks", obj.Truncate(page), "EPERM")
		c.fails("creator extends", controlErr(obj, qnxshm.ControlAnonymous, 0, uint64(3*page)), "EPERM")
		w.kill()
		c.fails("creator shrinks, recipient gone", obj.Truncate(0), "EPERM")
		c.holds("afterwards", obj, "AB")
	},
	"seal/contents": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		old := c.mapped(obj, qnxshm.ReadWrite)
		theirs := w.mapWhole(w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite), qnxshm.ReadWrite)
		c.must("seal", obj.Seal())
		c.writeTo(old, 0, text)
		equal(c, "recipient reads", w.mustRead(theirs, 0, len(text)), text)
		w.write(theirs, 0, "back")
		equal(c, "creator reads", c.read(obj, 0, 4), "back")
		c.write(obj, 0, "more")
		again := w.mapWhole(w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite), qnxshm.ReadWrite)
		equal(c, "recipient reads again", w.mustRead(again, 0, 4), "more")
		w.write(again, page-1, "x")
		equal(c, "creator reads again", c.readFrom(old, page-1, 1), "x")
	},
	"seal/handles": func(c *trial) {
		obj := c.sealed(2)
		for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.WriteOnly, qnxshm.ReadWrite} {
			c.withAccess(obj, access)
		}
		c.fails("write through a read-only one", mapErr(c.withAccess(obj, qnxshm.ReadOnly), qnxshm.ReadWrite, 0, page), "EACCES")
		c.holds("read-only", c.withAccess(obj, qnxshm.ReadOnly), "AB")
		got := c.withAccess(obj, qnxshm.ReadWrite)
		c.write(got, 0, text)
		equal(c, "contents", c.read(obj, 0, len(text)), text)
	},
	"seal/empty": func(c *trial) {
		obj := c.object(0)
		c.must("seal", obj.Seal())
		c.fails("grow", obj.Truncate(page), "EPERM")
		c.fails("extend", controlErr(obj, qnxshm.ControlAnonymous, 0, uint64(page)), "EPERM")
		equal(c, "size", c.size(obj), 0)
	},
	"seal/named": func(c *trial) {
		obj, _ := c.named(page)
		c.errno("SHMCTL_SEAL", obj.Seal())
	},
	"seal/reopened": func(c *trial) {
		c.hostOnly()
		obj := c.sealed(3)
		for what, shrink := range shrinkings(obj) {
			c.errno(what, shrink())
		}
		f, err := reopen(obj, os.O_RDWR)
		c.must("open again", err)
		defer f.Close()
		for _, size := range []int64{0, page, 4 * page} {
			c.errno("resize", f.Truncate(size))
		}
		equal(c, "size", c.size(obj), 3*page)
	},
	"seal/recipient-safe": func(c *trial) {
		creator := c.worker()
		theirs := creator.create(3 * page)
		creator.write(theirs, 0, text)
		creator.write(theirs, 3*page-1, "x")
		c.must("worker: seal", creator.control(theirs, qnxshm.ControlSeal, 0))
		opened := c.open(creator.mustHandle(theirs, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		m := c.mapped(opened, qnxshm.ReadOnly)
		direct := c.direct(creator.mustHandle(theirs, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, 3*page)
		intact := func(when string) {
			for what, m := range map[string]*qnxshm.Mapping{"mapping": m, "direct mapping": direct} {
				equal(c, when+": start of the "+what, c.readFrom(m, 0, len(text)), text)
				equal(c, when+": end of the "+what, c.readFrom(m, 3*page-1, 1), "x")
			}
			equal(c, when+": size", c.size(opened), 3*page)
		}
		intact("at first")
		r := creator.must(request{Op: "shrink", Ref: theirs})
		delete(r.Counts, "EPERM")
		if !target && len(r.Counts) > 0 {
			c.errorf("the creator's attempts: %v, want EPERM only", r.Counts)
		}
		intact("after the creator's attempts")
		creator.kill()
		intact("after the creator's end")
		c.fails("recipient shrinks", opened.Truncate(0), "EPERM")
		intact("after its own attempt")
	},
}
