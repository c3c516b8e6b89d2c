//go:build linux

package shmtest_test

import (
	"testing"

	"github.com/go-qnx/shm/qnxshm/internal/testproc"
	"github.com/go-qnx/shm/qnxshm/shmtest"
)

func TestContractIsUpToDate(t *testing.T) {
	testproc.Generated(t, "CONTRACT.md", shmtest.Contract(), "go generate ./qnxshm/shmtest")
}
