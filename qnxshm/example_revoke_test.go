//go:build linux

package qnxshm_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A creator takes memory back from a process that goes on reading it. That process
// is this program once more, which calls readUntilRevoked when the environment variable
// is set.
func ExampleObject_Revoke() {
	obj, err := qnxshm.Create(4096)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
	if err := obj.MakeRevocable(); err != nil { // counts for what is mapped from now on
		log.Fatal(err)
	}

	name := fmt.Sprintf("example-%d", os.Getpid())
	ch, err := qnxmsg.AttachName(name)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	reader := exec.Command(os.Args[0])
	reader.Env = append(os.Environ(), readEnv+"="+name)
	reader.Stdout, reader.Stderr = os.Stdout, os.Stderr
	if err := reader.Start(); err != nil {
		log.Fatal(err)
	}
	m, err := ch.Receive(make([]byte, 64))
	if err != nil {
		log.Fatal(err)
	}
	// As a descriptor the reader would keep it.
	h, err := obj.CreateHandle(m.Info.PID, qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
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

	if m, err = ch.Receive(make([]byte, 64)); err != nil { // it has mapped the memory
		log.Fatal(err)
	}
	if err := m.Reply(0, nil); err != nil {
		log.Fatal(err)
	}
	// When this returns nil no access succeeds any more. RevokeAll is for all
	// processes at once.
	err = obj.Revoke(m.Info.PID)
	for errors.Is(err, qnxshm.ErrRevokePending) { // the host's, for a process that is slow or stopped
		err = obj.Revoke(m.Info.PID)
	}
	if err != nil {
		log.Fatal(err)
	}
	if err := reader.Wait(); err != nil {
		log.Fatal(err)
	}
	// Output: another process has lost the memory
}

// readEnv tells a process that it is the other one, and the server's name.
const readEnv = "QNXSHM_EXAMPLE_READ"

// readUntilRevoked is all that the other process does.
func readUntilRevoked(name string) error {
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
	mem, err := qnxshm.Map(h, qnxshm.ReadOnly, 4096)
	if err != nil {
		return err
	}
	defer mem.Unmap()
	if _, err := conn.Send(binary.NativeEndian.AppendUint16(nil, 0x201), nil); err != nil { // mapped
		return err
	}
	for word := make([]byte, 4); err == nil; {
		_, err = mem.ReadAt(word, 0) // an error, where a plain access would be a signal
	}
	if !errors.Is(err, qnxshm.ErrRevoked) {
		return err
	}
	fmt.Println("another process has lost the memory")
	return nil
}

// Only an object that was made revocable can be taken back.
func ExampleRevoke() {
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer syscall.Close(fd)
	fmt.Println("as it is made:", qnxshm.Revoke(fd, os.Getpid()) == nil)
	if _, err := qnxshm.Control(fd, qnxshm.ControlAnonymous|qnxshm.ControlRevocable, 0, 4096); err != nil {
		log.Fatal(err)
	}
	// Handles that were not used go, too.
	h, err := qnxshm.CreateHandle(fd, os.Getpid(), qnxshm.ReadOnly, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("marked before:", qnxshm.Revoke(fd, os.Getpid()) == nil)
	_, err = qnxshm.OpenHandle(h, qnxshm.ReadOnly)
	fmt.Println("handle gone:", errors.Is(err, syscall.ESRCH))
	// Output:
	// as it is made: false
	// marked before: true
	// handle gone: true
}
