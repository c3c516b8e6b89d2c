//go:build linux

package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHandOffsDoNotLeak hands a hundred thousand handles over and counts in
// both processes what could be left of them.
func TestHandOffsDoNotLeak(t *testing.T) {
	n := 100_000
	if testing.Short() || raceEnabled {
		n = 20_000
	}
	name := serverName()
	server := startPeer(t, nil, "handoff-server", name)
	client := startPeer(t, nil, "handoff-client", name)

	client.run(t, 1000) // connections, threads and buffers are there now
	before := [2]report{server.count(t), client.count(t)}
	client.run(t, n)

	for i, side := range []string{"server", "client"} {
		was := before[i]
		var is report
		// The maker learns some milliseconds later that a handle was used.
		require.Eventually(t, func() bool {
			is = []*peer{server, client}[i].count(t)
			return is.Descriptors <= was.Descriptors && is.Goroutines <= was.Goroutines
		}, 5*time.Second, 10*time.Millisecond, "descriptors or goroutines of the %s: before %+v, after %+v", side, was, &is)
		t.Logf("%s: before %+v, after %+v", side, was, is)
		// A byte for each hand-off would already be more.
		require.LessOrEqual(t, is.Heap-was.Heap, int64(n-1), "heap of the %s", side)
		// Some are the runtime's own, and the race detector's.
		require.LessOrEqual(t, is.Mappings, was.Mappings+n/100, "mappings of the %s", side)
	}
}

// TestHandlesAreCheap holds the host to its budget of allocations and memory
// with 1,000,000 handles outstanding.
func TestHandlesAreCheap(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	const n = 10_000
	p := startMaker(t, many(1_000_000))
	allocs := float64(p.run(t, n).Mallocs) / n
	t.Logf("%.2f allocations for each create and delete, %.0f bytes for each unused handle", allocs, p.ready.Kept)
	require.Less(t, allocs, 0.5, "allocations for each create and delete") // some are the runtime's own
	require.LessOrEqual(t, p.ready.Kept, 200.0, "bytes for each unused handle")
}
