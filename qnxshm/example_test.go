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

// A creator gives away memory that keeps its size, and that the recipient can
// map but not pass on. Here both are one process.
func ExampleMap() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	if err := obj.Seal(); err != nil {
		log.Fatal(err)
	}
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
	if err != nil {
		log.Fatal(err)
	}

	// The recipient, who knows the size from the message that h came in.
	_, err = qnxshm.Open(h, qnxshm.ReadOnly)
	fmt.Println("open:", errors.Is(err, syscall.EACCES))
	m, err := qnxshm.Map(h, qnxshm.ReadOnly, 4096)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Unmap()
	err = m.View(func(b []byte) error {
		fmt.Println("mapped:", len(b))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// open: true
	// mapped: 4096
}

// A recipient that does not trust the sender asks, before it uses the memory,
// whether somebody could make the object smaller. To ask takes a descriptor, so
// the handle must be one without HandleNoFD.
func ExampleObject_Flags() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()

	trusted := func() bool {
		flags, err := obj.Flags()
		return err == nil && flags&qnxshm.ControlSeal != 0
	}
	fmt.Println("new:", trusted())
	if err := obj.Seal(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("sealed:", trusted())
	fmt.Println("truncate:", errors.Is(obj.Truncate(0), syscall.EPERM))
	// Output:
	// new: false
	// sealed: true
	// truncate: true
}
