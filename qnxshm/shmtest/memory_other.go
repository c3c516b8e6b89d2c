//go:build !linux

package shmtest

import "errors"

// Nothing portable makes these calls.

func protect([]byte, bool) error { return errors.ErrUnsupported }

func protectNowhere() error { return errors.ErrUnsupported }

func syncNowhere() error { return errors.ErrUnsupported }

func syncBothWays([]byte) error { return errors.ErrUnsupported }
