//go:build linux && cgo

package qnxhost_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

const probeSource = "../shmtest/probe/probe.c"

// command runs a program to its end.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience) // it may be a compiler
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), nested+"=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s", cmd, stderr.String())
	return string(out)
}

// buildProbe compiles the probe for a release with the warnings that a stranger's
// compiler may have on.
func buildProbe(t *testing.T, release, library string) string {
	t.Helper()
	probe := filepath.Join(t.TempDir(), "probe")
	command(t, "gcc", "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-D_NTO_VERSION="+release, "-I", "include", "-o", probe, probeSource, library)
	return probe
}

// A probing is what a probe has said: the lines above the answers, and the answers.
type probing struct {
	header  string
	answers map[string]string
}

// probeAll asks all questions, some at a time: most of the time is waiting.
func probeAll(t *testing.T, probe string) probing {
	t.Helper()
	p := probing{answers: make(map[string]string)}
	const parts = 8
	ids := make([][]string, parts)
	for i, q := range shmtest.Questions() {
		ids[i%parts] = append(ids[i%parts], q.ID)
	}
	var all sync.WaitGroup
	outputs := make([]string, parts)
	for i := range parts {
		all.Add(1)
		go func() {
			defer all.Done()
			out, err := exec.Command(probe, ids[i]...).Output()
			if err != nil {
				out = fmt.Appendf(nil, "%v", err)
			}
			outputs[i] = string(out)
		}()
	}
	all.Wait()
	for i, out := range outputs {
		header, answers, ok := strings.Cut(out, ids[i][0]+": ")
		require.True(t, ok, "%s", out)
		p.header = header
		for line := range strings.Lines(ids[i][0] + ": " + answers) {
			id, answer, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			p.answers[id] = answer
		}
		delete(p.answers, "end")
	}
	return p
}

// report is the report that the probe would have written in one go.
func (p probing) report() string {
	var b strings.Builder
	b.WriteString(p.header)
	for _, q := range shmtest.Questions() {
		fmt.Fprintf(&b, "%s: %s\n", q.ID, p.answers[q.ID])
	}
	fmt.Fprintf(&b, "end: %d\n", len(shmtest.Questions()))
	return b.String()
}

// read gives a report to the program that reads them.
func read(t *testing.T, reader, report string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.txt")
	require.NoError(t, os.WriteFile(name, []byte(report), 0o600))
	return command(t, reader, name)
}

func buildReader(t *testing.T) string {
	t.Helper()
	reader := filepath.Join(t.TempDir(), "reader")
	command(t, "go", "build", "-o", reader, "../shmtest/probe")
	return reader
}

// again repeats what was answered otherwise than want, alone: an answer may be late
// on a busy machine.
func (p probing) again(t *testing.T, probe string, wrong func(id, answer string) bool) {
	t.Helper()
	for _, q := range shmtest.Questions() {
		if !wrong(q.ID, p.answers[q.ID]) {
			continue
		}
		t.Logf("%s: %s; asked again", q.ID, p.answers[q.ID])
		for line := range strings.Lines(command(t, probe, q.ID)) {
			if answer, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), q.ID+": "); ok {
				p.answers[q.ID] = answer
			}
		}
	}
}

