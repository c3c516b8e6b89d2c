package procnto

import (
	"math"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

var pageSize = int64(os.Getpagesize())

// Protections and flags of Mmap, as QNX numbers them.
const (
	protRead    = 0x100
	protWrite   = 0x200
	protExec    = 0x400
	protNoCache = 0x800
	protAll     = protRead | protWrite | protExec | protNoCache

	mapShared  = 0x1
	mapPrivate = 0x2
	mapType    = 0x3
	mapFixed   = 0x10
	mapPhys    = 0x10000
	mapHandle  = 0x40000
	mapAnon    = 0x80000
	// mapRefused are the bits that are reserved, or that libc sets itself.
	mapRefused = 0xfff00000 | mapHandle
)

// Mmap is mmap with QNX's numbers. NOFD is -1.
func Mmap(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64) (unsafe.Pointer, error) {
	if err := checkMap(length, prot, flags, offset); err != nil {
		return nil, err
	}
	var d descriptor
	var err error
	if flags&mapAnon != 0 {
		if fd != -1 {
			return nil, syscall.EINVAL
		}
	} else if d, err = describe(fd); err != nil {
		return nil, err
	}
	return d.mmap(addr, length, prot, flags, fd, offset)
}

// mmap maps a range of what fd has, so that it can be taken away if the object
// is revocable.
func (d descriptor) mmap(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64) (unsafe.Pointer, error) {
	if d.mode&revocableBit != 0 && !d.object && isMemory(fd) {
		return nil, qnxerr.Cause{Errno: syscall.EBADF, Text: "the object is revocable, and the descriptor did not come by a handle, so nobody could revoke it"}
	}
	p, err := d.window.mmap(addr, length, prot, flags, fd, offset)
	if err != nil || !d.revocable() {
		return p, err
	}
	track(d.key, d.creator, p, length)
	if err := host.register(d.creator, d.key); err != nil {
		Munmap(p, length)
		return nil, noDescriptors(err)
	}
	return p, nil
}

// track remembers a mapping that can be taken away. Like a target, the host does
// not let a forked child have it.
func track(key objectKey, by creator, p unsafe.Pointer, length uint64) {
	start := uintptr(p)
	unix.Syscall(unix.SYS_MADVISE, start, uintptr(length), unix.MADV_DONTFORK)
	mappings.add(mappedRange{key: key, creator: by, base: p, start: start, end: endOf(start, length)})
}

// replaceByNothing makes memory inaccessible for ever, and gives its pages back
// unless the kernel has no room for another mapping, even in place of one, or may
// not lock more memory.
func replaceByNothing(p unsafe.Pointer, length uintptr) error {
	const flags = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_FIXED | unix.MAP_NORESERVE
	if mmapNothing(p, length, flags) == nil {
		return nil
	}
	return mprotect(p, length, unix.PROT_NONE)
}

func mprotect(p unsafe.Pointer, length uintptr, prot int) error {
	_, _, errno := unix.Syscall(unix.SYS_MPROTECT, uintptr(p), length, uintptr(prot))
	if errno != 0 {
		return errno
	}
	return nil
}

// Revoked reports whether the memory at p was taken away.
func Revoked(p unsafe.Pointer) bool { return mappings.isRevoked(uintptr(p), uintptr(p)+1) }

// MmapHandle is mmap_handle_pid: memory straight from a handle, which is used up
// if that works.
func MmapHandle(addr unsafe.Pointer, length uint64, prot, flags uint32, id uint64, maker int, offset int64) (unsafe.Pointer, error) {
	if err := checkMap(length, prot, flags, offset); err != nil {
		return nil, err
	}
	if flags&mapAnon != 0 {
		return nil, syscall.EINVAL
	}
	access := syscall.O_RDONLY
	if prot&protWrite != 0 && flags&mapType == mapShared {
		access = syscall.O_RDWR
	}
	if makerOf(id) == self().pid {
		if err := host.registerOwn(id); err != nil {
			return nil, noDescriptors(err)
		}
	}
	var p unsafe.Pointer
	err := host.use(mapRequest, id, access, maker, func(r received) error {
		var st unix.Stat_t
		err := unix.Fstat(r.fd, &st)
		if err == nil {
			p, err = r.window.mmap(addr, length, prot, flags, r.fd, offset)
		}
		if err != nil {
			return err
		}
		if st.Mode&revocableBit != 0 {
			track(r.key, r.creator, p, length)
			if !r.own { // registerOwn has done it
				err = host.register(r.creator, r.key)
			}
		}
		if err == nil {
			unix.Close(r.fd)
		}
		return err
	})
	if err != nil && p != nil {
		Munmap(p, length)
	}
	if err != nil {
		return nil, noDescriptors(err)
	}
	return p, nil
}

// MakerOf returns the process that made a handle, as the handle says.
func MakerOf(id uint64) int { return makerOf(id) }

func checkMap(length uint64, prot, flags uint32, offset int64) error {
	kind := flags & mapType
	switch {
	case length == 0, prot&^protAll != 0, flags&mapRefused != 0, kind != mapShared && kind != mapPrivate,
		offset < 0, offset%pageSize != 0:
		return syscall.EINVAL
	case flags&mapPhys != 0:
		return qnxerr.Cause{Errno: syscall.ENOSYS, Text: "only a target has physical memory to map"}
	case length > math.MaxInt:
		return syscall.ENOMEM
	}
	return nil
}

// mmap maps a range of the window of fd.
func (w window) mmap(addr unsafe.Pointer, length uint64, prot, flags uint32, fd int, offset int64) (unsafe.Pointer, error) {
	if w.size > 0 {
		if offset > w.size || int64(length) > w.size-offset {
			return nil, syscall.ENXIO
		}
		offset += w.offset
	}
	if offset > math.MaxInt64-int64(length) {
		return nil, syscall.EOVERFLOW
	}
	// The kernel checks the descriptor's own access mode.
	var p unsafe.Pointer
	mmap := func() (err error) {
		p, err = unix.MmapPtr(fd, offset, addr, uintptr(length), hostProt(prot), hostFlags(flags))
		return err
	}
	var err error
	if flags&mapFixed != 0 {
		err = mappings.change(uintptr(addr), length, mmap)
	} else {
		err = mmap()
	}
	return p, err
}

func hostProt(prot uint32) int {
	p := unix.PROT_NONE
	if prot&protRead != 0 {
		p |= unix.PROT_READ
	}
	if prot&protWrite != 0 {
		p |= unix.PROT_WRITE
	}
	if prot&protExec != 0 {
		p |= unix.PROT_EXEC
	}
	return p
}

// hostFlags translates what has a meaning on the host; the rest are hints.
func hostFlags(flags uint32) int {
	f := unix.MAP_SHARED
	if flags&mapType == mapPrivate {
		f = unix.MAP_PRIVATE
	}
	if flags&mapFixed != 0 {
		f |= unix.MAP_FIXED
	}
	if flags&mapAnon != 0 {
		f |= unix.MAP_ANON
	}
	return f
}

// Map is Mmap with MAP_SHARED for an access mode.
func Map(fd, access int, offset, length int64) ([]byte, error) {
	prot, err := protOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := Mmap(nil, uint64(length), prot, mapShared, fd, offset)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// MapWhole is Map of all that fd has.
func MapWhole(fd, access int) ([]byte, error) {
	d, err := describe(fd)
	if err != nil {
		return nil, err
	}
	length := d.length()
	prot, err := protOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := d.mmap(nil, uint64(length), prot, mapShared, fd, 0)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// MapHandle is MmapHandle with MAP_SHARED for an access mode.
func MapHandle(id uint64, access int, length int64, maker int) ([]byte, error) {
	prot, err := protOf(access, length)
	if err != nil {
		return nil, err
	}
	p, err := MmapHandle(nil, uint64(length), prot, mapShared, id, maker, 0)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

func protOf(access int, length int64) (prot uint32, err error) {
	switch {
	case length <= 0:
	case length > math.MaxInt:
		return 0, syscall.ENOMEM
	case access == syscall.O_RDONLY:
		return protRead, nil
	case access == syscall.O_RDWR:
		return protRead | protWrite, nil
	}
	return 0, syscall.EINVAL
}

// Unmap is munmap of memory that Map has returned.
func Unmap(b []byte) error { return Munmap(unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b))) }

// Munmap is munmap.
func Munmap(addr unsafe.Pointer, length uint64) error {
	if length == 0 {
		return syscall.EINVAL
	}
	return mappings.change(uintptr(addr), length, func() error { return unix.MunmapPtr(addr, uintptr(length)) })
}

// Mprotect is mprotect.
func Mprotect(addr unsafe.Pointer, length uint64, prot uint32) error {
	if prot&^protAll != 0 {
		return syscall.EINVAL
	}
	change := func() error { return mprotect(addr, uintptr(length), hostProt(prot)) }
	if prot == 0 {
		return change()
	}
	revoked, err := mappings.protect(uintptr(addr), length, change)
	if revoked {
		return syscall.EACCES
	}
	return err
}

// ObjectSize is the size of the object or window behind fd.
func ObjectSize(fd int) (int64, error) {
	d, err := describe(fd)
	if err != nil {
		return 0, err
	}
	return d.length(), nil
}

// length is of what the descriptor shows: the object or the window.
func (d descriptor) length() int64 {
	if d.window.size > 0 {
		return d.window.size
	}
	return d.size
}

// Truncate is ftruncate. A window cannot be resized.
func Truncate(fd int, size int64) error {
	d, err := describe(fd)
	if err != nil {
		return err
	}
	if d.window.size > 0 {
		return syscall.EPERM
	}
	return ignoringEINTR(func() error { return unix.Ftruncate(fd, size) })
}

// CloseDescriptor is close.
func CloseDescriptor(fd int) error { return unix.Close(fd) }

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
