package shmtest

import (
	"errors"
	"math"
	"os"
	"runtime/debug"
	"sync/atomic"

	"github.com/go-qnx/shm/qnxshm"
)

// sink keeps the compiler from dropping a load.
func sink(b byte) { sunk.Store(uint32(b)) }

var sunk atomic.Uint32

// faults reports whether a load from b[i] is a fault.
func faults(b []byte, i int64) (fault bool) {
	defer func() { fault = recover() != nil }()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	sink(b[i])
	return false
}

var mapCases = map[string]caseFunc{
	"map/read-only-descriptor": func(c *trial) {
		obj := c.object(page)
		c.errno("own handle", mapErr(c.withAccess(obj, qnxshm.ReadOnly), qnxshm.ReadWrite, 0, page))
		w := c.worker()
		h := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		c.errno("handle of another", mapErr(c.open(h, qnxshm.ReadOnly), qnxshm.ReadWrite, 0, page))
		// A handle for more does not matter, only how it was opened.
		more := c.open(c.handle(obj, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadOnly)
		c.errno("read-write handle", mapErr(more, qnxshm.ReadWrite, 0, page))
		_, name := c.named(page)
		c.errno("named", mapErr(c.openNamed(name, os.O_RDONLY), qnxshm.ReadWrite, 0, page))
	},
	"map/write-only-descriptor": func(c *trial) {
		obj := c.withAccess(c.object(page), qnxshm.WriteOnly)
		c.errno("to read", mapErr(obj, qnxshm.ReadOnly, 0, page))
		c.errno("to read and write", mapErr(obj, qnxshm.ReadWrite, 0, page))
	},
	"map/write-only-access": func(c *trial) {
		obj := c.object(page)
		c.errno("read-write descriptor", mapErr(obj, qnxshm.WriteOnly, 0, page))
		c.errno("write-only descriptor", mapErr(c.withAccess(obj, qnxshm.WriteOnly), qnxshm.WriteOnly, 0, page))
	},
	"map/access-illegal": func(c *trial) {
		obj := c.object(page)
		for _, access := range illegalAccess {
			c.errno(access.String(), mapErr(obj, access, 0, page))
		}
	},
	"map/length-zero": func(c *trial) {
		obj := c.object(2 * page)
		c.errno("at the start", mapErr(obj, qnxshm.ReadOnly, 0, 0))
		c.errno("inside", mapErr(obj, qnxshm.ReadOnly, page, 0))
	},
	"map/length-negative": func(c *trial) {
		obj := c.object(2 * page)
		c.errno("-1", mapErr(obj, qnxshm.ReadOnly, 0, -1))
		c.errno("one page", mapErr(obj, qnxshm.ReadOnly, page, -page))
		c.errno("smallest", mapErr(obj, qnxshm.ReadOnly, 0, math.MinInt64))
	},
	"map/empty-object": func(c *trial) {
		m, err := c.object(0).Map(qnxshm.ReadOnly)
		if err == nil {
			m.Unmap()
		}
		c.errno("Map", err)
	},
	"map/offset-unaligned": func(c *trial) {
		obj := c.object(4 * page)
		for _, offset := range []int64{1, 512, page - 1, page + 1} {
			c.errno("offset", mapErr(obj, qnxshm.ReadOnly, offset, page))
		}
	},
	"map/offset-negative": func(c *trial) {
		obj := c.object(4 * page)
		c.errno("one page", mapErr(obj, qnxshm.ReadOnly, -page, page))
		c.errno("-1", mapErr(obj, qnxshm.ReadOnly, -1, page))
		c.errno("smallest", mapErr(obj, qnxshm.ReadOnly, math.MinInt64, page))
	},
	"map/not-open": func(c *trial) {
		obj, err := qnxshm.NewObject(math.MaxInt32)
		c.must("NewObject", err)
		defer obj.Close()
		c.errno("MapRange", mapErr(obj, qnxshm.ReadOnly, 0, page))
		_, err = obj.Map(qnxshm.ReadOnly)
		c.errno("Map", err)
	},
	"map/protect-more": func(c *trial) {
		obj := c.object(page)
		m := c.mapped(c.withAccess(obj, qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.errno("a read-only descriptor", c.portable(protect(m.Bytes(), true)))
		direct, err := qnxshm.Map(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)
		c.must("map a handle", err)
		c.ownedMapping(direct)
		c.errno("a read-only handle", protect(direct.Bytes(), true))
		writer := c.mapped(obj, qnxshm.ReadOnly)
		c.must("a writable descriptor", protect(writer.Bytes(), true))
	},
	"map/protect-nothing": func(c *trial) {
		c.errno("mprotect", c.portable(protectNowhere()))
	},
	"map/sync-nothing": func(c *trial) {
		c.errno("msync", c.portable(syncNowhere()))
	},
	"map/sync-both": func(c *trial) {
		m := c.mapped(c.object(page), qnxshm.ReadWrite)
		c.errno("msync", c.portable(syncBothWays(m.Bytes())))
	},
	"map/fd-negative": func(c *trial) {
		obj, err := qnxshm.NewObject(-1)
		if err == nil {
			defer obj.Close()
			err = mapErr(obj, qnxshm.ReadOnly, 0, page)
		}
		c.errno("-1", err)
	},
	"map/offset": func(c *trial) {
		obj := c.lettered(4)
		m := c.mappedRange(obj, qnxshm.ReadWrite, 2*page, page)
		equal(c, "length", int64(m.Len()), page)
		equal(c, "contents", c.readFrom(m, 0, int(page)), letters('C'))
		c.writeTo(m, 0, text)
		equal(c, "in the object", c.read(obj, 2*page, len(text)), text)
	},
	"map/far": func(c *trial) {
		obj := c.large(2*large + page)
		c.writeTo(c.mappedRange(obj, qnxshm.ReadWrite, 2*large, page), 0, text)
		m := c.mappedRange(obj, qnxshm.ReadOnly, large, large+page)
		equal(c, "length", int64(m.Len()), large+page)
		equal(c, "contents", c.readFrom(m, large, len(text)), text)
	},
	"map/protection": func(c *trial) {
		obj := c.object(page)
		for access, want := range map[qnxshm.Access]string{qnxshm.ReadOnly: "r--s", qnxshm.ReadWrite: "rw-s"} {
			c.must("View", c.mapped(obj, access).View(func(b []byte) error {
				got, err := protection(b)
				if errors.Is(err, errors.ErrUnsupported) {
					c.skipf("nothing portable tells the protection of memory")
				}
				equal(c, access.String(), got, want)
				return err
			}))
		}
	},
	"map/survives-close": func(c *trial) {
		obj := c.object(page)
		first, second := c.mapped(obj, qnxshm.ReadWrite), c.mapped(obj, qnxshm.ReadOnly)
		obj.Close()
		c.writeTo(first, 0, text)
		equal(c, "contents", c.readFrom(second, 0, len(text)), text)
	},
	"map/unmapped": func(c *trial) {
		m := c.mapped(c.object(3*page), qnxshm.ReadOnly)
		b := m.Bytes()
		if faults(b, 2*page) {
			c.errorf("the last page cannot be read")
		}
		c.must("unmap", m.Unmap())
		if !faults(b, 2*page) {
			c.errorf("the last page is still there")
		}
		if !faults(b, 0) {
			c.errorf("the first page is still there")
		}
		c.must("unmap again", m.Unmap())
	},
	"map/unmapped-large": func(c *trial) {
		m := c.mapped(c.large(large+2*page), qnxshm.ReadOnly)
		var b []byte
		c.must("view", m.View(func(view []byte) error { b = view; return nil }))
		c.must("unmap", m.Unmap())
		for _, at := range []int64{0, page, large - page, large, large + page} {
			if !faults(b, at) {
				c.errorf("the memory at %#x is still there", at)
			}
		}
	},
	"map/longer-than-object": func(c *trial) {
		obj := c.object(page)
		m := c.mappedRange(obj, qnxshm.ReadWrite, 0, 3*page)
		c.writeTo(m, page-1, "x")
		_, err := m.ReadAt(make([]byte, 1), page)
		c.truncated("ReadAt", err)
		c.truncated("View", m.View(func(b []byte) error { sink(b[2*page]); return nil }))
		c.must("grow", obj.Truncate(2*page))
		equal(c, "after it has grown", c.readFrom(m, page-1, 2), "x\x00")
		_, err = m.ReadAt(make([]byte, 1), 2*page)
		c.truncated("past the new end", err)
	},
	"map/shrunk": func(c *trial) {
		obj := c.lettered(3)
		m := c.mapped(obj, qnxshm.ReadWrite)
		c.must("shrink", obj.Truncate(page))
		equal(c, "what is left", c.readFrom(m, page-1, 1), "A")
		_, err := m.ReadAt(make([]byte, 2), page-1)
		c.truncated("ReadAt across the end", err)
		_, err = m.WriteAt([]byte("x"), 2*page)
		c.truncated("WriteAt", err)
		c.truncated("load in View", m.View(func(b []byte) error { sink(b[page]); return nil }))
		c.truncated("store in View", m.View(func(b []byte) error { b[page] = 1; return nil }))
		c.truncated("copy in View", m.View(func(b []byte) error { copy(make([]byte, page), b[page:]); return nil }))
		equal(c, "what is still left", c.readFrom(m, 0, 1), "A")
	},
	"map/shrunk-by-other": func(c *trial) {
		w := c.worker()
		obj := c.object(2 * page)
		m := c.mapped(obj, qnxshm.ReadOnly)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		w.must(request{Op: "truncate", Ref: got, Size: 0})
		_, err := m.ReadAt(make([]byte, 1), 0)
		c.truncated("ReadAt", err)
	},
}
