//go:build qnx && !linux

package qnxerr

import "syscall"

// What a port of Go's package syscall to QNX need not have, with QNX's numbers.
const (
	EPROTO  syscall.Errno = 71
	EBADMSG syscall.Errno = 77
)
