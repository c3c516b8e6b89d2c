//go:build linux

package qnxshm_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

//go:generate go test -count=1 -run ^TestStoppedAndKilled$ . -update

var update = flag.Bool("update", false, "write "+stoppedAndKilled+" instead of comparing with it")

const stoppedAndKilled = "STOPPED_AND_KILLED.md"

const stoppedAndKilledHeader = `# Stopped and killed

What the others see on the host when one of three processes is killed (SIGKILL) or stopped
(SIGSTOP), at each step. The **creator** makes an object, marks it revocable and gives it to
the **maker**, which makes two handles of its own (NoFD) for the **recipient**. That maps the
first one and reads the memory; the second one stays unused. In the end the creator takes the
object back. On a target the kernel answers, whoever is stopped.

Each line is a run of three processes. After the step its victim is hit; the others make the
calls that remain, in the order of the columns. A call ends at once, or after the time that is
told here.

- ✓: success; for a read, with the right contents
- †: its process is dead
- …: its process is stopped
- –: there is nothing to call it with, such as the handle that was never made

Then the stopped process goes on (SIGCONT), and the calls without success are made again.

This file is made by ` + "`go generate ./qnxshm`" + ` from what a test has seen, and the test compares.
`

// The parties, by their names in the table.
const (
	theCreator   = "creator"
	theMaker     = "maker"
	theRecipient = "recipient"
)

// partyCalls are what the parties do in a run without accidents, in this order.
var partyCalls = []partyCall{
	{"create", "", theCreator, "", "the object is made"},
	{"mark", "MakeRevocable", theCreator, "create", "it is marked revocable"},
	{"give", "CreateHandle for the maker", theCreator, "create", "the handle for the maker is made"},
	{"open", "Open", theMaker, "give", "the maker has opened it"},
	{"pass", "CreateHandle for the recipient", theMaker, "open", "the handle for the recipient is made"},
	{"send", "", theMaker, "pass", "the handle is sent, not mapped"},
	{"map", "Map", theRecipient, "send", "the recipient has mapped it"},
	{"read", "read", theRecipient, "map", ""},
	{"revoke", "Revoke", theCreator, "mark", "it is revoked"},
	{"reread", "read again", theRecipient, "map", ""},
}

type partyCall struct {
	name   string
	column string // in the table; none for what is not a call
	by     string
	needs  string // the call without whose success there is nothing to call with
	step   string // what is so afterwards; none if it is no step of the table
}

// arguments follow the name in the command to the party.
func (c partyCall) arguments(s *scene) any {
	switch c.name {
	case "give":
		return s.parties[theMaker].PID()
	case "open":
		return s.value["give"]
	case "pass", "revoke":
		return s.parties[theRecipient].PID()
	case "map":
		return s.value["pass"]
	}
	return ""
}

// A partyAnswer tells how a call of a party ended: a value, or the pids that it
// waited for, and the text of the error.
type partyAnswer struct{ Outcome, Value, Text string }

// party does the calls that it is told.
func party() testproc.Procedures {
	p := &actor{revoked: make(chan error, 1)}
	return testproc.Procedures{"do": func(command, argument string) partyAnswer {
		value, err := p.do(command, argument)
		var pending qnxerr.Pending
		if errors.As(err, &pending) {
			value = strings.Trim(fmt.Sprint(pending.PIDs), "[]")
		}
		return partyAnswer{outcome(err), value, fmt.Sprint(err)}
	}}
}

const (
	succeeded = "✓"
	contents  = "what the creator wrote"
)

func outcome(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return succeeded
	case errors.Is(err, qnxshm.ErrRevoked):
		return "ErrRevoked"
	case errors.Is(err, qnxshm.ErrRevokePending):
		return "ErrRevokePending"
	case errors.As(err, &errno):
		return qnxerr.Name(errno)
	}
	return err.Error()
}

// An actor is what a party has.
type actor struct {
	obj     *qnxshm.Object
	mem     *qnxshm.Mapping
	revoked chan error
}

