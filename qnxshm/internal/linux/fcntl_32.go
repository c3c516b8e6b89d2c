//go:build linux && (386 || arm || mips || mipsle)

package linux

import "golang.org/x/sys/unix"

const fcntlNumber = unix.SYS_FCNTL64
