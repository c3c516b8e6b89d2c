//go:build linux

package hostile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
func shielded(t *testing.T, attack func(t *testing.T) (victim *child, pending time.Duration)) {
	t.Helper()
	const trial = 300 * time.Millisecond
	var slowest []time.Duration
	for range tries {
		victim, pending := attack(t)
		took, err := time.ParseDuration(victim.do("calls", trial.Milliseconds())[0])
		require.NoError(t, err)
		took = max(took, pending)
		if took <= prompt {
			return
		}
		slowest = append(slowest, took)
		victim.kill()
	}
	require.FailNow(t, "the victim's calls take too long", "the slowest of each try: %v", slowest)
}

// timed is a command, and how long it takes.
func (c *child) timed(args ...any) (result, time.Duration) {
	c.t.Helper()
	began := time.Now()
	r := c.try(args...)
	return r, time.Since(began)
}

// requirePrompt requires that what is timed, each time anew, is prompt: the median.
func requirePrompt(t testing.TB, timed func() (result, time.Duration)) {
	t.Helper()
	var all []time.Duration
	for range tries {
		r, took := timed()
		require.Zero(t, r.errno, "after %v: %s", took, r)
		all = append(all, took)
	}
	slices.Sort(all)
	require.LessOrEqual(t, all[tries/2], prompt, "%v", all)
}
