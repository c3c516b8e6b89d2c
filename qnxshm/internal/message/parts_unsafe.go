//go:build linux

package message

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
)

// Memory that is shared lies in sealed files in memory: the client makes them and
// sends their descriptors, both map them and close the descriptors. Mostly that is one
// file. Where RLIMIT_FSIZE is lower than what is needed there are several, one behind
// the other: to a program a message is no file.

const sharedSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// maxParts bounds the mappings that a peer can make this process have.
const maxParts = 1024

func roundUp(size int64) int64 {
	page := int64(unix.Getpagesize())
	return (size + page - 1) / page * page
}

// reserve takes addresses for memory that is not there yet.
func reserve(size int64) ([]byte, error) {
	if size <= 0 || int64(int(size)) != size {
		return nil, syscall.ENOMEM
	}
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), size), nil
}

// mapPart maps a file into reserved memory.
func mapPart(mem []byte, fd int) error {
	at := unsafe.Pointer(unsafe.SliceData(mem))
	_, err := unix.MmapPtr(fd, 0, at, uintptr(len(mem)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED)
	if err == nil {
		// A forked child has nothing to say here.
		_, _, errno := unix.Syscall(unix.SYS_MADVISE, uintptr(at), uintptr(len(mem)), unix.MADV_DONTFORK)
		if errno != 0 {
			err = errno
		}
	}
	return err
}

// privateMemory is for who has no other process to share with.
func privateMemory(size int64) ([]byte, error) {
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err
	}
	mem := unsafe.Slice((*byte)(p), size)
	_, _, errno := unix.Syscall(unix.SYS_MADVISE, uintptr(p), uintptr(size), unix.MADV_DONTFORK)
	if errno != 0 {
		unmap(mem)
		return nil, errno
	}
	return mem, nil
}

// makeShared makes memory of a size that roundUp has returned, and sends its parts.
func makeShared(size int64, send func(part wire.Part, fd int) error) (mem []byte, err error) {
	limit, err := partLimit(size)
	if err != nil {
		return nil, err
	}
	if mem, err = reserve(size); err != nil {
		return nil, err
	}
	for at := int64(0); at < size && err == nil; {
		part := wire.Part{Size: size, Offset: at, Length: min(limit, size-at)}
		err = makePart(mem[at:at+part.Length], func(fd int) error { return send(part, fd) })
		at += part.Length
	}
	if err != nil {
		unmap(mem)
		return nil, err
	}
	return mem, nil
}

// partLimit is how long a file in memory may be.
func partLimit(size int64) (int64, error) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &lim); err != nil || lim.Cur >= uint64(size) {
		return size, nil
	}
	page := int64(unix.Getpagesize())
	limit := int64(lim.Cur) / page * page
	if limit == 0 || size/limit >= maxParts {
		return 0, qnxerr.Cause{Errno: syscall.ENOMEM, Text: "RLIMIT_FSIZE leaves too little of the memory that carries messages"}
	}
	return limit, nil
}

func makePart(mem []byte, send func(fd int) error) error {
	fd, err := linux.Memfd("qnxshm-message")
	if err != nil {
		return noDescriptors(err)
	}
	if fd, err = linux.MoveHigh(fd); err != nil {
		return noDescriptors(err)
	}
	defer unix.Close(fd)
	if err = linux.IgnoringEINTR(func() error { return unix.Ftruncate(fd, int64(len(mem))) }); err != nil {
		return err
	}
	if _, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, sharedSeals); err != nil {
		return err
	}
	if err = mapPart(mem, fd); err != nil {
		return err
	}
	return send(fd)
}

// A received is memory that a client has made, as far as its parts have come.
type receivedMemory struct {
	mapped
	have  int64
	files int
}

// add maps a part. The error is wire.ErrMalformed for what is not such memory, and an
// errno where this process has no room for it; after that the memory is of no use.
func (r *receivedMemory) add(part wire.Part, fd int) (complete bool, err error) {
	if part.Offset != r.have || part.Length <= 0 || part.Size < part.Offset || part.Length > part.Size-part.Offset || roundUp(part.Length) != part.Length ||
		r.mem != nil && part.Size != int64(len(r.mem)) || r.files >= maxParts || !sealed(fd, part.Length) {
		return false, wire.ErrMalformed
	}
	if r.mem == nil {
		if r.mem, err = reserve(part.Size); err != nil {
			return false, err
		}
	}
	if !r.count() {
		return false, syscall.ENOMEM
	}
	if err = mapPart(r.mem[part.Offset:part.Offset+part.Length], fd); err != nil {
		return false, err
	}
	r.files++
	r.have += part.Length
	return r.have == part.Size, nil
}

// sealed reports whether a descriptor that a peer has sent is of a file in memory of
// that size, for good. Only such a file has seals: any other might block who asks more
// of it. Memory of large pages may not be there when it is touched.
func sealed(fd int, size int64) bool {
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&sharedSeals != sharedSeals {
		return false
	}
	var st unix.Stat_t
	var fs unix.Statfs_t
	return unix.Fstat(fd, &st) == nil && st.Size == size && unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.TMPFS_MAGIC
}
