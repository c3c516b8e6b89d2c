// Command client asks the server of ../server for memory and prints the text
// in it.
//
//	go run ./examples/server
//	go run ./examples/client      (in another terminal)
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// typeHello is the only request the server knows: 16 bits in native byte order.
const typeHello = 0x200

func main() {
	name := flag.String("name", "qnxshm-example", "`name` of the server")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "nothing but flags is taken: the name is given with -name")
		os.Exit(2)
	}
	if err := hello(*name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hello(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("no server named %q: start one with: go run ./examples/server -name %s", name, name)
	}
	if err != nil {
		return err
	}
	defer conn.Close() // tells the server to free what it has for this process

	reply := make([]byte, qnxshm.HandleSize)
	_, err = conn.Send(binary.NativeEndian.AppendUint16(nil, typeHello), reply)
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.EBADF) {
		return fmt.Errorf("the server named %q ended before it answered", name)
	}
	if err != nil {
		return err
	}
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(reply); err != nil {
		return err
	}

	// Opening uses the handle up. It was made for this process and for reading:
	// ReadWrite would fail here with EACCES, and another process with ESRCH.
	obj, err := qnxshm.Open(h, qnxshm.ReadOnly)
	if err != nil {
		return err
	}
	mem, err := obj.Map(qnxshm.ReadOnly)
	obj.Close() // the mapping does not need the object any more
	if err != nil {
		return err
	}
	defer mem.Unmap()

	// The server can change the memory, or take it away, at any time: copy first
	// and look at the copy. ReadAt returns an error where a slice would crash.
	text := make([]byte, 256)
	n, err := mem.ReadAt(text, 0)
	if err != nil && err != io.EOF {
		return err
	}
	text, _, _ = bytes.Cut(text[:n], []byte{0})
	fmt.Printf("client %d: %s\n", os.Getpid(), text)
	return nil
}
