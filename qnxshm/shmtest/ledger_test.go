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
