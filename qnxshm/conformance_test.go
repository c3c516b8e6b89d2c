package qnxshm_test

import (
	"testing"

	"github.com/go-qnx/shm/qnxshm/shmtest"
)

func TestMain(m *testing.M) {
	playRole()
	shmtest.Main(m)
}

// TestConformance runs every rule of the ledger, those of qnxmsg included.
func TestConformance(t *testing.T) { shmtest.Run(t) }
