//go:build !linux && !qnx

package procnto

import "github.com/go-qnx/shm/qnxshm/internal/memory"

func CreateHandle(fd, pid, access int, options uint32) (uint64, error) {
	return 0, memory.ErrUnsupported
}

func CreateSubrangeHandle(fd, pid, access int, options uint32, size, offset int64) (uint64, error) {
	return 0, memory.ErrUnsupported
}

func OpenHandle(h uint64, access int) (fd int, err error) { return -1, memory.ErrUnsupported }

func OpenHandlePID(h uint64, access, maker int) (fd int, err error) {
	return -1, memory.ErrUnsupported
}

func DeleteHandle(h uint64) error { return memory.ErrUnsupported }

func Map(fd, access int, offset, length int64) ([]byte, error) { return nil, memory.ErrUnsupported }

func MapWhole(fd, access int) ([]byte, error) { return nil, memory.ErrUnsupported }

func MapHandle(id uint64, access int, length int64, maker int) ([]byte, error) {
	return nil, memory.ErrUnsupported
}

func MakerOf(id uint64) int { return 0 }

func Control(fd int, flags uint32, paddr, size uint64) (uint32, error) {
	return 0, memory.ErrUnsupported
}

func HandleLimit() (cur, max uint64, err error) { return 0, 0, memory.ErrUnsupported }

func SetHandleLimit(cur, max uint64) error { return memory.ErrUnsupported }

func Revoke(fd, pid int) error { return memory.ErrUnsupported }
