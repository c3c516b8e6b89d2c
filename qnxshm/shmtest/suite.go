package shmtest

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-qnx/shm/qnxshm"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
	"github.com/go-qnx/shm/qnxshm/qnxmsg"
)

const (
	caseLimit = 60 * time.Second // then a case is taken to hang
	leakLimit = 5 * time.Second  // for what ends by itself some time after its last use
)

// target tells that this is a real target, where a rule's AlsoAccept counts.
const target = runtime.GOOS == "qnx"

// Main is the TestMain of a package that calls [Run]. It turns a process that [Run]
// has started into a worker, and runs the tests in any other. It does not
// return.
func Main(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		os.Exit(work(os.Stdin, os.Stdout))
	}
	mainCalled.Store(true)
	os.Exit(m.Run())
}

var mainCalled atomic.Bool

// Run runs the case of every rule that programs in Go can meet as a subtest named by
// the rule's ID, checks that nothing is left behind, and logs the report.
func Run(t *testing.T) {
	if !supported {
		t.Skip("neither host nor target: " + runtime.GOOS)
	}
	if !mainCalled.Load() {
		t.Fatal("TestMain of this package must call shmtest.Main")
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	if err := startPoller(); err != nil {
		t.Fatal(err)
	}
	results.reset()
	if thread, err := threadID(); err == nil {
		blockedAtStart, _ = blocked(thread)
	}
	if err := findRelease(); err != nil {
		t.Fatal(err)
	}
	startHost(t)
	before := countResources()
	t.Cleanup(func() {
		if !t.Failed() {
			checkLeaks(t, before)
		}
		var b strings.Builder
		Report(&b)
		t.Log("\n" + b.String())
	})
	run := func(rule *Rule) {
		t.Run(rule.ID, func(t *testing.T) { runCase(t, rule, caseOf(rule.ID)) })
	}
	var waiting []*Rule
	for _, i := range order() {
		switch rule := &ledger[i]; {
		case rule.OnlyC: // TestCRules of qnxhost runs it
		case slow[rule.ID]:
			waiting = append(waiting, rule)
		default:
			run(rule)
		}
	}
	// Not by Parallel, which would let as few run at once as there are processors.
	var all sync.WaitGroup
	for _, rule := range waiting {
		all.Add(1)
		go func() {
			defer all.Done()
			run(rule)
		}()
	}
	all.Wait()
}

// order is the order in which the cases run: the ledger's, unless the tests are
// shuffled.
func order() []int {
	if f := flag.Lookup("test.shuffle"); f != nil && f.Value.String() != "off" {
		return rand.Perm(len(ledger))
	}
	all := make([]int, len(ledger))
	for i := range all {
		all[i] = i
	}
	return all
}

// check reports rules without a case, cases without a rule, and IDs that occur
// twice.
func check() error {
	var errs []error
	rules := make(map[string]bool)
	for _, r := range ledger {
		if rules[r.ID] {
			errs = append(errs, fmt.Errorf("shmtest: two rules %s", r.ID))
		}
		rules[r.ID] = true
		if has := caseOf(r.ID) != nil; has == r.OnlyC {
			errs = append(errs, fmt.Errorf("shmtest: rule %s: has a case: %t, is of C only: %t", r.ID, has, r.OnlyC))
		}
	}
	seen := make(map[string]bool)
	for _, group := range allCases {
		for id := range group {
			if seen[id] {
				errs = append(errs, fmt.Errorf("shmtest: two cases %s", id))
			}
			seen[id] = true
			if !rules[id] {
				errs = append(errs, fmt.Errorf("shmtest: case %s has no rule", id))
			}
		}
	}
	return errors.Join(errs...)
}

type caseFunc func(c *trial)

var allCases = []map[string]caseFunc{
	createCases, subrangeCases, openCases, lifeCases, objectCases, mapCases,
	controlCases, sealCases, noFDCases, directCases, limitCases,
	revokeErrorCases, revokeCases, revokeHandleCases, revokedCases, revokeRaceCases,
	channelCases, deathCases, sendCases, unblockCases, pulseCases, pieceCases, whoCases, eventCases, serveCases,
}

// slow are the cases that mostly wait; they run beside each other, after the rest.
var slow = map[string]bool{
	"open/maker-stopped":       true,
	"open/maker-stopped-kept":  true,
	"delete/maker-stopped":     true,
	"direct/maker-stopped":     true,
	"connect/server-stopped":   true,
	"revoke/recipient-stopped": true,
	"revoke/stopped-writer":    true,
	"revoke/stopped-maker":     true,
	"revoke/stopped-killed":    true,
}

func caseOf(id string) caseFunc {
	for _, group := range allCases {
		if f := group[id]; f != nil {
			return f
		}
	}
	return nil
}

// A trial is one run of a case. The case runs on a goroutine of its own, so that one
// that hangs can be given up; fatalf and skipf end that goroutine only.
type trial struct {
	rule *Rule

	mu       sync.Mutex
	log      []string
	seen     []string // what the rule's errno was
	lacks    string   // the errno by which a release before 8.0 has told that it lacks the call
	failed   bool
	skipped  bool
	cleanups []func()
	workers  []*worker
}

func runCase(t *testing.T, rule *Rule, run caseFunc) {
	c := &trial{rule: rule}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer c.finish()
		run(c)
	}()
	limit := time.NewTimer(caseLimit)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		c.errorf("no end after %v; all goroutines:\n%s", caseLimit, stacks())
		c.killWorkers() // most calls that hang do so on a worker
		select {
		case <-done:
		case <-time.After(leakLimit):
		}
	}

	lookAfter(rule.ID)
	c.lacking()
	c.mu.Lock()
	defer c.mu.Unlock()
	if rule.IsErrno() && len(c.seen) == 0 && c.lacks == "" && !c.failed && !c.skipped {
		c.failed = true
		c.log = append(c.log, "the case did not look at the errno")
	}
	for _, line := range c.log {
		t.Log(line)
	}
	results.add(rule.ID, result{seen: slices.Clone(c.seen), lacks: c.lacks, failed: c.failed, skipped: c.skipped && !c.failed})
	switch {
	case c.failed:
		t.Fail()
	case c.skipped:
		t.SkipNow()
	}
}

