package shmtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func openDescriptors() int { return len(descriptors()) }

func descriptors() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		// The directory that was read is gone by now.
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil {
			names = append(names, e.Name()+" "+to)
		}
	}
	return names
}

func describeDescriptors() string { return strings.Join(descriptors(), "\n") }

// childProcesses counts the children, ended ones that were not waited for
// included.
func childProcesses() int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	parent := strconv.Itoa(os.Getpid())
	n := 0
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue // gone by now
		}
		// pid (name) state parent …, and the name may hold anything
		if f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])); len(f) > 1 && f[1] == parent {
			n++
		}
	}
	return n
}

// closeOnExec reports whether FD_CLOEXEC is set.
func closeOnExec(fd int) (bool, error) {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	if errno != 0 {
		return false, fmt.Errorf("fcntl(%d, F_GETFD): %w", fd, errno)
	}
	return flags&syscall.FD_CLOEXEC != 0, nil
}
