package shmtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// resources are what a program must not leave behind.
type resources struct {
	descriptors []string // each with what it is
	goroutines  []string // the stack of each
	children    int
}

func countResources() resources {
	return resources{descriptors(), goroutines(), childProcesses()}
}

// goroutines returns the stack of each, which begins with its number and ends with
// what has made it.
func goroutines() []string { return strings.Split(strings.TrimSpace(stacks()), "\n\n") }

// firstSeen tells after which case a descriptor was first there.
var firstSeen struct {
	mu    sync.Mutex
	after map[string]string
}

// lookAfter is called when a case has ended.
func lookAfter(id string) {
	now := descriptors()
	firstSeen.mu.Lock()
	defer firstSeen.mu.Unlock()
	after := make(map[string]string)
	for _, d := range now {
		if after[d] = firstSeen.after[d]; after[d] == "" {
			after[d] = id
		}
	}
	firstSeen.after = after
}

// checkLeaks compares with what there was before the suite. The library lets go
// of connections when it learns that their process has ended, and nothing tells
// when, so it looks again until the deadline.
func checkLeaks(t *testing.T, before resources) {
	deadline := time.Now().Add(leakLimit)
	for {
		now := countResources()
		if len(now.descriptors) <= len(before.descriptors) && len(now.goroutines) <= len(before.goroutines) && now.children <= before.children {
			return
		}
		if time.Now().After(deadline) {
			t.Error(leakReport(before, now))
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// leakReport tells what is there now and was not before, and who has made it.
func leakReport(before, now resources) string {
	var s strings.Builder
	fmt.Fprintf(&s, "left behind: descriptors %d → %d, goroutines %d → %d, children %d → %d\n", len(before.descriptors), len(now.descriptors),
		len(before.goroutines), len(now.goroutines), before.children, now.children)
	firstSeen.mu.Lock()
	defer firstSeen.mu.Unlock()
	for _, d := range now.descriptors {
		if !slices.Contains(before.descriptors, d) {
			fmt.Fprintf(&s, "descriptor %s, first seen after the case %s\n", d, firstSeen.after[d])
		}
	}
	number := func(stack string) string { number, _, _ := strings.Cut(stack, " ["); return number }
	for _, g := range now.goroutines {
		if !slices.ContainsFunc(before.goroutines, func(old string) bool { return number(old) == number(g) }) {
			s.WriteString(g + "\n\n")
		}
	}
	return s.String()
}