// finish undoes what the case has set up, last things first.
func (c *trial) finish() {
	for {
		c.mu.Lock()
		n := len(c.cleanups)
		if n == 0 {
			c.mu.Unlock()
			return
		}
		f := c.cleanups[n-1]
		c.cleanups = c.cleanups[:n-1]
		c.mu.Unlock()
		f()
	}
}

func (c *trial) cleanup(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleanups = append(c.cleanups, f)
}

// killWorkers ends the workers of a case that hangs. Those that can still tell
// do so in what they write while they end.
func (c *trial) killWorkers() {
	c.mu.Lock()
	workers := slices.Clone(c.workers)
	c.mu.Unlock()
	for _, w := range workers {
		w.cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-w.ended:
		case <-time.After(time.Second):
			w.cmd.Process.Kill()
		}
	}
}

func (c *trial) logf(format string, args ...any) {
	line := caseLine() + fmt.Sprintf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, line)
}

// caseLine tells where in its case the caller is.
func caseLine() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if name := filepath.Base(frame.File); strings.HasPrefix(name, "cases_") {
			return fmt.Sprintf("%s:%d: ", name, frame.Line)
		}
		if !more {
			return ""
		}
	}
}

func (c *trial) errorf(format string, args ...any) {
	c.logf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = true
}

func (c *trial) fatalf(format string, args ...any) {
	c.errorf(format, args...)
	runtime.Goexit()
}

func (c *trial) skipf(format string, args ...any) {
	c.logf(format, args...)
	c.mu.Lock()
	c.skipped = true
	c.mu.Unlock()
	runtime.Goexit()
}

// hostOnly skips what a target has no counterpart for.
func (c *trial) hostOnly() {
	if target {
		c.skipf("a rule of the host")
	}
}

// errno checks an error against the rule's effect, which is an errno.
func (c *trial) errno(what string, err error) {
	c.absent(err)
	got := nameOf(err)
	c.mu.Lock()
	if !slices.Contains(c.seen, got) {
		c.seen = append(c.seen, got)
	}
	c.mu.Unlock()
	if got != c.rule.Effect && !(target && slices.Contains(c.rule.AlsoAccept, got)) {
		c.errorf("%s: got %s (%v), want %s", what, got, err, c.rule.Effect)
	}
}

// fails checks an error that is not the rule itself. A target only has to fail.
func (c *trial) fails(what string, err error, want string) {
	c.absent(err)
	if got := nameOf(err); got != want && (!target || err == nil) {
		c.errorf("%s: got %s (%v), want %s", what, got, err, want)
	}
}

// must ends the case unless err is nil.
func (c *trial) must(what string, err error) {
	c.absent(err)
	if err != nil {
		c.fatalf("%s: got %s (%v), want success", what, nameOf(err), err)
	}
}

func equal[T comparable](c *trial, what string, got, want T) {
	if got != want {
		c.errorf("%s: got %v, want %v", what, got, want)
	}
}

// nameOf names an error as the ledger does.
func nameOf(err error) string {
	var remote remoteError
	var errno syscall.Errno
	switch {
	case err == nil:
		return "EOK"
	case errors.As(err, &remote):
		return remote.name
	case errors.Is(err, os.ErrClosed):
		return "ErrClosed"
	case errors.Is(err, qnxshm.ErrTruncated):
		return "ErrTruncated"
	case errors.Is(err, qnxshm.ErrRevoked):
		return "ErrRevoked"
	case errors.Is(err, io.EOF):
		return "EOF"
	case errors.As(err, &errno):
		return qnxerr.Name(errno)
	}
	return err.Error()
}

// builtWith tells a setting of the build, "" if it was not set.
func builtWith(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}

func raceDetector() bool { return builtWith("-race") == "true" }

func stacks() string {
	for size := 1 << 16; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return string(buf[:n])
		}
	}
}

// startHost makes the process one that serves others, which on the host it stays
// from then on.
func startHost(t *testing.T) {
	ch, err := qnxmsg.NewChannel(0)
	if err == nil {
		err = ch.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
