//go:build linux

package message_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
	"github.com/go-qnx/shm/qnxshm/internal/testproc"
)

// soakBriefly has two processes exchange messages on channels of both kinds.
func soakBriefly(t *testing.T, server, client *testproc.Child) {
	t.Helper()
	plain, unblock := nameOf(server), nameOf(server)+"/unblock"
	server.Do("soakserve", plain, nto.ChannelDisconnect)
	server.Do("soakserve", unblock, nto.ChannelUnblock)
	for _, patient := range []bool{true, false} {
		client.Do("soak", []string{plain, unblock, plain}, patient, 150*time.Millisecond)
		requireNoFaults(t, "the client", client)
		requireNoFaults(t, "the server", server)
		require.Greater(t, client.Do("soakprogress").At(0).Int(), 5)
		require.Zero(t, client.Do("connected").Int())
	}
	requireNothingLeft(t, server)
}

// TestTwoUsers: processes of different users exchange messages.
func TestTwoUsers(t *testing.T) {
	t.Run("client", func(t *testing.T) { soakBriefly(t, testproc.Start(t, "node"), startStranger(t)) })
	t.Run("server", func(t *testing.T) { soakBriefly(t, startStranger(t), testproc.Start(t, "node")) })
	t.Run("both", func(t *testing.T) {
		soakBriefly(t, startStranger(t), testproc.StartStranger(t, "node", 65533))
	})
}

// TestFewDescriptors: a message needs few, and a connection none but its socket.
func TestFewDescriptors(t *testing.T) {
	for _, limited := range []string{"server", "client", "both"} {
		t.Run(limited, func(t *testing.T) {
			server, client := testproc.Start(t, "node"), testproc.Start(t, "node")
			if limited != "client" {
				server.Do("limit", 64)
			}
			if limited != "server" {
				client.Do("limit", 64)
			}
			soakBriefly(t, server, client)
		})
	}
}

// TestOneProcessor: goroutines that wait do not keep others from running.
func TestOneProcessor(t *testing.T) {
	one := testproc.Options{Env: []string{"GOMAXPROCS=1"}}
	server := one.Start(t, "node")
	soakBriefly(t, server, one.Start(t, "node"))
	soakBriefly(t, one.Start(t, "node"), testproc.Start(t, "node"))
	// Within one process.
	alone := one.Start(t, "node")
	soakBriefly(t, alone, alone)
}

// onlySoakPeer writes what tells the go command to compile no tests of this package but
// the peer of the soak.
func onlySoakPeer(t *testing.T) (overlay string) {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	replace := make(map[string]string)
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, path := range tests {
		if name := filepath.Base(path); !strings.HasPrefix(name, "export_") && name != "soakpeer_test.go" {
			replace[path] = "" // as if it were not there
		}
	}
	main := filepath.Join(dir, "testdata", "soakpeer_main_test.go")
	_, err = os.ReadFile(main) // so that the test cache knows of it
	require.NoError(t, err)
	replace[filepath.Join(dir, "main_test.go")] = main
	text, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	overlay = filepath.Join(t.TempDir(), "overlay.json")
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	return overlay
}

// TestOtherWords: a process of 32 bits shares memory with one of 64.
func TestOtherWords(t *testing.T) {
	if runtime.GOARCH != "amd64" || testing.Short() || raceEnabled {
		t.Skip("builds itself for 386: on amd64 only, and not with -short and -race")
	}
	binary := filepath.Join(t.TempDir(), "node")
	build := exec.Command("go", "test", "-c", "-ldflags=-w", "-overlay="+onlySoakPeer(t), "-o", binary, ".")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("builds a program of 32 bits: ", err)
	}
	require.NoError(t, err, "%s", out)
	out, err = exec.Command(binary, "-test.run", "^$").CombinedOutput()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("this kernel runs no programs of 32 bits: ", err)
	}
	require.NoError(t, err, "%s", out)
	other := testproc.Options{Program: []string{binary}}
	require.Equal(t, math.MaxInt32, other.Start(t, "node").Do("maxint").Int(), "it has 32 bits")
	t.Run("client", func(t *testing.T) { soakBriefly(t, testproc.Start(t, "node"), other.Start(t, "node")) })
	t.Run("server", func(t *testing.T) { soakBriefly(t, other.Start(t, "node"), testproc.Start(t, "node")) })
	t.Run("both", func(t *testing.T) { soakBriefly(t, other.Start(t, "node"), other.Start(t, "node")) })
}