func (p *actor) do(command, argument string) (value string, err error) {
	n, _ := strconv.ParseUint(argument, 10, 64)
	switch command {
	case "create":
		if p.obj, err = qnxshm.Create(int64(page)); err != nil {
			return "", err
		}
		p.mem, err = p.obj.Map(qnxshm.ReadWrite)
		if err == nil {
			_, err = p.mem.WriteAt([]byte(contents), 0)
		}
	case "mark":
		return "", p.obj.MakeRevocable()
	case "give":
		h, err := p.obj.CreateHandle(int(n), qnxshm.ReadOnly, nil)
		return fmt.Sprint(uint64(h)), err
	case "pass":
		h, err := p.obj.CreateHandle(int(n), qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
		if err == nil {
			_, err = p.obj.CreateHandle(int(n), qnxshm.ReadOnly, &qnxshm.HandleConfig{NoFD: true})
		}
		return fmt.Sprint(uint64(h)), err
	case "open":
		p.obj, err = qnxshm.Open(qnxshm.Handle(n), qnxshm.ReadOnly)
	case "map":
		p.mem, err = qnxshm.Map(qnxshm.Handle(n), qnxshm.ReadOnly, int64(page))
	case "read", "reread":
		return "", p.read()
	case "readuntilrevoked":
		// The process has just gone on, or others have.
		for end := time.Now().Add(time.Second / 2); err == nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
			err = p.read()
		}
	case "revoke":
		return "", p.obj.Revoke(int(n))
	case "beginrevoke":
		return "", p.beginRevoke(int(n))
	case "endrevoke":
		return "", <-p.revoked
	case "untildestroyed":
		return "", p.untilDestroyed()
	}
	return "", err
}

func (p *actor) read() error {
	got := make([]byte, len(contents))
	if _, err := p.mem.ReadAt(got, 0); err != nil {
		return err
	}
	if string(got) != contents {
		return fmt.Errorf("got %q", got)
	}
	return nil
}

// beginRevoke returns when a Revoke waits for the recipient, which is stopped.
func (p *actor) beginRevoke(recipient int) error {
	if _, err := p.obj.CreateHandle(recipient, qnxshm.ReadOnly, nil); err != nil {
		return err
	}
	go func() { p.revoked <- p.obj.Revoke(recipient) }()
	return p.untilDestroyed()
}

// untilDestroyed waits until this process's only unused handle is gone. When a
// Revoke destroys it, what the library does for that Revoke is done before
// anybody can see it.
func (p *actor) untilDestroyed() error {
	if err := qnxshm.SetHandleLimit(1, 1); err != nil {
		return err
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		h, err := p.obj.CreateHandle(os.Getpid(), qnxshm.ReadOnly, nil)
		if err == nil {
			return qnxshm.DeleteHandle(h)
		}
		if !errors.Is(err, syscall.EAGAIN) || time.Now().After(end) {
			return err
		}
	}
}

// A scene is a run.
type scene struct {
	t       *testing.T
	parties map[string]*testproc.Child
	silent  map[string]string // why a party makes no calls: what the table has for that
	done    map[string]bool   // calls that have succeeded
	value   map[string]string // that they returned
}

func newScene(t *testing.T) *scene {
	s := &scene{t, make(map[string]*testproc.Child), make(map[string]string), make(map[string]bool), make(map[string]string)}
	for _, name := range []string{theCreator, theMaker, theRecipient} {
		s.parties[name] = testproc.Start(t, "party")
	}
	return s
}

// call makes one and returns what the table has for it.
func (s *scene) call(c partyCall) string {
	switch {
	case s.silent[c.by] != "":
		return s.silent[c.by]
	case c.needs != "" && !s.done[c.needs]:
		return "–"
	case c.name == "send":
		s.done["send"] = true
		return succeeded
	}
	return s.command(c, c.name, c.arguments(s))
}

func (s *scene) command(c partyCall, command string, argument any) string {
	s.t.Helper()
	start := time.Now()
	return s.answer(c, s.parties[c.by].Begin("do", command, fmt.Sprint(argument)), start)
}

