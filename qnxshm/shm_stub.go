//go:build !qnx

package qnxshm

import (
	"io/fs"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/memory"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
)

// The host backend: each call goes to the host's process manager. shm_qnx.go is
// its twin for the target; the docs stand in the portable files.

const handleSize = 8

func createHandle(fd, pid int, access Access, opts HandleOptions) (Handle, error) {
	h, err := procnto.CreateHandle(fd, pid, int(access), uint32(opts))
	return Handle(h), err
}

func createSubrangeHandle(fd, pid int, access Access, opts HandleOptions, size, offset int64) (Handle, error) {
	h, err := procnto.CreateSubrangeHandle(fd, pid, int(access), uint32(opts), size, offset)
	return Handle(h), err
}

func openHandle(h Handle, access Access) (int, error) {
	return procnto.OpenHandle(uint64(h), int(access))
}

func openHandlePID(h Handle, access Access, maker int) (int, error) {
	return procnto.OpenHandlePID(uint64(h), int(access), maker)
}

func deleteHandle(h Handle) error { return procnto.DeleteHandle(uint64(h)) }

func openAnonymous(flags int, perm fs.FileMode) (int, error) {
	return memory.OpenAnonymous(flags, perm)
}

func openObject(name string, flags int, perm fs.FileMode) (int, error) {
	return memory.OpenObject(name, flags, perm)
}

func unlinkObject(name string) error { return memory.UnlinkObject(name) }

func objectSize(fd int) (int64, error) { return memory.ObjectSize(fd) }

func truncateObject(fd int, size int64) error { return memory.Truncate(fd, size) }

func closeDescriptor(fd int) error { return memory.CloseDescriptor(fd) }

func mapMemory(fd int, access Access, offset, length int64) ([]byte, error) {
	return procnto.Map(fd, int(access), offset, length)
}

func mapWhole(fd int, access Access) ([]byte, error) { return procnto.MapWhole(fd, int(access)) }

func unmapMemory(b []byte) error { return memory.Unmap(b) }

func control(fd int, flags ControlFlags, paddr, size uint64) (ControlFlags, error) {
	result, err := procnto.Control(fd, uint32(flags), paddr, size)
	return ControlFlags(result), err
}

func mapHandle(h Handle, access Access, length int64) ([]byte, error) {
	return procnto.MapHandle(uint64(h), int(access), length, procnto.MakerOf(uint64(h)))
}

func mapHandlePID(h Handle, access Access, length int64, maker int) ([]byte, error) {
	return procnto.MapHandle(uint64(h), int(access), length, maker)
}

func handleLimit() (cur, max uint64, err error) { return procnto.HandleLimit() }

func setHandleLimit(cur, max uint64) error { return procnto.SetHandleLimit(cur, max) }

func revoke(fd, pid int) error { return procnto.Revoke(fd, pid) }

// memoryRevoked reports whether a fault at p comes from a revocation.
func memoryRevoked(p *byte, _ Access) bool { return memory.Revoked(unsafe.Pointer(p)) }

// memoryFull tells what is full, if anything is that objects take memory from.
func memoryFull() string { return memory.Full() }
