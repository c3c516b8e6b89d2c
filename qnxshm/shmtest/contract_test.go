//go:build linux

package shmtest_test

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/shmtest"
)

var update = flag.Bool("update", false, "write CONTRACT.md instead of comparing with it")

func TestContractIsUpToDate(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile("CONTRACT.md", shmtest.Contract(), 0o644))
		return
	}
	testproc.Generated(t, "CONTRACT.md", shmtest.Contract(), "go generate ./qnxshm/shmtest")
}
