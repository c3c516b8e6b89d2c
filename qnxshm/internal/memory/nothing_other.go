//go:build linux && !(amd64 || arm64 || riscv64 || loong64)

package memory

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmapNothing maps memory that cannot be accessed. Here the system call has
// another number or form.
func mmapNothing(p unsafe.Pointer, length uintptr, flags int) error {
	_, err := unix.MmapPtr(-1, 0, p, length, unix.PROT_NONE, flags)
	return err
}
