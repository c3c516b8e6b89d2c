package shmtest

import (
	"errors"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm"
)

// direct maps straight from a handle until the case ends.
func (c *trial) direct(h qnxshm.Handle, access qnxshm.Access, length int64) *qnxshm.Mapping {
	m, err := qnxshm.Map(h, access, length)
	c.must("mmap_handle", err)
	return c.ownedMapping(m)
}

// directErr maps straight from a handle in the hope that it fails.
func directErr(h qnxshm.Handle, access qnxshm.Access, length int64) error {
	m, err := qnxshm.Map(h, access, length)
	return unmapped(m, err)
}

// unmapped is err, or what an Unmap has to say that is none of the errnos of
// mapping.
func unmapped(m *qnxshm.Mapping, err error) error {
	if err != nil {
		return err
	}
	if err := m.Unmap(); err != nil {
		return errors.New("after it was mapped: " + err.Error())
	}
	return nil
}

func directPIDErr(h qnxshm.Handle, access qnxshm.Access, length int64, maker int) error {
	m, err := qnxshm.MapPID(h, access, length, maker)
	return unmapped(m, err)
}

// mapsHere checks that a handle for this process is good.
func (c *trial) mapsHere(h qnxshm.Handle) {
	c.must("map the handle that was kept", directErr(h, qnxshm.ReadOnly, page))
}

// handleNoFD makes a handle that cannot become a descriptor.
func (c *trial) handleNoFD(obj *qnxshm.Object, pid int, access qnxshm.Access) qnxshm.Handle {
	return c.made(obj.CreateHandle(pid, access, &qnxshm.HandleConfig{NoFD: true}))
}

// letteredBy makes a worker's object whose pages are full of letters, of which
// only the first and the last byte count here.
func (c *trial) letteredBy(w *worker, pages int64) ref {
	obj := w.create(pages * page)
	for i := range pages {
		w.write(obj, i*page, string(rune('A'+i)))
		w.write(obj, (i+1)*page-1, string(rune('A'+i)))
	}
	return obj
}

