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
	"strconv"
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
	all   = "."
	// others are the package's tests of what the ledger has no rule of.
	others = "^Test([^C]|C[^o])"

	survives    = "survives"
	survivesAll = survives + " the whole suite" // built for 8.0 and for 7.1
	hangs       = "(hangs)"
	for710      = " (built for 7.1)"
	forNull     = " (on the null libc)"
	forNull710  = for710 + forNull
	compiler    = "the compiler"

	// What stops the suite before a case, and after them.
	beforeCases = "the start of the suite"
	afterCases  = "the check for what is left behind"
)

// Suites are the programs with all mutants in them.
type Suites struct {
	ms      *Mutants
	binary  map[mode]string
	refused map[mode]map[*Mutant]bool // what the compilers do not take
}

// Build builds the conformance suite with the mutants in it, and the tests of the
// binding.
func (ms *Mutants) Build(mutants []*Mutant) (*Suites, error) {
	s := &Suites{ms: ms, binary: make(map[mode]string), refused: make(map[mode]map[*Mutant]bool)}
	for _, in := range modes {
		var err error
		if s.binary[in], s.refused[in], err = ms.build(in, mutants); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Check checks that cases pass without a mutant, all if none is named.
func (s *Suites) Check(ctx context.Context, cases ...string) error {
	p := whole
	if len(cases) > 0 {
		p = pattern(cases...)
	}
	for _, t := range []trial{{as80, p}, {as71, p}, {null80, all}, {null71, all}} {
		o, err := s.run(ctx, t)
		if err != nil {
			return err
		}
		if o.by != "" {
			return fmt.Errorf("without a mutant: %s\n%s", o, o.text)
		}
	}
	return nil
}

// trial is a run of some tests.
type trial struct {
	in    mode
	tests string
}

// trials are those of a mutant: what is about its calls comes first, and what is about
// signals is quickly seen on the null libc, as is what has survived. One that survives in
// a build for 8.0 is tried in that for 7.1, as far as its calls go.
func trials(m *Mutant, before string) []trial {
	calls, above := relevant(m.Calls), relevant(m.Above)
	binding := []trial{{null80, all}, {null71, all}}
	if m.Old {
		return append(binding[1:], trial{as71, calls}, trial{as71, above}, trial{as71, whole})
	}
	suite := []trial{{as80, calls}, {as80, above}, {as71, calls}, {as71, above}}
	if none := pattern(); calls == none && above == none {
		suite = append(suite, trial{as80, others})
	}
	if Survives(before) || calls == pattern() || aboutSignals.MatchString(m.ID) {
		return append(binding, suite...)
	}
	return append(suite[:2:2], append(binding, suite[2:]...)...)
}

var aboutSignals = regexp.MustCompile(`signal|\bsig|\bold\b|undisturbed|_mapping_of`)

// remembered is the run that noticed a mutant before.
func remembered(by string) (t trial, ok bool) {
	name, _, _ := strings.Cut(by, " ")
	switch test := strings.HasPrefix(name, "Test"); {
	case strings.HasSuffix(by, forNull710):
		return trial{null71, all}, true
	case strings.HasSuffix(by, forNull):
		return trial{null80, all}, true
	case !test && !strings.Contains(name, "/"):
		return trial{}, false
	case strings.HasSuffix(by, for710):
		return trial{as71, alone(name)}, true
	}
	return trial{as80, alone(name)}, true
}

// Try tells which case notices a mutant: "group/name", with what happened to the
// program if it did not get as far as failing, or that it survives. before is what it
// told the last time, to begin with that. All cases are tried on a survivor where no
// reason says why none would notice; that takes a while.
func (s *Suites) Try(ctx context.Context, m *Mutant, before string) (string, error) {
	in := as80
	if m.Old {
		in = as71
	}
	if s.refused[in][m] {
		return compiler, nil
	}
	if t, ok := remembered(before); ok {
		if o, err := s.run(ctx, t, m); err != nil || o.by != "" {
			return o.String(), err
		}
	}
	todo, became := trials(m, before), survives
	if _, reason, _ := reasonOf(m); reason == "" || before == survivesAll {
		todo, became = append(todo, trial{as80, whole}, trial{as71, whole}), survivesAll
	}
	done := make(map[trial]bool)
	for _, t := range todo {
		if t.tests == pattern() || done[t] || s.refused[t.in][m] {
			continue
		}
		done[t] = true
		o, err := s.run(ctx, t, m)
		// Nothing is believed that happens once: the machine may be busy.
		for _, p := range []string{alone(o.by), t.tests} {
			if err != nil || o.by == "" {
				break
			}
			var again outcome
			if again, err = s.run(ctx, trial{t.in, p}, m); again.by != "" {
				return again.String(), err
			}
		}
		if err != nil {
			return "", err
		}
	}
	return became, nil
}

// Together puts survivors into groups, with one mutant of each function at most.
func Together(survivors []*Mutant) (groups [][]*Mutant) {
	of := make(map[string]int) // by function, how many are in a group
	for _, m := range survivors {
		function, _, _ := strings.Cut(m.ID, ": ")
		n := of[function]
		if of[function]++; n == len(groups) {
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], m)
	}
	return groups
}

// TryTogether tries such a group with the whole suite, all in the same program: when
// nothing is noticed of all, nothing is of any, as none of them undoes another. It
// returns what became of each.
func (s *Suites) TryTogether(ctx context.Context, group []*Mutant) ([]string, error) {
	became := slices.Repeat([]string{survivesAll}, len(group))
	for _, t := range []trial{{null80, all}, {null71, all}, {as80, whole}, {as71, whole}} {
		o, err := s.run(ctx, t, group...)
		if err != nil {
			return nil, err
		}
		if o.by == "" {
			continue
		}
		// Whose it is, if it is anybody's: the machine may be busy.
		for i, m := range group {
			if became[i], err = s.Try(ctx, m, survivesAll); err != nil {
				return nil, err
			}
		}
		break
	}
	return became, nil
}

// groups are cases that are about more calls than the ledger's rule has.
var groups = map[string][]string{
	"event": {"MsgRegisterEvent_r"},
	"death": {"MsgReceive_r", "ConnectDetach_r"},
}

func in(all []string) func(string) bool {
	return func(s string) bool { return slices.Contains(all, s) }
}

// relevant selects the cases about functions of libc.
func relevant(functions []string) string {
	alike := map[string]string{ // calls that the ledger has no rule of
		"fstat": "ftruncate", "close": "shm_open", "dispatch_create_channel": "name_attach", "dispatch_destroy": "name_attach",
		"name_detach": "name_attach", "ChannelDestroy_r": "ChannelCreate", "ChannelCreate_r": "ConnectAttach",
	}
	var calls []string
	for _, c := range functions {
		calls = append(calls, c, strings.TrimSuffix(c, "_r"), alike[c])
	}
	return pattern(casesThat(func(r shmtest.Rule) bool {
		timeout := slices.Contains(calls, "TimerTimeout_r") && (strings.Contains(r.ID, "timeout") || strings.Contains(r.ID, "poll"))
		group, _, _ := strings.Cut(r.ID, "/")
		return timeout || slices.ContainsFunc(groups[group], in(calls)) || slices.Contains(calls, r.Call)
	})...)
}

func casesThat(f func(shmtest.Rule) bool) (ids []string) {
	for _, r := range shmtest.Ledger() {
		if !r.OnlyC && f(r) {
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
	mode mode
	text []byte
}

func (o outcome) String() string {
	s := strings.TrimSpace(o.by + " " + o.how)
	switch o.mode {
	case as71:
		return s + for710
	case null80:
		return s + forNull
	case null71:
		return s + forNull710
	}
	return s
}

var (
	began  = regexp.MustCompile(`^=== (?:RUN|CONT) +(?:TestConformance/)?(\S+)`)
	failed = regexp.MustCompile(`^\s*--- FAIL: (\S+)`)
)

// run runs tests on a mutant, or several, up to the first that notices. Nothing that it starts or
// makes is left behind.
func (s *Suites) run(ctx context.Context, t trial, mutants ...*Mutant) (outcome, error) {
	tmp, err := os.MkdirTemp(s.ms.dir, "run")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(tmp)
	var numbers []string
	for _, m := range mutants {
		numbers = append(numbers, strconv.Itoa(m.Number))
	}
	cmd := exec.Command(s.binary[t.in], "-test.v", "-test.run="+t.tests, "-test.skip="+slow, "-test.failfast")
	cmd.Dir = filepath.Join(s.ms.root, t.in.pkg)
	cmd.Env = append(os.Environ(), variable+"="+strings.Join(numbers, ","), "TMPDIR="+tmp, fmt.Sprintf("SHMTEST_RELEASE=%.1f", float64(t.in.release)/100))
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
	o := outcome{mode: t.in}
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
		if o.by = afterCases; at == "TestConformance" {
			o.by = beforeCases
		}
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
