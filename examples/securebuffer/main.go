// Command securebuffer shows a producer that takes its memory back while the
// consumer, another process, is reading it:
//
//	go run ./examples/securebuffer
//
// It follows the steps that the QNX guide gives for secure buffers: an anonymous
// object, sealed and revocable; a handle that cannot become a descriptor; the
// recipient maps it; the creator revokes it.
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A frame of the camera: its number, again and again, so that a reader sees
// whether it is whole.
const frameSize = 64 << 10

// Requests to the producer, in the first two bytes of a message. QNX keeps the
// types up to 0x1ff for itself.
const (
	requestBuffer = 0x200 // the reply is a handle
	reportFrames  = 0x201 // enough frames were read
)

func main() {
	name := flag.String("consume", "", "be the consumer of the producer of this `name` (the producer starts it)")
	flag.Parse()
	var err error
	if *name != "" {
		err = consume(*name)
	} else {
		err = produce(fmt.Sprintf("securebuffer-%d", os.Getpid()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func produce(name string) error {
	ch, err := qnxmsg.AttachName(name)
	if err != nil {
		return err
	}
	defer ch.Close()

	// Memory of which nobody can change the size any more, so that the consumer
	// need not fear to lose it by accident, and which can be taken back. Both
	// come before the first handle.
	fd, err := qnxshm.OpenAnonymous(os.O_RDWR, 0)
	if err != nil {
		return err
	}
	buffer, err := qnxshm.NewObject(fd)
	if err != nil {
		return err
	}
	defer buffer.Close()
	const attributes = qnxshm.ControlAnonymous | qnxshm.ControlRevocable | qnxshm.ControlSeal
	if _, err := qnxshm.Control(fd, attributes, 0, frameSize); err != nil {
		return err
	}
	frame, err := buffer.Map(qnxshm.ReadWrite)
	if err != nil {
		return err
	}
	defer frame.Unmap()
	fill(frame.Bytes(), 1)

	program, err := os.Executable()
	if err != nil {
		return err
	}
	consumer := exec.Command(program, "-consume", name)
	consumer.Stdout, consumer.Stderr = os.Stdout, os.Stderr
	if err := consumer.Start(); err != nil {
		return err
	}
	defer consumer.Wait()

	request := make([]byte, 64)
	for {
		m, err := ch.Receive(request)
		if err != nil {
			return err
		}
		switch {
		case m.IsPulse():
			if m.Pulse.Code == qnxmsg.PulseDisconnect { // the consumer is done
				return ch.DetachClient(m.Pulse.SCOID)
			}
		case len(m.Data) == 2 && binary.NativeEndian.Uint16(m.Data) == requestBuffer:
			// Without a descriptor the consumer can neither map the buffer
			// again later nor hand it to others.
			h, err := buffer.CreateHandle(m.Info.PID, qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
			if err != nil {
				return err
			}
			reply, err := h.AppendBinary(nil)
			if err != nil {
				return err
			}
			fmt.Printf("producer %d: %d may read my frames\n", os.Getpid(), m.Info.PID)
			if m.Reply(0, reply) != nil { // the consumer is gone
				qnxshm.DeleteHandle(h)
			}
		case len(m.Data) == 2 && binary.NativeEndian.Uint16(m.Data) == reportFrames:
			// The consumer goes on reading meanwhile. When Revoke returns, no
			// read of its succeeds any more, and the frame is ours alone.
			if err := buffer.Revoke(m.Info.PID); err != nil {
				return err
			}
			fill(frame.Bytes(), 2)
			fmt.Printf("producer %d: took the buffer back, and wrote what %d must not see\n", os.Getpid(), m.Info.PID)
			m.Reply(0, nil)
		default:
			m.ReplyError(syscall.ENOSYS)
		}
	}
}

// fill writes a frame.
func fill(frame []byte, number uint64) {
	for i := 0; i < len(frame); i += 8 {
		binary.NativeEndian.PutUint64(frame[i:], number)
	}
}

func consume(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if err != nil {
		return err
	}
	defer conn.Close()
	reply := make([]byte, qnxshm.HandleSize)
	if _, err := conn.Send(binary.NativeEndian.AppendUint16(nil, requestBuffer), reply); err != nil {
		return err
	}
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(reply); err != nil {
		return err
	}
	if _, err := qnxshm.Open(h, qnxshm.ReadOnly); err != nil {
		fmt.Printf("consumer %d: no descriptor for me: %v\n", os.Getpid(), err)
	}
	frame, err := qnxshm.Map(h, qnxshm.ReadOnly, frameSize)
	if err != nil {
		return err
	}
	defer frame.Unmap()

	// One goroutine reads all the time, until it is cut off.
	type result struct {
		reads int
		err   error
	}
	done := make(chan result)
	enough := make(chan struct{})
	go func() {
		var r result
		copied := make([]byte, frameSize)
		for r.err == nil {
			if _, r.err = frame.ReadAt(copied, 0); r.err == nil && binary.NativeEndian.Uint64(copied[frameSize-8:]) != 1 {
				r.err = errors.New("read what was not meant for me")
			}
			if r.reads++; r.reads == 100 {
				close(enough)
			}
		}
		done <- r
	}()
	<-enough
	if _, err := conn.Send(binary.NativeEndian.AppendUint16(nil, reportFrames), nil); err != nil {
		return err
	}
	r := <-done
	if !errors.Is(r.err, qnxshm.ErrRevoked) {
		return r.err
	}
	fmt.Printf("consumer %d: cut off after reading a while: %v\n", os.Getpid(), r.err)
	return nil
}
