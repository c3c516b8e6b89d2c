//go:build linux

package testproc

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// OneSeesTheOther calls two functions at the same time, again and again. Each stores the
// number of the round in a word and returns the other's word: at least one of them has to
// see that the other one has stored it.
func OneSeesTheOther(t testing.TB, one, other func(round uint32) uint32) {
	t.Helper()
	const rounds = 100_000
	var began, ended atomic.Uint32
	var seen uint32
	go func() {
		for i := uint32(1); i <= rounds; i++ {
			awaitRound(&began, i)
			seen = other(i)
			ended.Store(i)
		}
	}()
	missed := 0
	until := time.Now().Add(time.Second / 2) // where processors are busy, a round takes long
	for i := uint32(1); i <= rounds; i++ {
		if time.Now().After(until) {
			began.Store(rounds)
			break
		}
		began.Store(i)
		saw := one(i)
		awaitRound(&ended, i)
		if saw != i && seen != i {
			missed++
		}
	}
	awaitRound(&ended, rounds)
	if missed > 0 {
		t.Errorf("in %d rounds both stored, and neither saw it", missed)
	}
}

// awaitRound waits so closely for a round that both go on at the same time.
func awaitRound(counter *atomic.Uint32, round uint32) {
	for i := 1; counter.Load() < round; i++ {
		if i%1000 == 0 { // it may be that no other processor is free
			runtime.Gosched()
		}
	}
}
