package procnto

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// An identity is what this process is known by to others.
type identity struct {
	pid   int
	token uint64 // tells this process from a later one of the same pid
	start uint64 // when it began, as /proc says
	space string // its pid namespace
}

var self = sync.OnceValue(func() identity {
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		space = "pid:[?]"
	}
	start, _ := startTime(os.Getpid())
	return identity{os.Getpid(), randomUint64(), start, space}
})

// startTime is when the process pid began, in clock ticks since boot; ESRCH if
// there is none.
func startTime(pid int) (uint64, error) {
	fields, err := processStat(pid)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(fields[19]), 10, 64)
}

// processStat returns the fields of /proc/pid/stat from the third, the state,
// on.
func processStat(pid int) ([][]byte, error) {
	stat, err := readFile("/proc/" + strconv.Itoa(pid) + "/stat")
	switch err {
	case nil:
	case syscall.EMFILE, syscall.ENFILE:
		return nil, err
	default:
		return nil, syscall.ESRCH
	}
	// The second field is the program's name in parentheses, and may hold any.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return nil, syscall.ESRCH
	}
	return fields, nil
}

// stopped reports whether the process pid is stopped, by a signal or a debugger.
func stopped(pid int) bool {
	fields, err := processStat(pid)
	return err == nil && (string(fields[0]) == "T" || string(fields[0]) == "t")
}

// processSocket is the name of the socket on which the process that began at
// start listens. A leftover listener of an earlier process with the same pid,
// held open by its children, has another one.
func processSocket(pid int, start uint64) string {
	return "qnxshm/" + self().space + "/" + strconv.Itoa(pid) + "/" + strconv.FormatUint(start, 10)
}

// nameSocket is the name of the socket that stands for the name of a channel.
func nameSocket(name string) string {
	prefix := "qnxshm/" + self().space + "/name/"
	if len(prefix)+1+len(name) > maxSocketName {
		sum := sha256.Sum256([]byte(name))
		return prefix + "#" + hex.EncodeToString(sum[:16])
	}
	return prefix + ":" + name
}

const maxSocketName = 106 // sun_path less the zero byte before it and the one after

// openProcess returns a descriptor that becomes readable when the process pid
// exits, ESRCH if there is no such process or it has exited already.
func openProcess(pid int) (int, error) {
	if pid <= 0 || pid > maxPID {
		return -1, syscall.ESRCH
	}
	fd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
	case syscall.EINVAL, syscall.ENOENT: // a thread, not a process
		return -1, syscall.ESRCH
	default:
		return -1, err
	}
	if fd, err = moveHigh(fd); err != nil {
		return -1, err
	}
	if exited(fd) {
		unix.Close(fd)
		return -1, syscall.ESRCH
	}
	return fd, nil
}

// exited reports whether the process behind a descriptor of openProcess is
// gone.
func exited(pidfd int) bool {
	revents, err := pollIn(pidfd)
	return err == nil && revents != 0
}
