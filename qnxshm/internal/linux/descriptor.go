//go:build linux

package linux

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// NoFD is no descriptor.
const NoFD = -1

// FirstHigh begins the host's own range of descriptors: the program's are the
// lowest free ones, as without the host.
const FirstHigh = 512

// WhoOpens, when set, is told of each descriptor that the host has got. Only tests
// set it, before the first one, to know what has made one that they find left behind.
var WhoOpens func(fd int)

// Opened tells WhoOpens.
func Opened(fd int) {
	if WhoOpens != nil && fd >= 0 {
		WhoOpens(fd)
	}
}

// MoveHigh gives fd a number in the host's own range and closes the low one.
// On failure fd is closed.
func MoveHigh(fd int) (int, error) {
	if fd >= FirstHigh {
		Opened(fd)
		return fd, nil
	}
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, FirstHigh)
	if err == syscall.EINVAL {
		Opened(fd)
		return fd, nil // the limit of descriptors is below the range
	}
	unix.Close(fd)
	Opened(high)
	return high, err
}

// DupHigh duplicates fd in the host's own range, or below it when the limit of
// descriptors leaves no other place.
func DupHigh(fd int) (int, error) {
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, FirstHigh)
	if err == syscall.EINVAL {
		high, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	}
	Opened(high)
	return high, err
}

// IsOpen reports whether fd is a descriptor.
func IsOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

// DescriptorLimit is how many descriptors the process can have.
func DescriptorLimit() uint64 {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) != nil {
		return 0
	}
	return lim.Cur
}

// HighLimit is how many descriptors the host's own range has, 0 if the limit of
// descriptors is below it.
func HighLimit() uint64 {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil || lim.Cur < FirstHigh {
		return 0
	}
	return lim.Cur - FirstHigh
}

// IsMemory reports whether fd is of a file in memory, which alone has seals. Any
// other file might block whoever asks more of it.
func IsMemory(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	return err == nil
}

// Memfd makes a file in memory that can be sealed.
func Memfd(name string) (fd int, err error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	err = IgnoringEINTR(func() error {
		fd, err = unix.MemfdCreate(name, flags|unix.MFD_NOEXEC_SEAL)
		if err == syscall.EINVAL { // before Linux 6.3
			fd, err = unix.MemfdCreate(name, flags)
		}
		return err
	})
	Opened(fd)
	return fd, Refused(err, "memfd_create", "makes memory without a name")
}

// Reopen makes a new open file description of fd's file. dir is of OpenFDDir, or
// NoFD.
func Reopen(dir, fd, access int) (newFD int, err error) {
	path := strconv.Itoa(fd)
	if dir >= 0 {
		newFD, err = openat(dir, path, access)
	}
	if dir < 0 || err == syscall.ENOENT { // dir is of a thread that has ended, perhaps
		newFD, err = openat(unix.AT_FDCWD, ownFDs+"/"+path, access)
	}
	if err == syscall.ENOENT { // no such link, or no links at all
		if err = syscall.EBADF; !HasProc() {
			err = noProc
		}
	}
	if err != nil {
		return NoFD, err
	}
	Opened(newFD)
	return newFD, nil
}

func openat(dir int, path string, access int) (fd int, err error) {
	err = IgnoringEINTR(func() error {
		fd, err = unix.Openat(dir, path, access|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

// OpenFDDir opens a directory from which Reopen goes faster, as long as the process's
// first thread has not ended: of all threads that is the least likely to.
func OpenFDDir() (int, error) {
	fd, err := unix.Open("/proc/self/fd", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == syscall.ENOENT {
		return NoFD, noProc
	}
	if err != nil {
		return NoFD, err
	}
	return MoveHigh(fd)
}

var noProc = qnxerr.Cause{Errno: syscall.ENOSYS, Text: "the host needs /proc, which is not mounted: there it opens an object with the access that a handle gives"}

// Refused gives err, if it looks like that of a system call which a filter
// refuses, such as seccomp or Landlock, a text that says so, and the errno ENOSYS.
func Refused(err error, call, purpose string) error {
	if err == syscall.EPERM || err == syscall.ENOSYS || err == syscall.EACCES {
		return qnxerr.Cause{Errno: syscall.ENOSYS, Text: "the system refuses " + call + " (" + qnxerr.Name(err.(syscall.Errno)) + "), with which the host " + purpose + ": a seccomp filter or Landlock, perhaps of a container"}
	}
	return err
}
