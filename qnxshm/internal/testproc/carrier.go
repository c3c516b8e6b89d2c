//go:build linux

package testproc

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A carrier is the testing.TB of a procedure. What it is told goes back to the test.
type carrier struct {
	testing.TB // for what nobody needs here: not there
	name       string
	atEnd      func(func()) // keeps a function for the end of the process

	mu              sync.Mutex
	failed, skipped bool
	log             strings.Builder
}

func (c *carrier) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.TrimSpace(c.log.String())
}

func (c *carrier) mark(failed, skipped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed, c.skipped = c.failed || failed, c.skipped || skipped
}

func (c *carrier) Log(args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(&c.log, args...)
}

func (c *carrier) Logf(format string, args ...any) { c.Log(fmt.Sprintf(format, args...)) }

func (c *carrier) Helper()        {}
func (c *carrier) Name() string   { return c.name }
func (c *carrier) Fail()          { c.mark(true, false) }
func (c *carrier) FailNow()       { c.Fail(); runtime.Goexit() }
func (c *carrier) SkipNow()       { c.mark(false, true); runtime.Goexit() }
func (c *carrier) Error(a ...any) { c.Log(a...); c.Fail() }
func (c *carrier) Fatal(a ...any) { c.Log(a...); c.FailNow() }
func (c *carrier) Skip(a ...any)  { c.Log(a...); c.SkipNow() }
func (c *carrier) Failed() bool   { c.mu.Lock(); defer c.mu.Unlock(); return c.failed }
func (c *carrier) Skipped() bool  { c.mu.Lock(); defer c.mu.Unlock(); return c.skipped }

func (c *carrier) Errorf(format string, a ...any) { c.Error(fmt.Sprintf(format, a...)) }
func (c *carrier) Fatalf(format string, a ...any) { c.Fatal(fmt.Sprintf(format, a...)) }
func (c *carrier) Skipf(format string, a ...any)  { c.Skip(fmt.Sprintf(format, a...)) }

// Cleanup is for the end of the process.
func (c *carrier) Cleanup(f func()) { c.atEnd(f) }
