package shmtest

import (
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"sync"

	"github.com/go-qnx/shm/qnxshm"
)

// named makes an object with a name, which is removed at the end.
func (c *trial) named(size int64) (obj *qnxshm.Object, name string) {
	name = c.newName()
	obj = c.openNamed(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	c.must("truncate", obj.Truncate(size))
	return obj, name
}

// newName is the name of an object, which is removed at the end.
func (c *trial) newName() string {
	name := "/" + uniqueName()
	c.cleanup(func() { qnxshm.UnlinkObject(name) })
	return name
}

func (c *trial) openNamed(name string, flags int) *qnxshm.Object {
	obj, err := qnxshm.OpenNamed(name, flags, 0o600)
	c.must("open by name", err)
	return c.owned(obj)
}

func (c *trial) anonymous(flags int) *qnxshm.Object {
	fd, err := qnxshm.OpenAnonymous(flags, 0o600)
	c.must("open SHM_ANON", err)
	return c.adopted(fd)
}

// namedErr opens an object by name in the hope that it fails.
func namedErr(name string, flags int) error {
	fd, err := qnxshm.OpenObject(name, flags, 0o600)
	if err == nil {
		closeFD(fd)
		if flags&os.O_CREATE != 0 {
			qnxshm.UnlinkObject(name)
		}
	}
	return err
}

func anonymousErr(flags int) error {
	fd, err := qnxshm.OpenAnonymous(flags, 0o600)
	if err == nil {
		closeFD(fd)
	}
	return err
}

// zeroes checks that an object is all zero.
func (c *trial) zeroes(obj *qnxshm.Object) {
	size := c.size(obj)
	if strings.Trim(c.read(obj, 0, int(size)), "\x00") != "" {
		c.errorf("the memory is not all zero")
	}
}

var objectCases = map[string]caseFunc{
	"object/new-is-empty": func(c *trial) {
		equal(c, "anonymous", c.size(c.anonymous(os.O_RDWR)), 0)
		equal(c, "named", c.size(c.openNamed(c.newName(), os.O_RDWR|os.O_CREATE)), 0)
	},
	"object/close-on-exec": func(c *trial) {
		c.closesOnExec(c.anonymous(os.O_RDWR))
		c.closesOnExec(c.openNamed(c.newName(), os.O_RDWR|os.O_CREATE))
	},
	"object/lowest-descriptor": func(c *trial) {
		c.takesLowest(func() (int, error) { return qnxshm.OpenAnonymous(os.O_RDWR, 0o600) })
		_, name := c.named(page)
		c.takesLowest(func() (int, error) { return qnxshm.OpenObject(name, os.O_RDWR, 0) })
	},
	"object/anonymous-distinct": func(c *trial) {
		first, second := c.object(page), c.object(page)
		c.write(first, 0, text)
		c.zeroes(second)
	},
	"object/anonymous-flags": func(c *trial) {
		for _, flags := range []int{0, os.O_CREATE, os.O_CREATE | os.O_EXCL, os.O_TRUNC, os.O_CREATE | os.O_EXCL | os.O_TRUNC} {
			c.must("grow", c.anonymous(os.O_RDWR|flags).Truncate(page))
		}
	},
	"object/anonymous-write-only": func(c *trial) {
		c.errno("O_WRONLY", anonymousErr(os.O_WRONLY|os.O_CREATE))
	},
	"object/anonymous-unknown-flags": func(c *trial) {
		for _, flags := range []int{os.O_APPEND, os.O_SYNC, 1 << 30, -1} {
			c.errno("flags", anonymousErr(os.O_RDWR|os.O_CREATE|flags))
		}
		for _, flags := range wide(os.O_RDWR | os.O_CREATE) {
			c.errno("flags", anonymousErr(flags))
		}
	},
	"object/anonymous-read-only": func(c *trial) {
		obj := c.anonymous(os.O_RDONLY)
		equal(c, "size", c.size(obj), 0)
		c.fails("grow", obj.Truncate(page), "EINVAL")
		c.fails("give write access", handleErr(fdOf(obj), os.Getpid(), qnxshm.ReadWrite, 0), "EACCES")
	},
	"object/zero-filled": func(c *trial) {
		c.zeroes(c.object(4*page + 5))
		obj, _ := c.named(2 * page)
		c.zeroes(obj)
	},
	"object/read-write": func(c *trial) {
		obj := c.lettered(1)
		f := c.file(obj)
		_, err := f.Seek(page-1, io.SeekStart)
		c.must("lseek", err)
		n, err := f.Write([]byte(text))
		c.must("write", err)
		equal(c, "written", n, len(text))
		equal(c, "size", c.size(obj), page-1+int64(len(text)))
		b := make([]byte, 2*len(text))
		_, err = f.Read(b)
		equal(c, "read at the end", err, io.EOF)
		_, err = f.Seek(page-2, io.SeekStart)
		c.must("lseek back", err)
		n, err = f.Read(b)
		c.must("read", err)
		equal(c, "contents", string(b[:n]), "A"+text)
	},
	"object/shared-offset": func(c *trial) {
		obj := c.lettered(1)
		_, err := c.file(obj).Seek(page/2, io.SeekStart)
		c.must("lseek", err)
		offset, err := c.file(obj).Seek(1, io.SeekCurrent)
		c.must("lseek", err)
		equal(c, "offset", offset, page/2+1)
	},
	"object/fork": func(c *trial) {
		obj := c.lettered(1)
		c.closesOnExec(obj)
		err := forkToWrite(obj.Fd(), []byte("x"))
		if errors.Is(err, errors.ErrUnsupported) {
			c.skipf("a Go program cannot fork here")
		}
		c.must("write in the child", err)
		equal(c, "contents", c.read(obj, 0, 2), "xA")
	},
	"object/named": func(c *trial) {
		w := c.worker()
		obj, name := c.named(page)
		c.write(obj, 0, text)
		got := w.must(request{Op: "named", Name: name, N: os.O_RDWR}).Ref
		equal(c, "contents", w.mustRead(got, 0, len(text)), text)
		w.write(got, 0, "back")
		equal(c, "contents", c.read(obj, 0, 4), "back")
		// It is an object like any other: it is given on by handle.
		c.opensHere(w.mustHandle(got, os.Getpid(), qnxshm.ReadWrite))
	},
	"object/missing": func(c *trial) {
		c.errno("O_RDONLY", namedErr("/"+uniqueName(), os.O_RDONLY))
		c.errno("O_RDWR", namedErr("/"+uniqueName(), os.O_RDWR))
	},
	"object/empty-name": func(c *trial) {
		c.errno("open", namedErr("", os.O_RDWR))
		c.errno("create", namedErr("", os.O_RDWR|os.O_CREATE))
	},
	"object/missing-directory": func(c *trial) {
		c.errno("create", namedErr("/"+uniqueName()+"/x", os.O_RDWR|os.O_CREATE))
	},
	"object/exists": func(c *trial) {
		_, name := c.named(page)
		fd, err := qnxshm.OpenObject(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			closeFD(fd)
		}
		c.errno("O_EXCL", err)
	},
	"object/exclusive-race": func(c *trial) {
		const n = 50
		name := c.newName()
		var mu sync.Mutex
		var fds []int
		got := race(n, func(int) error {
			fd, err := qnxshm.OpenObject(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				fds = append(fds, fd)
			}
			return err
		})
		for _, fd := range fds {
			closeFD(fd)
		}
		c.same("opens", got, map[string]int{"EOK": 1, "EEXIST": n - 1})
	},
	"object/name-too-long": func(c *trial) {
		base := "/" + uniqueName()
		longest := base + strings.Repeat("x", 256-len(base))
		c.cleanup(func() { qnxshm.UnlinkObject(longest) })
		c.openNamed(longest, os.O_RDWR|os.O_CREATE)
		c.errno("256 bytes, create", namedErr(longest+"x", os.O_RDWR|os.O_CREATE))
		c.errno("256 bytes, open", namedErr(longest+"x", os.O_RDWR))
		c.errno("10000 bytes", namedErr("/"+strings.Repeat("x", 10000), os.O_RDWR))
	},
	"object/name-with-zero-byte": func(c *trial) {
		_, name := c.named(page)
		c.errno("open", namedErr(name+"\x00x", os.O_RDWR))
		c.errno("create", namedErr(name+"\x00", os.O_RDWR|os.O_CREATE))
		c.errno("nothing before it", namedErr("\x00"+name, os.O_RDWR))
	},
	"object/named-write-only": func(c *trial) {
		_, name := c.named(page)
		fd, err := qnxshm.OpenObject(name, os.O_WRONLY, 0)
		if err == nil {
			closeFD(fd)
		}
		c.errno("O_WRONLY", err)
	},
	"object/named-unknown-flags": func(c *trial) {
		_, name := c.named(page)
		for _, flags := range append(wide(os.O_RDWR), os.O_RDWR|os.O_APPEND, os.O_RDWR|os.O_SYNC, os.O_RDWR|1<<30, -1) {
			fd, err := qnxshm.OpenObject(name, flags, 0)
			if err == nil {
				closeFD(fd)
			}
			c.errno("flags", err)
		}
	},
	"object/truncated": func(c *trial) {
		obj, name := c.named(page)
		c.openNamed(name, os.O_RDWR|os.O_TRUNC)
		equal(c, "size", c.size(obj), 0)
	},
	"object/create-existing": func(c *trial) {
		obj, name := c.named(page)
		c.write(obj, 0, text)
		got := c.openNamed(name, os.O_RDWR|os.O_CREATE)
		equal(c, "contents", c.read(got, 0, len(text)), text)
	},
	"object/mode-zero": func(c *trial) {
		fd, err := qnxshm.OpenObject(c.newName(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0)
		c.must("create", err)
		obj := c.adopted(fd)
		c.must("grow", obj.Truncate(page))
		c.write(obj, 0, text)
	},
	"object/mode": func(c *trial) {
		for _, perm := range []os.FileMode{0o400, 0o600} { // which no common umask takes away
			fd, err := qnxshm.OpenObject(c.newName(), os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
			c.must("create", err)
			f := os.NewFile(uintptr(fd), "object")
			info, err := f.Stat()
			f.Close()
			c.must("fstat", err)
			equal(c, "permissions", info.Mode().Perm(), perm)
		}
	},
	"object/permission": func(c *trial) {
		if os.Geteuid() == 0 {
			c.skipf("permissions do not bind root")
		}
		name := c.newName()
		fd, err := qnxshm.OpenObject(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o400)
		c.must("create", err)
		c.adopted(fd)
		c.errno("O_RDWR", namedErr(name, os.O_RDWR))
		c.must("O_RDONLY", namedErr(name, os.O_RDONLY))
	},

	"unlink/no-such-name": func(c *trial) {
		c.errno("unlink", qnxshm.UnlinkObject("/"+uniqueName()))
	},
	"unlink/name-empty": func(c *trial) { c.errno("unlink", qnxshm.UnlinkObject("")) },
	"unlink/name-long": func(c *trial) {
		c.errno("unlink", qnxshm.UnlinkObject("/"+strings.Repeat("x", 10000)))
	},
	"unlink/name-with-zero-byte": func(c *trial) {
		obj, name := c.named(page)
		c.errno("after it", qnxshm.UnlinkObject(name+"\x00x"))
		c.errno("before it", qnxshm.UnlinkObject("\x00"+name))
		equal(c, "size", c.size(c.openNamed(name, os.O_RDONLY)), c.size(obj))
	},
	"unlink/keeps-object": func(c *trial) {
		obj, name := c.named(page)
		m := c.mapped(obj, qnxshm.ReadWrite)
		c.writeTo(m, 0, text)
		c.must("unlink", qnxshm.UnlinkObject(name))
		equal(c, "through the descriptor", c.read(obj, 0, len(text)), text)
		obj.Close()
		equal(c, "through the mapping", c.readFrom(m, 0, len(text)), text)
		c.fails("open by name", namedErr(name, os.O_RDWR), "ENOENT")
	},
	"unlink/frees-name": func(c *trial) {
		obj, name := c.named(page)
		c.write(obj, 0, text)
		c.must("unlink", qnxshm.UnlinkObject(name))
		again := c.openNamed(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		c.must("grow", again.Truncate(page))
		c.zeroes(again)
		equal(c, "first object", c.read(obj, 0, len(text)), text)
	},

	"truncate/negative": func(c *trial) {
		obj := c.object(page)
		c.errno("-1", obj.Truncate(-1))
		c.errno("smallest", obj.Truncate(math.MinInt64))
		equal(c, "size", c.size(obj), page)
	},
	"truncate/read-only": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		c.errno("own", c.withAccess(obj, qnxshm.ReadOnly).Truncate(2*page))
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadOnly), qnxshm.ReadOnly)
		_, err := w.do(request{Op: "truncate", Ref: got, Size: 0})
		c.errno("recipient", err)
		_, name := c.named(page)
		c.errno("named", c.openNamed(name, os.O_RDONLY).Truncate(0))
		equal(c, "size", c.size(obj), page)
	},
	"truncate/any-size": func(c *trial) {
		obj := c.object(0)
		for _, size := range []int64{1, page - 1, page + 1, 3*page + 7} {
			c.must("truncate", obj.Truncate(size))
			equal(c, "size", c.size(obj), size)
			equal(c, "length of a mapping", int64(c.mapped(obj, qnxshm.ReadOnly).Len()), size)
		}
	},
	"truncate/large": func(c *trial) {
		obj := c.large(large + 7)
		equal(c, "size", c.size(obj), large+7)
		c.must("shrink", obj.Truncate(large))
		equal(c, "size", c.size(obj), large)
	},
	"truncate/grow": func(c *trial) {
		obj := c.lettered(3)
		c.must("shrink", obj.Truncate(5))
		c.must("grow", obj.Truncate(3*page))
		equal(c, "what stayed", c.read(obj, 0, 5), "AAAAA")
		if strings.Trim(c.read(obj, 5, int(3*page)-5), "\x00") != "" {
			c.errorf("the new bytes are not zero")
		}
	},
	"truncate/by-recipient": func(c *trial) {
		w := c.worker()
		obj := c.object(page)
		got := w.mustOpen(c.handle(obj, w.pid(), qnxshm.ReadWrite), qnxshm.ReadWrite)
		w.must(request{Op: "truncate", Ref: got, Size: 3 * page})
		equal(c, "size", c.size(obj), 3*page)
	},
	"truncate/not-open": func(c *trial) {
		obj, err := qnxshm.NewObject(math.MaxInt32)
		c.must("NewObject", err)
		c.errno("Truncate", obj.Truncate(page))
		_, err = obj.Size()
		c.fails("Size", err, "EBADF")
		c.fails("Close", obj.Close(), "EBADF")
	},
}
