//go:build linux

package bench

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

const (
	revocableObjects = 60_000
	manyCalls        = 1000 // of the first and the last, which are compared
)

// BenchmarkMapRevocable maps 60,000 revocable objects of another process, and then
// measures what that makes of mapping a plain one.
func BenchmarkMapRevocable(b *testing.B) {
	n, each := roomForObjects(b)
	creators := (n + each - 1) / each
	var opened, together, first, last times
	var full *peer
	for range b.N {
		p := startMapper(b, "together", n, each)
		together = append(together, time.Duration(p.ready.NS)/time.Duration(n))
		p.stop(b)
		full = startMapper(b, "opened", n, each)
		opened = append(opened, time.Duration(full.ready.NS)/time.Duration(n))
		first = append(first, time.Duration(full.ready.First))
		last = append(last, time.Duration(full.ready.Last))
	}
	for _, t := range []times{opened, together, first, last} {
		slices.Sort(t)
	}
	flat := last.median().Seconds() / first.median().Seconds()
	of := fmt.Sprintf("of %d, which %d other processes have made", n, creators)
	record(row{
		what: "Map of a revocable object, " + of,
		ours: micros(opened.median()),
		goal: "≤ 20 µs",
	})
	record(row{
		what:  fmt.Sprintf("the same, median of the last %d", manyCalls),
		ours:  micros(last.median()),
		ratio: fmt.Sprintf("%.2f of the first %d", flat, manyCalls),
		goal:  "≤ 1.3",
	})
	record(row{
		what: "Open, Map and Close of a revocable object, " + of,
		ours: micros(together.median()),
		goal: "≤ 20 µs",
	})
	b.ReportMetric(float64(opened.median().Nanoseconds()), "ns/op")
	b.ReportMetric(float64(together.median().Nanoseconds()), "together-ns/op")
	b.ReportMetric(flat, "x-at-last")

	plain := func(p *peer) side { return func(n int) time.Duration { return time.Duration(p.run(b, n).NS) } }
	took := alternate(b, 2000, plain(full), plain(startMapper(b, "opened", 0, 1)))
	r := comparison(b, fmt.Sprintf("Map and Unmap of a plain object, beside %d revocable ones", n), "without", took[0], took[1], "≤ 1.1")
	r.baseline += " beside none"
	record(r)
}

// startMapper starts a process that has n revocable objects of others mapped, each
// of which has made so many.
func startMapper(b *testing.B, how string, n, each int) *peer {
	b.Helper()
	args := []string{how, fmt.Sprint(n), fmt.Sprint(each)}
	for made := 0; made < n; made += each {
		name := serverName()
		startPeer(b, nil, "revocable-server", name)
		args = append(args, name)
	}
	return startPeer(b, nil, "mapper", args...)
}

// roomForObjects returns how many objects a process may map, and for how many it
// may have descriptors, which it raises if it can for the processes to be started.
func roomForObjects(b *testing.B) (mappings, descriptors int) {
	b.Helper()
	const others = 1500
	mappings = many(revocableObjects)
	if most, err := os.ReadFile("/proc/sys/vm/max_map_count"); err == nil {
		if limit, err := strconv.Atoi(strings.TrimSpace(string(most))); err == nil {
			mappings = min(mappings, limit-others)
		}
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		b.Fatal("getrlimit: ", err)
	}
	want := uint64(mappings + others)
	switch {
	case was.Max >= want:
		descriptors = mappings
	case syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: want, Max: want}) == nil:
		descriptors = mappings
		b.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was) })
	default:
		descriptors = int(was.Max) - others
	}
	if descriptors < manyCalls || mappings < 2*manyCalls {
		b.Skip("no room for enough descriptors or mappings")
	}
	return mappings, descriptors
}

// revocableServer answers every message with a handle of a new revocable object.
func revocableServer(args []string) (*job, error) {
	var objects []*qnxshm.Object
	return serve(args[0], func(m *qnxmsg.Message) error {
		obj, err := revocableObject()
		if err != nil {
			return err
		}
		objects = append(objects, obj)
		return answerWithHandle(obj)(m)
	})
}

// mapper maps n objects of servers, each of which makes so many, and reports how
// long that took: the calls of Map, of objects that were opened before, or of Open,
// Map and Close. At each run it maps and unmaps an object of its own.
//
// Its arguments are "opened" or "together", the two numbers, and the servers.
func mapper(args []string) (*job, error) {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	each, err := strconv.Atoi(args[2])
	if err != nil {
		return nil, err
	}
	own, err := qnxshm.Create(pageSize)
	if err != nil {
		return nil, err
	}
	m := objectMapper{reply: make([]byte, qnxshm.HandleSize)}
	mapSome := m.opened
	if args[0] == "together" {
		mapSome = m.together
	}
	for _, name := range args[3:] {
		if m.conn, err = qnxmsg.OpenName(name); err != nil {
			return nil, err
		}
		if err := mapSome(min(each, n-len(m.mappings))); err != nil {
			return nil, err
		}
	}
	return obey(m.report(), func(n int) error {
		for range n {
			mem, err := own.Map(qnxshm.ReadOnly)
			if err != nil {
				return err
			}
			if err := mem.Unmap(); err != nil {
				return err
			}
		}
		return nil
	})
}

// An objectMapper has mapped objects.
type objectMapper struct {
	conn     *qnxmsg.Connection
	reply    []byte
	mappings []*qnxshm.Mapping
	took     []int64 // ns, of each
}

// handle gets the handle of a new object.
func (m *objectMapper) handle() (h qnxshm.Handle, err error) {
	if _, err := m.conn.Send(m.reply, m.reply); err != nil {
		return 0, err
	}
	return h, h.UnmarshalBinary(m.reply)
}

func (m *objectMapper) opened(n int) error {
	objects := make([]*qnxshm.Object, n)
	for i := range objects {
		h, err := m.handle()
		if err != nil {
			return err
		}
		if objects[i], err = qnxshm.Open(h, qnxshm.ReadOnly); err != nil {
			return err
		}
	}
	for _, obj := range objects {
		start := time.Now()
		mem, err := obj.Map(qnxshm.ReadOnly)
		if err != nil {
			return err
		}
		m.mapped(mem, start)
	}
	for _, obj := range objects {
		if err := obj.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (m *objectMapper) together(n int) error {
	for range n {
		h, err := m.handle()
		if err != nil {
			return err
		}
		start := time.Now()
		obj, err := qnxshm.Open(h, qnxshm.ReadOnly)
		if err != nil {
			return err
		}
		mem, err := obj.Map(qnxshm.ReadOnly)
		if err != nil {
			return err
		}
		if err := obj.Close(); err != nil {
			return err
		}
		m.mapped(mem, start)
	}
	return nil
}

func (m *objectMapper) mapped(mem *qnxshm.Mapping, start time.Time) {
	m.took = append(m.took, time.Since(start).Nanoseconds())
	m.mappings = append(m.mappings, mem)
}

func (m *objectMapper) report() (r report) {
	if len(m.took) == 0 {
		return r
	}
	for _, ns := range m.took {
		r.NS += ns
	}
	median := func(ns []int64) int64 {
		slices.Sort(ns)
		return ns[len(ns)/2]
	}
	r.First = median(m.took[:manyCalls])
	r.Last = median(m.took[len(m.took)-manyCalls:])
	return r
}
