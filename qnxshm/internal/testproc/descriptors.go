//go:build linux

package testproc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// LimitDescriptors limits how many descriptors this process may have.
func LimitDescriptors(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = n // below the hard limit, so that anybody can raise it again
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// A Filler fills the descriptor table of this process. Its methods are procedures.
type Filler struct{ fds []int }

// Fill uses the table up, but for some low numbers.
func (f *Filler) Fill(leave int) error {
	for {
		fd, err := unix.Dup(2)
		if err == syscall.EMFILE {
			break
		}
		if err != nil {
			return err
		}
		f.fds = append(f.fds, fd)
	}
	for range leave {
		unix.Close(f.fds[0])
		f.fds = f.fds[1:]
	}
	return nil
}

// Unfill ends Fill.
func (f *Filler) Unfill() {
	for _, fd := range f.fds {
		unix.Close(fd)
	}
	f.fds = nil
}
