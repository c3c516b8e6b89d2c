//go:build linux && cgo

package qnxhost_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// dialects are what programs of QNX are written in.
var dialects = map[string][]string{
	"c-8.0":   {"gcc", "-std=gnu11"},
	"c-7.1":   {"gcc", "-std=gnu11", "-D_NTO_VERSION=710"},
	"c++-8.0": {"g++", "-std=gnu++17", "-x", "c++"},
	"c++-7.1": {"g++", "-std=gnu++17", "-D_NTO_VERSION=710", "-x", "c++"},
}

// Flags, timeouts and answers mean the same in C and C++, of 7.1 and 8.0. A client of
// each that does not send learns that its server was killed, which is of C or of Go.
func TestCRules(t *testing.T) {
	t.Parallel()
	for dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			start(t, "c-rules-"+dialect, "all", uniqueName()).succeeds(t)
			for _, server := range []string{"c-server", "server"} {
				name := uniqueName()
				args := []string{name}
				if server == "server" {
					args = []string{"-name", name}
				}
				s := start(t, server, args...)
				s.line(t)
				mourner := start(t, "c-rules-"+dialect, "mourner", name)
				require.Equal(t, "waits", mourner.line(t))
				require.NoError(t, s.cmd.Process.Kill())
				mourner.succeeds(t)
			}
		})
	}
}