// The probe compiles for both releases, every question has an answer, and the answer
// is what the ledger says. That the host answers so says nothing about QNX: it shows
// that the probe asks what it means to ask.
func TestProbe(t *testing.T) {
	t.Parallel()
	library := filepath.Join(programs(t), "libqnxhost.so")
	reader := buildReader(t)
	rules := make(map[string]shmtest.Rule)
	for _, r := range shmtest.Ledger() {
		rules[r.ID] = r
	}
	for _, release := range []string{"800", "710"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			probe := buildProbe(t, release, library)
			wrong := func(id, answer string) bool {
				rule, ok := rules[id]
				switch {
				case answer == "absent":
					return release == "800" || ok && rule.Since != "8.0"
				case !ok:
					return answer == "" || answer == "hangs" || strings.HasPrefix(answer, "died")
				case rule.Evidence == shmtest.Module:
					return answer == "" || answer == "hangs" || strings.HasPrefix(answer, "died") || strings.HasPrefix(answer, "not asked")
				case rule.IsErrno(): // of each part of the question
					return slices.ContainsFunc(strings.Fields(answer), func(name string) bool { return name != rule.Effect }) || answer == ""
				}
				return answer != "yes"
			}
			p := probeAll(t, probe)
			p.again(t, probe, wrong)
			for _, q := range shmtest.Questions() {
				if wrong(q.ID, p.answers[q.ID]) {
					t.Errorf("%s: %s; the ledger says %q", q.ID, p.answers[q.ID], rules[q.ID].Effect)
				}
			}
			text := read(t, reader, p.report())
			require.Contains(t, text, "says nothing about QNX")
			if !t.Failed() {
				require.Contains(t, text, "\nrefutes: 0\n")
				require.Contains(t, text, "\nanswers otherwise, as the row allows: 0\n")
			}
		})
	}
	t.Cleanup(func() { // when both have ended
		left, err := filepath.Glob("/dev/shm/qnxshm-probe-*")
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

// The list of questions is that which Go reads from the source.
func TestProbeLists(t *testing.T) {
	t.Parallel()
	probe := buildProbe(t, "800", filepath.Join(programs(t), "libqnxhost.so"))
	var want strings.Builder
	for _, q := range shmtest.Questions() {
		fmt.Fprintf(&want, "%s\t%s\n", q.ID, q.Text)
	}
	require.Equal(t, want.String(), command(t, probe, "-l"))
}

// breakable are rules that can be broken in the host, each by one change.
var breakable = []struct{ file, old, new, id, answer string }{
	{"internal/procnto/handles.go", "h == nil || h.recipient != r || h.doomed", "h == nil || h.doomed", "open/other-process", "EOK"},
	{"internal/procnto/limit.go", "uint64(n) >= cur", "uint64(n) > cur", "limit/zero", "EOK"},
	{"internal/procnto/revoke.go", "return syscall.EINVAL", "return syscall.EPERM", "revoke/not-revocable", "EPERM"},
	{"internal/memory/control.go", ", paddr != 0:", ":", "control/address-unused", "EOK"},
	{"internal/message/name.go", "return nil, syscall.EEXIST", "return nil, syscall.EBUSY", "name/taken", "EBUSY"},
}

// What would be broken is there, so that the test below does not rot.
func TestBreakableRules(t *testing.T) {
	asked := make(map[string]bool)
	for _, q := range shmtest.Questions() {
		asked[q.ID] = true
	}
	for _, broken := range breakable {
		text, err := os.ReadFile(filepath.Join("..", broken.file))
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(text), broken.old), "%s: %q", broken.file, broken.old)
		require.True(t, asked[broken.id], broken.id)
	}
}

// The answers are the host's own: when a rule of it is broken, the line of the probe
// changes, and the reader says so.
func TestProbeSeesBrokenHost(t *testing.T) {
	if os.Getenv("QNXHOST_BROKEN") == "" {
		t.Skip("set QNXHOST_BROKEN to build the library once for each broken rule")
	}
	sound := buildProbe(t, "800", filepath.Join(programs(t), "libqnxhost.so"))
	reader := buildReader(t)
	for _, broken := range breakable {
		t.Run(broken.id, func(t *testing.T) {
			probe := buildProbe(t, "800", brokenLibrary(t, broken.file, broken.old, broken.new))
			before := command(t, sound, broken.id)
			require.Contains(t, read(t, reader, before), "\nconfirms: 1\n")
			after := command(t, probe, broken.id)
			require.Contains(t, after, "\n"+broken.id+": "+broken.answer+"\n")
			text := read(t, reader, after)
			require.Contains(t, text, "\nconfirms: 0\n")
			require.Contains(t, text, "\nleaves: 0\n")
			t.Logf("%s\n%s", before, text)
		})
	}
}

// brokenLibrary builds the library with one change in a file.
func brokenLibrary(t *testing.T, file, old, new string) string {
	t.Helper()
	dir := t.TempDir()
	path, err := filepath.Abs(filepath.Join("..", file))
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), old), "%s: %q", file, old)
	changed := filepath.Join(dir, "changed.go")
	require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(text), old, new, 1)), 0o600))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	require.NoError(t, err)
	name := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(name, overlay, 0o600))
	library := filepath.Join(dir, "libqnxhost.so")
	command(t, "go", "build", "-overlay", name, "-buildmode=c-shared", "-o", library, "./lib")
	return library
}
