package shmtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
)

// descriptors returns those of this process, each with what it is.
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

func threadID() (int, error) { return syscall.Gettid(), nil }

// interrupt sends a thread of this process what the Go runtime sends, too, to
// preempt it and to take a profile.
func interrupt(thread int) error {
	pid := os.Getpid()
	return errors.Join(syscall.Tgkill(pid, thread, syscall.SIGURG), syscall.Tgkill(pid, thread, syscall.SIGPROF))
}

// blocked tells the signals that a thread of this process blocks, the first as
// the lowest bit.
func blocked(thread int) (set uint64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", thread))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nSigBlk:")
	_, err = fmt.Sscanf(rest, "%x", &set)
	return set, err
}

// protection tells how the memory that b is in is mapped, like "rw-s".
func protection(b []byte) (string, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return "", err
	}
	at := uint64(reflect.ValueOf(b).Pointer())
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var how string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &how); err == nil && from <= at && at < to {
			return how, nil
		}
	}
	return "not mapped", nil
}
