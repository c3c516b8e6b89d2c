//go:build linux

package bench

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// BenchmarkSendReceiveReply sends 64 bytes and waits for 64 bytes.
func BenchmarkSendReceiveReply(b *testing.B) {
	size := fmt.Sprint(messageSize)
	contest{
		what: "Send, Receive, Reply of 64 bytes", n: 10_000,
		kind: "message", args: []string{size}, ours: goSide("message", size),
		one: "≤ 0.5", free: "≤ 0.3", apart: "≤ 0.05",
	}.run(b)
}

// BenchmarkSendReceiveReplyBesideBusy is that on one CPU on which somebody else wants
// to run all the time.
func BenchmarkSendReceiveReplyBesideBusy(b *testing.B) {
	set, baseline, size := allowedCPUs(b, 1), buildBaseline(b), fmt.Sprint(messageSize)
	start(b, set, "baseline", baseline, "spin")
	took := alternate(b, 5000, goSide("message", size)(b, set), byHand(b, set, baseline, "message", size))
	record(comparison(b, "Send, Receive, Reply of 64 bytes, both on one CPU with a busy third process", "C", took[0], took[1], "≤ 1.2"))
}

// BenchmarkLargeMessages sends much and waits for as much.
func BenchmarkLargeMessages(b *testing.B) {
	for _, m := range []struct {
		what    string
		size, n int
	}{{"64 KiB", 64 << 10, 1000}, {"1 MiB", 1 << 20, 100}} {
		b.Run(m.what, func(b *testing.B) {
			size := fmt.Sprint(m.size)
			contest{
				what: "Send, Receive, Reply of " + m.what, n: m.n,
				kind: "message", args: []string{size}, ours: goSide("message", size),
				one: "≤ 1.0", free: "≤ 1.0", apart: "≤ 1.0",
			}.run(b)
		})
	}
}

// BenchmarkOneProcess is server and client as two goroutines of one process.
func BenchmarkOneProcess(b *testing.B) {
	for _, procs := range []int{1, 2} {
		b.Run(fmt.Sprintf("procs=%d", procs), func(b *testing.B) {
			took := alternate(b, 4000, func(n int) time.Duration {
				return warm(b, startPeer(b, allowedCPUs(b, procs), "message-loopback", serverName(), fmt.Sprint(procs)), n)
			})[0]
			b.ReportMetric(float64(took.median().Nanoseconds()), "ns/op")
			record(row{
				what: fmt.Sprintf("Send, Receive, Reply of 64 bytes in one process, GOMAXPROCS=%d", procs),
				ours: took.String(),
				goal: "≤ 6 µs",
			})
		})
	}
}

// messageServer answers every message with its own bytes. Its arguments are the name,
// the size of messages, and how many goroutines receive, which is one if not given.
func messageServer(args []string) (*job, error) {
	size, err1 := number(args, 1, messageSize)
	receivers, err2 := number(args, 2, 1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return new(job), serveWith(args[0], size, receivers, echo)
}

func echo(m *qnxmsg.Message) error { return m.Reply(0, m.Data) }

// messageClient sends messages. Its arguments are the name, the size, and how many
// goroutines send, which is one if not given.
func messageClient(args []string) (*job, error) {
	size, err1 := number(args, 1, messageSize)
	senders, err2 := number(args, 2, 1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	conn, err := qnxmsg.OpenName(args[0])
	if err != nil {
		return nil, err
	}
	if senders == 1 {
		return obey(report{}, func(n int) error { return exchange(conn, size, n) })
	}
	return obey(report{}, func(n int) error {
		errs := make([]error, senders)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Add(1)
			go func() {
				defer wg.Done()
				errs[i] = exchange(conn, size, n/senders)
			}()
		}
		wg.Wait()
		return errors.Join(errs...)
	})
}

// exchange sends n messages, one after the other.
func exchange(conn *qnxmsg.Connection, size, n int) error {
	msg, reply := make([]byte, size), make([]byte, size)
	for range n {
		if _, err := conn.Send(msg, reply); err != nil {
			return err
		}
	}
	return nil
}

// messageLoopback is server and client in one process. Its arguments are the name and
// GOMAXPROCS.
func messageLoopback(args []string) (*job, error) {
	procs, err := number(args, 1, 1)
	if err != nil {
		return nil, err
	}
	runtime.GOMAXPROCS(procs)
	if _, err := messageServer(args[:1]); err != nil {
		return nil, err
	}
	return messageClient(args[:1])
}

// number is argument i, or something else where that is not given.
func number(args []string, i, otherwise int) (int, error) {
	if i >= len(args) {
		return otherwise, nil
	}
	return strconv.Atoi(args[i])
}
