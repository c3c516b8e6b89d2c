package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

// reportOf makes a report up.
func reportOf(t *testing.T, system, release string, lines ...string) *report {
	t.Helper()
	r, err := parse(strings.NewReader(textOf(system, release, lines...)))
	require.NoError(t, err)
	return r
}

func textOf(system, release string, lines ...string) string {
	header := fmt.Sprintf("qnxshm-probe: 1\nsystem: %s\nrelease: %s\ncompiled: 800\nmachine: x86_64\nuser: other\n", system, release)
	return header + strings.Join(append(lines, fmt.Sprintf("end: %d", len(lines))), "\n") + "\n"
}

func TestParse(t *testing.T) {
	r := reportOf(t, "QNX", "8.0.0", "open/zero: ESRCH", "ask/small-buffer: EFAULT, lost: both")
	require.Equal(t, []answer{{"open/zero", "ESRCH"}, {"ask/small-buffer", "EFAULT, lost: both"}}, r.answers)
	require.Equal(t, "QNX 8.0", r.release())
	require.False(t, r.host())
	require.True(t, reportOf(t, "host", "6.1").host())
	_, err := parse(strings.NewReader(strings.ReplaceAll(textOf("QNX", "8.0.0", "open/zero: ESRCH"), "\n", "\r\n")))
	require.NoError(t, err)
}

func TestParseRefuses(t *testing.T) {
	whole := textOf("QNX", "8.0.0", "open/zero: ESRCH", "open/used: ESRCH")
	for _, test := range []struct{ text, want string }{
		{"", "not whole"},
		{strings.TrimSuffix(whole, "end: 2\n"), "not whole"},
		{strings.Replace(whole, "open/used: ESRCH\n", "", 1), "2 answers were written, 1 are here"},
		{whole + "open/zero: ESRCH\n", "after the end"},
		{strings.Replace(whole, "open/used", "open/zero", 1), "second answer"},
		{strings.Replace(whole, "open/used: ", "open/used ", 1), "no answer"},
		{strings.Replace(whole, "release: 8.0.0\n", "", 1), "where release should be"},
		{strings.Replace(whole, "qnxshm-probe: 1", "qnxshm-probe: 2", 1), "version 2"},
		{strings.Replace(whole, "8.0.0", "eight", 1), "no release"},
		{strings.Repeat("x", 100<<10), "too long"},
		{strings.Replace(whole, "ESRCH", "\x1b]0;title\a", 1), "is no text"},
		{strings.Replace(whole, "ESRCH", "no: \u202eEPERM", 1), "is no text"},
		{strings.Replace(whole, "x86_64", "x86\x00", 1), "is no text"},
		{strings.Replace(whole, "8.0.0", "8.0.0"+strings.Repeat("0", 1000), 1), "longer than the probe writes"},
		{strings.Replace(whole, "8.0.0", "1234567.0", 1), "no release"},
	} {
		_, err := parse(strings.NewReader(test.text))
		require.ErrorContains(t, err, test.want)
	}
}

func TestJudge(t *testing.T) {
	rules := []shmtest.Rule{
		{ID: "a/errno", Effect: "ESRCH", AlsoAccept: []string{"EBADF", "EOK"}, Evidence: shmtest.Assumed},
		{ID: "a/effect", Effect: "works", Evidence: shmtest.Assumed},
		{ID: "a/module", Effect: "EINVAL", Evidence: shmtest.Module},
	}
	for _, test := range []struct {
		line string
		want outcome
	}{
		{"a/errno: ESRCH", confirms},
		{"a/errno: EBADF", otherwise},
		{"a/errno: ESRCH EOK", otherwise},
		{"a/errno: EPERM", refutes},
		{"a/errno: ESRCH EPERM", refutes},
		{"a/errno: errno-999", refutes},
		{"a/errno: absent", leaves},
		{"a/errno: hangs", leaves},
		{"a/errno: died: SIGSEGV", leaves},
		{"a/errno: not asked: fd != -1: EPERM", leaves},
		{"a/errno: stays", leaves},
		{"a/effect: yes", confirms},
		{"a/effect: no: the size is 3", refutes},
		{"a/effect: no", refutes},
		{"a/effect: absent", leaves},
		{"a/effect: nothing", leaves},
		{"a/module: EOK", leaves},
		{"ask/size: 8", tells},
		{"a/stranger: ESRCH", leaves},
	} {
		verdicts := judge(reportOf(t, "QNX", "8.0.0", test.line), rules)
		require.Len(t, verdicts, 1)
		require.Equal(t, test.want, verdicts[0].outcome, test.line)
	}
}

