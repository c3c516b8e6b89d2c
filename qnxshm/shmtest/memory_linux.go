package shmtest

import (
	"syscall"
	"unsafe"
)

// protect is mprotect of memory that the package does not own.
func protect(b []byte, writable bool) error {
	prot := syscall.PROT_READ
	if writable {
		prot |= syscall.PROT_WRITE
	}
	return syscall.Mprotect(b, prot)
}

// nowhere is a page where nothing is ever mapped: the kernel keeps the lowest free.
var nowhere = uintptr(page)

func protectNowhere() error {
	return errnoOf(syscall.RawSyscall(syscall.SYS_MPROTECT, nowhere, uintptr(page), syscall.PROT_READ))
}

func syncNowhere() error {
	return errnoOf(syscall.RawSyscall(syscall.SYS_MSYNC, nowhere, uintptr(page), syscall.MS_ASYNC))
}

// syncBothWays is msync in both ways at once.
func syncBothWays(b []byte) error {
	return errnoOf(syscall.RawSyscall(syscall.SYS_MSYNC, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MS_SYNC|syscall.MS_ASYNC))
}

func errnoOf(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