// answer waits for that of a command which was given at start.
func (s *scene) answer(c partyCall, command *testproc.Call, start time.Time) string {
	s.t.Helper()
	v, err := command.Within(patience)
	require.NoError(s.t, err)
	took := time.Since(start)
	var answer partyAnswer
	v.Into(&answer)
	result, value, text := answer.Outcome, answer.Value, answer.Text
	limit := time.Duration(0)
	switch result {
	case succeeded:
		s.done[c.name] = true
		s.value[c.name] = value
	case "ErrRevokePending":
		limit = time.Second
		for name, p := range s.parties {
			value = strings.ReplaceAll(value, fmt.Sprint(p.PID()), name)
		}
		result += " (" + value + ") after 1 s"
	case "EAGAIN":
		limit = 5 * time.Second
		require.Contains(s.t, text, "is stopped", "%s %s", c.by, c.name)
		result += " after 5 s"
	}
	// The machine may be busy.
	require.GreaterOrEqual(s.t, took, limit-50*time.Millisecond, "%s %s: %s", c.by, c.name, text)
	require.Less(s.t, took, limit+4*time.Second, "%s %s: %s", c.by, c.name, text)
	return result
}

func (s *scene) must(by, command string, argument any) {
	s.t.Helper()
	require.Equal(s.t, succeeded, s.command(partyCall{name: command, by: by}, command, argument), "%s: %s", by, command)
}

// hit kills or stops a party.
func (s *scene) hit(name string, signal syscall.Signal) {
	p := s.parties[name]
	if signal == syscall.SIGKILL {
		p.Kill()
		s.silent[name] = "†"
		return
	}
	s.silent[name] = "…"
	p.Stop()
}

// untilAsleep waits until no thread of a party runs.
func (s *scene) untilAsleep(t *testing.T, name string) {
	t.Helper()
	testproc.Eventually(t, testproc.Patience, func() bool {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.parties[name].PID()))
		require.NoError(t, err)
		return len(stats) > 0 && !slices.ContainsFunc(stats, func(file string) bool {
			stat, _ := os.ReadFile(file) // the thread may have ended
			return bytes.Contains(stat, []byte(") R "))
		})
	}, "%s runs", name)
}

// continueOne lets a stopped party go on.
func (s *scene) continueOne(name string) {
	delete(s.silent, name)
	s.parties[name].Continue()
}

// again makes all calls that have not succeeded, and the last read.
func (s *scene) again() string {
	var results []string
	for _, c := range partyCalls {
		var result string
		switch {
		case c.name == "reread":
			result = s.reread()
		case s.done[c.name] || c.name == "read": // there is another one
			continue
		default:
			result = s.call(c)
		}
		if c.column != "" {
			results = append(results, c.column+": "+result)
		}
	}
	return strings.Join(results, "; ")
}

// reread is the last read by one who has perhaps just gone on, and needs a moment
// to give the memory up.
func (s *scene) reread() string {
	c := partyCalls[len(partyCalls)-1]
	if s.silent[c.by] != "" || !s.done[c.needs] {
		return s.call(c)
	}
	return s.command(c, "readuntilrevoked", "")
}

// An accident is a run in which a party is hit.
type accident struct {
	step    int  // index of the last call before
	waiting bool // or while Revoke waits for the recipient, which is stopped
	victim  string
	signal  syscall.Signal

	results []string // of the calls that remain
	then    string   // what comes after SIGCONT
}

func (a *accident) String() string {
	how := "killed"
	if a.signal == syscall.SIGSTOP {
		how = "stopped"
	}
	return a.victim + " " + how
}

func (a *accident) happen(t *testing.T) {
	s := newScene(t)
	for _, c := range partyCalls[:a.step+1] {
		require.Equal(t, succeeded, s.call(c), "%s %s", c.by, c.name)
	}
	if a.waiting {
		a.happenWaiting(t, s)
		return
	}
	s.hit(a.victim, a.signal)
	for _, c := range a.remaining() {
		a.results = append(a.results, s.call(c))
	}
	if a.signal == syscall.SIGSTOP {
		s.continueOne(a.victim)
		a.then = s.again()
	}
}

