package shmtest

import (
	"errors"
	"math"
	"os"
	"strings"

	"github.com/go-qnx/shm/qnxshm"
)

// lettered makes an object in which every page is full of one letter, "A" in
// the first.
func (c *trial) lettered(pages int64) *qnxshm.Object {
	obj := c.object(pages * page)
	for i := range pages {
		c.write(obj, i*page, letters('A'+byte(i)))
	}
	return obj
}

func letters(letter byte) string { return strings.Repeat(string(letter), int(page)) }

// windowHere makes a window for this process.
func (c *trial) windowHere(obj *qnxshm.Object, access qnxshm.Access, size, offset int64) *qnxshm.Object {
	return c.open(c.part(obj, os.Getpid(), access, size, offset), access)
}

// holds checks that an object is exactly the pages of these letters.
func (c *trial) holds(what string, obj *qnxshm.Object, want string) {
	equal(c, what+": size", c.size(obj), int64(len(want))*page)
	m := c.mapped(obj, qnxshm.ReadOnly)
	for i := range want {
		if c.readFrom(m, int64(i)*page, int(page)) != letters(want[i]) {
			c.errorf("%s: page %d is not all %c", what, i, want[i])
		}
	}
}

// shows checks that a window is exactly the pages of these letters.
func (c *trial) shows(what string, obj *qnxshm.Object, want string) {
	c.holds(what, obj, want)
	c.fails(what+": map one page more", mapErr(obj, qnxshm.ReadOnly, 0, int64(len(want)+1)*page), "ENXIO")
}

