//go:build linux

package mutate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

// Results is results.txt, for what became of each mutant, by ID: a line a mutant,
// sorted, so that it changes where a result does.
func (ms *Mutants) Results(became map[string]string) []byte {
	var lines []string
	for _, m := range ms.All {
		lines = append(lines, fmt.Sprintf("%s\t%s\n", m.ID, became[m.ID]))
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, ""))
}

// ReadResults is what results.txt tells of each mutant, by ID. Other lines than
// results, such as the marks of a merge, tell nothing.
func ReadResults(text []byte) map[string]string {
	became := make(map[string]string)
	for line := range bytes.Lines(text) {
		if id, by, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\t"); ok {
			became[id] = by
		}
	}
	return became
}

// Current reports whether that can still be what became of a mutant: a case that
// caught it may be gone.
func Current(by string) bool {
	by, _, _ = strings.Cut(by, " ")
	if !strings.Contains(by, "/") {
		return by != ""
	}
	return slices.ContainsFunc(shmtest.Ledger(), func(r shmtest.Rule) bool { return r.ID == by })
}

// Survives reports whether that is what becomes of a mutant which nothing notices.
func Survives(by string) bool { return strings.HasPrefix(by, survives) }

// Faults are the survivors without a reason, and the reasons without a survivor.
func (ms *Mutants) Faults(became map[string]string) (faults []string) {
	used := make(map[string]bool)
	for _, m := range ms.All {
		switch _, reason, name := reasonOf(m); {
		case !Current(became[m.ID]):
			faults = append(faults, "not tried: "+m.ID)
		case !Survives(became[m.ID]):
		case reason == "":
			faults = append(faults, "survives without a reason: "+m.ID)
		default:
			used[name] = true
		}
	}
	for _, r := range reasons {
		for _, name := range r.mutants {
			if !used[name] {
				faults = append(faults, "a reason that explains no survivor: "+name)
			}
		}
	}
	return faults
}
