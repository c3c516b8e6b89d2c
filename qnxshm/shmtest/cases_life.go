package shmtest

import (
	"os"

	"github.com/go-qnx/shm/qnxshm"
)

var lifeCases = map[string]caseFunc{
	"life/maker-exits": func(c *trial) {
		w := c.worker()
		h := w.mustHandle(w.create(page), os.Getpid(), qnxshm.ReadOnly)
		w.exit()
		c.errno("open", openErr(h, qnxshm.ReadOnly))
	},
	"life/maker-killed": func(c *trial) {
		w := c.worker()
		obj := w.create(page)
		c.opensHere(w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly))
		h := w.mustHandle(obj, os.Getpid(), qnxshm.ReadOnly)
		w.kill()
		c.errno("open", openErr(h, qnxshm.ReadOnly))
	},
	"life/recipient-exits": func(c *trial) {
		obj := c.object(page)
		w := c.worker()
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.exit()
		c.errno("delete, recipient exited", qnxshm.DeleteHandle(h))
		w = c.worker()
		h = c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.kill()
		c.errno("delete, recipient killed", qnxshm.DeleteHandle(h))
	},
	"life/handle-keeps-object": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.write(obj, 0, text)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		obj.Close()
		equal(c, "contents", w.mustRead(w.mustOpen(h, qnxshm.ReadOnly), 0, len(text)), text)
	},
	"life/maker-keeps-mapping": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		m := c.mapped(obj, qnxshm.ReadWrite)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		obj.Close()
		got := w.mapWhole(w.mustOpen(h, qnxshm.ReadOnly), qnxshm.ReadOnly)
		c.writeTo(m, 0, text)
		equal(c, "contents", w.mustRead(got, 0, len(text)), text)
	},
	"life/unlinked": func(c *trial) {
		w := c.worker()
		obj, name := c.named(page)
		c.write(obj, 0, text)
		h := c.handle(obj, w.pid(), qnxshm.ReadOnly)
		c.must("unlink", qnxshm.UnlinkObject(name))
		obj.Close()
		equal(c, "contents", w.mustRead(w.mustOpen(h, qnxshm.ReadOnly), 0, len(text)), text)
	},
	"life/recipient-execs": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.write(obj, 0, text)
		first, second := c.handle(obj, w.pid(), qnxshm.ReadOnly), c.handle(obj, w.pid(), qnxshm.ReadOnly)
		w.mustOpen(first, qnxshm.ReadOnly)
		w.exec()
		equal(c, "contents", w.mustRead(w.mustOpen(second, qnxshm.ReadOnly), 0, len(text)), text)
	},
	"life/recipients-child": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		_, err := w.inChild(request{Op: "open", Handle: h, Access: qnxshm.ReadOnly})
		c.errno("child", err)
	},
	"life/recipients-child-kept": func(c *trial) {
		w := c.worker()
		h := c.handle(c.object(page), w.pid(), qnxshm.ReadOnly)
		_, err := w.inChild(request{Op: "open", Handle: h, Access: qnxshm.ReadOnly})
		c.fails("child", err, "ESRCH")
		w.mustOpen(h, qnxshm.ReadOnly)
	},
	"life/makers-child": func(c *trial) {
		maker, recipient := c.worker(), c.worker()
		h := maker.mustHandle(maker.create(page), recipient.pid(), qnxshm.ReadOnly)
		_, err := maker.inChild(request{Op: "delete", Handle: h})
		c.errno("child", err)
		recipient.mustOpen(h, qnxshm.ReadOnly)
	},
	"life/descriptor-outlives-maker": func(c *trial) {
		w := c.worker()
		theirs := w.create(page)
		w.write(theirs, 0, text)
		obj := c.open(w.mustHandle(theirs, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		w.kill()
		equal(c, "contents", c.read(obj, 0, len(text)), text)
		c.must("resize", obj.Truncate(2*page))
		c.opensHere(c.handle(obj, os.Getpid(), qnxshm.ReadWrite))
	},
	"life/mapping-outlives-maker": func(c *trial) {
		w := c.worker()
		theirs := w.create(page)
		w.write(theirs, 0, text)
		obj := c.open(w.mustHandle(theirs, os.Getpid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		m := c.mapped(obj, qnxshm.ReadWrite)
		obj.Close()
		w.kill()
		equal(c, "contents", c.readFrom(m, 0, len(text)), text)
		c.writeTo(m, 0, "x")
	},
	"life/passed-on-outlives-creator": func(c *trial) {
		creator, maker := c.worker(), c.worker()
		theirs := creator.create(page)
		creator.write(theirs, 0, text)
		passed := maker.mustOpen(creator.mustHandle(theirs, maker.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		h := maker.mustHandle(passed, os.Getpid(), qnxshm.ReadOnly)
		creator.kill()
		equal(c, "contents", c.read(c.open(h, qnxshm.ReadOnly), 0, len(text)), text)
	},
}
