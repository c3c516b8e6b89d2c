//go:build !qnx || linux

package qnxerr

import "syscall"

// What a port of Go's package syscall to QNX need not have.
const (
	EPROTO  = syscall.EPROTO
	EBADMSG = syscall.EBADMSG
)
