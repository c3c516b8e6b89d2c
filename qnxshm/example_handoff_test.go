//go:build linux

package qnxshm_test

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A server gives memory to the process that asks for it. That process is this program
// once more, which calls askAndRead when the environment variable is set.
func ExampleObject_CreateHandle() {
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
	copy(mem.Bytes(), "Hello")

	name := fmt.Sprintf("example-%d", os.Getpid())
	ch, err := qnxmsg.AttachName(name)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	client := exec.Command(os.Args[0])
	client.Env = append(os.Environ(), askEnv+"="+name)
	client.Stdout, client.Stderr = os.Stdout, os.Stderr
	if err := client.Start(); err != nil {
		log.Fatal(err)
	}
	m, err := ch.Receive(make([]byte, 64))
	if err != nil {
		log.Fatal(err)
	}
	// The sender waits for the answer, so this pid is still its own.
	h, err := obj.CreateHandle(m.Info.PID, qnxshm.ReadOnly, nil)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := h.AppendBinary(nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Reply(0, answer); err != nil {
		log.Fatal(err)
	}
	if err := client.Wait(); err != nil {
		log.Fatal(err)
	}
	// Output: another process read: Hello
}

// askEnv tells a process that it is the other one, and the server's name.
const askEnv = "QNXSHM_EXAMPLE_ASK"

// askAndRead is all that the other process does.
func askAndRead(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if err != nil {
		return err
	}
	defer conn.Close()
	answer := make([]byte, qnxshm.HandleSize)
	if _, err := conn.Send(binary.NativeEndian.AppendUint16(nil, 0x200), answer); err != nil {
		return err
	}
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(answer); err != nil {
		return err
	}
	obj, err := qnxshm.Open(h, qnxshm.ReadOnly)
	if err != nil {
		return err
	}
	mem, err := obj.Map(qnxshm.ReadOnly)
	obj.Close()
	if err != nil {
		return err
	}
	defer mem.Unmap()
	fmt.Printf("another process read: %s\n", mem.Bytes()[:5])
	return nil
}
