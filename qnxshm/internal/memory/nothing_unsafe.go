//go:build linux && (amd64 || arm64 || riscv64 || loong64)

package memory

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmapNothing maps memory that cannot be accessed. Go's scheduler is not told of
// the call: it might not let this thread go on for long while other goroutines
// use all processors.
func mmapNothing(p unsafe.Pointer, length uintptr, flags int) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_MMAP, uintptr(p), length, unix.PROT_NONE, uintptr(flags), ^uintptr(0), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
