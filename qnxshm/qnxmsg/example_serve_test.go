//go:build linux

package qnxmsg_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A server counts for each client, and forgets the count when the client is gone. Here
// the client is a goroutine of the same process, and ends the server.
func ExampleChannel_Serve() {
	ch, err := qnxmsg.AttachName(exampleName())
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer stop()
		conn, err := qnxmsg.OpenName(exampleName())
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		for range 2 {
			status, err := conn.Send(binary.NativeEndian.AppendUint16(nil, typeCount), nil)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("the server says", status)
		}
		_, err = conn.Send(binary.NativeEndian.AppendUint16(nil, typeCount+1), nil)
		fmt.Println("no handler:", errors.Is(err, syscall.ENOSYS))
	}()

	err = ch.Serve(ctx, &qnxmsg.Server{
		Handlers: map[uint16]func(*qnxmsg.Client, *qnxmsg.Message) error{
			typeCount: func(cl *qnxmsg.Client, m *qnxmsg.Message) error {
				count, _ := cl.State.(int)
				cl.State = count + 1
				return m.Reply(count+1, nil)
			},
		},
		Gone: func(cl *qnxmsg.Client) { fmt.Println("gone after", cl.State) },
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// the server says 1
	// the server says 2
	// no handler: true
	// gone after 2
}

const typeCount = 0x203
