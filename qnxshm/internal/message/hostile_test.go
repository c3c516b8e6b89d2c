//go:build linux

package message_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

var long = flag.Bool("long", false, "attacks and the soak last a minute each, and many processes send to one")

func lasting(short time.Duration) time.Duration {
	if *long {
		return time.Minute
	}
	return short
}

// prompt is the median of what a victim's calls may take.
const prompt = 50 * time.Millisecond

// measured are calls that go on while somebody is attacked.
type measured struct {
	what string
	call *testproc.Call
}

// requirePrompt waits for them.
func requirePrompt(t *testing.T, d time.Duration, all []measured) {
	t.Helper()
	for _, one := range all {
		v, err := one.call.Within(d + testproc.Patience)
		require.NoError(t, err, one.what)
		var m measurement
		v.Into(&m)
		t.Logf("%s: median %v, longest %v of %d", one.what, m.Median, m.Longest, m.Count)
		require.Less(t, m.Median, prompt, one.what)
	}
}

// requireNoGrowth compares what a process has now with what it had.
func requireNoGrowth(t *testing.T, c *testproc.Child, before usage, descriptors int) {
	t.Helper()
	var now usage
	testproc.Eventually(t, testproc.LeakLimit, func() bool {
		c.Do("used").Into(&now)
		return now.Goroutines <= before.Goroutines+2 && now.Mappings <= before.Mappings+40 && now.Megabytes <= before.Megabytes+64 &&
			len(testproc.Descriptors(t, c.PID())) <= descriptors
	}, "had %+v and %d descriptors, now %v and %v", before, descriptors, testproc.Lazy(func() any { return now }), testproc.Kinds(c.PID()))
}

// TestHostileClients has clients scribble on the memory that they share with a channel,
// make holes into it, and send all that they can. Nobody else suffers.
func TestHostileClients(t *testing.T) {
	server, good := testproc.Start(t, "node"), testproc.Start(t, "node")
	attacked, other := nameOf(server), nameOf(server)+"/other"
	chid := server.Do("serveall", attacked).Int()
	server.Do("serveall", other)
	for _, name := range []string{attacked, other} {
		good.Do("measuresend", name, 100<<10, 50*time.Millisecond)
	}
	server.Do("measurehandles", good.PID(), 50*time.Millisecond)
	var before usage
	server.Do("used").Into(&before)
	descriptors := len(testproc.Descriptors(t, server.PID()))
	d := lasting(time.Second)
	attackers := []*testproc.Child{testproc.Start(t, "node"), testproc.Start(t, "node")}
	if os.Geteuid() == 0 {
		attackers[1] = startStranger(t)
	}
	var attacks []*testproc.Call
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	for i, a := range attackers {
		stranger := i == 1 && os.Geteuid() == 0
		attacks = append(attacks, a.Begin("attack", processSocket(server.PID()), chid, seed+uint64(i), d, stranger))
	}
	requirePrompt(t, d, []measured{
		{"the same channel", good.Begin("measuresend", attacked, 100, d)},
		{"large messages to the same channel", good.Begin("measuresend", attacked, 100<<10, d)},
		{"another channel", good.Begin("measuresend", other, 100, d)},
		{"CreateHandle", server.Begin("measurehandles", good.PID(), d)},
	})
	for _, a := range attacks {
		v, err := a.Within(d + testproc.Patience)
		require.NoError(t, err)
		t.Log("clients and packets:", v)
		require.Greater(t, v.At(0).Int(), 2)
	}
	for _, a := range attackers {
		a.Kill()
	}
	limit := descriptors
	if os.Geteuid() == 0 { // what blocks in close
		testproc.Eventually(t, 3*testproc.BlockerTakes, func() bool { return len(testproc.Descriptors(t, server.PID())) <= limit },
			"%d descriptors, now %v", limit, testproc.Kinds(server.PID()))
	}
	requireNoGrowth(t, server, before, limit)
	good.Do("measuresend", attacked, 100<<10, 50*time.Millisecond)
}

// TestHostileServers has a server scribble on the memory that clients share with it.
func TestHostileServers(t *testing.T) {
	server, client := testproc.Start(t, "node"), testproc.Start(t, "node")
	server.Do("serveall", nameOf(server))
	client.Do("measuresend", nameOf(server), 100<<10, 50*time.Millisecond)
	client.Do("measurehandles", server.PID(), 50*time.Millisecond)
	for _, act := range []string{"scribble", "scribble, unblock"} {
		t.Run(act, func(t *testing.T) {
			client, hostile := client.For(t), testproc.Start(t, "node")
			hostile.Do("impostor", 0)
			behave(hostile, "scribble")
			client.Do("suffer", hostile.PID(), 10*time.Millisecond)
			behave(hostile, act)
			var before usage
			client.Do("used").Into(&before)
			descriptors := len(testproc.Descriptors(t, client.PID()))
			d := lasting(time.Second)
			victim := client.Begin("suffer", hostile.PID(), d)
			requirePrompt(t, d, []measured{
				{"another server", client.Begin("measuresend", nameOf(server), 100, d)},
				{"large messages to another server", client.Begin("measuresend", nameOf(server), 100<<10, d)},
				{"CreateHandle", client.Begin("measurehandles", server.PID(), d)},
			})
			least := 20
			if act != "scribble" { // it may keep them as long as it lives
				hostile.Kill()
				least = 0
			}
			v, err := victim.Within(d + testproc.Patience)
			require.NoError(t, err)
			t.Log("calls:", v)
			require.Greater(t, v.Int(), least)
			const eventfds = 4 // that are kept for threads like C's
			requireNoGrowth(t, client, before, descriptors+eventfds)
		})
	}
}

// TestFloods has a stranger send pulses and ring as fast as it can, on some connections
// at once.
func TestFloods(t *testing.T) {
	server, good, stranger := testproc.Start(t, "node"), testproc.Start(t, "node"), startStranger(t)
	attacked, other := nameOf(server), nameOf(server)+"/other"
	chid := server.Do("serveall", attacked).Int()
	server.Do("serveall", other)
	for range 8 {
		stranger.Do("flood", stranger.Do("join", processSocket(server.PID()), chid).At(0))
	}
	d := lasting(time.Second)
	requirePrompt(t, d, []measured{
		{"CreateHandle", server.Begin("measurehandles", good.PID(), d)},
		{"another channel", good.Begin("measuresend", other, 100<<10, d)},
		{"the same channel", good.Begin("measuresend", attacked, 100, d)},
	})
}