const rows = `package shmtest

var some = []Rule{
	{ID: "a/assumed", Call: cOpen, Condition: "x", Effect: "ESRCH", AlsoAccept: []string{"EBADF", "EPERM"}, Evidence: Assumed, Source: infSilent, Since: "8.0"},
	{ID: "a/documented", Call: cOpen, Condition: "x", Effect: "EACCES", Evidence: Documented, Source: docOpen + ": so"},
	{ID: "a/effect", Call: cOpen, Condition: "x", Effect: "works", Evidence: Older, Source: infOld},
	{ID: "a/differs", Call: cOpen, Condition: "x", Effect: "works", Evidence: Assumed, Source: infOld, HostDiffers: "It does."},
	{ID: "a/asked", Call: cOpen, Condition: "x", Effect: "EBADF", AlsoAccept: []string{"ESRCH"}, Evidence: Observed, Source: "observed on QNX 7.1 by probe"},
}
`

// ruleOf are the rules of rows.
var rulesOfRows = []shmtest.Rule{
	{ID: "a/assumed", Effect: "ESRCH", AlsoAccept: []string{"EBADF", "EPERM"}, Evidence: shmtest.Assumed, Source: "inferred"},
	{ID: "a/documented", Effect: "EACCES", Evidence: shmtest.Documented, Source: "manual: so"},
	{ID: "a/effect", Effect: "works", Evidence: shmtest.Older, Source: "6.4"},
	{ID: "a/differs", Effect: "works", Evidence: shmtest.Assumed, Source: "6.4", HostDiffers: "It does."},
	{ID: "a/asked", Effect: "EBADF", AlsoAccept: []string{"ESRCH"}, Evidence: shmtest.Observed, Source: "observed on QNX 7.1 by probe"},
}

