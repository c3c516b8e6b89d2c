//go:build linux

package qnxshm_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
)

// Both halves of a hand-off in one process, which QNX allows: a handle may be made
// for oneself.
func Example() {
	// The process that has the memory makes a handle for one process, known by
	// its pid, that opens once and only for reading.
	obj := must(qnxshm.Create(4096))
	defer obj.Close()
	mem := must(obj.Map(qnxshm.ReadWrite))
	defer mem.Unmap()
	copy(mem.Bytes(), "Hello")
	h := must(obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil))

	// The process that got the handle uses it up.
	theirs := must(qnxshm.Open(h, qnxshm.ReadOnly))
	defer theirs.Close()
	view := must(theirs.Map(qnxshm.ReadOnly))
	defer view.Unmap()
	fmt.Printf("%s\n", view.Bytes()[:5])

	_, err := qnxshm.Open(h, qnxshm.ReadOnly)
	fmt.Println("again:", errors.Is(err, syscall.ESRCH))
	// Output:
	// Hello
	// again: true
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
