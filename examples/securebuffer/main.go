// Command securebuffer shows a producer that takes its memory back while the
// consumer, another process, is reading it:
//
//	go run ./examples/securebuffer
//
// It follows the steps that the QNX guide gives for secure buffers: an anonymous
// object, sealed and revocable; a handle that cannot become a descriptor; the
// recipient maps it; the creator revokes it. With -for 1h there is time to stop
// or kill one of the two.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A frame of the camera: its number, again and again, so that a reader sees
// which one it has.
const frameSize = 64 << 10

// Messages to the producer start with their type, in two bytes. QNX keeps those
// up to 0x1ff for itself.
const (
	requestBuffer = 0x200 // the reply is a handle
	waitForEnd    = 0x201 // the reply comes when the buffer was taken back
)

func main() {
	reading := flag.Duration("for", 100*time.Millisecond, "how long the consumer may read")
	name := flag.String("consume", "", "be the consumer of the producer called `name`, which starts it this way")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "nothing but flags is taken; -help lists them")
		os.Exit(2)
	}
	var err error
	if *name != "" {
		err = consume(*name)
	} else {
		err = produce(*reading)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// produce owns the memory. Whatever way it ends, nothing of it is left but what
// the consumer has mapped, and that ends with the consumer.
func produce(reading time.Duration) error {
	name := fmt.Sprintf("securebuffer-%d", os.Getpid())
	ch, err := qnxmsg.AttachName(name)
	if err != nil {
		return err
	}
	defer ch.Close()

	// Memory that can be taken back, and of which nobody can change the size any
	// more: the consumer need not fear to lose it by accident. Both come before
	// the first handle.
	buffer, err := qnxshm.Create(0)
	if err != nil {
		return err
	}
	defer buffer.Close()
	const attributes = qnxshm.ControlAnonymous | qnxshm.ControlRevocable | qnxshm.ControlSeal
	if _, err := buffer.Control(attributes, 0, frameSize); err != nil {
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
	ctx, over := context.WithCancel(context.Background())
	defer over()
	ended := make(chan error)
	go func() {
		err := consumer.Wait()
		over()
		ended <- err
	}()
	err = serve(ctx, ch, buffer, frame.Bytes(), reading)
	ch.Close() // ends a consumer that waits for us
	if ill := <-ended; ill != nil {
		err = errors.Join(err, fmt.Errorf("the consumer did not end well: %w", ill))
	}
	return err
}

// serve answers the consumer until ctx ends, as that has.
func serve(ctx context.Context, ch *qnxmsg.Channel, buffer *qnxshm.Object, frame []byte, reading time.Duration) error {
	lend := func(_ *qnxmsg.Client, m *qnxmsg.Message) error {
		// The handle is used up by Map. It cannot become a descriptor, with which the
		// consumer could map the buffer again after it was taken back, or hand it to
		// others.
		h, err := buffer.CreateHandle(m.Info.PID, qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
		if err != nil {
			return err
		}
		reply, _ := h.AppendBinary(nil)
		fmt.Printf("producer %d: %d may read frame %d\n", os.Getpid(), m.Info.PID, number(frame))
		if err = m.Reply(0, reply); err != nil { // nobody is there to use it
			qnxshm.DeleteHandle(h)
		}
		return err
	}
	takeBack := func(_ *qnxmsg.Client, m *qnxmsg.Message) error {
		fmt.Printf("producer %d: %d may go on for %v, and is not asked then\n", os.Getpid(), m.Info.PID, reading)
		for again := reading; ; again = time.Second {
			select {
			case <-time.After(again):
			case <-ctx.Done():
				return nil
			}
			// The consumer goes on reading meanwhile. When Revoke returns nil, no read
			// of its succeeds any more, and the frame is ours alone. A handle that it
			// had not used yet would be gone, too.
			err := buffer.Revoke(m.Info.PID)
			if errors.Is(err, syscall.EAGAIN) { // only the host: it is stopped, perhaps
				fmt.Printf("producer %d: not yet: %v\n", os.Getpid(), err)
				continue
			}
			if err != nil {
				return err
			}
			fill(frame, 2)
			fmt.Printf("producer %d: took the buffer back from %d, and wrote frame %d into it\n", os.Getpid(), m.Info.PID, number(frame))
			return m.Reply(0, nil)
		}
	}
	return ch.Serve(ctx, &qnxmsg.Server{Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{requestBuffer: lend, waitForEnd: takeBack}})
}

// fill writes a frame.
func fill(frame []byte, number uint64) {
	for i := 0; i < len(frame); i += 8 {
		binary.NativeEndian.PutUint64(frame[i:], number)
	}
}

// consume reads the producer's memory until it is cut off.
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
	frame, err := qnxshm.Map(h, qnxshm.ReadOnly, frameSize) // which uses the handle up
	if err != nil {
		return err
	}
	defer frame.Unmap() // also after a revocation: the addresses stay taken

	copied := make([]byte, frameSize)
	if _, err := frame.ReadAt(copied, 0); err != nil {
		return err
	}
	fmt.Printf("consumer %d: reading frame %d\n", os.Getpid(), number(copied))

	// The producer answers when it has taken the buffer back. Should it end
	// before, Send tells: the memory does not, it stays as it is.
	var sendErr error
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, sendErr = conn.Send(binary.NativeEndian.AppendUint16(nil, waitForEnd), nil)
	}()

	// Nothing in here asks whether it still may. ReadAt, View and the atomic words
	// return an error when the memory is gone; touching a slice of Bytes would end
	// the program.
	for reads := 1; ; reads++ {
		last := isClosed(over)
		if last && sendErr != nil {
			return fmt.Errorf("the producer is gone: %w", sendErr)
		}
		_, err := frame.ReadAt(copied, 0)
		switch {
		case errors.Is(err, qnxshm.ErrRevoked):
			<-over
			fmt.Printf("consumer %d: read it %d times, then was cut off: %v\n", os.Getpid(), reads, err)
			return sendErr
		case err != nil:
			return err
		case last, number(copied) != 1:
			return errors.New("read memory that was taken back")
		}
	}
}

// number tells which frame this is.
func number(frame []byte) uint64 { return binary.NativeEndian.Uint64(frame[len(frame)-8:]) }

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
