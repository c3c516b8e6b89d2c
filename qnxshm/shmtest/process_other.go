//go:build !linux

package shmtest

import (
	"errors"
	"os"
)

// forkAndRead would need a fork of which the Go runtime knows nothing.
func forkAndRead([]byte) error { return errors.ErrUnsupported }

func forkToWrite(uintptr, []byte) error { return errors.ErrUnsupported }

// stop would need to know when the process has stopped. Only rules of the host are
// about stopped processes.
func stop(*os.Process) error { return errors.ErrUnsupported }
