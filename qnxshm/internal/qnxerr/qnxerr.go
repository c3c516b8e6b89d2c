// Package qnxerr holds what qnxshm, qnxmsg and their backends share about errors:
// what a backend tells beside the errno, the names of errno values, and the few
// errno values QNX has and the system this is built for may lack. The Error that
// programs see is qnxshm's.
package qnxerr

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// A Cause is an errno together with what only the place that failed knows.
// Backends return it where the errno's usual meaning would not tell enough.
type Cause struct {
	Errno syscall.Errno
	Text  string
}

// Error gives the errno's name and the text.
func (c Cause) Error() string { return Name(c.Errno) + ": " + c.Text }

// Unwrap gives the errno.
func (c Cause) Unwrap() error { return c.Errno }

// Because gives err, if it is of that errno, the first of texts that is not
// empty. They tell what is wrong with an argument, and so more than the errno's
// usual meaning, or the backend, could.
func Because(err error, errno syscall.Errno, texts ...string) error {
	if errors.Is(err, errno) {
		for _, text := range texts {
			if text != "" {
				return Cause{errno, text}
			}
		}
	}
	return err
}

// A Meaning tells what an errno means in a call, "" when it has nothing to add.
type Meaning func(call string, errno syscall.Errno) string

// Explain tells the errno and its meaning of what the backend of a call has
// returned: a syscall.Errno, a Cause, or an error around one of them.
func Explain(err error, call string, meaning Meaning) (errno syscall.Errno, detail string) {
	var cause Cause
	switch {
	case errors.As(err, &cause):
		return cause.Errno, cause.Text
	case errors.As(err, &errno):
		if detail = meaning(call, errno); detail == "" {
			detail = errno.Error()
		}
		return errno, detail
	}
	return syscall.EIO, err.Error()
}

// Closed is the error of using something after its Close or Unmap. It matches
// os.ErrClosed.
func Closed(what string) error { return fmt.Errorf("%s: %w", what, os.ErrClosed) }

// ErrRevokePending is exported by qnxshm, where it is documented.
var ErrRevokePending = errors.New("revocation pending")

// Pending is the failure of a revocation that some processes have not confirmed,
// nil if the system does not tell which.
type Pending struct{ PIDs []int }

// Error names the processes.
func (p Pending) Error() string {
	if p.PIDs == nil {
		return fmt.Sprintf("%v: a process does not answer; its mappings go as soon as it runs again", ErrRevokePending)
	}
	return fmt.Sprintf("%v: no answer from processes %v; their mappings go as soon as they run again", ErrRevokePending, p.PIDs)
}

// Is matches ErrRevokePending.
func (p Pending) Is(target error) bool { return target == ErrRevokePending }

// Unwrap gives the errno.
func (p Pending) Unwrap() error { return syscall.EAGAIN }
