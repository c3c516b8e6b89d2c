//go:build !linux

package shmtest

import "errors"

// Nothing portable counts these.

func descriptors() []string { return nil }

func childProcesses() int { return 0 }

func threadID() (int, error) { return 0, errors.ErrUnsupported }

func interrupt(int) error { return errors.ErrUnsupported }

func blocked(int) (uint64, error) { return 0, errors.ErrUnsupported }

func protection([]byte) (string, error) { return "", errors.ErrUnsupported }

func closeOnExec(int) (bool, error) { return false, errors.ErrUnsupported }
