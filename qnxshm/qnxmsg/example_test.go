//go:build linux

package qnxmsg_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// The types of these examples' messages.
const (
	typeAdd  = 0x200
	typeStop = 0x201
)

// exampleName is published by one example at a time.
func exampleName() string { return fmt.Sprintf("example-%d", os.Getpid()) }

// A server in this process, and its client in another, which is this program once more
// and calls askForSum when the environment variable is set.
func Example() {
	ch, err := qnxmsg.AttachName(exampleName())
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	client := exec.Command(os.Args[0])
	client.Env = append(os.Environ(), sumEnv+"="+exampleName())
	client.Stdout, client.Stderr = os.Stdout, os.Stderr
	if err := client.Start(); err != nil {
		log.Fatal(err)
	}

	buf := make([]byte, 64) // the longest request
	for stopped := false; !stopped; {
		m, err := ch.Receive(buf)
		switch {
		case err != nil:
			log.Fatal(err)
		case m.IsPulse():
			// The client has closed its connection, or was killed.
			stopped = m.Pulse.Code == qnxmsg.PulseDisconnect && ch.DetachClient(m.Pulse.SCOID) == nil
		case len(m.Data) == 4 && binary.NativeEndian.Uint16(m.Data) == typeAdd:
			m.Reply(int(m.Data[2]+m.Data[3]), nil)
		default:
			m.ReplyError(syscall.ENOSYS)
		}
	}
	if err := client.Wait(); err != nil {
		log.Fatal(err)
	}
	// Output: 2 + 3 = 5
}

// sumEnv tells a process that it is the other one, and the server's name.
const sumEnv = "QNXMSG_EXAMPLE_SUM"

// askForSum is all that the other process does.
func askForSum(name string) error {
	conn, err := qnxmsg.OpenName(name)
	if err != nil {
		return err
	}
	defer conn.Close()
	sum, err := conn.Send(append(binary.NativeEndian.AppendUint16(nil, typeAdd), 2, 3), nil)
	if err != nil {
		return err
	}
	fmt.Println("2 + 3 =", sum)
	return nil
}

// A client finds a server by its name. Here both are one process, the server in a
// goroutine.
func ExampleConnection_Send() {
	ch, err := qnxmsg.AttachName(exampleName())
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	go func() {
		m, err := ch.Receive(make([]byte, 64))
		if err != nil {
			log.Fatal(err)
		}
		m.Reply(0, []byte("an answer"))
	}()

	conn, err := qnxmsg.OpenName(exampleName())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	reply := make([]byte, 64)
	status, err := conn.Send(binary.NativeEndian.AppendUint16(nil, typeStop), reply)
	if err != nil {
		log.Fatal(err)
	}
	// How much of reply was filled only the protocol between the two can tell.
	fmt.Printf("%d %s\n", status, reply[:len("an answer")])
	// Output: 0 an answer
}

// A client that does not know whether its server has started yet.
func ExampleOpenWait() {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := qnxmsg.OpenWait(ctx, exampleName())
	fmt.Println(errors.Is(err, syscall.ENOENT), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}

// A channel without a name is found by the process and the channel's number.
func ExampleConnect() {
	ch, err := qnxmsg.NewChannel(0)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	conn, err := qnxmsg.Connect(os.Getpid(), ch.ID())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	pid, err := conn.ServerPID()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pid == os.Getpid())
	// Output: true
}

// A pulse carries a code and a value, and nobody waits for it.
func ExampleConnection_SendPulse() {
	ch, err := qnxmsg.NewChannel(0)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	conn, err := qnxmsg.Connect(os.Getpid(), ch.ID())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	if err := conn.SendPulse(-1, 7, 4711); err != nil {
		log.Fatal(err)
	}
	m, err := ch.Receive(nil) // it needs no room
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.IsPulse(), m.Pulse.Code, m.Pulse.Value)
	// Output: true 7 4711
}

// A client that does not wait for ever. The server learns from its answer that
// nobody takes it.
func ExampleConnection_SendTimeout() {
	ch, err := qnxmsg.NewChannel(0)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	conn, err := qnxmsg.Connect(os.Getpid(), ch.ID())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	received, gaveUp := make(chan qnxmsg.Message), make(chan bool)
	go func() {
		m, err := ch.Receive(make([]byte, 64))
		if err != nil {
			log.Fatal(err)
		}
		received <- m
	}()
	go func() {
		_, err := conn.SendTimeout(binary.NativeEndian.AppendUint16(nil, typeStop), nil, 50*time.Millisecond)
		gaveUp <- errors.Is(err, syscall.ETIMEDOUT)
	}()

	m := <-received
	fmt.Println("timed out:", <-gaveUp)
	fmt.Println("nobody waits:", errors.Is(m.Reply(0, nil), syscall.ESRCH))
	// Output:
	// timed out: true
	// nobody waits: true
}