func TestRewrite(t *testing.T) {
	for _, test := range []struct{ line, before, after string }{
		{"a/assumed: ESRCH", `Evidence: Assumed, Source: infSilent`, `Evidence: Observed, Source: "observed on QNX 8.0 by probe"`},
		{"a/assumed: EBADF", `Effect: "ESRCH", AlsoAccept: []string{"EBADF", "EPERM"}, Evidence: Assumed, Source: infSilent`,
			`Effect: "EBADF", AlsoAccept: []string{"ESRCH", "EPERM"}, Evidence: Observed, Source: "observed on QNX 8.0 by probe"`},
		{"a/assumed: EINVAL", `Effect: "ESRCH", AlsoAccept: []string{"EBADF", "EPERM"}, Evidence: Assumed, Source: infSilent`,
			`Effect: "EINVAL", AlsoAccept: []string{"ESRCH", "EBADF", "EPERM"}, Evidence: Observed, Source: "observed on QNX 8.0 by probe"`},
		{"a/assumed: ESRCH EINVAL", `Evidence: Assumed, Source: infSilent, Since: "8.0"`,
			`Evidence: Observed, Source: "observed on QNX 8.0 by probe", Since: "8.0", HostDiffers: "QNX 8.0 answered otherwise to the probe: ESRCH EINVAL."`},
		{"a/assumed: hangs", "", ""},
		{"a/assumed: errno-999", `Evidence: Assumed, Source: infSilent, Since: "8.0"`,
			`Evidence: Observed, Source: "observed on QNX 8.0 by probe", Since: "8.0", HostDiffers: "QNX 8.0 answered otherwise to the probe: errno-999."`},
		{"a/effect: no: \"+`\\\\` | //", `Evidence: Older, Source: infOld}`,
			`Evidence: Observed, Source: infOld + "; observed on QNX 8.0 by probe", HostDiffers: "QNX 8.0 answered otherwise to the probe: no: \"+` + "`" + `\\\\` + "`" + ` | //."}`},
		{"a/documented: EACCES", `Source: docOpen + ": so"`, `Source: docOpen + ": so" + "; observed on QNX 8.0 by probe"`},
		{"a/documented: EPERM", `Effect: "EACCES", Evidence: Documented, Source: docOpen + ": so"`,
			`Effect: "EPERM", AlsoAccept: []string{"EACCES"}, Evidence: Observed, Source: docOpen + ": so" + "; observed on QNX 8.0 by probe"`},
		{"a/effect: yes", `Evidence: Older, Source: infOld}`, `Evidence: Observed, Source: infOld + "; observed on QNX 8.0 by probe"}`},
		{"a/effect: no: it is gone", `Evidence: Older, Source: infOld}`,
			`Evidence: Observed, Source: infOld + "; observed on QNX 8.0 by probe", HostDiffers: "QNX 8.0 answered otherwise to the probe: no: it is gone."}`},
		{"a/differs: no", `Evidence: Assumed, Source: infOld, HostDiffers: "It does."`,
			`Evidence: Observed, Source: "observed on QNX 8.0 by probe", HostDiffers: "It does. QNX 8.0 answered otherwise to the probe: no."`},
		{"a/asked: EBADF", `Source: "observed on QNX 7.1 by probe"`, `Source: "observed on QNX 7.1 by probe" + "; observed on QNX 8.0 by probe"`},
		{"a/asked: ESRCH", `Source: "observed on QNX 7.1 by probe"`, `Source: "observed on QNX 7.1 by probe" + "; observed on QNX 8.0 by probe"`},
		{"a/asked: EPERM", `AlsoAccept: []string{"ESRCH"}, Evidence: Observed, Source: "observed on QNX 7.1 by probe"`,
			`AlsoAccept: []string{"ESRCH", "EPERM"}, Evidence: Observed, Source: "observed on QNX 7.1 by probe" + "; observed on QNX 8.0 by probe"`},
	} {
		dir := t.TempDir()
		name := filepath.Join(dir, "ledger.go")
		require.NoError(t, os.WriteFile(name, []byte(rows), 0o600))
		r := reportOf(t, "QNX", "8.0.0", test.line)
		n, err := rewrite(dir, r, judge(r, rulesOfRows))
		require.NoError(t, err, test.line)
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		want := rows
		if test.before != "" {
			require.Equal(t, 1, strings.Count(rows, test.before), test.before)
			want = strings.Replace(rows, test.before, test.after, 1)
			require.Equal(t, 1, n, test.line)
		}
		require.Equal(t, want, string(got), test.line)
	}
}

