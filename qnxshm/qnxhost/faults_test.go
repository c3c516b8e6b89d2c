//go:build linux && cgo

package qnxhost_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Memory that is not there is an errno, on the side whose it is.
func TestCProgramBadMemory(t *testing.T) {
	t.Parallel()
	server, name := serverOf(t, "c-faults")
	start(t, "c-faults", "client", name).succeeds(t)
	server.succeeds(t)

	name = uniqueName()
	server = start(t, "c-faults", "receives", name)
	require.Equal(t, "serving", server.line(t))
	start(t, "c-faults", "waits", name).succeeds(t)
	server.succeeds(t)
}
