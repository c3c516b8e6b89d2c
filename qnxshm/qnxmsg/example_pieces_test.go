//go:build linux

package qnxmsg_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// newPair makes a channel and a connection to it, which the example closes.
func newPair(flags qnxmsg.ChannelFlags) (*qnxmsg.Channel, *qnxmsg.Connection) {
	ch, err := qnxmsg.NewChannel(flags)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := qnxmsg.Connect(os.Getpid(), ch.ID())
	if err != nil {
		log.Fatal(err)
	}
	return ch, conn
}

// A head and what it belongs to lie in different places, and are one message.
func ExampleConnection_Sendv() {
	ch, conn := newPair(0)
	defer ch.Close()
	defer conn.Close()
	go func() {
		m, err := ch.Receive(make([]byte, 64))
		if err != nil {
			log.Fatal(err)
		}
		m.Replyv(0, [][]byte{[]byte("got "), m.Data})
	}()

	head, body := make([]byte, 4), make([]byte, 9)
	if _, err := conn.Sendv([][]byte{[]byte("head+"), []byte("body")}, [][]byte{head, body}); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q %q\n", head, body)

	_, err := conn.SendvTimeout([][]byte{[]byte("head+"), []byte("body")}, nil, 10*time.Millisecond)
	fmt.Println("nobody receives:", errors.Is(err, syscall.ETIMEDOUT))
	// Output:
	// "got " "head+body"
	// nobody receives: true
}

// A server receives the head only, and reads the rest of a long message where it
// wants to have it.
func ExampleMessage_ReadAt() {
	ch, conn := newPair(0)
	defer ch.Close()
	defer conn.Close()
	go conn.Send([]byte("head: a long body"), nil)

	m, err := ch.Receive(make([]byte, len("head")))
	if err != nil {
		log.Fatal(err)
	}
	body := make([]byte, m.Info.SrcMsgLen-int64(len("head: ")))
	if _, err := m.ReadAt(body, int64(len("head: "))); err != nil && !errors.Is(err, io.EOF) {
		log.Fatal(err)
	}
	fmt.Printf("%s, %s\n", m.Data, body)
	if err := m.Reply(0, nil); err != nil {
		log.Fatal(err)
	}
	// Output: head, a long body
}

// A server writes a long answer as it comes, and then lets the client go on.
func ExampleMessage_WriteAt() {
	ch, conn := newPair(0)
	defer ch.Close()
	defer conn.Close()
	go func() {
		m, err := ch.Receive(make([]byte, 64))
		if err != nil {
			log.Fatal(err)
		}
		for i := range int64(3) {
			if _, err := m.WriteAt(fmt.Appendf(nil, "part %d;", i), i*7); err != nil {
				log.Fatal(err)
			}
		}
		m.Reply(0, nil)
	}()

	reply := make([]byte, 21)
	if _, err := conn.Send([]byte("all parts"), reply); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", reply)
	// Output: part 0;part 1;part 2;
}

// A server looks who has sent a message. So does a client whom it sends to.
func ExampleChannel_ClientInfo() {
	ch, conn := newPair(0)
	defer ch.Close()
	defer conn.Close()
	go conn.Send([]byte("who am I?"), nil)

	m, err := ch.Receive(make([]byte, 64))
	if err != nil {
		log.Fatal(err)
	}
	client, err := ch.ClientInfo(m.Info.SCOID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("client:", client.PID == os.Getpid(), client.EffectiveUID == os.Geteuid())
	server, err := conn.ServerInfo()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("server:", server.PID == os.Getpid(), server.ChannelID == ch.ID(), server.SCOID == m.Info.SCOID)
	if err := m.Reply(0, nil); err != nil {
		log.Fatal(err)
	}
	// Output:
	// client: true true
	// server: true true true
}
