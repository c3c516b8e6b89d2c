package qnxshm

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// ErrTruncated is matched by the error of an access to mapped memory that the
// object does not have any more, or never had: it was made smaller, or the
// mapping is longer than the object. It is also matched where the system had no
// memory for a part of the object that is touched for the first time.
var ErrTruncated = errors.New("qnxshm: the object is shorter than the access")

// lacksMemory is ErrTruncated where the size of the object need not be the reason.
type lacksMemory string

func (e lacksMemory) Error() string { return "qnxshm: the object has no memory there: " + string(e) }

func (lacksMemory) Is(target error) bool { return target == ErrTruncated }

// A Mapping is memory of an object in this process. It does not need the
// [Object] or the descriptor it was made from. Its methods may be called by many
// goroutines; what they read and write is shared with other processes, and
// nothing orders it but what the processes agree on.
//
// Whoever may resize the object can take memory away. Touching such memory
// through the slice of Bytes is a fault that ends the program, as in C (SIGBUS);
// View, ReadAt, WriteAt and the calls for atomic words return an error instead.
//
// The zero Mapping is one that was unmapped already.
type Mapping struct {
	gate    gate.Gate
	access  Access
	mem     *mappedBytes
	cleanup runtime.Cleanup
}

// mappedBytes is the part of a Mapping that outlives it in the collector's cleanup.
type mappedBytes struct {
	bytes []byte
	lent  atomic.Bool // Bytes has handed out the slice
}

func newMapping(data []byte, access Access) *Mapping {
	m := &Mapping{access: access, mem: &mappedBytes{bytes: data}}
	f := forgotten{data: m.mem, stack: creationStack()}
	m.cleanup = runtime.AddCleanup(m, forgotten.unmap, f)
	return m
}

// Map maps the first length bytes of the object straight from a handle made for
// this process, also from one made with [HandleNoFD], and uses the handle up.
// access is [ReadOnly] or [ReadWrite]. A failed Map leaves the handle as it was.
// A handle does not tell how large the object is: let its maker send that, too.
// length may be more, as in [Object.MapRange].
//
// Errors:
//
//	EINVAL  access is not one of the three modes, or length is 0 or negative
//	EBADF   h is all ones
//	ESRCH   no such handle for this process, as in OpenHandle
//	EACCES  access is not covered by the handle, or is WriteOnly
//	ENXIO   the handle is of a part, and length is larger than that
//	ENOMEM  no address space
//	EAGAIN  not enough resources; host: as in OpenHandle, or as in
//	        [Object.MapRange]
//	EPROTO  host: the maker has another version of this module
//
// Since QNX SDP 7.1.
//
// Implements: void *mmap_handle(void *addr, size_t len, int prot, int flags, shm_handle_t handle, off_t off)
func Map(h Handle, access Access, length int64) (*Mapping, error) {
	data, err := mapFor(access, func() ([]byte, error) { return mapHandle(h, access, length) })
	if err != nil {
		return nil, wrap(rangeError(err, access, 0, length), "mmap_handle", "%#x, %v, length %d", uint64(h), access, length)
	}
	return newMapping(data, access), nil
}

// MapPID is [Map] for a handle that must have been made by the process maker, as
// [OpenHandlePID] is [OpenHandle].
//
// Errors are those of [Map].
//
// Since QNX OS 8.0; ENOSYS on QNX SDP 7.1.
//
// Implements: void *mmap_handle_pid(void *addr, size_t len, int prot, int flags, shm_handle_t handle, pid_t pid, off_t off)
func MapPID(h Handle, access Access, length int64, maker int) (*Mapping, error) {
	data, err := mapFor(access, func() ([]byte, error) { return mapHandlePID(h, access, length, maker) })
	if err != nil {
		return nil, wrap(rangeError(err, access, 0, length), "mmap_handle_pid", "%#x, %v, length %d, maker %d", uint64(h), access, length, maker)
	}
	return newMapping(data, access), nil
}

func (m *Mapping) enter() bool { return m.mem != nil && m.gate.Enter() }

func (m *Mapping) closed() bool { return m.mem == nil || m.gate.Closed() }

// Len returns the length in bytes, also after Unmap.
func (m *Mapping) Len() int {
	if m.mem == nil {
		return 0
	}
	return len(m.mem.bytes)
}

// Bytes returns the memory itself, without a copy; nil after Unmap. The slice
// is good until Unmap: using it later, writing to it when the mapping is
// [ReadOnly], or touching memory that was taken away ends the program. Once Bytes
// was called, a forgotten Mapping is never unmapped by the garbage collector.
func (m *Mapping) Bytes() []byte {
	if !m.enter() {
		return nil
	}
	defer m.gate.Leave()
	m.mem.lent.Store(true)
	return m.mem.bytes
}

