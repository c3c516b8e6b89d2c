//go:build linux

package linux

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ThreadLives reports whether the thread tid of this process has not ended yet.
func ThreadLives(tid int) bool { return unix.Tgkill(os.Getpid(), tid, 0) != syscall.ESRCH }
