//go:build linux

package shmtest_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

func TestLeakNamesItsMaker(t *testing.T) {
	r, w, err := os.Pipe() // what was there before
	require.NoError(t, err)
	defer w.Close()
	defer r.Close()
	stay := make(chan struct{})
	defer close(stay)
	report := shmtest.LeaksOf("open/used", func() {
		null, err := os.Open(os.DevNull)
		require.NoError(t, err)
		t.Cleanup(func() { null.Close() })
		go func() { <-stay }()
	})
	require.Regexp(t, `(?s)^left behind: descriptors (\d+) → \d+, goroutines \d+ → \d+, children 0 → 0\n`+
		`descriptor \d+ /dev/null, first seen after the case open/used\n`+
		`goroutine \d+ .*\ncreated by [^\n]*TestLeakNamesItsMaker.*leaks_test.go:\d+ [^\n]*\n\n$`, report)
}
