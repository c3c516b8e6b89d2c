//go:build linux

package hostile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// prompt is how long a call may take whatever strangers do. A call may also wait for
// a processor that others have: so tests try more than once. Load delays some of the
// calls, a stranger who can delay one does so each time.
const prompt = 50 * time.Millisecond

// tries is how often an attack may have to be made before all calls were prompt.
const tries = 5

// shielded makes an attack on a new victim, which returns what calls that had begun
// before took from then on, and requires that they are prompt, and what the victim
// calls now and for a while.
func shielded(t *testing.T, attack func(t *testing.T) (victim *testproc.Child, pending time.Duration)) {
	t.Helper()
	const trial = 300 * time.Millisecond
	var slowest []time.Duration
	for range tries {
		victim, pending := attack(t)
		took := max(slowestCall(victim, trial), pending)
		if took <= prompt {
			return
		}
		slowest = append(slowest, took)
		victim.Kill()
	}
	require.FailNow(t, "the victim's calls take too long", "the slowest of each try: %v", slowest)
}

// slowestCall is how long a victim's calls about handles take, for some time.
func slowestCall(victim *testproc.Child, during time.Duration) (slowest time.Duration) {
	victim.Do("calls", during).Into(&slowest)
	return slowest
}

// timed is a call, and how long it takes.
func timed(call func() (testproc.Value, error)) (time.Duration, error) {
	began := time.Now()
	_, err := call()
	return time.Since(began), err
}

// requirePrompt requires that what is timed, each time anew, is prompt: the median.
func requirePrompt(t testing.TB, timed func() (time.Duration, error)) {
	t.Helper()
	var all []time.Duration
	for range tries {
		took, err := timed()
		require.NoError(t, err, "after %v", took)
		all = append(all, took)
	}
	slices.Sort(all)
	require.LessOrEqual(t, all[tries/2], prompt, "%v", all)
}
