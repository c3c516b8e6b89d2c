//go:build linux || qnx

package shmtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

const supported = true

func duplicate(fd int) (int, error) { return syscall.Dup(fd) }

func closeFD(fd int) { syscall.Close(fd) }

// lowestFree tells the lowest free descriptor. It is right as long as no other
// goroutine opens or closes one.
func lowestFree() (int, error) {
	fd, err := syscall.Dup(0)
	if err == nil {
		err = syscall.Close(fd)
	}
	return fd, err
}

// startPoller makes the runtime make the descriptors with which it waits. It
// makes them when it waits for the first time and keeps them, and it ends the
// program when it cannot.
func startPoller() error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	return errors.Join(r.Close(), w.Close())
}

// fillDescriptors uses up every descriptor of this process, and returns them.
func fillDescriptors() ([]int, error) {
	if err := startPoller(); err != nil {
		return nil, err
	}
	const enough = 1024 // fewer are filled sooner
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("getrlimit: %w", err)
	}
	if limit.Cur > enough {
		limit.Cur = enough
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return nil, fmt.Errorf("setrlimit: %w", err)
		}
	}
	var fds []int
	for {
		fd, err := syscall.Dup(0)
		if errors.Is(err, syscall.EMFILE) {
			return fds, nil
		}
		if err != nil {
			return fds, fmt.Errorf("dup: %w", err)
		}
		fds = append(fds, fd)
	}
}

func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// execSelf makes this process run its program again from the start.
func execSelf() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(exe, os.Args, os.Environ())
}