// remaining are the calls after the step.
func (a *accident) remaining() []partyCall { return partyCalls[a.step+1:] }

// happenWaiting is happen while Revoke waits.
func (a *accident) happenWaiting(t *testing.T, s *scene) {
	recipient := s.parties[theRecipient].PID()
	s.hit(theRecipient, syscall.SIGSTOP)
	start := time.Now()
	s.must(theCreator, "beginrevoke", recipient)
	s.must(theMaker, "untildestroyed", "") // the maker has answered
	s.untilAsleep(t, theCreator)           // the recipient has been asked
	if a.victim != theRecipient || a.signal == syscall.SIGKILL {
		s.hit(a.victim, a.signal)
	}
	revoke := partyCall{name: "revoke", by: theCreator}
	ending := s.parties[theCreator].Begin("do", "endrevoke", "")
	if s.silent[theCreator] == "" {
		a.results = append(a.results, s.answer(revoke, ending, start))
	} else {
		a.results = append(a.results, s.silent[theCreator])
	}
	if s.silent[theRecipient] != "†" {
		s.continueOne(theRecipient)
	}
	a.results = append(a.results, s.reread())
	if s.silent[a.victim] == "…" {
		if a.victim == theCreator { // it is long past the second
			time.Sleep(time.Until(start.Add(1200 * time.Millisecond)))
		}
		s.continueOne(a.victim)
		if a.victim == theCreator {
			a.then = "Revoke " + s.answer(revoke, ending, start)
		}
	}
}

// TestStoppedAndKilled makes the table of what the others see.
func TestStoppedAndKilled(t *testing.T) {
	if buildSetting("-tags") != "" {
		t.Skip("a libc has no ErrRevokePending")
	}
	testproc.TakesLong(t, "has more than a hundred processes")
	all := accidents()
	var happening sync.WaitGroup
	// Nearly all the time they wait.
	atOnce := make(chan struct{}, 24)
	for _, a := range all {
		happening.Add(1)
		atOnce <- struct{}{}
		go func() {
			defer happening.Done()
			defer func() { <-atOnce }()
			t.Run(fmt.Sprintf("%d/%v", a.step, a), a.happen)
		}()
	}
	happening.Wait()
	if t.Failed() {
		return
	}
	got := table(all)
	if *update {
		require.NoError(t, os.WriteFile(stoppedAndKilled, got, 0o644))
		return
	}
	testproc.Generated(t, stoppedAndKilled, got, "go generate ./qnxshm")
}

// accidents are all of them, in the order of the table.
func accidents() (all []*accident) {
	for step, c := range partyCalls {
		for _, waiting := range []bool{false, true} {
			if c.step == "" || waiting && c.name != "map" {
				continue
			}
			for _, victim := range []string{theCreator, theMaker, theRecipient} {
				for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
					all = append(all, &accident{step: step, waiting: waiting, victim: victim, signal: signal})
				}
			}
		}
	}
	return all
}

func table(all []*accident) []byte {
	var b bytes.Buffer
	b.WriteString(stoppedAndKilledHeader)
	for i, a := range all {
		if i == 0 || a.step != all[i-1].step || a.waiting != all[i-1].waiting {
			a.heading(&b)
		}
		fmt.Fprintf(&b, "| %v |", a)
		for j, c := range a.columns() {
			if c.column != "" {
				fmt.Fprintf(&b, " %s |", a.results[j])
			}
		}
		fmt.Fprintf(&b, " %s |\n", a.then)
	}
	return b.Bytes()
}

func (a *accident) columns() []partyCall {
	if a.waiting {
		return partyCalls[len(partyCalls)-2:]
	}
	return a.remaining()
}

func (a *accident) heading(b *bytes.Buffer) {
	title := "After: " + partyCalls[a.step].step
	if a.waiting {
		title = "While Revoke waits for the recipient, which is stopped and goes on afterwards"
	}
	first, second := "", "|---|"
	for _, c := range a.columns() {
		if c.column != "" {
			first += fmt.Sprintf(" %s: %s |", c.by, c.column)
			second += "---|"
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n| |%s after SIGCONT |\n%s---|\n", title, first, second)
}
