//go:build !linux && !qnx

package shmtest

import (
	"errors"
	"os"
)

// Nothing here is ever called: without a host or a target, Run skips.

const supported = false

func duplicate(int) (int, error) { return -1, errors.ErrUnsupported }

func closeFD(int) {}

func lowestFree() (int, error) { return -1, errors.ErrUnsupported }

func startPoller() error { return errors.ErrUnsupported }

func fillDescriptors() ([]int, error) { return nil, errors.ErrUnsupported }

func resume(*os.Process) error { return errors.ErrUnsupported }

func execSelf() error { return errors.ErrUnsupported }
