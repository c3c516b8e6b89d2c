//go:build linux

package linux

import (
	"bytes"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// OwnProc is this process in /proc. /proc/self is its first thread, which tells
// nothing any more when it has ended before the others.
const OwnProc = "/proc/thread-self/"

const ownFDs = OwnProc + "fd"

// HasProc reports whether /proc is mounted.
func HasProc() bool { return unix.Access(ownFDs, unix.F_OK) == nil }

// ReadFile reads a file of /proc or /sys. The error is an errno.
func ReadFile(path string) ([]byte, error) {
	var fd int
	err := IgnoringEINTR(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var content []byte
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return content, nil
		default:
			content = append(content, buf[:n]...)
		}
	}
}

// OpenFDs returns the process's descriptors.
func OpenFDs() ([]int, error) {
	dir, err := unix.Open(ownFDs, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	var fds []int
	var names []string
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil || n == 0 {
			return fds, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil && fd != dir {
				fds = append(fds, fd)
			}
		}
	}
}

// OwnerOf returns the user that the process pid runs as, if the system tells.
func OwnerOf(pid int) (uid uint32, ok bool) {
	var st unix.Stat_t
	if unix.Stat("/proc/"+strconv.Itoa(pid), &st) != nil {
		return 0, false
	}
	return st.Uid, true
}

// Stopped reports whether the process pid is stopped, by a signal or a debugger.
func Stopped(pid int) bool {
	stat, err := ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	// The second field is the program's name in parentheses, and may hold any.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(fields) > 0 && (string(fields[0]) == "T" || string(fields[0]) == "t")
}
