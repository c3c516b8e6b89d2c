//go:build linux

// Package message_test with only what a peer in a soak needs: TestOtherWords builds it
// so for another processor, without compiling half of the standard library for that,
// which the other tests' require needs.
package message_test

import (
	"math"
	"os"
	"testing"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

func TestMain(m *testing.M) {
	testproc.Play(testproc.Roles{"node": func() testproc.Procedures {
		procedures := soakProcedures()
		procedures["maxint"] = func() int { return math.MaxInt }
		return procedures
	}})
	os.Exit(m.Run())
}