var noFDCases = map[string]caseFunc{
	"nofd/open": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own, theirs := c.handleNoFD(obj, os.Getpid(), qnxshm.ReadWrite), c.handleNoFD(obj, w.pid(), qnxshm.ReadWrite)
		for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.WriteOnly, qnxshm.ReadWrite} {
			c.errno("own, "+access.String(), openErr(own, access))
			_, err := w.open(theirs, access)
			c.errno("recipient, "+access.String(), err)
		}
		c.errno("own, O_CLOEXEC", openErr(own, qnxshm.Access(syscall.O_CLOEXEC)))
	},
	"nofd/open-pid": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.errno("own", openPIDErr(c.handleNoFD(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, os.Getpid()))
		h := c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		_, err := w.do(request{Op: "openpid", Handle: h, Access: qnxshm.ReadOnly, PID: os.Getpid()})
		c.errno("recipient", err)
	},
	"nofd/open-kept": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.write(obj, 0, text)
		own, theirs := c.handleNoFD(obj, os.Getpid(), qnxshm.ReadOnly), c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		for range 3 {
			c.fails("own", openErr(own, qnxshm.ReadOnly), "EACCES")
			_, err := w.open(theirs, qnxshm.ReadOnly)
			c.fails("recipient", err, "EACCES")
		}
		c.mapsHere(own)
		equal(c, "contents", w.mustRead(w.mustMapHandle(theirs, qnxshm.ReadOnly, page), 0, len(text)), text)
	},
	"nofd/maps": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		h := c.handleNoFD(obj, w.pid(), qnxshm.ReadWrite)
		m := w.mustMapHandle(h, qnxshm.ReadWrite, page)
		w.write(m, 0, text)
		equal(c, "contents", c.read(obj, 0, len(text)), text)
		_, err := w.mapHandle(h, qnxshm.ReadWrite, page)
		c.fails("second time", err, "ESRCH")
		_, err = w.open(h, qnxshm.ReadOnly)
		c.fails("open it then", err, "ESRCH")
	},
	"nofd/no-descriptor": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own := c.handleNoFD(obj, os.Getpid(), qnxshm.ReadOnly)
		first := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly) // then there is a connection
		c.opensHere(first)
		r := w.must(request{Op: "handle", Ref: w.create(page), PID: os.Getpid(), NoFD: true})
		before, err := lowestFree()
		c.must("lowest free descriptor", err)
		had := descriptors()
		c.direct(own, qnxshm.ReadOnly, page)
		c.direct(r.Handle, qnxshm.ReadOnly, page)
		after, err := lowestFree()
		c.must("lowest free descriptor", err)
		equal(c, "lowest free descriptor", after, before)
		if now := descriptors(); len(now) > len(had) {
			c.errorf("%d descriptors, want %d\n%s", len(now), len(had), strings.Join(now, "\n"))
		}
	},
	"nofd/beyond-access": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own, theirs := c.handleNoFD(obj, os.Getpid(), qnxshm.ReadOnly), c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		c.errno("own", directErr(own, qnxshm.ReadWrite, page))
		_, err := w.mapHandle(theirs, qnxshm.ReadWrite, page)
		c.errno("recipient", err)
		c.mapsHere(own)
		w.mustMapHandle(theirs, qnxshm.ReadOnly, page)
	},
	"nofd/part": func(c *trial) {
		w := c.worker()
		obj := c.lettered(4)
		h := c.made(obj.CreateHandle(w.pid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{Offset: page, Size: 2 * page, NoFD: true}))
		_, err := w.open(h, qnxshm.ReadOnly)
		c.fails("open", err, "EACCES")
		_, err = w.mapHandle(h, qnxshm.ReadOnly, 3*page)
		c.fails("map more", err, "ENXIO")
		m := w.mustMapHandle(h, qnxshm.ReadOnly, 2*page)
		equal(c, "start", w.mustRead(m, 0, 1), "B")
		equal(c, "end", w.mustRead(m, 2*page-1, 1), "C")
	},
	"nofd/deleted": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		h := c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		c.must("maker deletes", qnxshm.DeleteHandle(h))
		_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
		c.fails("map", err, "ESRCH")
		h = c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		c.must("recipient deletes", w.delete(h))
		c.fails("maker deletes then", qnxshm.DeleteHandle(h), "ESRCH")
	},
}

