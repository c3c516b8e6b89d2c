//go:build linux && cgo

package qnxhost_test

import "testing"

// Threads that each send one message, and end or are cancelled, leave nothing in the
// process, nor of the connection.
func TestCProgramShortThreads(t *testing.T) {
	t.Parallel()
	start(t, "c-threads", "bursts").succeeds(t)
	server, name := serverOf(t, "c-threads")
	start(t, "c-threads", "client", name).succeeds(t)
	server.succeeds(t)
}
