//go:build linux

package bench

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkHandleCreateDelete makes and deletes a handle for another process
// while 10, 1000 and 1,000,000 other handles are outstanding. No C programmer
// writes that by hand: the baseline is the system calls alone.
func BenchmarkHandleCreateDelete(b *testing.B) {
	outstanding := []int{10, 1000, many(1_000_000)}
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
	b.ReportMetric(took[last].median().Seconds()/first, "x-at-1000000")
	b.ReportMetric(kept, "B/handle")
}

// BenchmarkHandOff is the main job: a client asks, the server makes a handle of
// its object and replies, the client opens, maps, reads, unmaps and closes.
func BenchmarkHandOff(b *testing.B) {
	contest{
		what: "hand-off", n: 2000,
		kind: "handoff", ours: goSide("handoff"),
		one: "≤ 1.2", free: "≤ 0.35",
	}.run(b)
}

// startMaker starts a process that has so many unused handles.
func startMaker(tb testing.TB, outstanding int) *peer {
	tb.Helper()
	return startPeer(tb, nil, "maker", fmt.Sprint(outstanding))
}
