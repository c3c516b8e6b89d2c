//go:build !linux

package shmtest

import "errors"

// forkAndRead would need a fork of which the Go runtime knows nothing.
func forkAndRead([]byte) error { return errors.ErrUnsupported }

func forkToWrite(uintptr, []byte) error { return errors.ErrUnsupported }
