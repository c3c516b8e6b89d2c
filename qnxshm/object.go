package qnxshm

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// An Object owns one descriptor of a shared-memory object, or of a window of
// one. Its methods may be called by many goroutines. Close it when no further
// mapping or handle is to be made; mappings and handles made through it stay
// good. The zero Object is one that was closed already.
type Object struct {
	gate    gate.Gate
	fd      atomic.Int64 // descriptor + 1, so that the zero Object has none
	cleanup runtime.Cleanup
}

// Create makes an anonymous object of size bytes, readable and writable, filled
// with zeroes. On the host memory is taken when it is first touched, not here.
// With size 0 the object has no memory yet, and [Control] or Truncate gives it some.
//
// Errors are those of [OpenAnonymous] and [Object.Truncate].
func Create(size int64) (*Object, error) {
	fd, err := OpenAnonymous(os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	obj := newObject(fd)
	if size == 0 {
		return obj, nil
	}
	if err := obj.Truncate(size); err != nil {
		obj.Close()
		return nil, err
	}
	return obj, nil
}

// OpenNamed opens the object called name, or makes it, of size 0, when flags has
// os.O_CREATE. The [Object] owns the descriptor.
//
// Errors are those of [OpenObject].
func OpenNamed(name string, flags int, perm fs.FileMode) (*Object, error) {
	fd, err := OpenObject(name, flags, perm)
	if err != nil {
		return nil, err
	}
	return newObject(fd), nil
}

// Open turns a handle made for this process into an [Object] and uses the handle
// up. The [Object] owns the descriptor.
//
// Errors are those of [OpenHandle].
func Open(h Handle, access Access) (*Object, error) {
	fd, err := OpenHandle(h, access)
	if err != nil {
		return nil, err
	}
	return newObject(fd), nil
}

// OpenPID is [Open] for a handle that must have been made by the process maker.
//
// Errors are those of [OpenHandlePID].
func OpenPID(h Handle, access Access, maker int) (*Object, error) {
	fd, err := OpenHandlePID(h, access, maker)
	if err != nil {
		return nil, err
	}
	return newObject(fd), nil
}

// NewObject makes an [Object] of a descriptor, of which it takes ownership: the
// caller must not close it or use it otherwise. When NewObject fails, the
// descriptor stays the caller's.
//
// Errors:
//
//	EBADF  fd is negative or above 2147483647
func NewObject(fd int) (*Object, error) {
	if fd < 0 || fd > math.MaxInt32 {
		return nil, fmt.Errorf("qnxshm: NewObject(%d): a descriptor is 0 to 2147483647: %w", fd, syscall.EBADF)
	}
	return newObject(fd), nil
}

func newObject(fd int) *Object {
	obj := new(Object)
	obj.fd.Store(int64(fd) + 1)
	f := forgotten{fd: fd, stack: creationStack()}
	obj.cleanup = runtime.AddCleanup(obj, forgotten.closeObject, f)
	return obj
}

// enter keeps the descriptor open until leave. Every successful call is
// followed by a deferred leave, which also keeps the Object reachable.
func (o *Object) enter() (fd int, ok bool) {
	if !o.gate.Enter() {
		return -1, false
	}
	if fd = int(o.fd.Load()) - 1; fd < 0 {
		o.gate.Leave()
		return -1, false
	}
	return fd, true
}

func (o *Object) leave() { o.gate.Leave() }

// A HandleConfig asks for more than a plain handle of the whole object. The
// zero HandleConfig is the same as nil: the whole object, no options.
type HandleConfig struct {
	// Offset and Size, in bytes, select a part of the object or of the window, as
	// in CreateSubrangeHandle. With Size 0 it reaches from Offset to the end, as
	// that is when the handle is made; an Offset at the end or beyond is EINVAL,
	// and so is an end that is not the end of a page.
	// Both 0: the whole object, and as it may grow.
	Offset, Size int64
	// NoFD makes a handle that can only be mapped; see HandleNoFD.
	NoFD bool
}

// CreateHandle makes a handle of the object for the process pid. cfg may be
// nil.
//
// Errors are those of the package's CreateHandle or, when cfg selects a part,
// of [CreateSubrangeHandle] and [Object.Size].
//
// Since QNX SDP 7.1; a part since QNX OS 8.0.
//
// Implements: int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handlep, unsigned options), or shm_create_subrange_handle
func (o *Object) CreateHandle(pid int, access Access, cfg *HandleConfig) (Handle, error) {
	fd, ok := o.enter()
	if !ok {
		return 0, qnxerr.Closed("qnxshm: Object.CreateHandle")
	}
	defer o.leave()
	var c HandleConfig
	if cfg != nil {
		c = *cfg
	}
	var opts HandleOptions
	if c.NoFD {
		opts = HandleNoFD
	}
	switch {
	case c.Size != 0:
		return CreateSubrangeHandle(fd, pid, access, opts, c.Size, c.Offset)
	case c.Offset == 0:
		return CreateHandle(fd, pid, access, opts)
	}
	size, err := o.Size()
	if err != nil {
		return 0, err
	}
	return createPart(fd, pid, access, opts, "the length from offset to the end of the object", size-max(c.Offset, 0), c.Offset)
}

// Size returns the size in bytes of the object, or of the window.
//
// Errors:
//
//	EBADF  the descriptor is not open; host: or an inherited window (see CreateHandle)
//
// Host and target: on the host fstat called past this module tells the size of
// the whole object.
//
// Since QNX SDP 6.
//
// Implements: int fstat(int fd, struct stat *st)
func (o *Object) Size() (int64, error) {
	fd, ok := o.enter()
	if !ok {
		return 0, qnxerr.Closed("qnxshm: Object.Size")
	}
	defer o.leave()
	size, err := objectSize(fd)
	if err != nil {
		return 0, wrap(err, "fstat", "fd %d", fd)
	}
	return size, nil
}

// Truncate sets the size of the object in bytes. New bytes are zero. Whoever
// has mapped bytes that are cut off gets a fault when touching them (see
// [Mapping]).
//
// Errors:
//
//	EINVAL          size is negative, or the descriptor is not open for writing
//	EBADF           the descriptor is not open; host: or an inherited
//	                window (see CreateHandle)
//	EFBIG           size is over the file-size limit
//	EPERM           the object is sealed, or the descriptor is a window
//	ENOMEM, ENOSPC  no memory
//	EINTR, EIO      target: interrupted by a signal, failed
//
// Host and target: on the host ftruncate called past this module acts on the
// whole object.
//
// Since QNX SDP 6.
//
// Implements: int ftruncate(int fd, off_t length)
func (o *Object) Truncate(size int64) error {
	fd, ok := o.enter()
	if !ok {
		return qnxerr.Closed("qnxshm: Object.Truncate")
	}
	defer o.leave()
	if err := truncateObject(fd, size); err != nil {
		return wrap(err, "ftruncate", "fd %d, %d", fd, size)
	}
	return nil
}

// Map maps the whole object, or the whole window, as it is now. access is
// [ReadOnly] or [ReadWrite]. The [Mapping] does not need the Object any more.
//
// Errors are those of MapRange. An object of size 0 cannot be mapped (EINVAL).
//
// Since QNX SDP 6.
//
// Implements: int fstat(int fd, struct stat *st), then mmap
func (o *Object) Map(access Access) (*Mapping, error) {
	fd, ok := o.enter()
	if !ok {
		return nil, qnxerr.Closed("qnxshm: Object.Map")
	}
	defer o.leave()
	data, err := mapFor(access, func() ([]byte, error) { return mapWhole(fd, access) })
	if err != nil {
		return nil, wrap(mapError(err, access, "an object of size 0 cannot be mapped"), "mmap", "fd %d, %v, all of it", fd, access)
	}
	return newMapping(data, access), nil
}

// MapRange maps length bytes from offset on; offset is a multiple of the page
// size. A mapping may be longer than the object: touching it past the object's
// last page is a fault (see [Mapping]), until the object grows. A mapping never
// reaches outside a window.
//
// Errors:
//
//	EINVAL     access is not one of the three modes, length is 0 or negative, or
//	           offset is negative or not a page multiple
//	EBADF      the descriptor is not open; host: or an inherited
//	           window (see CreateHandle)
//	EACCES     ReadWrite, but the descriptor is open for reading only; or the
//	           descriptor, or access, is WriteOnly
//	ENXIO      a window, and the range does not lie within it
//	EOVERFLOW  offset and length together are too large
//	ENOMEM     no address space
//	ENODEV     not an object that can be mapped
//	EAGAIN     target: the memory cannot be locked; host: the object is revocable,
//	           and its creator did not answer for 5 s, being stopped perhaps, or
//	           this process has no descriptor left
//	EPROTO     host: the object is revocable, and its creator has another version of
//	           this module
//	EMFILE     target: too many mappings
//	EPERM      target: not allowed to map it
//
// Since QNX SDP 6.
//
// Implements: void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
func (o *Object) MapRange(access Access, offset, length int64) (*Mapping, error) {
	fd, ok := o.enter()
	if !ok {
		return nil, qnxerr.Closed("qnxshm: Object.MapRange")
	}
	defer o.leave()
	data, err := mapFor(access, func() ([]byte, error) { return mapMemory(fd, access, offset, length) })
	if err != nil {
		return nil, wrap(rangeError(err, access, offset, length), "mmap", "fd %d, %v, offset %d, length %d", fd, access, offset, length)
	}
	return newMapping(data, access), nil
}

// mapFor calls mapping unless access is WriteOnly: there is no memory that can
// only be written.
func mapFor(access Access, mapping func() ([]byte, error)) ([]byte, error) {
	if access == WriteOnly {
		return nil, syscall.EACCES
	}
	return mapping()
}

// Fd returns the descriptor, which stays the Object's: do not close it, and do
// not use it after the Object may have been closed or collected. It is
// ^uintptr(0) after Close. SyscallConn is the safe way to use it.
func (o *Object) Fd() uintptr {
	if fd, ok := o.enter(); ok {
		defer o.leave()
		return uintptr(fd)
	}
	return ^uintptr(0)
}

// SyscallConn gives access to the descriptor while it is kept open: Close waits
// for the function that [Control] runs. Read and Write return an error that
// matches [errors.ErrUnsupported], because memory is never waited for.
func (o *Object) SyscallConn() (syscall.RawConn, error) {
	if _, ok := o.enter(); !ok {
		return nil, qnxerr.Closed("qnxshm: Object.SyscallConn")
	}
	o.leave()
	return rawConn{o}, nil
}

type rawConn struct{ obj *Object }

func (c rawConn) Control(f func(fd uintptr)) error {
	fd, ok := c.obj.enter()
	if !ok {
		return qnxerr.Closed("qnxshm: Object.SyscallConn")
	}
	defer c.obj.leave()
	f(uintptr(fd))
	return nil
}

func (c rawConn) Read(func(fd uintptr) bool) error {
	return fmt.Errorf("qnxshm: shared memory is not waited for: %w", errors.ErrUnsupported)
}

func (c rawConn) Write(func(fd uintptr) bool) error {
	return fmt.Errorf("qnxshm: shared memory is not waited for: %w", errors.ErrUnsupported)
}

// Close closes the descriptor after the calls that use it have returned. The
// object's memory goes with its last descriptor, mapping and unused handle.
// Calling Close again does nothing and returns nil.
//
// Errors:
//
//	EBADF  somebody else has closed the descriptor
//
// Since QNX SDP 6.
//
// Implements: int close(int fd)
func (o *Object) Close() error {
	var err error
	o.gate.Close(nil)
	if fd := int(o.fd.Swap(0)) - 1; fd >= 0 {
		o.cleanup.Stop()
		if e := closeDescriptor(fd); e != nil {
			err = wrap(e, "close", "fd %d", fd)
		}
		runtime.KeepAlive(o) // or the collector may close fd, too: Stop does nothing once the cleanup is queued
	}
	return err
}
