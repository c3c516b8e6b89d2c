//go:build linux && cgo

package qnxhost_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

// dialects are what programs of QNX are written in.
var dialects = map[string][]string{
	"c-8.0":   {"gcc", "-std=gnu11"},
	"c-7.1":   {"gcc", "-std=gnu11", "-D_NTO_VERSION=710"},
	"c++-8.0": {"g++", "-std=gnu++17", "-x", "c++"},
	"c++-7.1": {"g++", "-std=gnu++17", "-D_NTO_VERSION=710", "-x", "c++"},
}

// Every rule of the ledger that only programs in C can meet holds in C and C++, of 7.1
// and 8.0; and these programs check no rule that is not in the ledger.
func TestCRules(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, r := range shmtest.Ledger() {
		if r.OnlyC {
			ids = append(ids, r.ID)
		}
	}
	dir := programs(t)
	for dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			require.ElementsMatch(t, ids, strings.Fields(command(t, dir+"/c-rules-"+dialect, "-l")))
			for _, id := range ids {
				t.Run(id, func(t *testing.T) {
					t.Parallel()
					start(t, "c-rules-"+dialect, id).succeeds(t)
				})
			}
		})
	}
}

// The rule timeout/cleared goes through every kernel call that the headers declare, which
// have names like no other functions.
func TestKernelCallsClearTimeouts(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("testdata/rules_timeouts.c")
	require.NoError(t, err)
	gone := map[string]bool{
		"TimerTimeout": true, "TimerTimeout_r": true, // these arm it
		"ClockCycles": true, "ClientInfoExtFree": true, // these are no kernel calls
	}
	for _, m := range regexp.MustCompile(`\t(CLEARS|BOTH_CLEAR)\((\w+)`).FindAllStringSubmatch(string(source), -1) {
		gone[m[2]] = true
		if m[1] == "BOTH_CLEAR" {
			gone[m[2]+"_r"] = true
		}
	}
	functions, _, _ := namesOf(t, newToolchain(t))
	calls := 0
	for name := range functions {
		if regexp.MustCompile(`^([A-Z][a-z]+){2}`).MatchString(name) {
			calls++
			require.Contains(t, gone, name)
		}
	}
	require.Greater(t, calls, 90)
}

// A client of each dialect that does not send learns that its server was killed, which is
// of C or of Go.
func TestCMourners(t *testing.T) {
	t.Parallel()
	for dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
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
