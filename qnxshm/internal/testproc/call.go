//go:build linux

package testproc

import (
	"encoding/json"
	"time"
)

// A Call is one that a child is busy with.
type Call struct {
	c      *Child
	name   string
	answer chan reply
}

// Begin makes a child begin a call, beside others.
func (c *Child) Begin(name string, args ...any) *Call {
	c.t.Helper()
	raw := make([]json.RawMessage, len(args))
	for i, arg := range args {
		var err error
		if raw[i], err = json.Marshal(arg); err != nil {
			c.t.Fatalf("%s: argument %d: %v", name, i, err)
		}
	}
	k := &Call{c, name, make(chan reply, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	if c.waiting == nil {
		close(k.answer)
		return k
	}
	c.waiting[c.last] = k.answer
	// To a process that has ended it fails; then nothing comes.
	json.NewEncoder(c.in).Encode(request{c.last, name, raw})
	return k
}

// Wait returns what the procedure has, with an *Error if it failed.
func (k *Call) Wait() (Value, error) { k.c.t.Helper(); return k.Within(Patience) }

// Within is Wait for a procedure that must return, well or not, in a time.
func (k *Call) Within(limit time.Duration) (Value, error) {
	k.c.t.Helper()
	r := k.c.receive(k.name, k.answer, limit)
	v := newValue(k.c.t, r.Values)
	if r.Err != nil {
		return v, r.Err
	}
	return v, nil
}

// Try calls a procedure, which may fail.
func (c *Child) Try(name string, args ...any) (Value, error) {
	c.t.Helper()
	return c.Begin(name, args...).Wait()
}

// Do calls a procedure, which has to succeed.
func (c *Child) Do(name string, args ...any) Value {
	c.t.Helper()
	v, err := c.Try(name, args...)
	if err != nil {
		c.t.Fatalf("%s %v: %v", name, args, err)
	}
	return v
}

// Err is the error of a procedure, of which nothing else matters.
func (c *Child) Err(name string, args ...any) error {
	c.t.Helper()
	_, err := c.Try(name, args...)
	return err
}
