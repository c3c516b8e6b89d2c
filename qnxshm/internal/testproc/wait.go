//go:build linux

package testproc

import (
	"fmt"
	"testing"
	"time"
)

const (
	// Patience is how long tests wait for what must come.
	Patience = 10 * time.Second
	// LeakLimit is how long the host may take to give back what is not needed.
	LeakLimit = 5 * time.Second
)

// Eventually polls where there is no event to wait for.
func Eventually(t testing.TB, limit time.Duration, ok func() bool, text string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf(text, args...)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Lazy is an argument that is evaluated when it is printed.
type Lazy func() any

func (l Lazy) String() string { return fmt.Sprint(l()) }

// Within fails the test if do takes so long that something hangs.
func Within(t testing.TB, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(Patience):
		t.Fatal(what + " hangs")
	}
}
