package shmtest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-qnx/shm/qnxshm"
)

const (
	// patience is how long a case waits for what must happen soon. It is far
	// below caseLimit, so that the case itself can say what did not happen.
	patience = 20 * time.Second

	// silence is how long a case waits to see that something does not happen.
	silence = 150 * time.Millisecond

	// noProcess is above every pid that a system gives.
	noProcess = 1 << 30
)

const text = "shared memory"

// large is where a length or an offset of 32 bits begins again at 0.
const large = int64(1) << 32

var page = int64(os.Getpagesize())

// wide gives integers that fit none of the C types pid_t and int, some of which
// would be low if they were cut off. There are none where int is as narrow.
func wide(low int) []int {
	if strconv.IntSize == 32 {
		return nil
	}
	high := int64(1) << 32
	return []int{int(high + int64(low)), int(2*high + int64(low)), int(int64(low) - high), int(high / 2), math.MaxInt, math.MinInt}
}

// uniqueName is a name that nobody else uses.
func uniqueName() string {
	return fmt.Sprintf("shmtest-%d-%016x", os.Getpid(), rand.Uint64())
}

// object makes an object that ends with the case.
func (c *trial) object(size int64) *qnxshm.Object {
	obj, err := qnxshm.Create(size)
	c.must("create an object", err)
	return c.owned(obj)
}

// large makes an object above 4 GiB, of which the host only uses the pages that
// are written to.
func (c *trial) large(size int64) *qnxshm.Object {
	if target || strconv.IntSize == 32 {
		c.skipf("takes too much memory")
	}
	return c.object(size)
}

func (c *trial) owned(obj *qnxshm.Object) *qnxshm.Object {
	c.cleanup(func() { obj.Close() })
	return obj
}

// adopted makes an Object of a descriptor.
func (c *trial) adopted(fd int) *qnxshm.Object {
	obj, err := qnxshm.NewObject(fd)
	c.must("take a descriptor", err)
	return c.owned(obj)
}

// duplicate makes an Object of a duplicate of obj's descriptor.
func (c *trial) duplicate(obj *qnxshm.Object) *qnxshm.Object {
	fd, err := duplicate(fdOf(obj))
	c.must("dup", err)
	return c.adopted(fd)
}

// file makes a file of a duplicate of obj's descriptor.
func (c *trial) file(obj *qnxshm.Object) *os.File {
	fd, err := duplicate(fdOf(obj))
	c.must("dup", err)
	f := os.NewFile(uintptr(fd), "object")
	c.cleanup(func() { f.Close() })
	return f
}

func fdOf(obj *qnxshm.Object) int { return int(obj.Fd()) }

// handle makes a handle, which is deleted at the end if nobody has used it.
func (c *trial) handle(obj *qnxshm.Object, pid int, access qnxshm.Access) qnxshm.Handle {
	return c.made(obj.CreateHandle(pid, access, nil))
}

// part makes a handle of a part.
func (c *trial) part(obj *qnxshm.Object, pid int, access qnxshm.Access, size, offset int64) qnxshm.Handle {
	return c.made(qnxshm.CreateSubrangeHandle(fdOf(obj), pid, access, 0, size, offset))
}

func (c *trial) made(h qnxshm.Handle, err error) qnxshm.Handle {
	c.must("make a handle", err)
	c.cleanup(func() { qnxshm.DeleteHandle(h) })
	return h
}

func (c *trial) open(h qnxshm.Handle, access qnxshm.Access) *qnxshm.Object {
	obj, err := qnxshm.Open(h, access)
	c.must("open a handle", err)
	return c.owned(obj)
}

// openErr opens a handle in the hope that it fails.
func openErr(h qnxshm.Handle, access qnxshm.Access) error {
	fd, err := qnxshm.OpenHandle(h, access)
	if err == nil {
		closeFD(fd)
	}
	return err
}

// openPIDErr is openErr for OpenHandlePID.
func openPIDErr(h qnxshm.Handle, access qnxshm.Access, maker int) error {
	fd, err := qnxshm.OpenHandlePID(h, access, maker)
	if err == nil {
		closeFD(fd)
	}
	return err
}

// handleErr makes a handle in the hope that it fails.
func handleErr(fd, pid int, access qnxshm.Access, opts qnxshm.HandleOptions) error {
	h, err := qnxshm.CreateHandle(fd, pid, access, opts)
	if err == nil {
		qnxshm.DeleteHandle(h)
	}
	return err
}

// partErr makes a handle of a part for the caller in the hope that it fails.
func partErr(obj *qnxshm.Object, size, offset int64) error {
	h, err := qnxshm.CreateSubrangeHandle(fdOf(obj), os.Getpid(), qnxshm.ReadOnly, 0, size, offset)
	if err == nil {
		qnxshm.DeleteHandle(h)
	}
	return err
}

