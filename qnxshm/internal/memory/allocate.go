//go:build linux

package memory

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// allocate makes the object at least so large. Unless lazily, the memory of its
// first size bytes is there afterwards. A failure leaves it as large as it was,
// with what is in it.
func allocate(fd int, size int64, lazily bool) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	var err error
	if !lazily {
		err = populate(fd, size)
	}
	if err == nil && size > st.Size {
		// Unlike ftruncate this never shrinks what somebody else has just made
		// larger. Of a sparse object it takes the last page.
		err = linux.IgnoringEINTR(func() error { return unix.Fallocate(fd, 0, size-1, 1) })
	}
	if err != nil && !lazily {
		giveBack(fd, size)
	}
	if err == syscall.ENOSPC && isObjectLink(linkOf(fd)) {
		return qnxerr.Cause{Errno: syscall.ENOMEM, Text: "/dev/shm, where objects with a name are, is full"}
	}
	if err == syscall.ENOSPC || err == syscall.EFBIG {
		return syscall.ENOMEM
	}
	return err
}

// largestPiece is how much memory is taken at once, before others are thought of
// again.
const largestPiece = 64 << 20

// populate gives the first size bytes of a file memory, also beyond its end. A
// piece that fails the kernel takes back itself. Those before it stay if they lie
// within the file: to take them back would be to risk what somebody has written
// there meanwhile.
func populate(fd int, size int64) error {
	piece := int64(largestPiece)
	for at := int64(0); at < size; {
		n := min(piece, size-at)
		if err := roomFor(fd, at, n, size); err != nil {
			return err
		}
		switch err := unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, at, n); err {
		case nil:
			at += n
			piece = min(2*piece, largestPiece)
		case syscall.EINTR:
			// Nothing of the piece was done. A smaller one has a better chance
			// before the next signal.
			piece = max(piece/4, pageSize)
		default:
			return err
		}
	}
	return nil
}

// roomFor reports whether there is memory for n bytes more of the first size
// bytes of a file; before the first of them, for all of them. It is not known
// which of them the file has already, only how many.
func roomFor(fd int, at, n, size int64) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	has := st.Blocks * 512
	need := min(n, max(size, st.Size)-has)
	if at == 0 {
		need = max(need, size-has)
	}
	if need <= 0 {
		return nil
	}
	if left := memoryLeft(); need > left {
		return qnxerr.Cause{Errno: syscall.ENOMEM, Text: fmt.Sprintf("the object needs %d bytes of memory, and the system or the memory cgroup has %d left for objects", need, max(left, 0))}
	}
	return nil
}

// giveBack frees the memory beyond a file's end.
func giveBack(fd int, size int64) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Size < size {
		linux.IgnoringEINTR(func() error {
			return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, st.Size, size-st.Size)
		})
	}
}
