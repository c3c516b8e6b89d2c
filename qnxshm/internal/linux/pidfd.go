//go:build linux

package linux

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// MaxPID is the largest number of a process.
const MaxPID = 1<<22 - 1

// OpenProcess returns a descriptor that becomes readable when the process pid
// exits, ESRCH if there is no such process or it has exited already.
func OpenProcess(pid int) (int, error) {
	if pid <= 0 || pid > MaxPID {
		return NoFD, syscall.ESRCH
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err == syscall.ENOSYS {
		fd, err = watch(pid)
	}
	switch err {
	case nil:
	case syscall.EINVAL, syscall.ENOENT: // a thread, not a process
		return NoFD, syscall.ESRCH
	default:
		return NoFD, Refused(err, "pidfd_open", "learns that a process has ended")
	}
	if fd, err = MoveHigh(fd); err != nil {
		return NoFD, err
	}
	if Exited(fd) {
		unix.Close(fd)
		return NoFD, syscall.ESRCH
	}
	return fd, nil
}

// Exited reports whether the process behind a descriptor of OpenProcess is gone.
func Exited(pidfd int) bool {
	revents, err := PollIn(pidfd)
	return err == nil && revents != 0
}