// withAccess gives another descriptor of obj, with less access.
func (c *trial) withAccess(obj *qnxshm.Object, access qnxshm.Access) *qnxshm.Object {
	return c.open(c.handle(obj, os.Getpid(), access), access)
}

// mapped maps the whole of obj until the case ends.
func (c *trial) mapped(obj *qnxshm.Object, access qnxshm.Access) *qnxshm.Mapping {
	m, err := obj.Map(access)
	c.must("map", err)
	return c.ownedMapping(m)
}

func (c *trial) mappedRange(obj *qnxshm.Object, access qnxshm.Access, offset, length int64) *qnxshm.Mapping {
	m, err := obj.MapRange(access, offset, length)
	c.must("map a range", err)
	return c.ownedMapping(m)
}

func (c *trial) ownedMapping(m *qnxshm.Mapping) *qnxshm.Mapping {
	c.cleanup(func() { m.Unmap() })
	return m
}

// portable skips a call that nothing portable makes.
func (c *trial) portable(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		c.skipf("nothing portable makes the call: the probe asks")
	}
	return err
}

func mapErr(obj *qnxshm.Object, access qnxshm.Access, offset, length int64) error {
	m, err := obj.MapRange(access, offset, length)
	if err == nil {
		m.Unmap()
	}
	return err
}

// read reads from an object that it maps for the purpose.
func (c *trial) read(obj *qnxshm.Object, off int64, n int) string {
	m, err := obj.Map(qnxshm.ReadOnly)
	c.must("map to read", err)
	defer m.Unmap()
	return c.readFrom(m, off, n)
}

func (c *trial) readFrom(m *qnxshm.Mapping, off int64, n int) string {
	b := make([]byte, n)
	_, err := m.ReadAt(b, off)
	c.must("read memory", err)
	return string(b)
}

func (c *trial) write(obj *qnxshm.Object, off int64, s string) {
	m, err := obj.Map(qnxshm.ReadWrite)
	c.must("map to write", err)
	defer m.Unmap()
	c.writeTo(m, off, s)
}

func (c *trial) writeTo(m *qnxshm.Mapping, off int64, s string) {
	_, err := m.WriteAt([]byte(s), off)
	c.must("write memory", err)
}

func (c *trial) size(obj *qnxshm.Object) int64 {
	size, err := obj.Size()
	c.must("size", err)
	return size
}

// opensHere checks that a handle for this process is good.
func (c *trial) opensHere(h qnxshm.Handle) {
	obj, err := qnxshm.Open(h, qnxshm.ReadOnly)
	c.must("open the handle that was kept", err)
	obj.Close()
}

// soon calls f until it reports true. It is for what no event tells of.
func (c *trial) soon(what string, f func() bool) {
	for deadline := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.fatalf("%s did not happen within %v", what, patience)
		}
	}
}

// closesOnExec checks that FD_CLOEXEC is set.
func (c *trial) closesOnExec(obj *qnxshm.Object) {
	set, err := closeOnExec(fdOf(obj))
	if errors.Is(err, errors.ErrUnsupported) {
		c.skipf("nothing portable tells FD_CLOEXEC")
	}
	c.must("FD_CLOEXEC", err)
	equal(c, "FD_CLOEXEC", set, true)
}

// takesLowest checks that three opens take the lowest free descriptors, after
// two gaps were made below others.
func (c *trial) takesLowest(open func() (fd int, err error)) {
	var fds []int
	for range 5 {
		fd, err := duplicate(0)
		c.must("dup", err)
		fds = append(fds, fd)
	}
	defer func() {
		for _, fd := range fds {
			closeFD(fd)
		}
	}()
	closeFD(fds[3])
	closeFD(fds[1])
	fds = []int{fds[0], fds[2], fds[4]}
	for range 3 {
		want, err := lowestFree()
		c.must("lowest free descriptor", err)
		fd, err := open()
		c.must("open", err)
		equal(c, "descriptor", fd, want)
		fds = append(fds, fd)
	}
}

// same checks the outcome of a race.
func (c *trial) same(what string, got, want map[string]int) {
	for name := range want {
		if want[name] == 0 {
			delete(want, name)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.errorf("%s: got %v, want %v", what, got, want)
	}
}

// notMemory returns what has a descriptor and is no shared memory: a file, a
// directory, the ends of a pipe.
func (c *trial) notMemory() []*os.File {
	dir, err := os.MkdirTemp("", "shmtest")
	c.must("make a directory", err)
	c.cleanup(func() { os.RemoveAll(dir) })
	file, err := os.Create(filepath.Join(dir, "file"))
	c.must("make a file", err)
	c.cleanup(func() { file.Close() })
	d, err := os.Open(dir)
	c.must("open a directory", err)
	c.cleanup(func() { d.Close() })
	r, w, err := os.Pipe()
	c.must("make a pipe", err)
	c.cleanup(func() { r.Close(); w.Close() })
	return []*os.File{file, d, r, w}
}
