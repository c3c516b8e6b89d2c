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
		assert.Contains(t, []shmtest.Evidence{shmtest.Documented, shmtest.Observed, shmtest.Assumed}, r.Evidence, r.ID)
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
	for _, line := range strings.Split(contract, "\n") {
		if strings.HasPrefix(line, "|") {
			assert.Equal(t, 7, strings.Count(line, "|")-strings.Count(line, `\|`), line)
		}
	}
}

func TestReportCountsByEvidence(t *testing.T) {
	var b strings.Builder
	require.NoError(t, shmtest.Report(&b))
	for _, evidence := range []shmtest.Evidence{shmtest.Documented, shmtest.Observed, shmtest.Assumed} {
		require.Contains(t, b.String(), string(evidence)+": ")
	}
}
