//go:build linux

package message_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// TestSoak has processes send on many connections, with random timeouts and sizes,
// while they are stopped, and killed. Nothing is lost, nothing comes twice, nothing
// stays.
func TestSoak(t *testing.T) {
	d := lasting(2 * time.Second)
	server := testproc.Start(t, "node")
	plain, unblock := nameOf(server), nameOf(server)+"/unblock"
	server.Do("soakserve", plain, nto.ChannelDisconnect)
	server.Do("soakserve", unblock, nto.ChannelDisconnect|nto.ChannelUnblock)
	warm := testproc.Start(t, "node")
	warm.Do("soak", []string{plain, unblock}, true, 50*time.Millisecond)
	warm.End()
	requireNothingLeft(t, server)
	var before usage
	server.Do("used").Into(&before)
	descriptors := len(testproc.Descriptors(t, server.PID()))
	names := []string{plain, unblock, plain}
	began := time.Now()
	start := func(patient bool) (*testproc.Child, *testproc.Call) {
		c := testproc.Start(t, "node")
		if patient && os.Geteuid() == 0 {
			c = startStranger(t)
		}
		return c, c.Begin("soak", names, patient, max(0, d-time.Since(began)))
	}
	var clients [3]*testproc.Child
	var calls [3]*testproc.Call
	for i := range clients {
		clients[i], calls[i] = start(i == 0)
	}
	kills, stops := 0, 0
	for killed := began; time.Since(began) < d; {
		if time.Since(killed) > d/10 {
			requireNoFaults(t, "a client", clients[2])
			clients[2].Kill()
			clients[2], calls[2] = start(kills%2 == 0)
			killed = time.Now()
			kills++
		}
		stopped := []*testproc.Child{server, clients[0], clients[1], clients[2]}[rand.IntN(4)]
		stopped.Stop()
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		stopped.Continue()
		stops++
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
	}
	for i, call := range calls {
		_, err := call.Within(2 * testproc.Patience)
		require.NoError(t, err)
		t.Logf("client %d: sends, late replies, given up: %v", i, clients[i].Do("soakprogress"))
		requireNoFaults(t, "a client", clients[i])
		if i == 0 {
			require.Greater(t, clients[i].Do("soakprogress").At(0).Int(), 100)
		}
		require.Zero(t, clients[i].Do("connected").Int())
		clients[i].End()
	}
	t.Logf("%d kills, %d stops; the server has seen %v", kills, stops, server.Do("soakcounted"))
	requireNoFaults(t, "the server", server)
	requireNothingLeft(t, server)
	server.Do("soakforget")
	requireNoGrowth(t, server, before, descriptors)
}

func requireNoFaults(t *testing.T, who string, c *testproc.Child) {
	t.Helper()
	require.Equal(t, "null", c.Do("soakfaults").String(), who)
}

// requireNothingLeft waits until a server has no clients any more.
func requireNothingLeft(t *testing.T, server *testproc.Child) {
	t.Helper()
	testproc.Eventually(t, testproc.LeakLimit, func() bool {
		v := server.Do("clients")
		return v.At(0).Int() == 0 && v.At(1).Int() == 0
	}, "the server has clients and rcvids: %v", testproc.Lazy(func() any { return server.Do("clients") }))
}
