//go:build linux

package bench

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// A contest compares this module with a mode of the baseline, on two CPUs, where the
// baseline is once left alone and once kept on a CPU each, and on one.
type contest struct {
	what             string
	n                int // operations that are measured at a time
	kind             string
	args             []string // of the mode
	ours             func(b *testing.B, set cpuSet) side
	one, free, apart string // goals
}

func (c contest) run(b *testing.B) {
	baseline := buildBaseline(b)
	theirs := func(b *testing.B, set cpuSet, apart ...string) side {
		return byHand(b, set, baseline, slices.Concat([]string{c.kind}, c.args, apart)...)
	}
	b.Run("cpus=2", func(b *testing.B) {
		set := allowedCPUs(b, 2)
		took := alternate(b, c.n, c.ours(b, set), theirs(b, set), theirs(b, set, "apart"))
		record(comparison(b, c.what+", free on two CPUs", "C", took[0], took[1], c.free))
		record(comparison(b, c.what+", the same, C pinned to a CPU each", "C-apart", took[0], took[2], c.apart))
	})
	b.Run("cpus=1", func(b *testing.B) {
		set := allowedCPUs(b, 1)
		took := alternate(b, c.n, c.ours(b, set), theirs(b, set))
		record(comparison(b, c.what+", both on one CPU", "C", took[0], took[1], c.one))
	})
}

// goSide is the roles kind-server and kind-client, with further arguments for both:
// two new processes for each round.
func goSide(kind string, args ...string) func(b *testing.B, set cpuSet) side {
	return func(b *testing.B, set cpuSet) side {
		return func(n int) time.Duration {
			b.Helper()
			named := append([]string{serverName()}, args...)
			server := startPeer(b, set, kind+"-server", named...)
			defer server.stop(b)
			return warm(b, startPeer(b, set, kind+"-client", named...), n)
		}
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
	p.run(b, n/2)
	return time.Duration(p.run(b, n).NS)
}

var servers int

// serverName returns a name that no other server has.
func serverName() string {
	servers++
	return fmt.Sprintf("qnxshm-bench-%d-%d", os.Getpid(), servers)
}
