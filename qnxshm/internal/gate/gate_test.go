package gate_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/gate"
)

func TestZeroGateIsOpen(t *testing.T) {
	var g gate.Gate
	require.False(t, g.Closed())
	require.True(t, g.Enter())
	require.True(t, g.Enter())
	g.Leave()
	g.Leave()
	require.True(t, g.Close(nil))
}

func TestNobodyEntersAfterClose(t *testing.T) {
	var g gate.Gate
	require.True(t, g.Close(nil))
	require.True(t, g.Closed())
	for range 3 {
		require.False(t, g.Enter())
	}
	require.False(t, g.Close(nil), "only the first Close is the first")
}

func TestCloseWaitsForThoseInside(t *testing.T) {
	var g gate.Gate
	require.True(t, g.Enter())
	require.True(t, g.Enter())
	woken, closed := make(chan struct{}), make(chan struct{})
	go func() {
		g.Close(func() { close(woken) })
		close(closed)
	}()
	<-woken
	require.True(t, g.Closed(), "whoever is woken learns why")
	require.False(t, g.Enter())
	g.Leave()
	select {
	case <-closed:
		t.Fatal("closed with a user inside")
	default:
	}
	g.Leave()
	<-closed
}

func TestEveryCloseWaits(t *testing.T) {
	var g gate.Gate
	require.True(t, g.Enter())
	var left atomic.Bool
	var first atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if g.Close(nil) {
				first.Add(1)
			}
			if !left.Load() {
				t.Error("Close returned with a user inside")
			}
		}()
	}
	for !g.Closed() {
		runtime.Gosched()
	}
	left.Store(true)
	g.Leave()
	wg.Wait()
	require.EqualValues(t, 1, first.Load())
}

// Whoever got in uses the resource before it is freed, whatever the order.
func TestRace(t *testing.T) {
	for range 200 {
		var g gate.Gate
		var inside atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for g.Enter() {
					inside.Add(1)
					runtime.Gosched()
					inside.Add(-1)
					g.Leave()
				}
			}()
		}
		runtime.Gosched()
		require.True(t, g.Close(nil))
		require.Zero(t, inside.Load())
		wg.Wait()
	}
}
