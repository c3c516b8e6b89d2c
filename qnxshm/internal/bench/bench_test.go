//go:build linux

package bench

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// BenchmarkHandleCreateDelete makes and deletes a handle for another process
// while 10, 1000 and 1,000,000 other handles are outstanding. No C programmer
// writes that by hand: the baseline is the system calls alone.
func BenchmarkHandleCreateDelete(b *testing.B) {
	outstanding := []int{10, 1000, crowd(1_000_000)}
	makers := make([]*peer, len(outstanding))
	running := func(p *peer) side {
		p.run(b, 1000)
		return func(n int) time.Duration { return time.Duration(p.run(b, n).NS) }
	}
	sides := []side{running(startPeer(b, nil, "bare-calls"))}
	for i, n := range outstanding {
		makers[i] = startMaker(b, n)
		sides = append(sides, running(makers[i]))
	}
	const n = 10_000
	took := alternate(b, n, sides...)
	bare, took := took[0], took[1:]
	allocs := float64(makers[0].run(b, n).Mallocs) / n

	first := took[0].median().Seconds()
	for i, t := range took {
		r := row{
			what: fmt.Sprintf("create and delete a handle, %d outstanding", outstanding[i]),
			ours: t.String(),
			goal: "≤ 1.2 µs",
		}
		if i == 0 {
			r.baseline = bare.String() + " its system calls"
		} else {
			r.ratio = fmt.Sprintf("%.2f of the first", t.median().Seconds()/first)
			r.goal = "≤ 1.3"
		}
		record(r)
	}
	last := len(outstanding) - 1
	kept := makers[last].ready.Kept
	record(row{
		what: "allocations to create and delete",
		ours: fmt.Sprintf("%.1f", allocs),
		goal: "0",
	})
	record(row{
		what: fmt.Sprintf("memory for an outstanding handle, of %d", outstanding[last]),
		ours: fmt.Sprintf("%.0f bytes", kept),
		goal: "≤ 200 bytes",
	})
	b.ReportMetric(first*1e9, "ns/op")
	b.ReportMetric(float64(bare.median().Nanoseconds()), "bare-ns/op")
	b.ReportMetric(allocs, "mallocs/op")
	b.ReportMetric(took[last].median().Seconds()/first, fmt.Sprintf("x-at-%d", outstanding[last]))
	b.ReportMetric(kept, "B/handle")
}

// BenchmarkHandOff is the main job: a client asks, the server makes a handle of
// its object and replies, the client opens, maps, reads, unmaps and closes.
func BenchmarkHandOff(b *testing.B) {
	against(b, "hand-off", "handoff", 2000, "≤ 0.5", "≤ 2.0")
}

// BenchmarkSendReceiveReply sends 64 bytes and waits for 64 bytes.
func BenchmarkSendReceiveReply(b *testing.B) {
	against(b, "Send, Receive, Reply of 64 bytes", "message", 4000, "≤ 0.5", "≤ 2.5")
}

// against compares the roles kind-server and kind-client with the baseline's
// mode kind, on two CPUs and on one.
func against(b *testing.B, what, kind string, n int, goalOfTwo, goalOfOne string) {
	b.Run("cpus=2", func(b *testing.B) {
		set := allowedCPUs(b, 2)
		baseline := buildBaseline(b)
		took := alternate(b, n,
			ours(b, set, kind),
			byHand(b, set, baseline, kind),
			byHand(b, set, baseline, kind, "apart"))
		record(comparison(b, what+", free on two CPUs", "C", took[0], took[1], goalOfTwo))
		record(comparison(b, what+", the same, C pinned to a CPU each", "C-apart", took[0], took[2], ""))
	})
	b.Run("cpus=1", func(b *testing.B) {
		set := allowedCPUs(b, 1)
		took := alternate(b, n, ours(b, set, kind), byHand(b, set, buildBaseline(b), kind))
		record(comparison(b, what+", both on one CPU", "C", took[0], took[1], goalOfOne))
	})
}

// ours is the side of this module: two new processes for each round.
func ours(b *testing.B, set cpuSet, kind string) side {
	return func(n int) time.Duration {
		name := serverName()
		server := startPeer(b, set, kind+"-server", name)
		defer server.stop(b)
		return warm(b, startPeer(b, set, kind+"-client", name), n)
	}
}

// byHand is the side of the baseline.
func byHand(b *testing.B, set cpuSet, baseline string, args ...string) side {
	return func(n int) time.Duration {
		return warm(b, start(b, set, "baseline", append([]string{baseline}, args...)...), n)
	}
}

// comparison reports two sides as metrics and makes a row of them.
func comparison(b *testing.B, what, unit string, ours, theirs times, goal string) row {
	our, their := ours.median(), theirs.median()
	ratio := our.Seconds() / their.Seconds()
	b.ReportMetric(float64(our.Nanoseconds()), "ns/op")
	b.ReportMetric(float64(their.Nanoseconds()), unit+"-ns/op")
	b.ReportMetric(ratio, "x-of-"+unit)
	return row{what, ours.String(), theirs.String(), fmt.Sprintf("%.2f", ratio), goal}
}

// warm measures n operations of p after some others, and stops it.
//
// Each round has new processes: whether the scheduler puts a pair on two CPUs or
// on one makes a difference of many times, and often stays so for the life of
// the pair.
func warm(b *testing.B, p *peer, n int) time.Duration {
	b.Helper()
	defer p.stop(b)
	p.run(b, n/10)
	return time.Duration(p.run(b, n).NS)
}

// startMaker starts a process that has so many unused handles.
func startMaker(tb testing.TB, outstanding int) *peer {
	tb.Helper()
	return startPeer(tb, nil, "maker", fmt.Sprint(outstanding))
}

var servers int

// serverName returns a name that no other server has.
func serverName() string {
	servers++
	return fmt.Sprintf("qnxshm-bench-%d-%d", os.Getpid(), servers)
}