// View runs f on the memory and returns its error. Unmap waits for f, so f must
// not call it. The slice must not be used after f has returned.
//
// A load, store or copy that faults in f, on the goroutine that called View,
// ends f and becomes an error: one that matches [ErrTruncated] when the object
// has become shorter, [ErrRevoked] when it was revoked, or EACCES for a store when
// the mapping is [ReadOnly]. What f's deferred calls did stays done. A fault at any
// other address is a panic as usual. View cannot help other goroutines that f
// starts, C code that f calls, or a system call given this memory (that returns
// EFAULT).
func (m *Mapping) View(f func(b []byte) error) (err error) {
	if !m.enter() {
		return qnxerr.Closed("qnxshm: Mapping.View")
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return f(m.mem.bytes)
}

// ReadAt copies memory from offset off into p, as io.ReaderAt: when fewer than
// len(p) bytes are left it copies those and returns [io.EOF].
//
// It never crashes: when the memory was taken away it returns 0 and an error
// that matches [ErrTruncated] or [ErrRevoked], and what p then holds is not
// specified. A negative offset is EINVAL.
func (m *Mapping) ReadAt(p []byte, off int64) (n int, err error) {
	const call = "qnxshm: Mapping.ReadAt"
	if m.closed() {
		return 0, qnxerr.Closed(call)
	}
	if off < 0 {
		return 0, fmt.Errorf("qnxshm: Mapping.ReadAt at %d: the offset is negative: %w", off, syscall.EINVAL)
	}
	if off >= int64(len(m.mem.bytes)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	if n, err = m.copyGuarded(call, p, m.mem.bytes[off:]); err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// WriteAt copies p into memory at offset off, as io.WriterAt: when p does not
// fit it copies what fits and returns [io.ErrShortWrite].
//
// It never crashes: when the memory was taken away it returns 0 and an error
// that matches [ErrTruncated] or [ErrRevoked], and part of p may have been written. A negative
// offset is EINVAL, a [ReadOnly] mapping EACCES.
func (m *Mapping) WriteAt(p []byte, off int64) (n int, err error) {
	const call = "qnxshm: Mapping.WriteAt"
	if m.closed() {
		return 0, qnxerr.Closed(call)
	}
	if m.access == ReadOnly {
		return 0, fmt.Errorf("qnxshm: Mapping.WriteAt: the mapping is read-only: %w", syscall.EACCES)
	}
	if off < 0 {
		return 0, fmt.Errorf("qnxshm: Mapping.WriteAt at %d: the offset is negative: %w", off, syscall.EINVAL)
	}
	if off >= int64(len(m.mem.bytes)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.ErrShortWrite
	}
	if n, err = m.copyGuarded(call, m.mem.bytes[off:], p); err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

func (m *Mapping) copyGuarded(call string, dst, src []byte) (n int, err error) {
	if !m.enter() {
		return 0, qnxerr.Closed(call)
	}
	defer m.leave(debug.SetPanicOnFault(true), &err)
	return copy(dst, src), nil
}

// leave is deferred after enter around code that touches the memory, with what
// SetPanicOnFault returned. It turns a fault inside into an error and lets every
// other panic pass.
func (m *Mapping) leave(panicOnFault bool, err *error) {
	r := recover()
	debug.SetPanicOnFault(panicOnFault)
	if r != nil {
		defer m.gate.Leave()
		*err = m.faultError(r)
		return
	}
	m.gate.Leave()
}

func (m *Mapping) faultError(r any) error {
	fault, ok := r.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok {
		panic(r)
	}
	off := fault.Addr() - uintptr(unsafe.Pointer(unsafe.SliceData(m.mem.bytes)))
	if off >= uintptr(len(m.mem.bytes)) { // also below the start, which wraps around
		panic(r)
	}
	at := &m.mem.bytes[off]
	if memoryRevoked(at, m.access) {
		return fmt.Errorf("qnxshm: access at offset %d: %w", off, ErrRevoked)
	}
	if m.access == ReadOnly && readable(at) {
		return fmt.Errorf("qnxshm: store at offset %d of a read-only mapping: %w", off, syscall.EACCES)
	}
	if text := memoryFull(); text != "" {
		return fmt.Errorf("qnxshm: access at offset %d: %w", off, lacksMemory(text))
	}
	return fmt.Errorf("qnxshm: access at offset %d: %w", off, ErrTruncated)
}

// readable reports whether a load from p works.
func readable(p *byte) (ok bool) {
	defer func() { ok = recover() == nil }()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	touched.Store(uint32(*p))
	return true
}

// touched keeps the compiler from dropping the load in readable.
var touched atomic.Uint32

// Unmap gives the memory back after View, ReadAt and WriteAt have returned. The
// slice of Bytes must not be used any more. Calling Unmap again does nothing
// and returns nil. After an error the memory stays mapped for good.
//
// Errors:
//
//	ENOMEM  host: the kernel had merged the mapping with its neighbour, and has no
//	        memory to split them
//
// Since QNX SDP 6.
//
// Implements: int munmap(void *addr, size_t len)
func (m *Mapping) Unmap() error {
	if m.mem == nil || !m.gate.Close(nil) {
		return nil
	}
	m.cleanup.Stop()
	err := unmapMemory(m.mem.bytes)
	runtime.KeepAlive(m) // as in Object.Close
	if err != nil {
		return wrap(err, "munmap", "%d bytes", len(m.mem.bytes))
	}
	return nil
}
