package shmtest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// result is what came of one case.
type result struct {
	seen            []string
	lacks           string // see C
	failed, skipped bool
}

func (r result) String() string {
	switch {
	case r.failed:
		return "FAILED"
	case r.skipped:
		return "skipped"
	case r.lacks != "":
		return "lacking"
	}
	return "ok"
}

// results are those of the latest Run.
var results resultSet

type resultSet struct {
	mu   sync.Mutex
	byID map[string]result
}

func (s *resultSet) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID = make(map[string]result)
}

func (s *resultSet) add(id string, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id] = r
}

func (s *resultSet) get(id string) (result, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.byID[id]
	return r, ok
}

// Report writes, for each kind of evidence, what the latest [Run] has seen of the
// rules that rest on it. Rules that were not run are counted only.
func Report(w io.Writer) error {
	var b bytes.Buffer
	for _, evidence := range evidenceKinds {
		var rules, ran, failed, skipped, lacking int
		var lines strings.Builder
		for i := range ledger {
			rule := &ledger[i]
			if rule.Evidence != evidence {
				continue
			}
			rules++
			r, ok := results.get(rule.ID)
			if !ok {
				continue
			}
			ran++
			if r.failed {
				failed++
			}
			if r.skipped {
				skipped++
			}
			if r.lacks != "" {
				lacking++
			}
			fmt.Fprintf(&lines, "  %-7s  %-38s  %s", r, rule.ID, rule.Effect)
			if len(r.seen) > 0 {
				fmt.Fprintf(&lines, "; seen: %s", strings.Join(r.seen, ", "))
			}
			if r.lacks != "" {
				fmt.Fprintf(&lines, "; before 8.0: %s", r.lacks)
			}
			lines.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %d rules, %d run, %d failed, %d skipped, %d of 8.0 and lacking\n%s", evidence, rules, ran, failed, skipped, lacking, lines.String())
	}
	_, err := w.Write(b.Bytes())
	return err
}
