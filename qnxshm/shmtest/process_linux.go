package shmtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// stop stops a child of this process and returns when it has stopped.
func stop(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait for %d to stop: %w", p.Pid, err)
		case !status.Stopped():
			return fmt.Errorf("process %d ended instead of stopping", p.Pid)
		}
		return nil
	}
}

// forkAndRead makes a forked child, which does not call exec, read memory. The
// error is what the child got: EFAULT if it does not have the memory.
func forkAndRead(memory []byte) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	return forkToWrite(w.Fd(), memory)
}

// forkToWrite makes a forked child write the first byte of memory to a descriptor
// of this process.
func forkToWrite(fd uintptr, memory []byte) error {
	pid, err := forkAndWrite(fd, &memory[0])
	if err != nil {
		return fmt.Errorf("shmtest: fork: %w", err)
	}
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("shmtest: wait for the child: %w", err)
		case !status.Exited():
			return fmt.Errorf("shmtest: the child did not exit: %#x", status)
		case status.ExitStatus() != 0:
			return syscall.Errno(status.ExitStatus())
		}
		return nil
	}
}

// forkAndWrite makes a child that writes the byte at p to fd and exits with the
// errno of that. The child is a copy of this thread alone, so it must do nothing
// but system calls: no stack may grow and no race detector may look on.
//
//go:norace
//go:nosplit
func forkAndWrite(fd uintptr, p *byte) (pid int, err error) {
	child, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	if child != 0 {
		return int(child), nil
	}
	_, _, errno = syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(p)), 1)
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
}
