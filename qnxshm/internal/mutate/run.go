//go:build linux

package mutate

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

const (
	// quiet is how long a program may say nothing before it is taken to hang.
	quiet = 6 * time.Second
	// slow are the cases that may take many seconds: for a process that is stopped, or
	// because of very many threads.
	slow = "^TestConformance$/./(maker-stopped|server-stopped|^concurrent$|^many-clients$)"
	// whole are all others.
	whole = "^TestConformance$"
	// others are the package's tests of what the ledger has no rule of.
	others = "^Test([^C]|C[^o])"

	survives = "survives"
	hangs    = "(hangs)"
	for710   = " (built for 7.1)"
	compiler = "the compiler"
)

// Suites are the programs with all mutants in them.
type Suites struct {
	ms     *Mutants
	binary map[int]string      // by release
	older  map[string][]string // what the cases of 7.1 say without a mutant
}

// Build builds the conformance suite with the mutants in it.
func (ms *Mutants) Build(mutants []*Mutant) (*Suites, error) {
	s := &Suites{ms: ms, binary: make(map[int]string)}
	for _, release := range []int{800, 710} {
		wanted := slices.DeleteFunc(slices.Clone(mutants), func(m *Mutant) bool { return m.Old != (release < 800) })
		if len(wanted) == 0 {
			continue
		}
		var err error
		if s.binary[release], err = ms.build(release, wanted); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Check checks that cases pass without a mutant, all if none is named, and learns
// what those for 7.1 say.
func (s *Suites) Check(ctx context.Context, cases ...string) error {
	if binary := s.binary[800]; binary != "" {
		p := whole
		if len(cases) > 0 {
			p = pattern(cases...)
		}
		o, err := s.run(ctx, binary, 0, p, true)
		if err != nil {
			return err
		}
		if o.by != "" {
			return fmt.Errorf("without a mutant: %s\n%s", o, o.text)
		}
	}
	if binary := s.binary[710]; binary != "" {
		o, err := s.run(ctx, binary, 0, casesOf710(), false)
		if err != nil {
			return err
		}
		s.older = said(o.text)
	}
	return nil
}

// Try tells which case notices a mutant: "group/name", with what happened to the
// program if it did not get as far as failing, or that it survives. first is a case
// to begin with, if it is not "".
func (s *Suites) Try(ctx context.Context, m *Mutant, first string) (string, error) {
	if s.ms.Refused[m] {
		return compiler, nil
	}
	if m.Old {
		return s.try710(ctx, m)
	}
	if first, _, _ = strings.Cut(first, " "); strings.Contains(first, "/") || strings.HasPrefix(first, "Test") {
		if o, err := s.run(ctx, s.binary[800], m.Number, alone(first), true); err != nil || o.by != "" {
			return o.String(), err
		}
	}
	patterns := []string{relevant(m.Calls), relevant(m.Above), whole}
	if patterns[0] == pattern() && patterns[1] == pattern() {
		patterns = append(patterns, others)
	}
	for _, p := range slices.Compact(patterns) {
		if p == pattern() {
			continue
		}
		o, err := s.run(ctx, s.binary[800], m.Number, p, true)
		// Nothing is believed that happens once: the machine may be busy.
		for _, p := range []string{alone(o.by), p} {
			if err != nil || o.by == "" {
				break
			}
			var again outcome
			if again, err = s.run(ctx, s.binary[800], m.Number, p, true); again.by != "" {
				return again.String(), err
			}
		}
		if err != nil {
			return "", err
		}
	}
	return survives, nil
}

// try710 compares what the cases say with what they say without a mutant: built
// for 7.1, the suite itself fails where it needs what only 8.0 has.
func (s *Suites) try710(ctx context.Context, m *Mutant) (string, error) {
	o, err := s.run(ctx, s.binary[710], m.Number, casesOf710(), false)
	if err != nil {
		return "", err
	}
	if o.how != "" {
		return o.String() + for710, nil
	}
	now := said(o.text)
	for _, r := range shmtest.Ledger() {
		if !slices.Equal(now[r.ID], s.older[r.ID]) {
			return r.ID + for710, nil
		}
	}
	return survives, nil
}

var (
	resultIn = regexp.MustCompile(`^    --- (\w+): TestConformance/(\S+)`)
	gotIn    = regexp.MustCompile(`^    \S+: cases_\S+ (.*): got (\w+)`)
)

// said is what each case has said of the errors it got, and its result.
func said(output []byte) map[string][]string {
	all := make(map[string][]string)
	var id string
	for line := range strings.Lines(string(output)) {
		if m := began.FindStringSubmatch(line); m != nil {
			id = m[1]
		}
		if m := resultIn.FindStringSubmatch(line); m != nil {
			all[m[2]] = append(all[m[2]], m[1])
		}
		if m := gotIn.FindStringSubmatch(line); m != nil {
			all[id] = append(all[id], m[1]+": "+m[2])
		}
	}
	return all
}

// relevant selects the cases about functions of libc.
func relevant(functions []string) string {
	alike := map[string]string{ // calls that the ledger has no rule of
		"fstat": "ftruncate", "close": "shm_open", "dispatch_create_channel": "name_attach", "dispatch_destroy": "name_attach",
		"name_detach": "name_attach", "ChannelDestroy_r": "ChannelCreate",
	}
	var calls []string
	for _, c := range functions {
		calls = append(calls, c, strings.TrimSuffix(c, "_r"), alike[c])
	}
	return pattern(casesThat(func(r shmtest.Rule) bool {
		timeout := slices.Contains(calls, "TimerTimeout_r") && (strings.Contains(r.ID, "timeout") || strings.Contains(r.ID, "poll"))
		return timeout || slices.Contains(calls, r.Call)
	})...)
}

// casesOf710 selects the cases that show what is for 7.1 only.
func casesOf710() string {
	return pattern(casesThat(func(r shmtest.Rule) bool { return r.Since != "" || strings.HasPrefix(r.Call, "MsgSendPulse") })...)
}

func casesThat(f func(shmtest.Rule) bool) (ids []string) {
	for _, r := range shmtest.Ledger() {
		if f(r) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// pattern selects cases, and few others.
func pattern(ids ...string) string {
	var groups, names []string
	for _, id := range ids {
		group, name, _ := strings.Cut(id, "/")
		groups, names = append(groups, group), append(names, name)
	}
	return fmt.Sprintf("^TestConformance$/^(%s)$/^(%s)$", alternatives(groups), alternatives(names))
}

// alone selects a case, or a test that is none.
func alone(name string) string {
	if strings.HasPrefix(name, "Test") {
		test, _, _ := strings.Cut(name, "/")
		return "^" + test + "$"
	}
	return pattern(name)
}

func alternatives(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "|")
}

// outcome is what became of a run.
type outcome struct {
	by   string // the case that noticed, "" if none
	how  string // what happened to the program, if the case did not end
	text []byte
}

func (o outcome) String() string { return strings.TrimSpace(o.by + " " + o.how) }

var (
	began  = regexp.MustCompile(`^=== (?:RUN|CONT) +(?:TestConformance/)?(\S+)`)
	failed = regexp.MustCompile(`^\s*--- FAIL: (\S+)`)
)

// run runs cases on a mutant, up to the first that notices if failfast is set.
// Nothing that it starts or makes is left behind.
func (s *Suites) run(ctx context.Context, binary string, number int, cases string, failfast bool) (outcome, error) {
	tmp, err := os.MkdirTemp(s.ms.dir, "run")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.Command(binary, "-test.v", "-test.run="+cases, "-test.skip="+slow, fmt.Sprintf("-test.failfast=%t", failfast))
	cmd.Dir = filepath.Join(s.ms.root, "qnxshm")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", variable, number), "TMPDIR="+tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the workers too
	r, w, err := os.Pipe()
	if err != nil {
		return outcome{}, err
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		return outcome{}, err
	}
	defer removeObjects(cmd.Process.Pid)
	end := sync.OnceFunc(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer context.AfterFunc(ctx, end)()
	hung := make(chan bool, 1)
	silence := time.AfterFunc(quiet, func() {
		hung <- true
		end()
	})
	defer silence.Stop()
	at := "the start"
	var o outcome
	var text bytes.Buffer
	for lines := bufio.NewScanner(io.TeeReader(r, &text)); lines.Scan(); {
		silence.Reset(quiet)
		if m := began.FindStringSubmatch(lines.Text()); m != nil {
			at = m[1]
		}
		if m := failed.FindStringSubmatch(lines.Text()); m != nil && (o.by == "" || !strings.Contains(o.by, "/")) {
			o.by = strings.TrimPrefix(m[1], "TestConformance/")
		}
	}
	io.Copy(&text, r)
	end() // workers that are left; the pipe has ended, or the program is stuck
	err = cmd.Wait()
	o.text = text.Bytes()
	if ctx.Err() != nil {
		return o, ctx.Err()
	}
	if o.by == "TestConformance" {
		o.by = "the check for what is left behind"
	}
	if o.by == "" && err != nil {
		o.by, o.how = at, "(crashes)"
		select {
		case <-hung:
			o.how = hangs
		default:
		}
	}
	return o, nil
}

// removeObjects removes named objects of a process that was ended.
func removeObjects(pid int) {
	names, _ := filepath.Glob(fmt.Sprintf("/dev/shm/shmtest-%d-*", pid))
	for _, n := range names {
		os.Remove(n)
	}
}
