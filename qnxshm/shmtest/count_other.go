//go:build !linux

package shmtest

import "errors"

// Nothing portable counts these.

func openDescriptors() int { return 0 }

func describeDescriptors() string { return "" }

func childProcesses() int { return 0 }

func closeOnExec(int) (bool, error) { return false, errors.ErrUnsupported }
