//go:build linux

package hostile_test

import (
	"encoding/json"
	"syscall"
	"testing"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// Relatives are processes that a node has started, and that can be told things
// through it.

// start starts a process with a given number, which only the first process of a
// pid namespace should choose.
func (n *node) start(t testing.TB, name string, pid int) error {
	c := testproc.StartNumbered(t, "node", pid)
	if c == nil {
		return syscall.EAGAIN
	}
	n.family[name] = c
	return nil
}

func (n *node) end(name string) { n.family[name].Kill() }

// tell passes a call on, and its result back.
func (n *node) tell(t testing.TB, name, procedure string, args ...json.RawMessage) (testproc.Value, error) {
	passed := make([]any, len(args))
	for i, arg := range args {
		passed[i] = arg
	}
	return n.family[name].For(t).Try(procedure, passed...)
}
