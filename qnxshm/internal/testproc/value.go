//go:build linux

package testproc

import (
	"encoding/json"
	"testing"
)

// A Value is the result of a procedure, or the list of its results if it has more
// than one. It can be an argument of other procedures as it is.
type Value struct {
	t   testing.TB
	raw json.RawMessage
}

func newValue(t testing.TB, values []json.RawMessage) Value {
	t.Helper()
	if len(values) == 1 {
		return Value{t, values[0]}
	}
	raw, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return Value{t, raw}
}

// Into stores the value where p points to.
func (v Value) Into(p any) {
	v.t.Helper()
	if err := json.Unmarshal(v.raw, p); err != nil {
		v.t.Fatalf("the result of a second process: %s: %v", v.raw, err)
	}
}

// Int is the value as a number.
func (v Value) Int() (n int) { v.t.Helper(); v.Into(&n); return n }

// Uint64 is the value as a handle, or the like.
func (v Value) Uint64() (n uint64) { v.t.Helper(); v.Into(&n); return n }

// Text is the value of a string.
func (v Value) Text() (s string) { v.t.Helper(); v.Into(&s); return s }

// Bool is the value of one.
func (v Value) Bool() (b bool) { v.t.Helper(); v.Into(&b); return b }

// At is the i-th of several.
func (v Value) At(i int) Value {
	v.t.Helper()
	var all []json.RawMessage
	if v.Into(&all); i >= len(all) {
		v.t.Fatalf("the result of a second process: %s: there is no number %d", v.raw, i)
	}
	return Value{v.t, all[i]}
}

// String shows the value as it travelled.
func (v Value) String() string { return string(v.raw) }

// MarshalJSON makes the value an argument.
func (v Value) MarshalJSON() ([]byte, error) { return v.raw, nil }
