//go:build linux

package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// BenchmarkFirstSend is the first message of a client that has just begun to a server
// that has.
func BenchmarkFirstSend(b *testing.B) {
	pairs := max(5, many(100)) * b.N
	var sends, both times
	for range pairs {
		name := serverName()
		server := startPeer(b, nil, "message-server", name)
		client := startPeer(b, nil, "first-client", name)
		r := client.run(b, 1)
		sends = append(sends, time.Duration(r.First))
		both = append(both, time.Duration(r.NS))
		client.stop(b)
		server.stop(b)
	}
	slices.Sort(sends)
	slices.Sort(both)
	b.ReportMetric(float64(sends.median().Nanoseconds()), "ns/op")
	b.ReportMetric(float64(both.median().Nanoseconds()), "with-OpenName-ns/op")
	record(row{what: "first Send, both processes fresh", ours: sends.firsts(), goal: "≤ 1 ms in 95 of 100"})
	record(row{what: "OpenName and first Send, both processes fresh", ours: both.firsts()})
}

// firsts gives the median, what 95 of 100 do not exceed, and how many of them stay
// below a millisecond.
func (t times) firsts() string {
	within := 0
	for _, d := range t {
		if d <= time.Millisecond {
			within++
		}
	}
	return fmt.Sprintf("%s, %s in 95 of 100, %d of %d within 1 ms", micros(t.median()), micros(t[(len(t)*95+99)/100-1]), within, len(t))
}

// firstClient opens the name when it runs, and sends one message.
func firstClient(args []string) (*job, error) {
	return &job{do: func(int) (r report, err error) {
		var msg, reply [messageSize]byte
		began := time.Now()
		conn, err := qnxmsg.OpenName(args[0])
		if err != nil {
			return r, err
		}
		opened := time.Now()
		_, err = conn.Send(msg[:], reply[:])
		r.First, r.NS = time.Since(opened).Nanoseconds(), time.Since(began).Nanoseconds()
		return r, err
	}}, nil
}
