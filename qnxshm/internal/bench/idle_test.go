//go:build linux

package bench

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/linux"
	"github.com/go-qnx/shm/qnxshm/internal/procnto"
	"github.com/go-qnx/shm/qnxshm/internal/wire"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// BenchmarkIdle measures the processor time that processes take of which nobody
// wants anything: a server that waits for messages on idle connections, the client
// that has them, and a process that holds all that might need looking after.
func BenchmarkIdle(b *testing.B) {
	const connections = 16
	server, holder := serverName(), serverName()
	sides := []*peer{
		startPeer(b, nil, "handoff-server", server),
		startPeer(b, nil, "idle-client", server, fmt.Sprint(connections)),
		startPeer(b, nil, "holder", holder, fmt.Sprint(roomForDescriptors(b, 15_000))),
	}
	startPeer(b, nil, "slow-opener", holder)
	time.Sleep(time.Second) // for what is kept in case it is needed again
	used := make([]time.Duration, len(sides))
	start := time.Now()
	for range b.N {
		for i, p := range sides {
			used[i] -= p.cpuTime(b)
		}
		time.Sleep(2 * time.Second)
		for i, p := range sides {
			used[i] += p.cpuTime(b)
		}
	}
	share := func(i int) float64 { return 100 * used[i].Seconds() / time.Since(start).Seconds() }
	b.ReportMetric(0, "ns/op") // the interval says nothing
	b.ReportMetric(share(0), "%CPU-server")
	b.ReportMetric(share(1), "%CPU-client")
	b.ReportMetric(share(2), "%CPU-holder")
	record(row{
		what:     fmt.Sprintf("idle server, and client, with %d connections", connections),
		ours:     fmt.Sprintf("%.2f %%, %.2f %% of a CPU", share(0), share(1)),
		baseline: "0 %",
		goal:     "0 %",
	})
	record(row{
		what:     fmt.Sprintf("idle process with a revocable object, %d descriptors, and a handle that its opener does not take", sides[2].ready.Descriptors),
		ours:     fmt.Sprintf("%.2f %% of a CPU", share(2)),
		baseline: "0 %",
		goal:     "0 %",
	})
}

// roomForDescriptors returns n, or less if a process cannot have so many.
func roomForDescriptors(b *testing.B, n int) int {
	b.Helper()
	const others = 1500
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal("getrlimit: ", err)
	}
	return min(n, max(0, int(limit.Max)-others))
}

// idleClient opens connections, uses each once, and then leaves them idle.
func idleClient(args []string) (*job, error) {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	request, reply := make([]byte, 8), make([]byte, qnxshm.HandleSize)
	for range n {
		conn, err := qnxmsg.OpenName(args[0])
		if err != nil {
			return nil, err
		}
		if err := handOff(conn, request, reply); err != nil {
			return nil, err
		}
	}
	return new(job), nil
}

// holder holds as many descriptors of a revocable object as its second argument
// says, and answers messages with handles of that.
func holder(args []string) (*job, error) {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	obj, err := revocableObject()
	if err != nil {
		return nil, err
	}
	for range n {
		if _, err := syscall.Dup(int(obj.Fd())); err != nil {
			return nil, err
		}
	}
	j, err := serve(args[0], answerWithHandle(obj))
	if err != nil {
		return nil, err
	}
	j.first.Descriptors = n
	return j, nil
}

// slowOpener asks for the descriptor of a handle, and does not take it.
func slowOpener(args []string) (*job, error) {
	conn, err := qnxmsg.OpenName(args[0])
	if err != nil {
		return nil, err
	}
	reply := make([]byte, qnxshm.HandleSize)
	if _, err := conn.Send(nil, reply); err != nil {
		return nil, err
	}
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(reply); err != nil {
		return nil, err
	}
	c, _, err := procnto.Dial(procnto.MakerOf(uint64(h)), new(wire.HelloHandles))
	if err != nil {
		return nil, err
	}
	open := wire.Open{Handle: uint64(h), Access: int32(qnxshm.ReadOnly)}
	if err := c.Packet().Send(c.Descriptor(), &open, nil, linux.NoFD); err != nil {
		return nil, err
	}
	return new(job), nil
}