var subrangeCases = map[string]caseFunc{
	"subrange/size-unaligned": func(c *trial) {
		obj := c.object(4 * page)
		for _, size := range []int64{1, page - 1, page + 1, page + 512} {
			c.errno("size", partErr(obj, size, 0))
		}
	},
	"subrange/offset-unaligned": func(c *trial) {
		obj := c.object(4 * page)
		for _, offset := range []int64{1, page - 1, page + 1, 512} {
			c.errno("offset", partErr(obj, page, offset))
		}
	},
	"subrange/size-zero": func(c *trial) {
		obj := c.object(4 * page)
		c.errno("at the start", partErr(obj, 0, 0))
		c.errno("inside", partErr(obj, 0, page))
		c.errno("at the end", partErr(obj, 0, 4*page))
	},
	"subrange/size-negative": func(c *trial) {
		obj := c.object(4 * page)
		c.errno("one page", partErr(obj, -page, 2*page))
		c.errno("smallest", partErr(obj, math.MinInt64, 0))
	},
	"subrange/offset-negative": func(c *trial) {
		obj := c.object(4 * page)
		c.errno("one page", partErr(obj, page, -page))
		c.errno("smallest", partErr(obj, page, math.MinInt64))
	},
	"subrange/past-end": func(c *trial) {
		obj := c.object(4 * page)
		c.errno("too long", partErr(obj, 5*page, 0))
		c.errno("half outside", partErr(obj, 2*page, 3*page))
		c.errno("behind the end", partErr(obj, page, 4*page))
		c.errno("empty object", partErr(c.object(0), page, 0))
	},
	"subrange/past-partial-page": func(c *trial) {
		obj := c.object(page + page/2)
		c.errno("two pages", partErr(obj, 2*page, 0))
		c.opensHere(c.part(obj, os.Getpid(), qnxshm.ReadOnly, page, 0))
	},
	"subrange/overflow": func(c *trial) {
		obj := c.object(4 * page)
		last := math.MaxInt64 - math.MaxInt64%page
		c.errno("offset", partErr(obj, page, last))
		c.errno("size", partErr(obj, last, page))
		c.errno("both", partErr(obj, last, last))
	},
	"subrange/access-bad": func(c *trial) {
		obj := c.object(page)
		for _, access := range illegalAccess {
			_, err := qnxshm.CreateSubrangeHandle(fdOf(obj), os.Getpid(), access, 0, page, 0)
			c.errno(access.String(), err)
		}
		_, err := qnxshm.CreateSubrangeHandle(-1, os.Getpid(), 3, 0, page, 0)
		c.errno("access 3, fd -1", err)
	},
	"subrange/options-bad": func(c *trial) {
		obj := c.object(page)
		for _, opts := range []qnxshm.HandleOptions{4, 0x100, 1 << 31} {
			_, err := qnxshm.CreateSubrangeHandle(fdOf(obj), os.Getpid(), qnxshm.ReadOnly, opts, page, 0)
			c.errno("options", err)
		}
	},
	"subrange/fd-bad": func(c *trial) {
		_, err := qnxshm.CreateSubrangeHandle(-1, os.Getpid(), qnxshm.ReadOnly, 0, page, 0)
		c.errno("fd -1", err)
		_, err = qnxshm.CreateSubrangeHandle(math.MaxInt32, noProcess, qnxshm.ReadOnly, 0, page, 0)
		c.errno("high fd, no pid", err)
	},
	"subrange/fd-out-of-range": func(c *trial) {
		obj := c.object(page)
		for _, fd := range append(wide(fdOf(obj)), math.MinInt32) {
			_, err := qnxshm.CreateSubrangeHandle(fd, os.Getpid(), qnxshm.ReadOnly, 0, page, 0)
			c.errno("fd", err)
		}
	},
	"subrange/mode": func(c *trial) {
		obj := c.withAccess(c.object(page), qnxshm.ReadOnly)
		_, err := qnxshm.CreateSubrangeHandle(fdOf(obj), os.Getpid(), qnxshm.ReadWrite, 0, page, 0)
		c.errno("O_RDWR", err)
	},
	"subrange/pid-bad": func(c *trial) {
		obj := c.object(page)
		for _, pid := range append(wide(os.Getpid()), 0, -1, noProcess) {
			_, err := qnxshm.CreateSubrangeHandle(fdOf(obj), pid, qnxshm.ReadOnly, 0, page, 0)
			c.errno("pid", err)
		}
	},
	"subrange/whole": func(c *trial) {
		obj := c.lettered(2)
		c.shows("part", c.windowHere(obj, qnxshm.ReadOnly, 2*page, 0), "AB")
	},
	"subrange/single-use": func(c *trial) {
		h := c.part(c.object(page), os.Getpid(), qnxshm.ReadOnly, page, 0)
		c.opensHere(h)
		c.errno("second open", openErr(h, qnxshm.ReadOnly))
	},
	"window/start": func(c *trial) {
		w := c.worker()
		obj := c.lettered(4)
		got := w.mustOpen(c.part(obj, w.pid(), qnxshm.ReadOnly, 2*page, page), qnxshm.ReadOnly)
		equal(c, "start", w.mustRead(got, 0, 3), "BBB")
		equal(c, "second page", w.mustRead(got, page-1, 2), "BC")
		_, err := w.read(got, 2*page, 1)
		c.fails("read past the window", err, "EOF")
	},
	"window/far": func(c *trial) {
		obj := c.large(2*large + 2*page)
		for _, end := range []int64{large + page, 2*large + page} {
			m := c.mappedRange(obj, qnxshm.ReadWrite, end, page)
			c.writeTo(m, 0, text)
		}
		w := c.windowHere(obj, qnxshm.ReadOnly, large+page, large+page)
		equal(c, "size", c.size(w), large+page)
		equal(c, "start", c.readFrom(c.mappedRange(w, qnxshm.ReadOnly, 0, page), 0, len(text)), text)
		equal(c, "end", c.readFrom(c.mappedRange(w, qnxshm.ReadOnly, large, page), 0, len(text)), text)
	},
	"window/write": func(c *trial) {
		w := c.worker()
		obj := c.lettered(4)
		got := w.mustOpen(c.part(obj, w.pid(), qnxshm.ReadWrite, page, 2*page), qnxshm.ReadWrite)
		w.write(got, 0, letters('x'))
		c.shows("after the write to the third page", objWhole(c, obj), "ABxD")
	},
	"window/length": func(c *trial) {
		w := c.worker()
		got := w.mustOpen(c.part(c.object(5*page), w.pid(), qnxshm.ReadOnly, 2*page, 3*page), qnxshm.ReadOnly)
		equal(c, "size", w.must(request{Op: "size", Ref: got}).Size, 2*page)
	},
	"window/map-outside": func(c *trial) {
		win := c.windowHere(c.lettered(5), qnxshm.ReadWrite, 2*page, page)
		c.errno("one page too long", mapErr(win, qnxshm.ReadOnly, 0, 3*page))
		c.errno("one byte too long", mapErr(win, qnxshm.ReadOnly, 0, 2*page+1))
		c.errno("half outside", mapErr(win, qnxshm.ReadWrite, page, 2*page))
		c.errno("behind the end", mapErr(win, qnxshm.ReadOnly, 2*page, page))
		c.errno("far behind the end", mapErr(win, qnxshm.ReadOnly, math.MaxInt64-math.MaxInt64%page, page))
		if err := mapErr(win, qnxshm.ReadOnly, -page, page); err == nil {
			c.errorf("mapped the page before the window")
		}
		c.must("within", mapErr(win, qnxshm.ReadWrite, page, page))
	},
	"window/resize": func(c *trial) {
		obj := c.object(4 * page)
		win := c.windowHere(obj, qnxshm.ReadWrite, 2*page, page)
		for _, size := range []int64{0, page, 2 * page, 8 * page} {
			c.errno("truncate", win.Truncate(size))
		}
		equal(c, "size of the window", c.size(win), 2*page)
		equal(c, "size of the object", c.size(obj), 4*page)
	},
	"window/handle-of-window": func(c *trial) {
		second, third := c.worker(), c.worker()
		obj := c.lettered(4)
		win := second.mustOpen(c.part(obj, second.pid(), qnxshm.ReadOnly, 2*page, page), qnxshm.ReadOnly)
		got := third.mustOpen(second.mustHandle(win, third.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		equal(c, "size", third.must(request{Op: "size", Ref: got}).Size, 2*page)
		equal(c, "start", third.mustRead(got, 0, 1), "B")
		equal(c, "end", third.mustRead(got, 2*page-1, 1), "C")
		c.shows("own window", c.withAccess(c.windowHere(obj, qnxshm.ReadOnly, page, 3*page), qnxshm.ReadOnly), "D")
	},
	"window/nested-offset": func(c *trial) {
		second, third := c.worker(), c.worker()
		obj := c.lettered(5)
		win := second.mustOpen(c.part(obj, second.pid(), qnxshm.ReadOnly, 3*page, page), qnxshm.ReadOnly)
		h := second.must(request{Op: "handle", Ref: win, PID: third.pid(), Size: page, Offset: 2 * page}).Handle
		got := third.mustOpen(h, qnxshm.ReadOnly)
		equal(c, "size", third.must(request{Op: "size", Ref: got}).Size, page)
		equal(c, "contents", third.mustRead(got, 0, int(min(page, maxCarried))), letters('D')[:min(page, maxCarried)])
		inner := c.windowHere(c.windowHere(c.windowHere(obj, qnxshm.ReadOnly, 4*page, page), qnxshm.ReadOnly, 3*page, page), qnxshm.ReadOnly, page, page)
		c.shows("third level", inner, "D")
	},
	"window/nested-past-end": func(c *trial) {
		win := c.windowHere(c.object(5*page), qnxshm.ReadOnly, 2*page, page)
		c.errno("too long", partErr(win, 3*page, 0))
		c.errno("half outside", partErr(win, 2*page, page))
		c.errno("behind the end", partErr(win, page, 2*page))
	},
	"window/duplicate": func(c *trial) {
		obj := c.lettered(4)
		win := c.windowHere(obj, qnxshm.ReadOnly, 2*page, page)
		dup := c.duplicate(win)
		c.shows("duplicate", dup, "BC")
		win.Close()
		c.shows("duplicate, first closed", dup, "BC")
		c.shows("handle of the duplicate", c.withAccess(dup, qnxshm.ReadOnly), "BC")
		c.fails("resize the duplicate", c.duplicate(c.windowHere(obj, qnxshm.ReadWrite, page, 0)).Truncate(0), "EPERM")
	},
	"window/duplicate-nested": func(c *trial) {
		win := c.windowHere(c.lettered(5), qnxshm.ReadOnly, 3*page, page)
		dup := c.duplicate(win)
		c.shows("part of the duplicate", c.windowHere(dup, qnxshm.ReadOnly, page, 2*page), "D")
		c.fails("outside the duplicate", partErr(dup, page, 3*page), "EINVAL")
	},
	"window/beside-whole": func(c *trial) {
		obj := c.lettered(4)
		first := c.windowHere(obj, qnxshm.ReadOnly, page, 0)
		whole := c.withAccess(obj, qnxshm.ReadOnly)
		second := c.windowHere(obj, qnxshm.ReadOnly, 2*page, 2*page)
		c.shows("first window", first, "A")
		c.shows("second window", second, "CD")
		for what, o := range map[string]*qnxshm.Object{"whole": whole, "creator's": obj, "duplicate": c.duplicate(whole)} {
			equal(c, what+": size", c.size(o), 4*page)
			equal(c, what+": end", c.read(o, 4*page-1, 1), "D")
		}
	},
	"window/shrunk": func(c *trial) {
		obj := c.lettered(4)
		m := c.mapped(c.windowHere(obj, qnxshm.ReadOnly, 2*page, 2*page), qnxshm.ReadOnly)
		c.must("cut off", obj.Truncate(3*page))
		equal(c, "what is left", c.readFrom(m, page-1, 1), "C")
		_, err := m.ReadAt(make([]byte, 1), page)
		c.truncated("ReadAt", err)
		c.truncated("View", m.View(func(b []byte) error { sink(b[page]); return nil }))
	},
}

// objWhole is another descriptor of all of obj as it is now: a window of it, so
// that mapping past its end fails.
func objWhole(c *trial, obj *qnxshm.Object) *qnxshm.Object {
	return c.windowHere(obj, qnxshm.ReadOnly, c.size(obj), 0)
}

func (c *trial) truncated(what string, err error) {
	if !errors.Is(err, qnxshm.ErrTruncated) {
		c.errorf("%s: got %v, want ErrTruncated", what, err)
	}
}
