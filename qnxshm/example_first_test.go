//go:build linux

package qnxshm_test

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
)

// Both halves of a hand-off in one process, which QNX allows: a handle may be made
// for oneself.
func Example() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Output:
	// Hello
	// again: true
}

func run() error {
	// The process that has the memory makes a handle for one process, known by
	// its pid, that opens once and only for reading.
	obj, err := qnxshm.Create(4096)
	if err != nil {
		return err
	}
	defer obj.Close()
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		return err
	}
	defer mem.Unmap()
	copy(mem.Bytes(), "Hello")
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	if err != nil {
		return err
	}

	// The process that got the handle uses it up. The mapping needs neither the
	// handle nor the object it was made from.
	theirs, err := qnxshm.Open(h, qnxshm.ReadOnly)
	if err != nil {
		return err
	}
	view, err := theirs.Map(qnxshm.ReadOnly)
	theirs.Close()
	if err != nil {
		return err
	}
	defer view.Unmap()
	text := make([]byte, 5)
	if _, err := view.ReadAt(text, 0); err != nil {
		return err
	}
	fmt.Printf("%s\n", text)

	// A handle opens once.
	_, err = qnxshm.Open(h, qnxshm.ReadOnly)
	fmt.Println("again:", errors.Is(err, syscall.ESRCH))
	return nil
}
