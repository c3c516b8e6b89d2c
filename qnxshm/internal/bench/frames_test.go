//go:build linux

package bench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// frameWord is what a frame is full of.
const frameWord = 0x7878787878787878

// BenchmarkFrames gets a frame that is there already from another process, and reads one
// word of it: by a handle, which is made, sent and mapped for each frame, and as a copy
// through a socket.
func BenchmarkFrames(b *testing.B) {
	for _, frame := range []struct {
		what    string
		size, n int
		goal    string
	}{{"64 KiB", 64 << 10, 2000, ""}, {"1 MiB", 1 << 20, 1000, "≤ 0.33"}, {"16 MiB", 16 << 20, 100, "≤ 0.05"}} {
		b.Run(frame.what, func(b *testing.B) {
			set, size := allowedCPUs(b, 2), fmt.Sprint(frame.size)
			took := alternate(b, frame.n, goSide("frame", size)(b, set), goSide("copied", size)(b, set))
			r := comparison(b, "a frame of "+frame.what+" by handle, mapped and read at one word", "socket", took[0], took[1], frame.goal)
			r.baseline += " as a copy through a socket, in Go"
			record(r)
		})
	}
}

// frameServer answers every message with a handle of a frame. Its arguments are the
// name and the size.
func frameServer(args []string) (*job, error) {
	size, err := number(args, 1, 0)
	if err != nil {
		return nil, err
	}
	obj, err := qnxshm.Create(int64(size))
	if err != nil {
		return nil, err
	}
	mem, err := obj.Map(qnxshm.ReadWrite)
	if err != nil {
		return nil, err
	}
	copy(mem.Bytes(), bytes.Repeat([]byte{text}, size))
	return serve(args[0], answerWithHandle(obj))
}

func frameClient(args []string) (*job, error) {
	size, err := number(args, 1, 0)
	if err != nil {
		return nil, err
	}
	conn, err := qnxmsg.OpenName(args[0])
	if err != nil {
		return nil, err
	}
	request, reply := make([]byte, 8), make([]byte, qnxshm.HandleSize)
	return obey(report{}, func(n int) error {
		for range n {
			if err := takeFrame(conn, request, reply, size); err != nil {
				return err
			}
		}
		return nil
	})
}

func takeFrame(conn *qnxmsg.Connection, request, reply []byte, size int) error {
	if _, err := conn.Send(request, reply); err != nil {
		return err
	}
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(reply); err != nil {
		return err
	}
	mem, err := qnxshm.Map(h, qnxshm.ReadOnly, int64(size))
	if err != nil {
		return err
	}
	defer mem.Unmap()
	word, err := mem.LoadUint64(int64(size - 8))
	if err == nil && word != frameWord {
		err = fmt.Errorf("the frame has %#x", word)
	}
	return err
}

// copiedServer writes a frame to a socket for each byte that comes.
func copiedServer(args []string) (*job, error) {
	size, err := number(args, 1, 0)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", "@"+args[0])
	if err != nil {
		return nil, err
	}
	go func() {
		conn, err := l.Accept()
		frame, request := bytes.Repeat([]byte{text}, size), make([]byte, 1)
		for err == nil {
			if _, err = io.ReadFull(conn, request); err == nil {
				_, err = conn.Write(frame)
			}
		}
		if err != io.EOF {
			fail(err)
		}
	}()
	return new(job), nil
}

func copiedClient(args []string) (*job, error) {
	size, err := number(args, 1, 0)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("unix", "@"+args[0])
	if err != nil {
		return nil, err
	}
	frame := make([]byte, size)
	return obey(report{}, func(n int) error {
		for range n {
			if _, err := conn.Write([]byte{1}); err != nil {
				return err
			}
			if _, err := io.ReadFull(conn, frame); err != nil {
				return err
			}
			if frame[size-1] != text {
				return fmt.Errorf("the frame has %#x", frame[size-1])
			}
		}
		return nil
	})
}
