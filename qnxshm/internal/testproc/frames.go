//go:build linux

package testproc

import "encoding/json"

// A request calls a procedure.
type request struct {
	ID   int
	Name string
	Args []json.RawMessage
}

// A reply is what came of a request; the one of number 0 tells that the process is
// ready.
type reply struct {
	ID     int
	Values []json.RawMessage
	Err    *Error `json:",omitempty"`
	Failed string `json:",omitempty"` // why the test has to fail
	Skip   string `json:",omitempty"` // why it has to be skipped
}
