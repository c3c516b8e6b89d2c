//go:build linux

package testproc

import (
	"errors"
	"syscall"
	"testing"

	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// An Error is that of a procedure.
type Error struct {
	Errno syscall.Errno // 0 if it had none
	Text  string
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns the errno.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// newError is an error as it travels.
func newError(err error) *Error {
	e := &Error{Text: err.Error()}
	errors.As(err, &e.Errno)
	return e
}

// ErrnoOf is the errno of a failed call, 0 for none.
func ErrnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if err != nil && !errors.As(err, &errno) {
		return syscall.EIO
	}
	return errno
}

// WantErrno requires an errno, or success if want is 0.
func WantErrno(t testing.TB, want syscall.Errno, err error, args ...any) {
	t.Helper()
	if got := ErrnoOf(err); got != want {
		t.Fatalf("want %s, got %s: %v %v", qnxerr.Name(want), qnxerr.Name(got), err, args)
	}
}

// Retry makes a system call again when a signal has ended it.
func Retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
