package shmtest_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/shmtest"
)

var evidenceKinds = []shmtest.Evidence{shmtest.Documented, shmtest.Observed, shmtest.Older, shmtest.Assumed, shmtest.Module}

func TestEveryRuleHasOneCase(t *testing.T) {
	require.NoError(t, shmtest.Check())
}

func TestRulesAreWellFormed(t *testing.T) {
	id := regexp.MustCompile(`^[a-z]+/[a-z]+(-[a-z]+)*$`)
	call := regexp.MustCompile(`^[A-Za-z_]+$`)
	for _, r := range shmtest.Ledger() {
		assert.Regexp(t, id, r.ID)
		assert.Regexp(t, call, r.Call, r.ID)
		assert.NotEmpty(t, r.Condition, r.ID)
		assert.NotEmpty(t, r.Effect, r.ID)
		assert.NotEmpty(t, r.Source, r.ID)
		assert.Contains(t, evidenceKinds, r.Evidence, r.ID)
		assert.Contains(t, []string{"", "8.0"}, r.Since, r.ID)
		for _, text := range []string{r.Condition, r.Effect, r.Source, r.HostDiffers} {
			assert.NotContains(t, text, "\n", r.ID)
			assert.Equal(t, strings.TrimSpace(text), text, r.ID)
		}
		if r.HostDiffers != "" {
			assert.True(t, strings.HasSuffix(r.HostDiffers, "."), "%s: %q is not a sentence", r.ID, r.HostDiffers)
		}
		if !r.IsErrno() {
			assert.Empty(t, r.AlsoAccept, "%s: only an errno can be answered in another way", r.ID)
			continue
		}
		for _, name := range append([]string{r.Effect}, r.AlsoAccept...) {
			_, ok := qnxerr.ByName(name)
			assert.True(t, ok, "%s: no errno %s", r.ID, name)
		}
		assert.NotContains(t, r.AlsoAccept, r.Effect, r.ID)
	}
}

// A rule is run alone by its id, as CONTRACT.md says.
func TestIDsSelectOneCase(t *testing.T) {
	rules := shmtest.Ledger()
	for _, r := range rules {
		parts := strings.Split(r.ID+"$", "/")
		group, name := regexp.MustCompile(parts[0]), regexp.MustCompile(parts[1])
		var selected []string
		for _, other := range rules {
			if g, n, _ := strings.Cut(other.ID, "/"); group.MatchString(g) && name.MatchString(n) {
				selected = append(selected, other.ID)
			}
		}
		assert.Equal(t, []string{r.ID}, selected)
	}
}

// Whatever nobody has seen on a target is asked by the probe, or there is a reason
// why not.
func TestProbeAsksWhatNobodyKnows(t *testing.T) {
	questions := make(map[string]bool)
	for _, q := range shmtest.Questions() {
		assert.False(t, questions[q.ID], "%s is asked twice", q.ID)
		questions[q.ID] = true
		assert.Regexp(t, `\?$`, q.Text, q.ID)
	}
	known := make(map[string]bool)
	for _, r := range shmtest.Ledger() {
		known[r.ID] = true
		unseen := r.Evidence == shmtest.Assumed || r.Evidence == shmtest.Older
		reason := shmtest.Unasked[r.ID]
		if unseen {
			assert.True(t, questions[r.ID] != (reason != ""), "%s needs a question in probe/probe.c or a reason in questions.go, and not both", r.ID)
		} else {
			assert.Empty(t, reason, "%s: the reason is for nothing", r.ID)
		}
	}
	for id := range questions {
		assert.True(t, known[id] || strings.HasPrefix(id, "ask/"), "question about %s, which is no rule", id)
	}
	for id := range shmtest.Unasked {
		assert.True(t, known[id], "reason for %s, which is no rule", id)
	}
}

// What a probe has refuted is to be changed in the host, or explained.
func TestNoRuleIsRefuted(t *testing.T) {
	for _, r := range shmtest.Ledger() {
		assert.NotContains(t, r.HostDiffers, "answered otherwise to the probe", "%s: the host has to follow, or the row has to say why not", r.ID)
	}
}

func TestLedgerIsACopy(t *testing.T) {
	shmtest.Ledger()[0].ID = "changed"
	require.NotEqual(t, "changed", shmtest.Ledger()[0].ID)
}

func TestContractHasARowForEachRule(t *testing.T) {
	contract := string(shmtest.Contract())
	for _, r := range shmtest.Ledger() {
		assert.Equal(t, 1, strings.Count(contract, "\n| "+r.ID+" |"), r.ID)
	}
	columns := 0 // of the table that the line is in
	for line := range strings.Lines(contract) {
		n := strings.Count(line, "|") - strings.Count(line, `\|`)
		if strings.HasPrefix(line, "|") && columns > 0 {
			assert.Equal(t, columns, n, line)
		}
		columns = n
	}
}

func TestReportCountsByEvidence(t *testing.T) {
	var b strings.Builder
	require.NoError(t, shmtest.Report(&b))
	for _, evidence := range evidenceKinds {
		require.Contains(t, b.String(), string(evidence)+": ")
	}
}
