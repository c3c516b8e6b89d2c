//go:build linux

package bench

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// rounds is how often each side of a comparison runs; the numbers are medians. With
// -short each runs once, to see that it does.
func rounds() int {
	if testing.Short() {
		return 1
	}
	return 11
}

// many is n, or with -short a part of it, to see that it can be done.
func many(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

// table collects what the benchmarks measured, for TestMain to print.
var table []row

type row struct{ what, ours, baseline, ratio, goal string }

// record adds a row, or replaces it when a benchmark is run again.
func record(r row) {
	for i := range table {
		if table[i].what == r.what {
			table[i] = r
			return
		}
	}
	table = append(table, r)
}

func printTable(w io.Writer) {
	if len(table) == 0 {
		return
	}
	cpu, system := "unknown CPU", "unknown kernel"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
			}
		}
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		system = strings.TrimSpace(string(release))
	}
	fmt.Fprintf(w, "\n%s, %d CPUs, %s %s, %s %s\n\n", cpu, runtime.NumCPU(), runtime.GOOS, system, runtime.Version(), runtime.GOARCH)
	fmt.Fprintf(w, "    go test ./qnxshm/internal/bench -run '^$' -bench . -benchtime 1x\n\n")
	fmt.Fprintf(w, "| | this module | C by hand | ratio | goal |\n|---|---:|---:|---:|---:|\n")
	for _, r := range table {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", r.what, r.ours, r.baseline, r.ratio, r.goal)
	}
	fmt.Fprintln(w)
}

// A side is one of several that are compared: n operations take that long.
type side func(n int) time.Duration

// alternate lets sides take turns with many(n) operations, rounds times and as often
// as the benchmark repeats, and returns the times of one operation of each, sorted.
// Who begins changes, so that nobody always runs after the same other.
func alternate(b *testing.B, n int, sides ...side) []times {
	b.Helper()
	n = many(n)
	all := make([]times, len(sides))
	for round := range rounds() * b.N {
		for i := range sides {
			i = (i + round) % len(sides)
			all[i] = append(all[i], sides[i](n)/time.Duration(n))
		}
	}
	for _, t := range all {
		slices.Sort(t)
	}
	return all
}

// times are of one operation each, in order.
type times []time.Duration

func (t times) median() time.Duration {
	return (t[(len(t)-1)/2] + t[len(t)/2]) / 2
}

// String gives the median, and in parentheses the fastest and the slowest.
func (t times) String() string {
	return fmt.Sprintf("%s (%.1f–%.1f)", micros(t.median()), t[0].Seconds()*1e6, t[len(t)-1].Seconds()*1e6)
}

func micros(d time.Duration) string { return fmt.Sprintf("%.1f µs", d.Seconds()*1e6) }