var directCases = map[string]caseFunc{
	"direct/shares": func(c *trial) {
		w := c.worker()
		obj := c.object(2 * page)
		c.write(obj, page-3, text)
		m := w.mustMapHandle(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite, 2*page)
		equal(c, "recipient reads", w.mustRead(m, page-3, len(text)), text)
		w.write(m, 7, "back")
		equal(c, "maker reads", c.read(obj, 7, 4), "back")
		theirs := w.create(page)
		own := c.direct(w.mustHandle(theirs, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite, page)
		equal(c, "length", int64(own.Len()), page)
		c.writeTo(own, 0, text)
		equal(c, "maker reads", w.mustRead(theirs, 0, len(text)), text)
	},
	"direct/own": func(c *trial) {
		obj := c.object(page)
		m := c.direct(c.handle(obj, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite, page)
		c.writeTo(m, 0, text)
		equal(c, "contents", c.read(obj, 0, len(text)), text)
	},
	"direct/used": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.direct(own, qnxshm.ReadOnly, page)
		c.errno("own handle", directErr(own, qnxshm.ReadOnly, page))
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.mustMapHandle(h, qnxshm.ReadOnly, page)
		for range 2 {
			_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
			c.errno("handle of another process", err)
		}
	},
	"direct/opened": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.opensHere(own)
		c.errno("own handle", directErr(own, qnxshm.ReadOnly, page))
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.mustOpen(h, qnxshm.ReadOnly)
		_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
		c.errno("handle of another process", err)
	},
	"direct/uses-up": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.mapsHere(own)
		c.errno("own handle", openErr(own, qnxshm.ReadOnly))
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.mustMapHandle(h, qnxshm.ReadOnly, page)
		_, err := w.open(h, qnxshm.ReadOnly)
		c.errno("handle of another process", err)
	},
	"direct/delete-after": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		m := w.mustMapHandle(h, qnxshm.ReadOnly, page)
		c.errno("maker", qnxshm.DeleteHandle(h))
		c.errno("recipient", w.delete(h))
		w.mustRead(m, 0, 1)
		own := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.mapsHere(own)
		c.errno("own", qnxshm.DeleteHandle(own))
	},
	"direct/deleted": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		c.must("delete", qnxshm.DeleteHandle(h))
		_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
		c.errno("deleted handle", err)
	},
	"direct/never-existed": func(c *trial) {
		own := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		for _, h := range []qnxshm.Handle{0, 1, 42, 0xfedcba9876543210, 1 << 63, allOnes - 1, own + 1, own ^ 1<<63} {
			c.errno("handle", directErr(h, qnxshm.ReadOnly, page))
		}
		c.mapsHere(own)
	},
	"direct/all-ones": func(c *trial) {
		c.errno("O_RDONLY", directErr(allOnes, qnxshm.ReadOnly, page))
		c.errno("O_RDWR", directErr(allOnes, qnxshm.ReadWrite, page))
	},
	"direct/other-process": func(c *trial) {
		recipient, stranger := c.worker(), c.worker()
		h := c.handle(c.object(page), recipient.pid(), qnxshm.ReadOnly)
		_, err := stranger.mapHandle(h, qnxshm.ReadOnly, page)
		c.errno("stranger", err)
		_, err = stranger.mapHandle(h, qnxshm.ReadWrite, page)
		c.errno("stranger, O_RDWR", err)
		c.errno("maker", directErr(h, qnxshm.ReadOnly, page))
		_, err = recipient.inChild(request{Op: "maphandle", Handle: h, Access: qnxshm.ReadOnly, Size: page})
		c.errno("child of the recipient", err)
	},
	"direct/other-process-kept": func(c *trial) {
		recipient, stranger := c.worker(), c.worker()
		h := c.handle(c.object(page), recipient.pid(), qnxshm.ReadOnly)
		for range 3 {
			_, err := stranger.mapHandle(h, qnxshm.ReadOnly, page)
			c.fails("stranger", err, "ESRCH")
			c.fails("maker", directErr(h, qnxshm.ReadOnly, page), "ESRCH")
		}
		recipient.mustMapHandle(h, qnxshm.ReadOnly, page)
	},
	"direct/maker-gone": func(c *trial) {
		for _, end := range []func(*worker){(*worker).kill, (*worker).exit} {
			w := c.worker()
			h := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
			end(w)
			c.errno("map", directErr(h, qnxshm.ReadOnly, page))
		}
	},
	"direct/maker-stopped": func(c *trial) {
		w, h := c.stoppedMaker()
		began := time.Now()
		c.errno("map", directErr(h, qnxshm.ReadOnly, page))
		c.lasted("map", began, 4*time.Second, 15*time.Second)
		c.must("let the maker go on", resume(w.cmd.Process))
		m := c.direct(h, qnxshm.ReadOnly, page)
		equal(c, "contents", c.readFrom(m, 0, len(text)), text)
	},
	"direct/length-zero": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.errno("own", directErr(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, 0))
		_, err := w.mapHandle(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly, 0)
		c.errno("recipient", err)
	},
	"direct/length-negative": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		for _, length := range []int64{-1, -page, math.MinInt64} {
			c.errno("length", directErr(h, qnxshm.ReadOnly, length))
		}
	},
	"direct/access-illegal": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.ReadWrite)
		for _, access := range append([]qnxshm.Access{qnxshm.Access(syscall.O_CLOEXEC)}, illegalAccess...) {
			c.errno(access.String(), directErr(h, access, page))
		}
	},
	"direct/write-only-access": func(c *trial) {
		obj := c.object(page)
		c.errno("read-write handle", directErr(c.handle(obj, os.Getpid(), qnxshm.ReadWrite), qnxshm.WriteOnly, page))
		c.errno("write-only handle", directErr(c.handle(obj, os.Getpid(), qnxshm.WriteOnly), qnxshm.WriteOnly, page))
	},
	"direct/read-only-handle": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.errno("own", directErr(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadWrite, page))
		_, err := w.mapHandle(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadWrite, page)
		c.errno("recipient", err)
	},
	"direct/write-only-handle": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		own, theirs := c.handle(obj, os.Getpid(), qnxshm.WriteOnly), c.handle(obj, w.pid(), qnxshm.WriteOnly)
		for _, access := range []qnxshm.Access{qnxshm.ReadOnly, qnxshm.ReadWrite} {
			c.errno("own", directErr(own, access, page))
			_, err := w.mapHandle(theirs, access, page)
			c.errno("recipient", err)
		}
	},
	"direct/less-access": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		for what, h := range map[string]qnxshm.Handle{
			"own":     c.handle(obj, os.Getpid(), qnxshm.ReadWrite),
			"other's": w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadWrite),
		} {
			m := c.direct(h, qnxshm.ReadOnly, page)
			_, err := m.WriteAt([]byte("x"), 0)
			c.fails(what+": WriteAt", err, "EACCES")
			c.fails(what+": store in View", m.View(func(b []byte) error { b[0] = 1; return nil }), "EACCES")
		}
	},
	"direct/failed-kept": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.write(obj, 0, text)
		own, theirs := c.handle(obj, os.Getpid(), qnxshm.ReadOnly), c.handle(obj, w.pid(), qnxshm.ReadOnly)
		for _, try := range []struct {
			access qnxshm.Access
			length int64
			want   string
		}{
			{qnxshm.ReadOnly, 0, "EINVAL"},
			{3, page, "EINVAL"},
			{qnxshm.WriteOnly, page, "EACCES"},
			{qnxshm.ReadWrite, page, "EACCES"},
			{qnxshm.ReadOnly, math.MaxInt64 &^ (page - 1), "ENOMEM"}, // more than there are addresses
		} {
			c.fails("own", directErr(own, try.access, try.length), try.want)
			_, err := w.mapHandle(theirs, try.access, try.length)
			c.fails("recipient", err, try.want)
		}
		equal(c, "own", c.readFrom(c.direct(own, qnxshm.ReadOnly, page), 0, len(text)), text)
		equal(c, "recipient", w.mustRead(w.mustMapHandle(theirs, qnxshm.ReadOnly, page), 0, len(text)), text)
	},
	"direct/shorter": func(c *trial) {
		w := c.worker()
		obj := c.lettered(3)
		m := c.direct(c.handle(obj, os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page)
		equal(c, "length", int64(m.Len()), page)
		equal(c, "contents", c.readFrom(m, 0, int(page)), letters('A'))
		m = c.direct(w.mustHandle(c.letteredBy(w, 3), os.Getpid(), qnxshm.ReadOnly), qnxshm.ReadOnly, page+1)
		equal(c, "length", int64(m.Len()), page+1)
		equal(c, "contents", c.readFrom(m, page, 1), "B")
	},
	"direct/longer": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		theirs := w.create(0)
		for _, try := range []struct {
			h    qnxshm.Handle
			grow func() error
		}{
			{c.handle(obj, os.Getpid(), qnxshm.ReadWrite), func() error { return obj.Truncate(2 * page) }},
			{w.mustHandle(theirs, os.Getpid(), qnxshm.ReadWrite), func() error { return w.truncate(theirs, 2*page) }},
		} {
			m := c.direct(try.h, qnxshm.ReadWrite, 3*page)
			_, err := m.ReadAt(make([]byte, 1), page)
			c.truncated("ReadAt", err)
			c.truncated("View", m.View(func(b []byte) error { sink(b[2*page]); return nil }))
			c.must("grow", try.grow())
			c.writeTo(m, 2*page-1, "x")
			_, err = m.ReadAt(make([]byte, 1), 2*page)
			c.truncated("past the new end", err)
		}
	},
	"direct/window": func(c *trial) {
		w := c.worker()
		obj := c.lettered(4)
		m := c.direct(c.part(obj, os.Getpid(), qnxshm.ReadWrite, 2*page, page), qnxshm.ReadWrite, 2*page)
		equal(c, "own", c.readFrom(m, 0, int(2*page)), letters('B')+letters('C'))
		c.writeTo(m, page, text)
		equal(c, "object", c.read(obj, 2*page, len(text)), text)
		equal(c, "object before the part", c.read(obj, page-1, 1), "A")
		theirs := w.mustMapHandle(c.part(obj, w.pid(), qnxshm.ReadOnly, page, 3*page), qnxshm.ReadOnly, page)
		equal(c, "recipient", w.mustRead(theirs, 0, 1)+w.mustRead(theirs, page-1, 1), "DD")
		nested := c.part(c.windowHere(obj, qnxshm.ReadOnly, 2*page, 2*page), w.pid(), qnxshm.ReadOnly, page, page)
		equal(c, "part of a window", w.mustRead(w.mustMapHandle(nested, qnxshm.ReadOnly, 1), 0, 1), "D")
	},
	"direct/outside-part": func(c *trial) {
		w := c.worker()
		obj := c.object(4 * page)
		own := c.part(obj, os.Getpid(), qnxshm.ReadOnly, 2*page, page)
		theirs := c.part(obj, w.pid(), qnxshm.ReadOnly, 2*page, page)
		for _, length := range []int64{2*page + 1, 3 * page, 4 * page, 1 << 30} {
			c.errno("own", directErr(own, qnxshm.ReadOnly, length))
			_, err := w.mapHandle(theirs, qnxshm.ReadOnly, length)
			c.errno("recipient", err)
		}
	},
	"direct/outside-part-kept": func(c *trial) {
		w := c.worker()
		obj := c.lettered(4)
		own := c.part(obj, os.Getpid(), qnxshm.ReadOnly, 2*page, page)
		theirs := c.part(obj, w.pid(), qnxshm.ReadOnly, 2*page, page)
		c.fails("own", directErr(own, qnxshm.ReadOnly, 3*page), "ENXIO")
		_, err := w.mapHandle(theirs, qnxshm.ReadOnly, 3*page)
		c.fails("recipient", err, "ENXIO")
		equal(c, "own", c.readFrom(c.direct(own, qnxshm.ReadOnly, 2*page), 0, 1), "B")
		equal(c, "recipient", w.mustRead(w.mustMapHandle(theirs, qnxshm.ReadOnly, 2*page), 2*page-1, 1), "C")
	},
	"direct/outlives": func(c *trial) {
		w := c.worker()
		theirs := w.create(page)
		w.write(theirs, 0, text)
		m := c.direct(w.mustHandle(theirs, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite, page)
		w.close(theirs)
		equal(c, "closed", c.readFrom(m, 0, len(text)), text)
		w.kill()
		equal(c, "killed", c.readFrom(m, 0, len(text)), text)
		c.writeTo(m, page-1, "x")
	},
	"direct/table-full": func(c *trial) {
		obj := c.object(page)
		for _, warm := range []bool{false, true} {
			w := c.worker()
			if warm {
				w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
			}
			h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
			w.must(request{Op: "fill"})
			_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
			c.errno("map", err)
			w.must(request{Op: "unfill"})
			if !target {
				w.mustMapHandle(h, qnxshm.ReadOnly, page)
			}
		}
	},
	"direct/race-goroutines": func(c *trial) {
		const n = 1000
		obj := c.object(page)
		for range 3 {
			h := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
			c.same("own handle", directRace(h, n), map[string]int{"EOK": 1, "ESRCH": n - 1})
		}
		w := c.worker()
		h := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		c.same("handle of another maker", directRace(h, n), map[string]int{"EOK": 1, "ESRCH": n - 1})
	},
	"direct/race-processes": func(c *trial) { c.raceProcesses(mapping, 2, 50) },

	"direct/race-open": func(c *trial) {
		const n = 20
		w := c.worker()
		theirs := w.create(page)
		for range 20 {
			for _, h := range []qnxshm.Handle{
				w.mustHandle(theirs, os.Getpid(), qnxshm.ReadOnly),
				w.mustHandle(theirs, w.pid(), qnxshm.ReadOnly),
			} {
				r := w.start(request{Op: "maprace", Handle: h, N: n})
				opening := w.race(h, n)
				counts := race(2*n, func(i int) error {
					if i%2 == 0 {
						return openErr(h, qnxshm.ReadOnly)
					}
					return directErr(h, qnxshm.ReadOnly, page)
				})
				for _, call := range []*call{r, opening} {
					r, err := call.wait()
					c.must("race", err)
					for name, count := range r.Counts {
						counts[name] += count
					}
				}
				c.same("all calls", counts, map[string]int{"EOK": 1, "ESRCH": 4*n - 1})
			}
		}
	},
	"direct/race-delete": func(c *trial) { c.raceDelete(mapping) },

	"direct/concurrent": func(c *trial) { c.concurrent(mapping) },

	"direct/maker-matches": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		h := c.handleNoFD(obj, w.pid(), qnxshm.ReadOnly)
		w.must(request{Op: "maphandlepid", Handle: h, Access: qnxshm.ReadOnly, Size: page, PID: os.Getpid()})
		_, err := w.mapHandle(h, qnxshm.ReadOnly, page)
		c.fails("second time", err, "ESRCH")
		own := c.handle(obj, os.Getpid(), qnxshm.ReadOnly)
		c.must("own", directPIDErr(own, qnxshm.ReadOnly, page, os.Getpid()))
	},
	"direct/maker-large": func(c *trial) {
		obj := c.large(large + page)
		m, err := qnxshm.MapPID(c.handle(obj, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite, large+page, os.Getpid())
		c.must("map", err)
		c.ownedMapping(m)
		c.writeTo(m, large, text)
		equal(c, "in the object", c.readFrom(c.mappedRange(obj, qnxshm.ReadOnly, large, page), 0, len(text)), text)
	},
	"direct/maker-bad-access": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.ReadWrite)
		for _, access := range illegalAccess {
			c.errno(access.String(), directPIDErr(h, access, page, os.Getpid()))
		}
		c.must("afterwards", directPIDErr(h, qnxshm.ReadOnly, page, os.Getpid()))
	},
	"direct/maker-differs": func(c *trial) {
		w := c.worker()
		own := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		c.errno("own handle, other pid", directPIDErr(own, qnxshm.ReadOnly, page, w.pid()))
		theirs := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		c.errno("other's handle, own pid", directPIDErr(theirs, qnxshm.ReadOnly, page, os.Getpid()))
		c.errno("other's handle, a third pid", directPIDErr(theirs, qnxshm.ReadOnly, page, c.worker().pid()))
		c.errno("other's handle, no pid", directPIDErr(theirs, qnxshm.ReadOnly, page, noProcess))
	},
	"direct/maker-differs-kept": func(c *trial) {
		w := c.worker()
		own := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		c.fails("own handle, other pid", directPIDErr(own, qnxshm.ReadOnly, page, w.pid()), "ESRCH")
		c.mapsHere(own)
		theirs := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		c.fails("other's handle, own pid", directPIDErr(theirs, qnxshm.ReadOnly, page, os.Getpid()), "ESRCH")
		c.must("right pid", directPIDErr(theirs, qnxshm.ReadOnly, page, w.pid()))
	},
	"direct/maker-nobody": func(c *trial) {
		h := c.handle(c.object(page), os.Getpid(), qnxshm.ReadOnly)
		for _, pid := range append(wide(os.Getpid()), 0, -1, -os.Getpid(), math.MinInt32) {
			c.errno("pid", directPIDErr(h, qnxshm.ReadOnly, page, pid))
		}
	},
}
