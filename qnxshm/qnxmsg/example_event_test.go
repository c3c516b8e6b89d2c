//go:build linux

package qnxmsg_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"syscall"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// A client wants to be told when there is something new, and does not wait for it: it
// sends an event, which the server delivers when the time has come. Here both are one
// process.
func ExampleChannel_RegisterEvent() {
	server, err := qnxmsg.AttachName(exampleName())
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	conn, err := qnxmsg.OpenName(exampleName())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	news, err := qnxmsg.NewChannel(0) // the client's
	if err != nil {
		log.Fatal(err)
	}
	defer news.Close()

	const somethingNew = 5 // the code of the pulse
	event, err := news.RegisterEvent(conn, qnxmsg.EventUpdateable, -1, somethingNew, 0)
	if err != nil {
		log.Fatal(err)
	}
	subscribed := make(chan error)
	go func() {
		msg, _ := event.AppendBinary(binary.NativeEndian.AppendUint16(nil, typeSubscribe))
		_, err := conn.Send(msg, nil)
		subscribed <- err
	}()

	// The server keeps the message, by which the client is known, and the event.
	subscriber, err := server.Receive(make([]byte, 64))
	if err != nil {
		log.Fatal(err)
	}
	var kept qnxmsg.Event
	if err := kept.UnmarshalBinary(subscriber.Data[2:]); err != nil {
		log.Fatal(err)
	}
	subscriber.ReplyError(subscriber.VerifyEvent(kept)) // nil: Send succeeds
	if err := <-subscribed; err != nil {
		log.Fatal(err)
	}

	for _, frame := range []int64{7, 8} {
		kept.SetValue(frame)
		if err := subscriber.DeliverEvent(kept); err != nil {
			log.Fatal(err)
		}
	}
	for range 2 {
		m, err := news.Receive(nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Pulse.Code == somethingNew, m.Pulse.Value)
	}

	if err := event.Unregister(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("not any more:", errors.Is(subscriber.DeliverEvent(kept), syscall.EACCES))
	// Output:
	// true 7
	// true 8
	// not any more: true
}

const typeSubscribe = 0x202