// A file that cannot be read as Go leaves all as they are.
func TestRewriteAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "a.go")
	require.NoError(t, os.WriteFile(good, []byte(rows), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.go"), []byte("package"), 0o600))
	r := reportOf(t, "QNX", "8.0.0", "a/assumed: ESRCH")
	_, err := rewrite(dir, r, judge(r, rulesOfRows))
	require.Error(t, err)
	got, err := os.ReadFile(good)
	require.NoError(t, err)
	require.Equal(t, rows, string(got))
}

// Every question's answer can be written, and a second time changes nothing.
func TestRewriteLedger(t *testing.T) {
	dir := t.TempDir()
	names, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(name)), text, 0o600))
	}
	rules := shmtest.Ledger()
	byID := make(map[string]*shmtest.Rule)
	for i := range rules {
		byID[rules[i].ID] = &rules[i]
	}
	var lines []string
	want := 0
	for _, q := range shmtest.Questions() {
		answer := "yes"
		rule := byID[q.ID]
		if rule != nil && rule.IsErrno() {
			answer = "EDOM" // which refutes every one
		}
		if rule != nil && rule.Evidence != shmtest.Module {
			want++
		}
		lines = append(lines, q.ID+": "+answer)
	}
	r := reportOf(t, "QNX", "8.0.0", lines...)
	verdicts := judge(r, rules)
	n, err := rewrite(dir, r, verdicts)
	require.NoError(t, err)
	require.Equal(t, want, n)
	var text []byte
	for _, name := range names {
		more, err := os.ReadFile(filepath.Join(dir, filepath.Base(name)))
		require.NoError(t, err)
		text = append(text, more...)
	}
	for line := range strings.Lines(string(text)) {
		for _, v := range verdicts {
			if strings.Contains(line, `{ID: "`+v.id+`",`) && v.rule.Evidence != shmtest.Module {
				require.Contains(t, line, "observed on QNX 8.0 by probe", v.id)
				require.Equal(t, v.rule.IsErrno(), strings.Contains(line, `Effect: "EDOM"`), v.id)
			}
		}
	}
	// The rules as they would be after that.
	for i := range rules {
		rules[i].Source += "; observed on QNX 8.0 by probe"
	}
	n, err = rewrite(dir, r, judge(r, rules))
	require.NoError(t, err)
	require.Zero(t, n)
}

// After a report that refutes two rules the host fails at one, and the ledger's own
// test at the other, which is no errno.
func TestRefutingReport(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: compiles the suite")
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("-race: the suite is another program")
	}
	dir := t.TempDir()
	names, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	replace := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		path, err := filepath.Abs(name)
		require.NoError(t, err)
		replace[path] = filepath.Join(dir, filepath.Base(name))
		require.NoError(t, os.WriteFile(replace[path], text, 0o600))
	}
	r := reportOf(t, "QNX", "8.0.0", "open/zero: EPERM", "open/used: ESRCH", "seal/handles: no: the access is another")
	n, err := rewrite(dir, r, judge(r, shmtest.Ledger()))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "overlay.json")
	require.NoError(t, os.WriteFile(name, overlay, 0o600))
	run := func(pattern, dir string) (string, error) {
		out, err := exec.Command("go", "test", "-overlay", name, "-count=1", "-run", pattern, dir).CombinedOutput()
		return string(out), err
	}
	out, err := run("TestConformance/open/(zero|used)$", "../..")
	require.Error(t, err)
	require.Contains(t, out, "--- FAIL: TestConformance/open/zero")
	require.Contains(t, out, "got ESRCH")
	require.Contains(t, out, "want EPERM")
	require.NotContains(t, out, "open/used (")
	out, err = run("TestNoRuleIsRefuted", "..")
	require.Error(t, err)
	require.Contains(t, out, "seal/handles: the host has to follow")
}

func TestRun(t *testing.T) {
	name := filepath.Join(t.TempDir(), "report.txt")
	write := func(system string) {
		require.NoError(t, os.WriteFile(name, []byte(textOf(system, "8.0.0", "open/zero: EPERM", "ask/handle-size: 8", "create/pid-zero: ESRCH")), 0o600))
	}
	write("QNX")
	var b strings.Builder
	require.NoError(t, run(&b, name, false))
	require.Equal(t, `QNX 8.0.0, x86_64, compiled for 800, user: other: 3 answers

refutes: 1
  open/zero: EPERM (assumed: ESRCH)

answers otherwise, as the row allows: 0

leaves: 0

tells besides: 1
  ask/handle-size: 8

confirms: 1
  create/pid-zero: ESRCH (assumed: ESRCH)
`, b.String())

	write("host")
	b.Reset()
	require.ErrorContains(t, run(&b, name, true), "not from QNX")
	require.Contains(t, b.String(), "says nothing about QNX")
	require.Error(t, run(&b, name+"x", false))
}
