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

// An object is memory that has no name. It is zero at first, and lives as long as
// a mapping, a descriptor or an unused handle of it.
func ExampleCreate() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		log.Fatal(err)
	}
	size, err := obj.Size()
	if err != nil {
		log.Fatal(err)
	}
	obj.Close() // the mapping stays
	copy(mem.Bytes(), "Hello")
	fmt.Printf("%q of %d bytes\n", mem.Bytes()[:6], size)

	// Bytes must not be used any more when this returns.
	if err := mem.Unmap(); err != nil {
		log.Fatal(err)
	}
	// Output: "Hello\x00" of 4096 bytes
}

// The calls of libc, one to one. They work with descriptors, which the caller
// closes. A process may make a handle for itself.
func ExampleCreateHandle() {
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer syscall.Close(fd)
	if _, err := qnxshm.Control(fd, qnxshm.ControlAnonymous, 0, 4096); err != nil {
		log.Fatal(err)
	}
	h, err := qnxshm.CreateHandle(fd, os.Getpid(), qnxshm.ReadOnly, 0)
	if err != nil {
		log.Fatal(err)
	}

	_, err = qnxshm.OpenHandle(h, qnxshm.ReadWrite)
	fmt.Println("more than it gives:", errors.Is(err, syscall.EACCES))
	received, err := qnxshm.OpenHandle(h, qnxshm.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer syscall.Close(received)
	_, err = qnxshm.OpenHandle(h, qnxshm.ReadOnly)
	fmt.Println("a second time:", errors.Is(err, syscall.ESRCH))
	// Output:
	// more than it gives: true
	// a second time: true
}

// A recipient that is told who has made a handle takes no one else's.
func ExampleOpenHandlePID() {
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer syscall.Close(fd)
	h, err := qnxshm.CreateHandle(fd, os.Getpid(), qnxshm.ReadWrite, 0)
	if err != nil {
		log.Fatal(err)
	}

	_, err = qnxshm.OpenHandlePID(h, qnxshm.ReadWrite, os.Getppid())
	fmt.Println("of another process:", errors.Is(err, syscall.ESRCH))
	received, err := qnxshm.OpenHandlePID(h, qnxshm.ReadWrite, os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	// An Object takes a descriptor over, and closes it.
	obj, err := qnxshm.NewObject(received)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	fmt.Println("of this one:", obj.Truncate(4096) == nil)
	// Output:
	// of another process: true
	// of this one: true
}

// A handle of a part: whoever opens it sees that part only, numbered from 0.
func ExampleCreateSubrangeHandle() {
	page := int64(os.Getpagesize())
	obj, err := qnxshm.Create(3 * page)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		log.Fatal(err)
	}
	defer mem.Unmap()
	if _, err := mem.WriteAt([]byte("second page"), page); err != nil {
		log.Fatal(err)
	}

	// The same as obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly,
	// &qnxshm.HandleConfig{Offset: page, Size: page}).
	h, err := qnxshm.CreateSubrangeHandle(int(obj.Fd()), os.Getpid(), qnxshm.ReadOnly, 0, page, page)
	if err != nil {
		log.Fatal(err)
	}
	window, err := qnxshm.OpenPID(h, qnxshm.ReadOnly, os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer window.Close()
	size, err := window.Size()
	if err != nil {
		log.Fatal(err)
	}
	text := make([]byte, len("second page"))
	part, err := window.MapRange(qnxshm.ReadOnly, 0, page)
	if err != nil {
		log.Fatal(err)
	}
	defer part.Unmap()
	if _, err := part.ReadAt(text, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d page: %s\n", size/page, text)
	// Output: 1 page: second page
}

// A handle that could not be handed over is deleted. When the recipient was faster
// it is gone already, which is ESRCH.
func ExampleDeleteHandle() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		err := qnxshm.DeleteHandle(h)
		fmt.Println(err == nil, errors.Is(err, syscall.ESRCH))
	}
	// Output:
	// true false
	// false true
}

// A handle travels in a message as the bytes that C programs have, too.
func ExampleHandle_UnmarshalBinary() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	if err != nil {
		log.Fatal(err)
	}
	message, err := h.AppendBinary([]byte("frame"))
	if err != nil {
		log.Fatal(err)
	}

	var received qnxshm.Handle
	if err := received.UnmarshalBinary(message[len("frame"):]); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(message)-len("frame") == qnxshm.HandleSize, received == h)
	// Output: true true
}

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