// A timeout of 0 looks whether something has come.
func ExampleChannel_ReceiveTimeout() {
	ch, err := qnxmsg.NewChannel(0)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	_, err = ch.ReceiveTimeout(make([]byte, 64), 0)
	fmt.Println(errors.Is(err, syscall.ETIMEDOUT))
	// Output: true
}

// A server answers a request that it does not know with an error, which is the
// client's.
func ExampleMessage_ReplyError() {
	ch, err := qnxmsg.NewChannel(0)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	conn, err := qnxmsg.Connect(os.Getpid(), ch.ID())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	go func() {
		m, err := ch.Receive(make([]byte, 64))
		if err != nil {
			log.Fatal(err)
		}
		m.ReplyError(syscall.ENOSYS)
	}()

	_, err = conn.Send([]byte("???"), nil)
	fmt.Println(errors.Is(err, syscall.ENOSYS))
	// Output: true
}

// What a server keeps for a client it frees when that is gone, however it ended.
func ExampleChannel_DetachClient() {
	ch, err := qnxmsg.NewChannel(qnxmsg.ChannelDisconnect)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	conn, err := qnxmsg.Connect(os.Getpid(), ch.ID())
	if err != nil {
		log.Fatal(err)
	}
	go conn.Send([]byte("something to keep"), nil)
	m, err := ch.Receive(make([]byte, 64))
	if err != nil {
		log.Fatal(err)
	}
	kept := map[int]string{m.Info.SCOID: string(m.Data)}
	m.Reply(0, nil)
	conn.Close()

	if m, err = ch.Receive(nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Pulse.Code == qnxmsg.PulseDisconnect, kept[m.Pulse.SCOID])
	if err := ch.DetachClient(m.Pulse.SCOID); err != nil { // else the id is never used again
		log.Fatal(err)
	}
	// Output: true something to keep
}

// With ChannelUnblock a client that gives up stays until the server, which may be
// using the client's memory, has answered.
func ExampleNewChannel() {
	ch, err := qnxmsg.NewChannel(qnxmsg.ChannelUnblock)
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	conn, err := qnxmsg.Connect(os.Getpid(), ch.ID())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	answered := make(chan int)
	go func() {
		status, err := conn.SendTimeout([]byte("long work"), nil, 50*time.Millisecond)
		if err != nil {
			log.Fatal(err)
		}
		answered <- status
	}()

	work, err := ch.Receive(make([]byte, 64))
	if err != nil {
		log.Fatal(err)
	}
	m, err := ch.Receive(nil) // the client's time is over
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Pulse.Code == qnxmsg.PulseUnblock, m.Pulse.Value == work.ID())
	if err := work.Reply(1, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-answered)
	// Output:
	// true true
	// 1
}

// A server that need not finish the work lets such a client go.
func ExampleMessage_Unblock() {
	ch, conn := newPair(qnxmsg.ChannelUnblock)
	defer ch.Close()
	defer conn.Close()
	gaveUp := make(chan bool)
	go func() {
		_, err := conn.SendTimeout([]byte("long work"), nil, 50*time.Millisecond)
		gaveUp <- errors.Is(err, syscall.ETIMEDOUT)
	}()

	work, err := ch.Receive(make([]byte, 64))
	if err != nil {
		log.Fatal(err)
	}
	m, err := ch.Receive(nil)
	if err != nil {
		log.Fatal(err)
	}
	if m.Pulse.Code == qnxmsg.PulseUnblock && m.Pulse.Value == work.ID() {
		if err := work.Unblock(); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(<-gaveUp)
	// Output: true
}

// A server that cannot serve yet makes the client send once more.
func ExampleMessage_Restart() {
	ch, conn := newPair(0)
	defer ch.Close()
	defer conn.Close()
	go func() {
		for ready := false; ; ready = true {
			m, err := ch.Receive(make([]byte, 64))
			if err != nil {
				log.Fatal(err)
			}
			if ready {
				m.Reply(0, m.Data)
				return
			}
			m.Restart()
		}
	}()

	reply := make([]byte, 5)
	if _, err := conn.Send([]byte("hello"), reply); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", reply)
	// Output: hello
}

// A client that does not send learns that its server is gone.
func ExampleChannelFlags() {
	server, conn := newPair(0)
	defer conn.Close()
	deaths, err := qnxmsg.NewChannel(qnxmsg.ChannelConnectionDeath | qnxmsg.ChannelPrivate)
	if err != nil {
		log.Fatal(err)
	}
	defer deaths.Close()

	server.Close()
	m, err := deaths.Receive(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Pulse.Code == qnxmsg.PulseConnectionDeath, m.Pulse.Value == int64(conn.ID()))
	// Output: true true
}
