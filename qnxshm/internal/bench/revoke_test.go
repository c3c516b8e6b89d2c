//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

// BenchmarkRevoke takes one mapping back from a client that waits for a reply,
// and compares that with a message of 64 bytes between the same two processes.
func BenchmarkRevoke(b *testing.B) {
	b.Run("cpus=2", func(b *testing.B) {
		revoking{cpus: 2, n: 2000, what: "free on two CPUs", goal: "≤ 25 µs"}.run(b)
	})
	b.Run("cpus=1", func(b *testing.B) {
		revoking{cpus: 1, n: 2000, what: "both on one CPU", goal: "≤ 25 µs"}.run(b)
	})
	b.Run("reading", func(b *testing.B) {
		revoking{cpus: 2, n: 20, readers: 8, what: "the client reading with 8 goroutines"}.run(b)
	})
}

// BenchmarkRevokeBesideHandles takes a mapping back while 1,000,000 unused handles
// of other objects are outstanding, and while there are none. Both pairs of
// processes have one CPU, so that what the scheduler does is the same for both.
func BenchmarkRevokeBesideHandles(b *testing.B) {
	outstanding := many(1_000_000)
	set := allowedCPUs(b, 1)
	revoke := func(handles int) side {
		name := serverName()
		server := startPeer(b, set, "revoke-server", name, fmt.Sprint(handles))
		startPeer(b, set, "revoke-client", name, "0")
		server.run(b, 100)
		return func(n int) time.Duration { return time.Duration(server.run(b, n).Revoke) }
	}
	took := alternate(b, 500, revoke(outstanding), revoke(0))
	r := comparison(b, fmt.Sprintf("Revoke of a mapping, beside %d unused handles of other objects", outstanding), "without", took[0], took[1], "≤ 1.1")
	r.baseline += " beside none"
	record(r)
}

type revoking struct {
	cpus, n    int
	readers    int // goroutines of the client that read all the time
	what, goal string
}

func (v revoking) run(b *testing.B) {
	set, n := allowedCPUs(b, v.cpus), many(v.n)
	var took, message times
	for range rounds() * b.N {
		name := serverName()
		server := startPeer(b, set, "revoke-server", name, "0")
		client := startPeer(b, set, "revoke-client", name, fmt.Sprint(v.readers))
		server.run(b, n/10)
		r := server.run(b, n)
		took = append(took, time.Duration(r.Revoke)/time.Duration(n))
		message = append(message, time.Duration(r.NS)/time.Duration(n))
		client.stop(b)
		server.stop(b)
	}
	slices.Sort(took)
	slices.Sort(message)
	r := comparison(b, "Revoke of a mapping, "+v.what, "message", took, message, v.goal)
	r.baseline += " a message"
	record(r)
}

// revokeServer makes handles of a revocable object, and measures how long it
// takes to take back what its client has mapped. Its second argument is how many
// unused handles of other objects it has, for the process that started it.
func revokeServer(args []string) (*job, error) {
	obj, err := revocableObject()
	if err != nil {
		return nil, err
	}
	if err := holdHandles(args[1]); err != nil {
		return nil, err
	}
	ch, err := qnxmsg.AttachName(args[0])
	if err != nil {
		return nil, err
	}
	buf, handle := make([]byte, messageSize), make([]byte, 0, qnxshm.HandleSize)
	return &job{do: func(n int) (r report, err error) {
		start := time.Now()
		for range n {
			if err := answerNext(ch, buf, func(m *qnxmsg.Message) error { return m.Reply(0, m.Data) }); err != nil {
				return r, err
			}
		}
		r.NS = time.Since(start).Nanoseconds()
		for range n {
			err := answerNext(ch, buf, func(m *qnxmsg.Message) error {
				h, err := obj.CreateHandle(m.Info.PID, qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
				if err != nil {
					return err
				}
				b, err := h.AppendBinary(handle)
				if err != nil {
					return err
				}
				return m.Reply(0, b)
			})
			if err != nil {
				return r, err
			}
			err = answerNext(ch, buf, func(m *qnxmsg.Message) error {
				start := time.Now()
				err := obj.Revoke(m.Info.PID)
				r.Revoke += time.Since(start).Nanoseconds()
				return errors.Join(err, m.Reply(0, nil))
			})
			if err != nil {
				return r, err
			}
		}
		return r, nil
	}}, nil
}

func revocableObject() (*qnxshm.Object, error) {
	obj, err := qnxshm.Create(pageSize)
	if err != nil {
		return nil, err
	}
	return obj, obj.MakeRevocable()
}

// holdHandles makes so many handles of revocable objects, a hundred, for the
// process that started this one.
func holdHandles(number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	const objects = 100
	for range min(n, objects) {
		obj, err := revocableObject()
		if err != nil {
			return err
		}
		for range n / objects {
			if _, err := obj.CreateHandle(os.Getppid(), qnxshm.ReadOnly, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func answerNext(ch *qnxmsg.Channel, buf []byte, answer func(*qnxmsg.Message) error) error {
	m, err := ch.Receive(buf)
	if err != nil {
		return err
	}
	if m.IsPulse() {
		return fmt.Errorf("got pulse %d", m.Pulse.Code)
	}
	return answer(&m)
}

// revokeClient sends messages until the server ends, and maps each handle that it
// gets, until it says so and is answered.
func revokeClient(args []string) (*job, error) {
	var readers int
	if _, err := fmt.Sscan(args[1], &readers); err != nil {
		return nil, err
	}
	conn, err := qnxmsg.OpenName(args[0])
	if err != nil {
		return nil, err
	}
	own, err := qnxshm.Create(pageSize)
	if err != nil {
		return nil, err
	}
	mem, err := own.Map(qnxshm.ReadOnly)
	if err != nil {
		return nil, err
	}
	for range readers {
		go func() {
			for to := make([]byte, 64); ; {
				mem.ReadAt(to, 0)
			}
		}()
	}
	go func() {
		for {
			if err := mapOnce(conn); err != nil {
				fail(err)
			}
		}
	}()
	return new(job), nil
}

// mapOnce sends a message. If the answer is a handle, it maps that and says so.
func mapOnce(conn *qnxmsg.Connection) error {
	var msg, reply [messageSize]byte
	if _, err := conn.Send(msg[:], reply[:]); err != nil {
		return err
	}
	var h qnxshm.Handle
	if err := h.UnmarshalBinary(reply[:qnxshm.HandleSize]); err != nil || h == 0 {
		return err
	}
	mem, err := qnxshm.Map(h, qnxshm.ReadOnly, pageSize)
	if err != nil {
		return err
	}
	if _, err := conn.Send(msg[:], nil); err != nil {
		return err
	}
	if _, err := mem.LoadUint32(0); !errors.Is(err, qnxshm.ErrRevoked) {
		return fmt.Errorf("read after the revocation: %v", err)
	}
	return mem.Unmap()
}