// A recipient that is told who has made a handle maps no one else's.
func ExampleMapPID() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	h, err := obj.CreateHandle(os.Getpid(), qnxshm.ReadWrite, nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = qnxshm.MapPID(h, qnxshm.ReadWrite, 4096, os.Getppid())
	fmt.Println("of another process:", errors.Is(err, syscall.ESRCH))
	m, err := qnxshm.MapPID(h, qnxshm.ReadWrite, 4096, os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer m.Unmap()
	fmt.Println("of this one:", m.Len())
	// Output:
	// of another process: true
	// of this one: 4096
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

// What QNX's guide does in one call: the object gets memory, can be taken back, and
// keeps its size.
func ExampleObject_Control() {
	obj, err := qnxshm.Create(0)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	const flags = qnxshm.ControlAnonymous | qnxshm.ControlRevocable | qnxshm.ControlSeal
	if _, err := obj.Control(flags, 0, 4096); err != nil {
		log.Fatal(err)
	}
	size, err := obj.Size()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(size)
	// Output: 4096
}

// The limit is on handles that wait to be used.
func ExampleSetHandleLimit() {
	cur, most, err := qnxshm.HandleLimit()
	if err != nil {
		log.Fatal(err)
	}
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()

	if err := qnxshm.SetHandleLimit(0, most); err != nil {
		log.Fatal(err)
	}
	_, err = obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
	fmt.Println(errors.Is(err, syscall.EAGAIN))
	if err := qnxshm.SetHandleLimit(cur, most); err != nil {
		log.Fatal(err)
	}
	// Output: true
}

// A name is for those who share no messages. Whoever has the permission opens it.
func ExampleOpenNamed() {
	name := fmt.Sprintf("/example-%d", os.Getpid())
	obj, err := qnxshm.OpenNamed(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	if err := obj.Truncate(4096); err != nil {
		log.Fatal(err)
	}

	fd, err := qnxshm.OpenObject(name, os.O_RDONLY, 0)
	if err != nil {
		log.Fatal(err)
	}
	syscall.Close(fd)
	// An object lives on without its name, until nobody has it open or mapped.
	if err := qnxshm.UnlinkObject(name); err != nil {
		log.Fatal(err)
	}
	_, err = qnxshm.OpenObject(name, os.O_RDONLY, 0)
	fmt.Println(errors.Is(err, syscall.ENOENT))
	// Output: true
}

// Words that two processes share are counted and compared without a lock.
func ExampleMapping_AddUint32() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		log.Fatal(err)
	}
	defer mem.Unmap()

	const frames, busy = 0, 4 // where the words are
	n, err := mem.AddUint32(frames, 1)
	if err != nil {
		log.Fatal(err)
	}
	taken, err := mem.CompareAndSwapUint32(busy, 0, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, taken)
	// Output: 1 true
}

// What another process may take away is touched inside View only: then a fault is
// an error, and Unmap waits.
func ExampleMapping_View() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	mem, err := obj.Map(qnxshm.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer mem.Unmap()

	sum := func(b []byte) error {
		n := 0
		for _, v := range b {
			n += int(v)
		}
		fmt.Println("sum:", n)
		return nil
	}
	if err := mem.View(sum); err != nil {
		log.Fatal(err)
	}
	if err := obj.Truncate(0); err != nil { // as another process could
		log.Fatal(err)
	}
	fmt.Println("gone:", errors.Is(mem.View(sum), qnxshm.ErrTruncated))
	// Output:
	// sum: 0
	// gone: true
}

// An error tells the C name of the call, its arguments, the errno, and what that
// means in this call.
func ExampleError() {
	_, err := qnxshm.OpenHandle(^qnxshm.Handle(0), qnxshm.ReadOnly)
	var e *qnxshm.Error
	if errors.As(err, &e) {
		fmt.Println(e.Call, e.Args, e.Errno == syscall.EBADF)
	}
	// Output: shm_open_handle 0xffffffffffffffff, O_RDONLY true
}
